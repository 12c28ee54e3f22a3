// Reading numbers and spans out of bytes that may be damaged: every step is checked, nothing traps.

/// Bytes that do not hold what they should: too short, a number too long, a text that is not UTF-8.
public struct DamagedBytes: Error, Hashable, Sendable {
  /// Makes the error.
  @inlinable public init() {}
}

/// A cursor over borrowed bytes. Integers are little-endian and of fixed width, or varints (LEB128, at most ten bytes).
///
/// - Throws: ``DamagedBytes`` from every read that would go past the end.
/// - Complexity: O(1) a read, apart from those that copy.
@frozen public struct ByteReader: ~Escapable, BitwiseCopyable {
  @usableFromInline let span: RawSpan
  @usableFromInline var offset: Int

  /// Begins at the first byte of `span`.
  @inlinable @_lifetime(copy span) public init(_ span: RawSpan) {
    self.span = span
    self.offset = 0
  }

  /// How many bytes have been read.
  @inlinable public var consumed: Int { offset }
  /// How many bytes are left.
  @inlinable public var remaining: Int { span.byteCount &- offset }
  /// Whether every byte has been read.
  @inlinable public var isAtEnd: Bool { offset == span.byteCount }

  @inlinable @_lifetime(self: copy self)
  mutating func load<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) throws(DamagedBytes)
    -> Value
  {
    let size = MemoryLayout<Value>.size
    guard remaining >= size else { throw DamagedBytes() }
    // In bounds by the guard; an integer has no invalid bit pattern.
    let value = unsafe span.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: type)
    offset &+= size
    return Value(littleEndian: value)
  }

  /// The next byte.
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt8() throws(DamagedBytes) -> UInt8 { try load(UInt8.self) }
  /// The next two bytes.
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt16() throws(DamagedBytes) -> UInt16 { try load(UInt16.self) }
  /// The next four bytes.
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt32() throws(DamagedBytes) -> UInt32 { try load(UInt32.self) }
  /// The next eight bytes.
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt64() throws(DamagedBytes) -> UInt64 { try load(UInt64.self) }

  /// The next `count` integers.
  ///
  /// - Complexity: O(count), at the speed of copying.
  @inlinable @_lifetime(self: copy self)
  public mutating func readIntegers<Value: FixedWidthInteger & BitwiseCopyable>(
    of type: Value.Type = Value.self, count: Int
  ) throws(DamagedBytes) -> [Value] {
    let size = MemoryLayout<Value>.size
    guard count >= 0, count <= remaining / size else { throw DamagedBytes() }
    var values = [Value](repeating: 0, count: count)
    let bytes = try readSpan(count: count &* size)
    unsafe bytes.withUnsafeBytes { source in
      unsafe values.withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
    }
    for index in values.indices { values[index] = Value(littleEndian: values[index]) }
    return values
  }

  /// A varint: seven bits a byte, least significant first.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  public mutating func readVarint() throws(DamagedBytes) -> UInt64 {
    // Most have one byte, or two, or three.
    let first = try load(UInt8.self)
    if first < 0x80 { return UInt64(first) }
    if remaining >= 2 {
      // In bounds by the condition.
      let second = unsafe span.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      let low = UInt64(first & 0x7f) | UInt64(second & 0x7f) &<< 7
      if second < 0x80 {
        offset &+= 1
        return low
      }
      let third = unsafe span.unsafeLoad(fromUncheckedByteOffset: offset &+ 1, as: UInt8.self)
      if third < 0x80 {
        offset &+= 2
        return low | UInt64(third) &<< 14
      }
    }
    return try readLongVarint(first)
  }

  @usableFromInline @_lifetime(self: copy self)
  mutating func readLongVarint(_ first: UInt8) throws(DamagedBytes) -> UInt64 {
    if remaining >= 8 {
      // In bounds by the guard. Seven bits of each byte up to the first one whose highest bit is not set.
      let word = unsafe UInt64(littleEndian: span.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
      let ends = ~word & 0x8080_8080_8080_8080
      if ends != 0 {
        let bits = UInt64(ends.trailingZeroBitCount &+ 1)
        offset &+= Int(bits >> 3)
        var value = word & (bits == 64 ? .max : (1 &<< bits) &- 1) & 0x7f7f_7f7f_7f7f_7f7f
        value = (value & 0x007f_007f_007f_007f) | (value & 0x7f00_7f00_7f00_7f00) &>> 1
        value = (value & 0x0000_3fff_0000_3fff) | (value & 0x3fff_0000_3fff_0000) &>> 2
        value = (value & 0x0fff_ffff) | (value & 0x0fff_ffff_0000_0000) &>> 4
        return UInt64(first & 0x7f) | value &<< 7
      }
    }
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    while true {
      let byte = try load(UInt8.self)
      if shift == 63, byte > 1 { throw DamagedBytes() }
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
      if shift > 63 { throw DamagedBytes() }
    }
  }

  /// A varint that counts something in memory, so at most `limit` (by default the bytes left).
  @inlinable @inline(__always) @_lifetime(self: copy self)
  public mutating func readCount(limit: Int? = nil) throws(DamagedBytes) -> Int {
    let value = try readVarint()
    guard value <= UInt64(limit ?? remaining) else { throw DamagedBytes() }
    return Int(value)
  }

  /// A signed varint, zigzag coded.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  public mutating func readSignedVarint() throws(DamagedBytes) -> Int64 {
    let raw = try readVarint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// The next `count` bytes, borrowed.
  @inlinable @inline(__always) @_lifetime(copy self) @_lifetime(self: copy self)
  public mutating func readSpan(count: Int) throws(DamagedBytes) -> RawSpan {
    guard count >= 0, count <= remaining else { throw DamagedBytes() }
    let part = unsafe span.extracting(unchecked: offset..<(offset &+ count))
    offset &+= count
    return part
  }

  /// All bytes that are left, borrowed.
  @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
  public mutating func readRest() -> RawSpan {
    let part = unsafe span.extracting(unchecked: offset..<span.byteCount)
    offset = span.byteCount
    return part
  }

  /// A varint length, then so many bytes, borrowed.
  @inlinable @inline(__always) @_lifetime(copy self) @_lifetime(self: copy self)
  public mutating func readLengthPrefixed() throws(DamagedBytes) -> RawSpan {
    let count = try readCount()
    return try readSpan(count: count)
  }

  /// A varint length, then a text of so many bytes of UTF-8, copied.
  @inlinable @_lifetime(self: copy self)
  public mutating func readString() throws(DamagedBytes) -> String {
    try readLengthPrefixed().string()
  }
}
