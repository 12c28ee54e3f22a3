// The few places where bytes are compared, copied and searched faster than one by one. Each checks its bounds.
internal import CMemoirJSON

extension Span<UInt8> {
  /// The offset of the first `byte` at or after `start`; `count` where there is none.
  func firstOffset(of byte: UInt8, from start: Int) -> Int {
    let rest = extracting(start..<count)
    return unsafe rest.withUnsafeBufferPointer { rest in
      guard let base = rest.baseAddress else { return start }
      return unsafe start + memoir_json_find(base, rest.count, byte)
    }
  }

  /// Whether both hold the same bytes.
  @inline(__always)
  func hasSameBytes(as other: Span<UInt8>) -> Bool {
    count == other.count && order(against: other) == 0
  }

  /// Less than 0 where this comes before `other` byte by byte, more than 0 where it comes after.
  @inline(__always)
  func order(against other: Span<UInt8>) -> Int {
    let shared = Swift.min(count, other.count)
    var offset = 0
    while offset &+ 8 <= shared {
      let mine = eight(at: offset), its = other.eight(at: offset)
      if mine != its { return mine.byteSwapped < its.byteSwapped ? -1 : 1 }
      offset &+= 8
    }
    while offset < shared {
      let mine = self[offset], its = other[offset]
      if mine != its { return mine < its ? -1 : 1 }
      offset &+= 1
    }
    return count - other.count
  }

  /// The offset of the first byte that a JSON string must escape, at or after `start`; `count` where there is none.
  func firstOffsetToEscape(from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101, tops: UInt64 = 0x8080_8080_8080_8080
    var offset = start
    while offset &+ 8 <= count {
      let word = eight(at: offset)
      let quote = word ^ (ones &* 0x22), backslash = word ^ (ones &* 0x5C)
      // The lowest bit set stands at a true hit; a borrow can only add false ones above it.
      let hits =
        ((word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & tops
      if hits != 0 { return offset &+ hits.trailingZeroBitCount / 8 }
      offset &+= 8
    }
    while offset < count {
      let byte = self[offset]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return offset }
      offset &+= 1
    }
    return count
  }

  /// Eight bytes as an integer, the first one lowest.
  @inline(__always)
  private func eight(at offset: Int) -> UInt64 {
    // Any eight bytes are an integer; the load checks its bounds.
    unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

extension RawSpan {
  /// The bytes as such: any memory can be read as bytes.
  var asBytes: Span<UInt8> {
    @_lifetime(copy self) get { unsafe _overrideLifetime(_unsafeView(as: UInt8.self), copying: self) }
  }
}

extension OutputSpan<UInt8> {
  /// Appends a copy of `bytes`; there must be room.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func append(copying bytes: Span<UInt8>) {
    precondition(bytes.count <= freeCapacity, "No room for the bytes")
    unsafe withUnsafeMutableBufferPointer { buffer, initializedCount in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[initializedCount...])
        _ = unsafe room.initialize(fromContentsOf: bytes)
        initializedCount &+= bytes.count
      }
    }
  }
}

extension MutableSpan<UInt8> {
  /// Copies `bytes` to `offset` and returns the offset behind them; there must be room.
  @_lifetime(self: copy self)
  mutating func write(_ bytes: Span<UInt8>, at offset: Int) -> Int {
    precondition(offset >= 0 && bytes.count <= count - offset, "No room for the bytes")
    unsafe withUnsafeMutableBufferPointer { buffer in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[offset...])
        _ = unsafe room.update(fromContentsOf: bytes)
      }
    }
    return offset + bytes.count
  }
}

extension StaticString {
  /// The text's bytes, which live as long as the program.
  var utf8Bytes: Span<UInt8> {
    @_lifetime(immortal) get {
      precondition(hasPointerRepresentation, "A key has more than one scalar")
      return unsafe _overrideLifetime(
        Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount), copying: ())
    }
  }
}
