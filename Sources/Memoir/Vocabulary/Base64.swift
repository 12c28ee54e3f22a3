// Base64 (RFC 4648, section 4): padded, one spelling for the same bytes.

enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for place in 0..<3 { group = group << 8 | (place < count ? UInt32(bytes[index + place]) : 0) }
      for place in 0..<4 {
        let digit = digits[Int(group >> UInt32(18 - 6 * place)) & 63]
        text.append(place <= count ? digit : UInt8(ascii: "="))
      }
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes; `nil` for anything but the one spelling of them.
  static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var index = 0
    while index < text.count {
      let isLast = index + 4 == text.count
      var padding = 0
      if isLast, text[index + 3] == UInt8(ascii: "=") {
        padding = text[index + 2] == UInt8(ascii: "=") ? 2 : 1
      }
      var group: UInt32 = 0
      for place in 0..<4 {
        guard place < 4 - padding else {
          group <<= 6
          continue
        }
        guard let value = value(of: text[index + place]) else { return nil }
        group = group << 6 | value
      }
      // Bits that stand for no byte must be zero, or the same bytes had several spellings.
      if padding == 1, group & 0xff != 0 { return nil }
      if padding == 2, group & 0xffff != 0 { return nil }
      for place in 0..<(3 - padding) {
        bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place)))
      }
      index += 4
    }
    return bytes
  }

  private static func value(of digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a") + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0") + 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
