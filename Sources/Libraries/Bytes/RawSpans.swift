// What the standard library's raw spans lack: a safe way from bytes to a span and back.

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
  @inlinable public func isSame(as other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in unsafe mine.elementsEqual(theirs) }
    }
  }

  /// Whether these bytes come first when compared byte by byte; a prefix comes before what it begins.
  @inlinable public func precedes(_ other: RawSpan) -> Bool {
    unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in unsafe mine.lexicographicallyPrecedes(theirs) }
    }
  }

  /// The byte at `offset`, which must be within bounds.
  @inlinable public func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount)
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }
}
