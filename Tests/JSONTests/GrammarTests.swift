// What is JSON and what is not.
import JSON
import Testing

@Suite struct `The grammar` {
  @Test func `what it has is accepted`() {
    for text in Grammar.accepted {
      #expect(throws: Never.self, "\(text)") { try JSONText(parsing: text) }
    }
  }

  @Test func `what it has not is refused`() {
    for text in Grammar.refused {
      #expect(throws: JSONError.self, "\(text)") { try JSONText(parsing: text) }
    }
  }

  @Test func `where a token lies in its block of 64 bytes changes nothing`() {
    let parser = JSONParser()
    for indent in 0...130 {
      let spaces = Array(repeating: UInt8(ascii: " "), count: indent)
      for text in Grammar.accepted {
        let bytes = spaces + Array(text.utf8)
        #expect(throws: Never.self, "\(indent) \(text)") { try parser.parse(bytes) { $0.count } }
      }
      for text in Grammar.refused where !text.hasPrefix("\u{FEFF}") {
        let bytes = spaces + Array(text.utf8)
        #expect(throws: JSONError.self, "\(indent) \(text)") { try parser.parse(bytes) { $0.count } }
      }
    }
  }
}

/// Texts by whether they are JSON.
enum Grammar {
  static let accepted = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "1e5", "1E5", "1e+5", "1e-5", "0e0",
    "0.0e-0",
    "1e400", "-1e400", "123456789012345678901234567890", "0.1000000000000000055511151231257827",
    "1e99999999999999999999",
    "\"\"", "\"a\"", "\"/\"", "\"\\/\"", "\"\\\"\"", "\"\\\\\"", "\"\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
    "\"\\u00e9\"",
    "\"\\uD834\\uDD1E\"", "\"\\uffff\"", "\"\u{7F}\"", "\"\u{FEFF}\"", "\"\u{10FFFF}\"", "\"\u{2028}\"",
    "[]", "[ ]", "[[]]", "[1]", "[1,2]", "[1 , 2]", "[\"a\",1,null,true,false,{},[]]", "{}", "{ }",
    "{\"\":0}",
    "{\"a\":1}", "{\"a\" : 1 , \"b\" : 2}", "{\"a\":{\"a\":{\"a\":1}}}", "[{\"a\":1},{\"a\":2}]",
    " 1", "1 ", "\n1\n", "\t1\t", "\r1\r", " \n\t\r[ \n\t\r] \n\t\r", "\"a\" ", "{\"a\":\"b\" }",
    "\"[{,:}]\"", "[\"\\\\\",\"\\\\\\\"\"]",
  ]

  static let refused = [
    // Values that are none.
    "nul", "nulll", "null1", "tru", "truee", "True", "fals", "falsee", "n", "t", "f", "undefined", "a",
    "'a'", "`",
    "null null", "true,", "nul\u{0}l", "#", "/", "\\", "*", "\u{0}", "\u{C}", "\u{1A}", "\u{B}", "\u{A0}1",
    "\u{2028}1",
    "1//c", "/*c*/1", "[1/**/]", "\u{FEFF}1", "\u{FEFF}",
    // Numbers that are none.
    "+1", "+", "-", "--1", "-+1", "01", "00", "-01", "1.", "-1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e-",
    "1e1.5",
    "1ee1", "1.2.3", "0x10", "0b1", "1_000", "1,000", "1a", "1\u{0}", "1\u{661}", "NaN", "nan", "-NaN",
    "Infinity",
    "-Infinity", "inf", "1e5e5", "1 2", "1\"a\"", "1[", "1{", "0\\", "2.", "1é", "0-", "1-2", "\u{FF11}",
    // Strings that are none.
    "\"", "\"a", "a\"", "\"\\\"", "\"\\", "\"\\u\"", "\"\\u1\"", "\"\\u12\"", "\"\\u123\"", "\"\\u123g\"",
    "\"\\U0041\"",
    "\"\\x41\"", "\"\\a\"", "\"\\v\"", "\"\\0\"", "\"\\'\"", "\"\\ \"", "\"\\é\"", "\"\\u 123\"",
    "\"\\u+123\"",
    "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1F}\"", "\"\\\n\"", "\"a\"\"b\"", "\"a\"b", "\"a\"1",
    "\"a\" \"b\"",
    "\\\"a\"", "\"a\"\\", "\"a\"\\\"", "'\"a\"'", "\"\"\"",
    // Arrays that are none.
    "[", "]", "[1", "1]", "[,]", "[,1]", "[1,]", "[1,,2]", "[1 2]", "[1]]", "[[1]", "[1}", "[1:2]",
    "[\"a\":1]", "[:]",
    "[\"a\" \"b\"]", "[1\"a\"]", "[[][]]", "[{}{}]", "[][]", "[],", ",[]", "[1,\n]", "[a]", "[-]", "[nul]",
    "[1,2", "[\"a",
    "[true false]", "[\"a\"b]", "[1;2]",
    // Objects that are none.
    "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\"}", "{\"a\",1}", "{\"a\" 1}", "{\"a\":1,}", "{,}",
    "{,\"a\":1}",
    "{\"a\":1,,\"b\":2}", "{\"a\":1 \"b\":2}", "{\"a\"::1}", "{\"a\":}", "{:1}", "{1:1}", "{a:1}",
    "{'a':1}", "{null:1}",
    "{[]:1}", "{{}:1}", "{\"a\":1]", "{\"a\":1}}", "{{\"a\":1}", "{\"a\":1 2}", "{\"a\":\"b\":1}",
    "{\"a\":1;\"b\":2}",
    "{\"a\"b:1}", "{\"a\":1}{\"b\":2}", "{\"a\":1}x", "{\"a\":1}\"", "{\"a\":tru}", "{\"a\":1}#",
    "{\"a\":1},", "{\"a\" \"b\"}",
    "{\"a\":[}", "{\"a\":[1}", "{\"a\":]",
  ]
}
