// Paths and queries as they are sent: percent signs undone once, strictly.
import Memoir

enum PathText {
  /// The segments of a path, decoded.
  ///
  /// - Throws: `invalid_argument` where it is not what a path may be.
  static func segments(_ path: String) throws(MemoirError) -> [String] {
    guard path.hasPrefix("/") else { throw MemoirError.invalid(field: "path", "does not begin with a slash") }
    if path == "/" { return [] }
    var result: [String] = []
    for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      result.append(try decoded(segment, field: "path"))
    }
    return result
  }

  /// A text with its percent signs undone.
  ///
  /// - Throws: `invalid_argument` naming `field`.
  static func decoded(_ text: some StringProtocol, field: String) throws(MemoirError) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
        throw MemoirError.invalid(field: field, "has a percent sign without two hexadecimal digits after it")
      }
      bytes.append(high << 4 | low)
    }
    guard let result = String(validating: bytes, as: UTF8.self) else {
      throw MemoirError.invalid(field: field, "is no UTF-8")
    }
    return result
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
