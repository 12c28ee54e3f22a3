// What the standard library's raw spans lack: a safe way from bytes to a span and back, comparing, hashing.
internal import Glibc

extension [UInt8] {
  /// The bytes, borrowed.
  @inlinable public var rawSpan: RawSpan {
    // `Span.bytes` is unsafe for the sake of elements with padding; a byte has none.
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

extension RawSpan {
  /// The text whose UTF-8 these bytes are.
  ///
  /// - Throws: ``DamagedBytes`` where they are not valid UTF-8.
  /// - Complexity: O(`byteCount`).
  @inlinable public func string() throws(DamagedBytes) -> String {
    guard let text = try? UTF8Span(validating: Span<UInt8>(_bytes: self)) else { throw DamagedBytes() }
    return String(copying: text)
  }

  /// The bytes, copied.
  @inlinable public func array() -> [UInt8] {
    unsafe withUnsafeBytes { bytes in unsafe [UInt8](bytes) }
  }

  /// Whether both hold the same bytes.
  public func isSame(as other: RawSpan) -> Bool {
    byteCount == other.byteCount && order(to: other) == 0
  }

  /// Whether these bytes come first when compared byte by byte; a prefix comes before what it begins.
  public func precedes(_ other: RawSpan) -> Bool {
    let order = order(to: other)
    return order == 0 ? byteCount < other.byteCount : order < 0
  }

  /// How the bytes compare, as far as both go.
  private func order(to other: RawSpan) -> Int32 {
    unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in
        guard let mine = mine.baseAddress, let theirs = theirs.baseAddress else { return 0 }
        return unsafe memcmp(mine, theirs, min(byteCount, other.byteCount))
      }
    }
  }

  /// The 32 bytes from `offset` on as signed numbers; zeros where there are fewer. `offset` is not negative.
  @inlinable public func signedBytes32(at offset: Int) -> SIMD32<Int8> {
    precondition(offset >= 0)
    if offset <= byteCount - 32 {
      // In bounds by the condition; a number of eight bits has no invalid pattern.
      return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD32<Int8>.self)
    }
    var block = SIMD32<Int8>()
    for index in 0..<max(0, min(32, byteCount - offset)) { block[index] = Int8(bitPattern: byte(at: offset + index)) }
    return block
  }

  /// Feeds the bytes to a hasher.
  public func hash(into hasher: inout Hasher) {
    unsafe withUnsafeBytes { bytes in unsafe hasher.combine(bytes: bytes) }
  }

  /// The byte at `offset`, which must be within bounds.
  @inlinable public func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount)
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// The eight bytes from `offset` on, which must be within bounds, as a little-endian number.
  @inlinable public func uint64(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= byteCount - 8)
    return UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }
}

extension String.UTF8View {
  /// The bytes, borrowed.
  @inlinable public var rawSpan: RawSpan {
    // A byte has no padding; see the array's.
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

/// Sixteen bytes in place, most significant first: one or two numbers as they stand in keys, without an allocation.
@frozen public struct BigEndianKey {
  @usableFromInline var bytes: InlineArray<16, UInt8>
  @usableFromInline let count: Int

  /// The eight bytes of `number`.
  @inlinable public init(_ number: UInt64) {
    bytes = InlineArray { index in index < 8 ? UInt8(truncatingIfNeeded: number &>> UInt64(56 &- 8 &* index)) : 0 }
    count = 8
  }

  /// The sixteen bytes of `first` and `second`.
  @inlinable public init(_ first: UInt64, _ second: UInt64) {
    bytes = InlineArray { index in
      UInt8(truncatingIfNeeded: (index < 8 ? first : second) &>> UInt64(56 &- 8 &* (index & 7)))
    }
    count = 16
  }

  /// The bytes, borrowed.
  @inlinable public var rawSpan: RawSpan {
    @_lifetime(borrow self) get { unsafe bytes.span.bytes.extracting(first: count) }
  }
}

/// The first 64 bytes of what was appended, in place, without an allocation: a word in the making, say.
@frozen public struct First64Bytes {
  @usableFromInline var bytes: InlineArray<64, UInt8>
  @usableFromInline var length = 0
  /// How many there are.
  @inlinable public var count: Int { length }

  /// None.
  public init() { bytes = InlineArray(repeating: 0) }

  /// Whether there are none.
  @inlinable public var isEmpty: Bool { count == 0 }

  /// The last of them.
  @inlinable public var last: UInt8? { count == 0 ? nil : bytes[count - 1] }

  /// Appends a byte, where there is room.
  @inlinable public mutating func append(_ byte: UInt8) {
    guard length < 64 else { return }
    bytes[length] = byte
    length += 1
  }

  /// Appends bytes, as far as there is room.
  @inlinable public mutating func append(_ other: borrowing First64Bytes) {
    for index in 0..<other.count { append(other.bytes[index]) }
  }

  /// Begins anew.
  @inlinable public mutating func removeAll() { length = 0 }

  /// Whether any of them meets a condition.
  @inlinable public func contains(where isMet: (UInt8) -> Bool) -> Bool {
    for index in 0..<count where isMet(bytes[index]) { return true }
    return false
  }

  /// The bytes, borrowed.
  @inlinable public var rawSpan: RawSpan {
    @_lifetime(borrow self) get { unsafe bytes.span.bytes.extracting(first: count) }
  }
}
