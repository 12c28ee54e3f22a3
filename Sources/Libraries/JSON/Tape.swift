// The tape: one entry a token, in source order, each container knowing where the next value after it lies.

/// One entry of the tape: a value, or the key of a member (a string).
struct TapeEntry: BitwiseCopyable {
  enum Kind: UInt32 {
    case null, `false`, `true`, number, string, array, object
  }

  /// From the lowest bit: three of kind, one of "has escapes", 28 of count.
  private var head: UInt32
  /// Where the token begins in the source; a string begins behind its quote.
  var start: UInt32
  /// Strings: bytes, escapes undone. Numbers and words: bytes as written. Containers: bytes, brackets included.
  var length: UInt32
  /// Containers: the entry after their last; while open, that of the container around them.
  /// Strings with escapes: where they lie, escapes undone, in the bytes beside the source.
  var link: UInt32

  init(_ kind: Kind, start: Int, length: Int, link: Int = 0, hasEscapes: Bool = false) {
    head = kind.rawValue | (hasEscapes ? 8 : 0)
    self.start = UInt32(truncatingIfNeeded: start)
    self.length = UInt32(truncatingIfNeeded: length)
    self.link = UInt32(truncatingIfNeeded: link)
  }

  /// What unused entries hold.
  static var unused: TapeEntry { TapeEntry(.null, start: 0, length: 0) }

  @inline(__always)
  var kind: Kind {
    switch head & 7 {
    case 0: .null
    case 1: .false
    case 2: .true
    case 3: .number
    case 4: .string
    case 5: .array
    default: .object
    }
  }
  var isContainer: Bool { head & 7 >= Kind.array.rawValue }
  var isObject: Bool { head & 7 == Kind.object.rawValue }
  var hasEscapes: Bool { head & 8 != 0 }
  /// How many members or elements a container has.
  var count: Int {
    get { Int(head >> 4) }
    set { head = head & 15 | UInt32(truncatingIfNeeded: newValue) << 4 }
  }

  /// The entry after this one and all within it.
  @inline(__always)
  func next(after index: Int) -> Int { isContainer ? Int(link) : index &+ 1 }

  /// The content of a string, or a number as written.
  @inline(__always)
  @_lifetime(copy source, copy unescaped)
  func content(source: Span<UInt8>, unescaped: Span<UInt8>) -> Span<UInt8> {
    hasEscapes
      ? unescaped.extracting(Int(link)..<Int(link) &+ Int(length))
      : source.extracting(Int(start)..<Int(start) &+ Int(length))
  }
}
