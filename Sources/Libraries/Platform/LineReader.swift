// Reading a long input in big chunks.

/// Reads a descriptor in big chunks and gives out its lines.
///
/// Holds one chunk and one line at a time, however long the input is.
public struct LineReader: ~Copyable {
  private let source: Descriptor
  private let chunkSize: Int
  private let lineLimit: Int
  private var chunk: [UInt8] = []
  private var place = 0
  private var isAtEnd = false

  /// Reads `source`.
  ///
  /// - Parameters:
  ///   - chunkSize: How many bytes are read at a time.
  ///   - lineLimit: How long a line may be.
  public init(_ source: consuming Descriptor, chunkSize: Int = 1 << 18, lineLimit: Int = 1 << 26) {
    self.source = source
    self.chunkSize = chunkSize
    self.lineLimit = lineLimit
  }

  /// The next line without its newline; the last one need not have any. `nil` at the end.
  ///
  /// - Throws: ``PlatformError``, with `EMSGSIZE` where a line is longer than the limit.
  public mutating func next() throws(PlatformError) -> [UInt8]? {
    var line: [UInt8] = []
    var isBegun = false
    while true {
      if place == chunk.count {
        if !isAtEnd { chunk = try source.read(upTo: chunkSize) }
        place = 0
        if chunk.isEmpty || isAtEnd {
          chunk = []
          isAtEnd = true
          return isBegun ? line : nil
        }
      }
      isBegun = true
      let rest = chunk[place...]
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? chunk.endIndex
      guard line.count + (end - place) <= lineLimit else { throw PlatformError.lineTooLong }
      line += rest[..<end]
      place = end
      if end < chunk.endIndex {
        place = end + 1
        return line
      }
    }
  }
}
