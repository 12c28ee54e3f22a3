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
    guard let id = EventID(utf8: Array(text.utf8).span) else {
      throw InvalidValue(field: field, reason: "is not a UUID like 01890a5d-ac96-774b-bcce-b302099a8057")
    }
    self = id
  }

  /// Reads the 36 characters of a UUID; `nil` for anything else.
  public init?(utf8 text: Span<UInt8>) {
    guard text.count == 36 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    var digits = 0
    for index in 0..<36 {
      let byte = text[index]
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x61...0x66: digit = byte - 0x61 + 10
      case 0x41...0x46: digit = byte - 0x41 + 10
      default: return nil
      }
      if digits < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
      digits += 1
    }
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
