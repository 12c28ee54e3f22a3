// JSON, beside a reader that is written as plainly as can be.
import JSON

struct JSONTarget: FuzzTarget {
  static let name = "json"
  private let parser = JSONParser()

  func check(_ bytes: [UInt8]) throws -> Bool {
    let plain = PlainJSON.accepts(bytes)
    let text: JSONText
    do throws(JSONError) {
      text = try JSONText(parsing: bytes.span, with: parser)
    } catch {
      try hold((0...bytes.count).contains(error.offset), "an error is within the text")
      try hold(!error.reason.isEmpty, "an error has a reason")
      // The plain reader knows neither of these.
      let isOurs = error.kind == .duplicateKey || error.kind == .tooDeep
      try hold(!plain || isOurs, "JSON is refused: \(error)")
      return false
    }
    try hold(plain, "what is no JSON is accepted")
    let again = try JSONText(parsing: text.utf8.span, with: parser)
    try hold(again == text, "the canonical text is its own canonical text")
    try hold(again.isSame(as: text) && text.kind == again.kind, "a value is the same as itself")
    let indented = try JSONText(parsing: text.indented().span, with: parser)
    try hold(indented == text, "the text for people says the same")
    return true
  }

  static let words = [
    "{", "}", "[", "]", ":", ",", "null", "true", "false", "\\u0000", "\\ud83d\\ude00", "\\ud800", "1e400", "-0.0",
    "1E+2", "\"\"", "\\\\", "\\/", "\u{feff}", "[[[[[[[[",
  ]

  static func seeds() throws -> [[UInt8]] {
    [
      #"null"#, #"[1,-2.50,3e-7,1E+400,0]"#, #" {"b" : [true, false, null], "a": {"": "x"}} "#,
      #""\u00e9\ud83d\ude00\"\\\/\b\f\n\r\tß""#, #"[[[[{"a":[{"b":[]}]}]]]]"#, #"{"a":1,"A":2,"\u0061b":3}"#,
    ].map { Array($0.utf8) }
  }
}

/// The grammar of RFC 8259, read byte by byte, and UTF-8. It knows no duplicate keys and no depth.
private struct PlainJSON {
  private let bytes: [UInt8]
  private var place = 0

  static func accepts(_ bytes: [UInt8]) -> Bool {
    guard String(validating: bytes, as: UTF8.self) != nil else { return false }
    var reader = PlainJSON(bytes: bytes)
    reader.skipSpace()
    guard reader.value() else { return false }
    reader.skipSpace()
    return reader.place == bytes.count
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    place += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    for byte in "\(word)" where !take(byte) { return false }
    return true
  }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { place += 1 }
  }

  private mutating func value() -> Bool {
    switch next {
    case UInt8(ascii: "{"): list(closing: "}") { $0.member() }
    case UInt8(ascii: "["): list(closing: "]") { $0.value() }
    case UInt8(ascii: "\""): string()
    case UInt8(ascii: "t"): take(word: "true")
    case UInt8(ascii: "f"): take(word: "false")
    case UInt8(ascii: "n"): take(word: "null")
    default: number()
    }
  }

  private mutating func list(closing: Character, _ item: (inout PlainJSON) -> Bool) -> Bool {
    place += 1
    skipSpace()
    if take(closing) { return true }
    repeat {
      skipSpace()
      guard item(&self) else { return false }
      skipSpace()
    } while take(",")
    return take(closing)
  }

  private mutating func member() -> Bool {
    guard next == UInt8(ascii: "\""), string() else { return false }
    skipSpace()
    guard take(":") else { return false }
    skipSpace()
    return value()
  }

  private mutating func string() -> Bool {
    place += 1
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"): guard escape() else { return false }
      case 0..<0x20: return false
      default: break
      }
    }
    return false
  }

  private mutating func escape() -> Bool {
    guard let byte = next else { return false }
    place += 1
    guard byte == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(byte) }
    guard let unit = hexadecimal() else { return false }
    switch unit {
    case 0xd800..<0xdc00:
      guard take("\\"), take("u"), let low = hexadecimal() else { return false }
      return (0xdc00..<0xe000).contains(low)
    case 0xdc00..<0xe000: return false
    default: return true
    }
  }

  private mutating func hexadecimal() -> UInt32? {
    guard place + 4 <= bytes.count else { return nil }
    let digits = bytes[place..<place + 4]
    guard digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit && $0 < 0x80 }) else { return nil }
    place += 4
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0"), !digits() { return false }
    if take("."), !digits() { return false }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      return digits()
    }
    return true
  }

  /// One digit or more.
  private mutating func digits() -> Bool {
    let start = place
    while let byte = next, byte &- 0x30 < 10 { place += 1 }
    return place > start
  }
}
