// The payload of an event: numbered fields, self-describing enough to be kept, shown and compared by a version of
// the program that does not know their meaning. The order is ascending, so equal content has equal bytes, save for
// the spelling of numbers inside JSON.
public import Bytes
internal import JSON

/// How a payload field is coded.
public enum PayloadKind: UInt8, Sendable {
  /// A varint length and UTF-8.
  case text = 0
  /// A varint length and canonical JSON.
  case json = 1
  /// A varint: counts, and times in microseconds since 1970.
  case integer = 2
  /// 16 bytes, standing for a text that is a UUID in lower case.
  case uuid = 3
}

/// One field of a payload, borrowed from the event it belongs to.
@frozen public struct PayloadField: ~Escapable {
  /// The field's number: 0…31, as the event's vocabulary defines them.
  public let number: UInt8
  /// How it is coded.
  public let kind: PayloadKind
  /// The value of an integer field; else 0.
  public let integer: UInt64
  /// The bytes of any other field.
  public let bytes: RawSpan

  @usableFromInline @_lifetime(copy bytes)
  init(number: UInt8, kind: PayloadKind, integer: UInt64, bytes: RawSpan) {
    self.number = number
    self.kind = kind
    self.integer = integer
    self.bytes = bytes
  }

  /// The text of a text or UUID field, copied.
  ///
  /// - Throws: ``DamagedBytes`` for a field of another kind, and where the bytes are not UTF-8.
  public func text() throws(DamagedBytes) -> String {
    switch kind {
    case .text: return try bytes.string()
    case .uuid:
      var reader = ByteReader(bytes)
      return try EventID(reading: &reader).description
    case .json, .integer: throw DamagedBytes()
    }
  }

  /// The time of an integer field.
  ///
  /// - Throws: ``DamagedBytes`` for a field of another kind, and outside 1970…9999.
  public func time() throws(DamagedBytes) -> Timestamp {
    guard kind == .integer, let time = Timestamp(microseconds: Int64(clamping: integer)) else {
      throw DamagedBytes()
    }
    return time
  }
}

/// Reads the fields of a payload one after the other.
@frozen public struct PayloadReader: ~Escapable {
  @usableFromInline var reader: ByteReader

  /// Begins at the first field.
  @inlinable @_lifetime(copy payload) public init(_ payload: RawSpan) { reader = ByteReader(payload) }

  /// The next field; `nil` after the last.
  ///
  /// - Throws: ``DamagedBytes`` where the bytes are no field.
  @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
  public mutating func next() throws(DamagedBytes) -> PayloadField? {
    if reader.isAtEnd { return nil }
    let tag = try reader.readUInt8()
    guard let kind = PayloadKind(rawValue: tag & 7) else { throw DamagedBytes() }
    switch kind {
    case .text, .json:
      return PayloadField(number: tag >> 3, kind: kind, integer: 0, bytes: try reader.readLengthPrefixed())
    case .uuid:
      return PayloadField(number: tag >> 3, kind: kind, integer: 0, bytes: try reader.readSpan(count: 16))
    case .integer:
      let integer = try reader.readVarint()
      return PayloadField(
        number: tag >> 3, kind: kind, integer: integer, bytes: try reader.readSpan(count: 0))
    }
  }
}

/// Writes the fields of a payload, in ascending order of their numbers.
public struct PayloadWriter {
  private var writer = ByteWriter(capacity: 160)
  private var last = -1

  /// Begins empty.
  public init() {}

  /// What has been written.
  public var bytes: [UInt8] { writer.bytes }

  private mutating func begin(_ number: UInt8, _ kind: PayloadKind) {
    precondition(number < 32 && Int(number) > last, "fields are written in ascending order of their numbers")
    last = Int(number)
    writer.write(number << 3 | kind.rawValue)
  }

  /// A text; one that is a UUID in lower case takes 16 bytes.
  public mutating func write(_ text: String, field number: UInt8) {
    let utf8 = Array(text.utf8)
    write(text: utf8.rawSpan, field: number)
  }

  /// A text given as valid UTF-8; one that is a UUID in lower case takes 16 bytes.
  public mutating func write(text: RawSpan, field number: UInt8) {
    if text.byteCount == 36, let id = EventID(utf8: Span(_bytes: text)), id.isSpelled(text) {
      begin(number, .uuid)
      id.write(into: &writer)
    } else {
      begin(number, .text)
      writer.writeLengthPrefixed(text)
    }
  }

  /// A value given as canonical JSON.
  public mutating func write(json: RawSpan, field number: UInt8) {
    begin(number, .json)
    writer.writeLengthPrefixed(json)
  }

  /// A number.
  public mutating func write(_ integer: UInt64, field number: UInt8) {
    begin(number, .integer)
    writer.writeVarint(integer)
  }

  /// A time.
  public mutating func write(_ time: Timestamp, field number: UInt8) {
    write(UInt64(time.microseconds), field: number)
  }
}

extension EventID {
  /// Whether `text` is just how this id is printed.
  fileprivate func isSpelled(_ text: RawSpan) -> Bool {
    var spelling: [UInt8] = []
    spelling.reserveCapacity(36)
    write(into: &spelling)
    return spelling.rawSpan.isSame(as: text)
  }
}

/// Comparing payloads.
package enum Payload {
  /// Whether two payloads say the same: numbers inside JSON count as equal when they are equal as decimals.
  package static func isSame(_ a: RawSpan, _ b: RawSpan) -> Bool {
    if a.isSame(as: b) { return true }
    var first = PayloadReader(a)
    var second = PayloadReader(b)
    do throws(DamagedBytes) {
      while true {
        let mine = try first.next()
        let theirs = try second.next()
        guard let mine, let theirs else { return mine == nil && theirs == nil }
        guard mine.number == theirs.number, mine.kind == theirs.kind, mine.integer == theirs.integer else {
          return false
        }
        let isSame =
          mine.kind == .json
          ? canonicalJSONEqual(Span(_bytes: mine.bytes), Span(_bytes: theirs.bytes))
          : mine.bytes.isSame(as: theirs.bytes)
        guard isSame else { return false }
      }
    } catch {
      return false
    }
  }
}
