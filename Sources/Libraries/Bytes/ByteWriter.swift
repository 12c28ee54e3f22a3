// Writing what ByteReader reads.

/// Bytes that grow at their end. The forms are those of ``ByteReader``.
@frozen public struct ByteWriter: Sendable {
  /// What has been written.
  public var bytes: [UInt8]

  /// Begins empty.
  @inlinable public init(capacity: Int = 0) {
    bytes = []
    if capacity > 0 { bytes.reserveCapacity(capacity) }
  }

  /// How many bytes have been written.
  @inlinable public var count: Int { bytes.count }

  // Through room that is asked for once: appending a buffer is a call, and costs twice as much for eight bytes.
  @inlinable @inline(__always)
  mutating func store<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
    let size = MemoryLayout<Value>.size
    bytes.append(addingCapacity: size) { output in
      for index in 0..<size {
        output.append(UInt8(truncatingIfNeeded: value &>> Value(truncatingIfNeeded: 8 &* index)))
      }
    }
  }

  /// Appends one byte.
  @inlinable public mutating func write(_ value: UInt8) { bytes.append(value) }
  /// Appends two bytes, little-endian.
  @inlinable public mutating func write(_ value: UInt16) { store(value) }
  /// Appends four bytes, little-endian.
  @inlinable public mutating func write(_ value: UInt32) { store(value) }
  /// Appends eight bytes, little-endian.
  @inlinable public mutating func write(_ value: UInt64) { store(value) }
  /// Appends eight bytes, most significant first, so that keys sort as their numbers do.
  @inlinable public mutating func writeBigEndian(_ value: UInt64) { store(value.byteSwapped) }
  /// Appends four bytes, most significant first.
  @inlinable public mutating func writeBigEndian(_ value: UInt32) { store(value.byteSwapped) }

  /// Appends a varint of one to ten bytes.
  @inlinable public mutating func writeVarint(_ value: UInt64) {
    if value < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value))
      return
    }
    bytes.append(addingCapacity: 10) { output in
      var rest = value
      while rest >= 0x80 {
        output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest &>>= 7
      }
      output.append(UInt8(truncatingIfNeeded: rest))
    }
  }

  /// Appends a count as a varint.
  @inlinable public mutating func writeVarint(_ value: Int) { writeVarint(UInt64(value)) }

  /// Appends a signed varint, zigzag coded.
  @inlinable public mutating func writeSignedVarint(_ value: Int64) {
    writeVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Appends integers, little-endian, one after the other.
  @inlinable public mutating func write<Value: FixedWidthInteger & BitwiseCopyable>(integers: [Value]) {
    unsafe integers.map(\.littleEndian).withUnsafeBytes { raw in unsafe bytes.append(contentsOf: raw) }
  }

  /// Appends bytes as they are.
  @inlinable public mutating func write(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { raw in unsafe bytes.append(contentsOf: raw) }
  }

  /// Appends bytes as they are.
  @inlinable public mutating func write(contentsOf other: [UInt8]) { bytes.append(contentsOf: other) }

  /// Appends bytes as they are.
  @inlinable public mutating func write(contentsOf text: String.UTF8View) { bytes.append(contentsOf: text) }

  /// Appends a varint length and the bytes.
  @inlinable public mutating func writeLengthPrefixed(_ span: RawSpan) {
    writeVarint(span.byteCount)
    write(span)
  }

  /// Appends a varint length and the bytes.
  @inlinable public mutating func writeLengthPrefixed(_ other: [UInt8]) {
    writeVarint(other.count)
    bytes.append(contentsOf: other)
  }

  /// Appends a varint length and the UTF-8 of `text`.
  @inlinable public mutating func writeString(_ text: String) {
    writeVarint(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  /// Overwrites eight bytes at `offset`, which must have been written, little-endian.
  @inlinable public mutating func overwrite(_ value: UInt64, at offset: Int) {
    for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value &>> (8 * UInt64(index))) }
  }
}

/// How many bytes ``ByteWriter`` uses for values of varying length.
public enum EncodedSize {
  /// The bytes of a varint.
  @inlinable public static func varint(_ value: UInt64) -> Int {
    value < 0x80 ? 1 : (70 &- value.leadingZeroBitCount) / 7
  }
  /// The bytes of a varint.
  @inlinable public static func varint(_ value: Int) -> Int { varint(UInt64(value)) }
  /// The bytes of a length-prefixed text.
  @inlinable public static func string(_ text: String) -> Int { lengthPrefixed(text.utf8.count) }
  /// The bytes of `count` bytes with their length before them.
  @inlinable public static func lengthPrefixed(_ count: Int) -> Int { varint(count) + count }
}
