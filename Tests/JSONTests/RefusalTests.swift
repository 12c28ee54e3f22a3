// What is refused beyond the grammar, and how a refusal says what is wrong and where.
import JSON
import Testing

private func refusal(of text: String, limits: JSONLimits = .standard) -> JSONError? {
  refusal(of: Array(text.utf8), limits: limits)
}

private func refusal(of bytes: [UInt8], limits: JSONLimits = .standard) -> JSONError? {
  do throws(JSONError) {
    _ = try JSONText(parsing: bytes.span, limits: limits)
    return nil
  } catch {
    return error
  }
}

@Suite struct `A refusal` {
  @Test func `says what is wrong and at which byte`() {
    let cases: [(text: String, kind: JSONError.Kind, offset: Int)] = [
      ("", .empty, 0), (" \n ", .empty, 3),
      ("[1,2", .malformed, 4), ("[1,]", .malformed, 3), ("{\"a\" 1}", .malformed, 5),
      ("{\"a\":1,}", .malformed, 7),
      ("[nul]", .malformed, 1), ("{\"a\":1]", .malformed, 6), ("[1}", .malformed, 2),
      ("\u{FEFF}{}", .malformed, 0),
      ("1 2", .trailingContent, 2), ("{} {}", .trailingContent, 3), ("[]]", .trailingContent, 2),
      ("[01]", .invalidNumber, 2), ("+1", .invalidNumber, 0), ("1.", .invalidNumber, 2),
      ("[-]", .invalidNumber, 2),
      ("NaN", .invalidNumber, 0), ("[.5]", .invalidNumber, 1),
      ("\"ab", .invalidString, 0), ("[\"a\nb\"]", .invalidString, 3), ("\"a\\x\"", .invalidString, 2),
      ("[\"\\ud800\"]", .loneSurrogate, 2), ("{\"a\":1,\"a\":2}", .duplicateKey, 7),
    ]
    for (text, kind, offset) in cases {
      let error = refusal(of: text)
      #expect(error?.kind == kind, "\(text)")
      #expect(error?.offset == offset, "\(text)")
      #expect(error?.reason.isEmpty == false)
    }
  }

  @Test func `names the value at fault`() {
    let cases = [
      ("[1,2", "[2]"), ("{\"data\":{\"tags\":[1,tru]}}", "data.tags[1]"),
      ("{\"a\":[{},{\"b\":01}]}", "a[1].b"),
      ("{\"a\":{\"b\":1,\"b\":2}}", "a.b"), ("{\"a\":{\"b\":1,\"\\u0062\":2}}", "a.b"),
      ("{\"a\":1,\"b\" 2}", "b"),
      ("{\"a\":1 2}", ""), ("01", ""), ("{\"a\":[[1],[[\"\\q\"]]]}", "a[1][0][0]"),
      ("{\"a\\nb\":nul}", "a\u{FFFD}b"),
    ]
    for (text, path) in cases { #expect(refusal(of: text)?.path == path, "\(text)") }
    #expect(refusal(of: "{\"data\":{\"n\":01}}")?.description.hasPrefix("data.n: ") == true)
  }

  @Test func `leaves the parser as good as new`() throws {
    let parser = JSONParser()
    for text in Grammar.refused {
      #expect(throws: JSONError.self) { try parser.parse(Array(text.utf8)) { $0.count } }
      #expect(try parser.parse(Array("[\"\\n\",2]".utf8)) { $0.count } == 2)
    }
  }
}

@Suite struct `Invalid UTF-8` {
  @Test func `is refused inside and outside of strings`() {
    let invalid: [[UInt8]] = [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82],
      [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
      [0xF0, 0x9F, 0x98],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ]
    for bytes in invalid {
      for indent in 0...66 {
        let before = [UInt8(ascii: "\"")] + Array(repeating: UInt8(ascii: "a"), count: indent)
        let error = refusal(of: before + bytes + [UInt8(ascii: "\"")])
        #expect(error?.kind == .invalidUTF8, "\(bytes) at \(indent)")
        #expect(error?.offset == before.count, "\(bytes) at \(indent)")
        #expect(refusal(of: before + bytes) != nil)
      }
      #expect(refusal(of: bytes) != nil)
      #expect(refusal(of: [UInt8(ascii: "1")] + bytes) != nil)
    }
  }
}

@Suite struct `A surrogate` {
  @Test func `must stand in a pair`() {
    for text in [
      "\\ud800", "\\uDBFF", "\\udc00", "\\udfff", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud800a",
      "\\ud800\\n", "\\ud800\\\\",
      "\\ud800\\u0041", "\\ud800\\ue000", "a\\ud800", "\\ud834\\udd1e\\ud800", "\\ud800 \\udc00", "\\ud800\\",
    ] {
      #expect(refusal(of: "\"\(text)\"") != nil, "\(text)")
      #expect(refusal(of: "{\"\(text)\":1}") != nil, "\(text)")
    }
    #expect(refusal(of: "\"\\ud800\\udc0\"")?.kind == .loneSurrogate)
  }

  @Test func `pair is the character it stands for`() throws {
    #expect(
      try JSONText(parsing: "\"\\ud834\\udd1e\\uDBFF\\uDFFF\"") == JSONText(string: "\u{1D11E}\u{10FFFF}"))
    #expect(try JSONText(parsing: "\"\\ud7ff\\ue000\"") == JSONText(string: "\u{D7FF}\u{E000}"))
  }
}

@Suite struct `A key that occurs twice` {
  @Test func `is refused at any depth and however it is escaped`() {
    for text in [
      "{\"a\":1,\"a\":1}", "{\"\":1,\"\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"\\u0061\":1,\"a\":2}",
      "{\"a\\nb\":1,\"a\\u000Ab\":2}",
      "[{\"x\":{\"b\":1,\"a\":2,\"b\":3}}]", "{\"a\":{\"a\":1},\"b\":[],\"a\":0}", "{\"\\/\":1,\"/\":2}",
      "{\"\\ud834\\udd1e\":1,\"\u{1D11E}\":2}", "{\"\\u0000\":1,\"\\u0000\":1}",
    ] {
      #expect(refusal(of: text)?.kind == .duplicateKey, "\(text)")
    }
  }

  @Test func `is another key where a byte differs`() {
    for text in [
      "{\"a\":1,\"A\":2}", "{\"a\":1,\"a \":2}", "{\"a\":{\"a\":{\"a\":1}}}", "[{\"a\":1},{\"a\":1}]",
      "{\"a\":\"a\",\"b\":\"a\"}",
      "{\"\\u00e9\":1,\"e\\u0301\":2}", "{\"a\":1,\"a\\u0000\":2}", "{\"abc\":1,\"adc\":2}",
    ] {
      #expect(refusal(of: text) == nil, "\(text)")
    }
  }

  @Test(arguments: [2, 23, 24, 25, 26, 64, 100, 5_000])
  func `is found among so many, wherever the two stand`(count: Int) {
    let keys = (0..<count).map { "k\($0)" }
    func object(_ keys: [String]) -> String {
      "[0,{" + keys.map { "\"\($0)\":{\"k0\":[0]}" }.joined(separator: ",") + "},{\"k1\":1}]"
    }
    #expect(refusal(of: object(keys)) == nil)
    for (first, second) in [(0, 1), (0, count - 1), (count - 2, count - 1), (count / 2, count - 1)]
    where first != second {
      var twice = keys
      twice[second] = keys[first]
      let error = refusal(of: object(twice))
      #expect(error?.kind == .duplicateKey)
      #expect(error?.path == "[1].\(keys[first])")
    }
  }
}

@Suite struct `A limit` {
  private func nested(_ times: Int, _ open: String, _ close: String, around inmost: String = "") -> String {
    String(repeating: open, count: times) + inmost + String(repeating: close, count: times)
  }

  @Test func `of depth is reached by 64 levels and passed by 65`() {
    for (open, close) in [("[", "]"), ("{\"a\":[", "]}"), ("[{\"a\":1,\"b\":", "}]")] {
      let levels = open.count { $0 == "[" || $0 == "{" }
      let text = nested(64 / levels, open, close, around: open.hasSuffix(":") ? "0" : "")
      #expect(refusal(of: text) == nil)
      #expect(refusal(of: "[\(text)]")?.kind == .tooDeep)
    }
    #expect(refusal(of: nested(65, "[", "]"))?.offset == 64)
    #expect(refusal(of: nested(65, "[", ""))?.kind == .tooDeep)
    #expect(refusal(of: nested(1_000_000, "[", "]"))?.kind == .tooDeep)
    #expect(refusal(of: "[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]") == nil)
  }

  @Test func `of depth can be set`() {
    #expect(refusal(of: "1", limits: JSONLimits(depth: 0)) == nil)
    #expect(refusal(of: "[]", limits: JSONLimits(depth: 0))?.kind == .tooDeep)
    #expect(refusal(of: nested(3, "[", "]"), limits: JSONLimits(depth: 3)) == nil)
    #expect(refusal(of: nested(4, "[", "]"), limits: JSONLimits(depth: 3))?.kind == .tooDeep)
    #expect(refusal(of: nested(512, "[", "]"), limits: JSONLimits(depth: 10_000)) == nil)
    #expect(refusal(of: nested(513, "[", "]"), limits: JSONLimits(depth: 10_000))?.kind == .tooDeep)
  }

  @Test func `of size counts the text's bytes`() {
    let limits = JSONLimits(sizeInBytes: 4)
    #expect(refusal(of: "1234", limits: limits) == nil)
    #expect(refusal(of: "12345", limits: limits)?.kind == .tooLarge)
    #expect(refusal(of: "", limits: JSONLimits(sizeInBytes: 0))?.kind == .empty)
  }
}
