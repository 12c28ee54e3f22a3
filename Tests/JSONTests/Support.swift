// Seeded random values, as a plain model of JSON, and their spellings.
import JSON

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

/// A JSON value as simply as it can be had.
indirect enum Model {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([Model])
  case object([(key: String, value: Model)])

  static func random(depth: Int = 5, using random: inout Seeded) -> Model {
    switch random.below(depth > 0 ? 10 : 6) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2, 3: return .number(randomNumber(using: &random))
    case 4, 5: return .string(randomText(using: &random))
    case 6, 7:
      return .array((0..<random.below(6)).map { _ in .random(depth: depth - 1, using: &random) })
    default:
      // Now and then one with more members than are compared one by one.
      let count = random.below(8) == 0 ? 15 + random.below(30) : random.below(6)
      var keys: Set<[UInt8]> = []
      var members: [(key: String, value: Model)] = []
      for _ in 0..<count {
        let key = randomText(using: &random)
        // `String` holds equal what differs in bytes only, so sets of strings would not do.
        guard keys.insert(Array(key.utf8)).inserted else { continue }
        members.append((key, .random(depth: depth - 1, using: &random)))
      }
      return .object(members)
    }
  }

  static func randomNumber(using random: inout Seeded) -> String {
    var text = Bool.random(using: &random) ? "" : "-"
    text += random.below(3) == 0 ? "0" : String(random.next() >> UInt64(random.below(64)) | 1)
    if random.below(3) == 0 { text += "." + randomDigits(using: &random) }
    if random.below(3) == 0 {
      text += ["e", "E", "e+", "E-", "e-"].randomElement(using: &random) ?? ""
      text += randomDigits(using: &random)
    }
    return text
  }

  static func randomDigits(using random: inout Seeded) -> String {
    String((0...random.below(6)).map { _ in "0123456789".randomElement(using: &random) ?? "0" })
  }

  static func randomText(using random: inout Seeded) -> String {
    var text = ""
    for _ in 0..<(random.below(20) == 0 ? 100 : random.below(12)) {
      let value: UInt32 =
        switch random.below(8) {
        case 0: UInt32(random.below(0x20))
        case 1: [0x22, 0x5C, 0x2F, 0x7F, 0x2028, 0xFEFF, 0xFFFF, 0x10FFFF].randomElement(using: &random) ?? 0
        case 2: UInt32(random.below(0x800))
        case 3: UInt32(random.below(0xD800))
        case 4: UInt32(0xE000 + random.below(0x11_0000 - 0xE000))
        default: UInt32(0x61 + random.below(4))
        }
      if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
    }
    return text
  }

  /// The canonical text.
  var canonical: [UInt8] {
    switch self {
    case .null: return Array("null".utf8)
    case .bool(let value): return Array("\(value)".utf8)
    case .number(let text): return Array(text.utf8)
    case .string(let text): return Self.canonical(text)
    case .array(let elements):
      return [UInt8(ascii: "[")] + elements.map(\.canonical).joined(separator: [UInt8(ascii: ",")])
        + [UInt8(ascii: "]")]
    case .object(let members):
      let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      return [UInt8(ascii: "{")]
        + sorted.map { Self.canonical($0.key) + [UInt8(ascii: ":")] + $0.value.canonical }
        .joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")]
    }
  }

  private static func canonical(_ text: String) -> [UInt8] {
    var spelled = "\""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22: spelled += "\\\""
      case 0x5C: spelled += "\\\\"
      case 0x08: spelled += "\\b"
      case 0x09: spelled += "\\t"
      case 0x0A: spelled += "\\n"
      case 0x0C: spelled += "\\f"
      case 0x0D: spelled += "\\r"
      case ..<0x20: spelled += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: spelled.unicodeScalars.append(scalar)
      }
    }
    return Array((spelled + "\"").utf8)
  }

  /// One of the many texts of the value: white space, escapes and the order of members are random.
  func spelled(using random: inout Seeded) -> [UInt8] {
    var text: [UInt8] = []
    spell(into: &text, using: &random)
    return text
  }

  private func spell(into text: inout [UInt8], using random: inout Seeded) {
    Self.space(&text, using: &random)
    switch self {
    case .null, .bool, .number: text += canonical
    case .string(let string): Self.spell(string, into: &text, using: &random)
    case .array(let elements):
      text.append(UInt8(ascii: "["))
      for (place, element) in elements.enumerated() {
        if place > 0 { text.append(UInt8(ascii: ",")) }
        element.spell(into: &text, using: &random)
      }
      Self.space(&text, using: &random)
      text.append(UInt8(ascii: "]"))
    case .object(let members):
      text.append(UInt8(ascii: "{"))
      for (place, member) in members.shuffled(using: &random).enumerated() {
        if place > 0 { text.append(UInt8(ascii: ",")) }
        Self.space(&text, using: &random)
        Self.spell(member.key, into: &text, using: &random)
        Self.space(&text, using: &random)
        text.append(UInt8(ascii: ":"))
        member.value.spell(into: &text, using: &random)
      }
      Self.space(&text, using: &random)
      text.append(UInt8(ascii: "}"))
    }
    Self.space(&text, using: &random)
  }

  private static func space(_ text: inout [UInt8], using random: inout Seeded) {
    guard random.below(4) == 0 else { return }
    for _ in 0..<random.below(random.below(50) == 0 ? 150 : 4) {
      text.append([0x20, 0x0A, 0x0D, 0x09].randomElement(using: &random) ?? 0x20)
    }
  }

  private static func spell(_ string: String, into text: inout [UInt8], using random: inout Seeded) {
    text.append(UInt8(ascii: "\""))
    for scalar in string.unicodeScalars {
      if random.below(4) == 0 {
        for unit in UTF16.encode(scalar) ?? UTF16.encode(" ") ?? .init() {
          let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
          text +=
            Array("\\u".utf8) + Array(repeating: UInt8(ascii: "0"), count: 4 - digits.count) + digits.utf8
        }
      } else if scalar == "/", Bool.random(using: &random) {
        text += Array("\\/".utf8)
      } else {
        text += canonical(String(scalar)).dropFirst().dropLast()
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}

extension [UInt8] {
  /// The bytes for a failure's message.
  var printed: String { String(decoding: self, as: UTF8.self).debugDescription }

  /// The same bytes with some changed, lost, doubled or put in.
  func mutated(using random: inout Seeded) -> [UInt8] {
    var bytes = self
    let pieces =
      [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud800", "\\udc00", "0", "1", "-", "+", ".", "e",
        "E1", "t", "null",
        "true", "false", " ", "\n", "\t", "\u{0}", "\u{C}", "\u{1A}", "\u{7F}", "é", "NaN", "\"a\":1,", ",1",
        "\u{FEFF}",
      ].map { Array($0.utf8) } + [[0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5], [0xFF], [0xE2, 0x82]]
    for _ in 0...random.below(3) {
      let place = random.below(bytes.count + 1)
      let end = Swift.min(bytes.count, place + random.below(4))
      switch random.below(6) {
      case 0: bytes.removeSubrange(place..<end)
      case 1: bytes.insert(contentsOf: pieces[random.below(pieces.count)], at: place)
      case 2: bytes.replaceSubrange(place..<end, with: pieces[random.below(pieces.count)])
      case 3 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 4: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
      default: if random.below(4) == 0 { bytes.removeSubrange(place...) }
      }
    }
    return bytes
  }
}
