// Printing JSON, piece by piece, into an array of bytes.

/// Appends JSON to an array of bytes. Commas and line breaks are its own business, the order of keys is
/// the caller's.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.beginObject()
/// writer.key("user")
/// writer.string("bob")
/// writer.key("version")
/// writer.integer(7)
/// writer.endObject()
/// let bytes = writer.finish()  // {"user":"bob","version":7}
/// ```
/// Strings are escaped as in canonical JSON; so with sorted keys, what it writes compactly is canonical.
public struct JSONWriter: Sendable {
  /// How the text is laid out.
  public enum Style: Hashable, Sendable {
    /// Without white space.
    case compact
    /// A member or element a line, two spaces a level.
    case indented
  }

  /// What is written so far.
  public private(set) var bytes: [UInt8]
  /// How the text is laid out.
  public let style: Style

  private var depth = 0
  /// Whether a value stands before the place of the next one, in the same container.
  private var followsValue = false
  private var followsKey = false

  /// A writer that goes on behind `bytes`, whose memory it takes over.
  public init(appendingTo bytes: consuming [UInt8] = [], style: Style = .compact) {
    self.bytes = bytes
    self.style = style
  }

  /// Hands the bytes over; every container must be closed.
  public consuming func finish() -> [UInt8] {
    precondition(depth == 0 && !followsKey, "A container or a member is not finished")
    return bytes
  }

  /// Ends a line, between two values that no container holds: JSON Lines.
  public mutating func endLine() {
    precondition(depth == 0 && !followsKey, "A line does not end within a value")
    bytes.append(.newline)
    followsValue = false
  }

  // MARK: Containers

  /// Begins an object.
  public mutating func beginObject() { begin(.openingBrace) }

  /// Ends the object begun last.
  public mutating func endObject() { end(.closingBrace) }

  /// Begins an array.
  public mutating func beginArray() { begin(.openingBracket) }

  /// Ends the array begun last.
  public mutating func endArray() { end(.closingBracket) }

  /// The key of the next value; one that needs no escapes.
  public mutating func key(_ key: StaticString) {
    beginKey()
    let key = key.utf8Bytes
    assert(key.firstOffsetToEscape(from: 0) == key.count, "Such a key is written with key(text:)")
    let isIndented = style == .indented
    bytes.append(addingCapacity: key.count + 4) { (output: inout OutputSpan<UInt8>) in
      output.append(.quote)
      output.append(copying: key)
      output.append(.quote)
      output.append(.colon)
      if isIndented { output.append(.space) }
    }
  }

  /// The key of the next value, made at run time.
  public mutating func key(text key: String) {
    self.key(utf8: key.utf8Span.span)
  }

  /// The key of the next value, as valid UTF-8.
  public mutating func key(utf8 key: Span<UInt8>) {
    beginKey()
    bytes.append(jsonString: key)
    bytes.append(.colon)
    if style == .indented { bytes.append(.space) }
  }

  // MARK: Values

  /// A string.
  public mutating func string(_ text: String) {
    string(utf8: text.utf8Span.span)
  }

  /// A string, as valid UTF-8.
  public mutating func string(utf8 text: Span<UInt8>) {
    beginValue()
    bytes.append(jsonString: text)
  }

  /// An integer.
  public mutating func integer(_ value: Int) { integer(Int64(value)) }

  /// An integer.
  public mutating func integer(_ value: Int64) {
    beginValue()
    if value < 0 { bytes.append(.minus) }
    bytes.append(decimal: value.magnitude)
  }

  /// An integer.
  public mutating func integer(_ value: UInt64) {
    beginValue()
    bytes.append(decimal: value)
  }

  /// A number in the fewest digits that read back as the same `Double`, e.g. `0.1`, `1.0`, `1e+300`.
  ///
  /// - Precondition: It is finite.
  public mutating func double(_ value: Double) {
    precondition(value.isFinite, "JSON has no such number")
    beginValue()
    bytes.append(contentsOf: value.description.utf8)
  }

  /// `true` or `false`.
  public mutating func bool(_ value: Bool) {
    beginValue()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  /// `null`.
  public mutating func null() {
    beginValue()
    bytes.append(contentsOf: "null".utf8)
  }

  /// A value of any kind.
  public mutating func value(_ text: JSONText) {
    value(canonical: text.utf8.span)
  }

  /// A value of any kind, as canonical JSON.
  public mutating func value(canonical text: Span<UInt8>) {
    beginValue()
    switch style {
    case .compact:
      bytes.append(addingCapacity: text.count) { (output: inout OutputSpan<UInt8>) in
        output.append(copying: text)
      }
    case .indented: appendIndenting(text)
    }
  }

  /// The value of a node, as canonical JSON.
  public mutating func value(_ node: JSONNode) {
    switch style {
    case .compact:
      beginValue()
      node.appendCanonical(to: &bytes)
    case .indented: value(JSONText(node))
    }
  }

  // MARK: -

  private mutating func begin(_ bracket: UInt8) {
    beginValue()
    bytes.append(bracket)
    depth += 1
    followsValue = false
  }

  private mutating func end(_ bracket: UInt8) {
    precondition(depth > 0 && !followsKey, "There is nothing to end")
    depth -= 1
    if followsValue { breakLine() }
    bytes.append(bracket)
    followsValue = true
  }

  private mutating func beginKey() {
    precondition(depth > 0 && !followsKey, "A key stands in an object, before its value")
    if followsValue { bytes.append(.comma) }
    breakLine()
    followsKey = true
  }

  private mutating func beginValue() {
    if followsKey {
      followsKey = false
    } else if depth > 0 {
      if followsValue { bytes.append(.comma) }
      breakLine()
    } else {
      precondition(!followsValue, "Between two values there must be a container or a line's end")
    }
    followsValue = true
  }

  private mutating func breakLine() {
    guard style == .indented else { return }
    bytes.append(.newline)
    bytes.append(contentsOf: repeatElement(.space, count: 2 * depth))
  }

  /// Appends a canonical text with line breaks, at the present depth.
  private mutating func appendIndenting(_ text: Span<UInt8>) {
    let outerDepth = depth
    var offset = 0
    while offset < text.count {
      let byte = text[offset]
      switch byte {
      case .quote:
        let end = text.endOfString(from: offset)
        for place in offset..<end { bytes.append(text[place]) }
        offset = end
        continue
      case .openingBrace, .openingBracket:
        bytes.append(byte)
        if offset + 1 < text.count, text[offset + 1] == byte + 2 {
          bytes.append(byte + 2)
          offset += 1
        } else {
          depth += 1
          breakLine()
        }
      case .closingBrace, .closingBracket:
        depth = max(depth - 1, outerDepth)
        breakLine()
        bytes.append(byte)
      case .comma:
        bytes.append(byte)
        breakLine()
      case .colon:
        bytes.append(byte)
        bytes.append(.space)
      default:
        bytes.append(byte)
      }
      offset += 1
    }
    depth = outerDepth
  }
}

extension [UInt8] {
  /// Appends a number's decimal digits.
  fileprivate mutating func append(decimal value: UInt64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var first = 20
    var rest = value
    repeat {
      first -= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    } while rest > 0
    for place in first..<20 { append(digits[place]) }
  }
}
