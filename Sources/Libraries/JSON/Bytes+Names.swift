// The bytes JSON is made of, by name.

extension UInt8 {
  static var quote: UInt8 { UInt8(ascii: "\"") }
  static var backslash: UInt8 { UInt8(ascii: "\\") }
  static var comma: UInt8 { UInt8(ascii: ",") }
  static var colon: UInt8 { UInt8(ascii: ":") }
  static var openingBrace: UInt8 { UInt8(ascii: "{") }
  static var closingBrace: UInt8 { UInt8(ascii: "}") }
  static var openingBracket: UInt8 { UInt8(ascii: "[") }
  static var closingBracket: UInt8 { UInt8(ascii: "]") }
  static var minus: UInt8 { UInt8(ascii: "-") }
  static var space: UInt8 { UInt8(ascii: " ") }
  static var newline: UInt8 { UInt8(ascii: "\n") }

  /// JSON's white space and no other.
  var isWhitespace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
  var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
}
