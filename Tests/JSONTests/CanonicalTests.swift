// One text for equal values.
import JSON
import Testing

@Suite struct `The canonical form` {
  private func canonical(_ text: String) throws -> String { try JSONText(parsing: text).description }

  @Test func `has no white space and sorts keys by their bytes`() throws {
    #expect(try canonical(" { \"b\" : 1 ,\n\"a\" : [ 1 , { } , [ ] ] } ") == "{\"a\":[1,{},[]],\"b\":1}")
    #expect(
      try canonical("{\"aa\":1,\"a\":2,\"\":3,\"B\":4,\"a\\u0000\":5}")
        == "{\"\":3,\"B\":4,\"a\":2,\"a\\u0000\":5,\"aa\":1}")
    // By code point, not by UTF-16 unit: U+FF5E comes before U+1D11E.
    #expect(
      try canonical("{\"\u{1D11E}\":1,\"\u{FF5E}\":2,\"\u{E9}\":3,\"z\":4}")
        == "{\"z\":4,\"\u{E9}\":3,\"\u{FF5E}\":2,\"\u{1D11E}\":1}")
    #expect(
      try canonical("{\"b\":{\"d\":1,\"c\":2},\"a\":[{\"f\":1,\"e\":2}]}")
        == "{\"a\":[{\"e\":2,\"f\":1}],\"b\":{\"c\":2,\"d\":1}}")
    // Keys that differ behind their eighth byte only, and such that begin another.
    #expect(
      try canonical("{\"metadata_b\":1,\"metadata_a\":2,\"metadata\":3}")
        == "{\"metadata\":3,\"metadata_a\":2,\"metadata_b\":1}")
  }

  @Test func `escapes as little and as shortly as can be`() throws {
    #expect(
      try canonical("\"\\u0022\\u005c\\u0008\\u0009\\u000A\\u000C\\u000d\"") == "\"\\\"\\\\\\b\\t\\n\\f\\r\"")
    #expect(try canonical("\"\\u0000\\u001F\\u000b\\u0010\"") == "\"\\u0000\\u001f\\u000b\\u0010\"")
    #expect(
      try canonical("\"\\/\\u002f\\u007f\\u00e9\\ud83d\\ude00\\u2028\"")
        == "\"//\u{7F}\u{E9}\u{1F600}\u{2028}\"")
    #expect(try canonical("\"\\u0061bcdefgh\\nijklmnop\\\\q\"") == "\"abcdefgh\\nijklmnop\\\\q\"")
  }

  @Test func `keeps numbers as written`() throws {
    for number in ["1.0", "1E5", "-0", "1e+05", "123456789012345678901234567890", "0.10", "1e400"] {
      #expect(try canonical(" \(number) ") == number)
      #expect(try canonical("[\(number) ]") == "[\(number)]")
    }
  }

  @Test(arguments: [1, 2, 15, 16, 17, 18, 200])
  func `sorts any number of members`(count: Int) throws {
    var random = Seeded(UInt64(count))
    let members = (0..<count).map { "\"\($0 + 1000)\":\($0)" }
    let expected = "{" + members.joined(separator: ",") + "}"
    for _ in 0..<20 {
      #expect(try canonical("{" + members.shuffled(using: &random).joined(separator: ",") + "}") == expected)
    }
    #expect(try canonical("{" + members.reversed().joined(separator: ",") + "}") == expected)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `is the same for every spelling of a value, and for itself`(seed: UInt64) throws {
    var random = Seeded(seed)
    let parser = JSONParser()
    for _ in 0..<100 {
      let value = Model.random(using: &random)
      let spelling = value.spelled(using: &random), other = value.spelled(using: &random)
      let text = try JSONText(parsing: spelling.span, with: parser)
      #expect(text.utf8 == value.canonical, "\(spelling.printed)")
      #expect(try JSONText(parsing: other.span, with: parser) == text, "\(other.printed)")
      #expect(try JSONText(parsing: text.utf8.span, with: parser) == text, "\(text)")
      // Each part of the value alone, appended to something.
      try parser.parse(spelling) { node in
        var members = node.members
        while let member = members.next() {
          var output = Array("before".utf8)
          member.value.appendCanonical(to: &output)
          #expect(output == Array("before".utf8) + JSONText(member.value).utf8)
        }
      }
    }
  }
}

@Suite struct `Comparing canonical texts` {
  private func areEqual(_ first: String, _ second: String) -> Bool {
    areEqual(Array(first.utf8), Array(second.utf8))
  }

  private func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    canonicalJSONEqual(first.span, second.span)
  }

  @Test func `takes numbers as decimals and all else as it stands`() {
    for (first, second) in [
      ("1", "1.0"), ("[1,2]", "[1.0,20e-1]"), ("{\"a\":0,\"b\":\"1\"}", "{\"a\":-0,\"b\":\"1\"}"),
      ("{}", "{}"),
      ("{\"a\":[1e400,{\"b\":-1}]}", "{\"a\":[10e399,{\"b\":-1.0}]}"), ("[\"1\\\"1\",1]", "[\"1\\\"1\",1.0]"),
    ] {
      #expect(areEqual(first, second), "\(first) \(second)")
      #expect(areEqual(second, first), "\(first) \(second)")
    }
    for (first, second) in [
      ("1", "2"), ("\"1\"", "\"1.0\""), ("{\"1\":1}", "{\"1.0\":1}"), ("[1]", "[1,1]"), ("[1,1]", "[1]"),
      ("1", "\"1\""),
      ("[1]", "1"), ("true", "false"), ("null", "0"), ("{\"a\":1}", "{\"b\":1}"), ("[]", "{}"),
      ("[1,2]", "[12]"),
      ("\"a\"", "\"ab\""), ("[\"a\",1]", "[\"a\\\"\",1]"), ("1", ""), ("", "1"), ("[11]", "[1,1]"),
    ] {
      #expect(!areEqual(first, second), "\(first) \(second)")
      #expect(!areEqual(second, first), "\(first) \(second)")
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `never fails, whatever the bytes`(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<1_000 {
      let first = Model.random(depth: 2, using: &random).canonical
      let second = first.mutated(using: &random)
      #expect(areEqual(first, first))
      #expect(areEqual(second, second))
      let forth = areEqual(first, second),
        back = areEqual(second, first)
      if let text = try? JSONText(parsing: second.span), text.utf8 == second {
        #expect(forth == back, "\(first.printed) \(second.printed)")
      }
    }
  }
}

@Suite struct `A JSON text` {
  @Test func `is equal by its bytes and the same by its value`() throws {
    let one = try JSONText(parsing: "{\"b\":1.0,\"a\":1}"), other = try JSONText(parsing: "{\"a\":1,\"b\":1}")
    #expect(one != other)
    #expect(one.isSame(as: other))
    #expect(try one == JSONText(parsing: " {\"\\u0061\":1,\"b\":1.0}"))
    #expect(try !one.isSame(as: JSONText(parsing: "{\"a\":1,\"b\":2}")))
  }

  @Test func `knows its kind`() throws {
    let kinds: [(String, JSONKind)] = [
      ("null", .null), ("true", .bool), ("false", .bool), ("-1", .number), ("7", .number), ("\"\"", .string),
      ("[]", .array),
      ("{}", .object),
    ]
    for (text, kind) in kinds { #expect(try JSONText(parsing: text).kind == kind) }
    #expect(JSONText.null.description == "null")
    #expect(JSONText.emptyObject.description == "{}")
    #expect(JSONText(string: "a\"\n\0").description == "\"a\\\"\\n\\u0000\"")
  }
}
