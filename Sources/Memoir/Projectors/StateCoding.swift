// How the parts of states are coded: what is absent takes one byte, what is there its length plus one and its bytes.
internal import Bytes
internal import EventStore
internal import JSON

extension ByteWriter {
  mutating func writeOptional(_ text: String?) {
    guard let text else { return writeVarint(0) }
    writeVarint(text.utf8.count + 1)
    write(contentsOf: Array(text.utf8))
  }

  mutating func writeOptional(_ json: JSONText?) {
    guard let json else { return writeVarint(0) }
    writeVarint(json.utf8.count + 1)
    write(contentsOf: json.utf8)
  }

  mutating func write(_ time: Timestamp) { writeVarint(UInt64(time.microseconds)) }

  mutating func write(_ id: ItemID) {
    switch id {
    case .uuid(let id):
      writeVarint(0)
      id.write(into: &self)
    case .name(let name): writeOptional(name)
    }
  }
}

extension ByteReader {
  @_lifetime(self: copy self)
  mutating func readOptionalText() throws(DamagedBytes) -> String? {
    guard let bytes = try readOptionalBytes() else { return nil }
    return try bytes.string()
  }

  @_lifetime(self: copy self)
  mutating func readOptionalJSON() throws(DamagedBytes) -> JSONText? {
    guard let bytes = try readOptionalBytes() else { return nil }
    return JSONText(canonical: bytes.array())
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  private mutating func readOptionalBytes() throws(DamagedBytes) -> RawSpan? {
    let count = try readVarint()
    if count == 0 { return nil }
    guard count - 1 <= UInt64(remaining) else { throw DamagedBytes() }
    return try readSpan(count: Int(count - 1))
  }

  @_lifetime(self: copy self)
  mutating func readTime() throws(DamagedBytes) -> Timestamp {
    guard let time = Timestamp(microseconds: Int64(clamping: try readVarint())) else { throw DamagedBytes() }
    return time
  }

  @_lifetime(self: copy self)
  mutating func readItemID() throws(DamagedBytes) -> ItemID {
    if let name = try readOptionalText() { return .name(name) }
    return .uuid(try EventID(reading: &self))
  }

  @_lifetime(self: copy self)
  mutating func readFraction() throws(DamagedBytes) -> Fraction { Fraction(stored: try readString()) }

  @_lifetime(self: copy self)
  mutating func readJSON() throws(DamagedBytes) -> JSONText {
    JSONText(canonical: try readLengthPrefixed().array())
  }

  /// How much room to make for `count` items of at least `size` bytes: no more than the bytes can hold.
  func plausible(_ count: Int, ofSize size: Int) -> Int { min(count, remaining / size) }
}

extension EncodedSize {
  static func optional(_ text: String?) -> Int {
    guard let text else { return 1 }
    return varint(text.utf8.count + 1) + text.utf8.count
  }

  static func optional(_ json: JSONText?) -> Int {
    guard let json else { return 1 }
    return varint(json.utf8.count + 1) + json.utf8.count
  }

  static func json(_ json: JSONText) -> Int { lengthPrefixed(json.utf8.count) }
  static func time(_ time: Timestamp) -> Int { varint(UInt64(time.microseconds)) }

  static func itemID(_ id: ItemID) -> Int {
    switch id {
    case .uuid: 17
    case .name(let name): optional(name)
    }
  }
}

extension ProjectionState {
  /// What ``encode(into:)`` appends.
  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: encodedSize)
    encode(into: &writer)
    return writer.bytes
  }
}
