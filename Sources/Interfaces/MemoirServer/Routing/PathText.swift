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
    // By bytes: with a mark that combines behind it, a slash is no character of its own.
    for segment in path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      result.append(try decoded(Substring(segment), field: "path"))
    }
    return result
  }

  /// A text with its percent signs undone.
  ///
  /// - Throws: `invalid_argument` naming `field`.
  static func decoded(_ text: some StringProtocol, field: String) throws(MemoirError) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    guard let bytes = PercentCoding.bytes(of: text.utf8) else {
      throw MemoirError.invalid(field: field, "has a percent sign without two hexadecimal digits after it")
    }
    guard let result = String(validating: bytes, as: UTF8.self) else {
      throw MemoirError.invalid(field: field, "is no UTF-8")
    }
    return result
  }
}
