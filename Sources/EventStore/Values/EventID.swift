// Event ids: UUIDs, given by the caller or made here as version 7 (RFC 9562).
public import Bytes
internal import Sodium

/// The id of an event, unique within its user's stream for ever.
@frozen public struct EventID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The first eight bytes, most significant first.
  public let high: UInt64
  /// The last eight bytes, most significant first.
  public let low: UInt64

  /// Makes an id of 16 bytes.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in upper or lower case.
  ///
  /// - Throws: ``InvalidValue`` that names `field`.
  public init(_ text: String, field: String = "id") throws(InvalidValue) {
    guard let id = EventID(utf8: text.utf8.span) else {
      throw InvalidValue(field: field, reason: "is not a UUID like 01890a5d-ac96-774b-bcce-b302099a8057")
    }
    self = id
  }

  /// Reads the 36 characters of a UUID; `nil` for anything else.
  public init?(utf8 text: Span<UInt8>) {
    guard text.count == 36 else { return nil }
    guard text[8] == 0x2d, text[13] == 0x2d, text[18] == 0x2d, text[23] == 0x2d else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    var bad: UInt8 = 0
    func read(_ range: Range<Int>, into half: inout UInt64) {
      for index in range {
        let digit = HexadecimalDigits.value(of: text[index])
        bad |= digit
        half = half &<< 4 | UInt64(digit & 15)
      }
    }
    read(0..<8, into: &high)
    read(9..<13, into: &high)
    read(14..<18, into: &high)
    read(19..<23, into: &low)
    read(24..<36, into: &low)
    guard bad < 16 else { return nil }
    self.init(high: high, low: low)
  }

  /// Reads 16 bytes.
  @inlinable public init(reading reader: inout ByteReader) throws(DamagedBytes) {
    high = try reader.readUInt64().byteSwapped
    low = try reader.readUInt64().byteSwapped
  }

  /// Appends the 16 bytes.
  @inlinable public func write(into writer: inout ByteWriter) {
    writer.writeBigEndian(high)
    writer.writeBigEndian(low)
  }

  /// A new id: 48 bits of `time` in milliseconds, then random bits, so that ids sort roughly by when they were made.
  public static func generate(at time: Timestamp) -> EventID {
    let random = Bytes32.random()
    let milliseconds = UInt64(time.microseconds / 1_000)
    let randomHigh = UInt64(random.prefix32) & 0xfff
    return EventID(
      high: milliseconds << 16 | 0x7000 | randomHigh,
      low: random.suffix64 >> 2 | 0x8000_0000_0000_0000)
  }

  /// The 36 characters, in lower case.
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(36)
    write(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the 36 characters of ``description``.
  public func write(into bytes: inout [UInt8]) {
    for index in 0..<32 {
      if index == 8 || index == 12 || index == 16 || index == 20 { bytes.append(UInt8(ascii: "-")) }
      let half = index < 16 ? high : low
      let digit = UInt8(truncatingIfNeeded: half >> (60 - 4 * UInt64(index % 16))) & 15
      bytes.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
    }
  }

  /// By bytes.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.high == b.high ? a.low < b.low : a.high < b.high
  }
}

/// The values of hexadecimal digits.
private enum HexadecimalDigits {
  /// 0…15; more for what is no digit.
  @inline(__always)
  static func value(of byte: UInt8) -> UInt8 {
    if byte &- 0x30 < 10 { return byte &- 0x30 }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter &+ 10 : 0xff
  }
}
