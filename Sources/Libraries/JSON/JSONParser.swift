// The parser: finds the tokens with simdjson, checks them, and lends the outcome to a closure.
internal import CMemoirJSON

/// Parses JSON strictly, and keeps its memory from one text to the next.
///
/// ```swift
/// let parser = JSONParser()
/// let role = try parser.parse(line.span) { event in event["data"]?["role"]?.string }
/// ```
/// Refused are, with a ``JSONError``: whatever is not of the grammar of RFC 8259, anything behind the value,
/// a byte order mark, invalid UTF-8, lone surrogates, an object with the same key twice, and what exceeds
/// the ``JSONLimits``. Numbers are kept as written, of whatever size; `\u0000` is allowed in strings.
///
/// A parser belongs to one thread at a time. A body may parse with the same parser again; that works, but
/// with fresh memory. What a large text made the parser keep (from 1 MiB on) is given back behind it.
///
/// - Complexity: O(n log n) in the greatest number of keys of one object, else O(n); no choice of bytes
///   makes it quadratic.
@safe
public final class JSONParser {
  private let indexer: OpaquePointer
  private var buffers = Buffers()

  private struct Buffers {
    var tape: [TapeEntry] = []
    var unescaped: [UInt8] = []
    var keySets: [UInt64] = []
  }

  /// Texts larger than this do not leave their memory behind.
  private static let greatestKeptSize = 1 << 20

  /// A parser with little memory yet.
  public init() {
    guard let indexer = unsafe memoir_json_indexer_make() else { fatalError("Out of memory") }
    unsafe self.indexer = indexer
  }

  deinit { unsafe memoir_json_indexer_free(indexer) }

  /// Parses `text` and lends the value to `body`; it cannot outlive the call.
  ///
  /// - Throws: ``JSONError`` where the text is refused, or what `body` throws.
  public func parse<Result: ~Copyable>(
    _ text: Span<UInt8>, limits: JSONLimits = .standard, _ body: (JSONNode) throws -> Result
  ) throws -> Result {
    try parse(text, limits: limits, refusal: { $0 as any Error }, body)
  }

  /// Parses `text` and lends the value to `body`, for those whose errors are typed.
  ///
  /// - Parameter refusal: Makes the caller's error of a ``JSONError``.
  /// - Throws: What `refusal` makes, or what `body` throws.
  public func parse<Result: ~Copyable, Failure: Error>(
    _ text: Span<UInt8>, limits: JSONLimits = .standard, refusal: (JSONError) -> Failure,
    _ body: (JSONNode) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var buffers = Buffers()
    swap(&buffers, &self.buffers)
    defer {
      if text.count > Self.greatestKeptSize {
        unsafe memoir_json_indexer_trim(indexer)
      } else {
        swap(&buffers, &self.buffers)
      }
    }
    if let error = fill(
      &buffers.tape, &buffers.unescaped, &buffers.keySets, with: text, limits: limits)
    {
      throw refusal(error)
    }
    return try body(
      JSONNode(source: text, unescaped: buffers.unescaped.span, tape: buffers.tape.span, index: 0))
  }

  /// Parses `text`, as lent by what stores it.
  ///
  /// - Throws: ``JSONError`` where the text is refused, or what `body` throws.
  public func parse<Result: ~Copyable>(
    _ text: RawSpan, limits: JSONLimits = .standard, _ body: (JSONNode) throws -> Result
  ) throws -> Result {
    try parse(text.asBytes, limits: limits, body)
  }

  /// Parses all of `buffer`.
  ///
  /// - Throws: ``JSONError`` where the text is refused, or what `body` throws.
  public func parse<Result: ~Copyable>(
    _ buffer: borrowing [UInt8], limits: JSONLimits = .standard, _ body: (JSONNode) throws -> Result
  ) throws -> Result {
    try parse(buffer.span, limits: limits, body)
  }

  /// Parses a part of `buffer`, e.g. a line; offsets in errors count from the part's start.
  ///
  /// - Throws: ``JSONError`` where the text is refused, or what `body` throws.
  public func parse<Result: ~Copyable>(
    _ buffer: borrowing [UInt8], _ range: Range<Int>, limits: JSONLimits = .standard,
    _ body: (JSONNode) throws -> Result
  ) throws -> Result {
    try parse(buffer.span.extracting(range), limits: limits, body)
  }

  /// Checks `source` and writes its tape.
  private func fill(
    _ tape: inout [TapeEntry], _ unescaped: inout [UInt8], _ keySets: inout [UInt64],
    with source: Span<UInt8>, limits: JSONLimits
  ) -> JSONError? {
    guard source.count <= limits.sizeInBytes else {
      return JSONError(
        kind: .tooLarge, offset: limits.sizeInBytes,
        reason: "the text has more than \(limits.sizeInBytes) bytes")
    }
    var startCount = 0
    var starts: UnsafePointer<UInt32>? = nil
    let status = unsafe source.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return Int32(MEMOIR_JSON_EMPTY.rawValue) }
      return unsafe memoir_json_index(indexer, base, source.count, &starts, &startCount)
    }
    guard status == MEMOIR_JSON_INDEXED.rawValue, let starts = unsafe starts else {
      precondition(status != MEMOIR_JSON_OUT_OF_MEMORY.rawValue, "Out of memory")
      return JSONError.diagnosis(of: source)
    }
    // The indexer's memory stays as it is until its next call, which is after the tape is built.
    let tokens = unsafe Span(_unsafeStart: starts, count: startCount)
    tape.grow(to: greatestEntryCount(of: startCount, depthLimit: limits.depth), filledWith: .unused)
    keySets.grow(to: limits.depth + 1, filledWith: 0)
    let firstBackslash = source.firstOffset(of: .backslash, from: 0)
    if firstBackslash < source.count {
      unescaped.grow(to: source.count, filledWith: 0)
    }
    var tapeSpan = tape.mutableSpan
    var unescapedSpan = unescaped.mutableSpan
    var keySetSpan = keySets.mutableSpan
    let outcome = buildTape(
      of: source, tokensAt: tokens, firstBackslash: firstBackslash, depthLimit: limits.depth,
      tape: &tapeSpan, unescaped: &unescapedSpan, keySets: &keySetSpan)
    guard let failure = outcome.failure else { return nil }
    return JSONError(failure, outcome, source: source, unescaped: unescapedSpan.span, tape: tapeSpan.span)
  }
}

extension Array {
  /// Makes it at least `count` long, doubling; what it held is forgotten.
  fileprivate mutating func grow(to count: Int, filledWith element: Element) {
    guard self.count < count else { return }
    self = Array(repeating: element, count: Swift.max(count, self.count * 2, 64))
  }
}
