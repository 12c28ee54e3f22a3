// Reading a parsed text.
import JSON
import Testing

@Suite struct `A node` {
  private func read<Value>(_ text: String, _ body: (JSONNode) throws -> Value) throws -> Value {
    try JSONParser().parse(Array(text.utf8), body)
  }

  @Test func `has the value of its kind and none of another`() throws {
    try read("[null,true,false,-1.50,\"a\\n\",[1,2],{\"a\":1}]") { node in
      var kinds: [JSONKind] = [], bools: [Bool?] = [], strings: [String?] = [], counts: [Int] = []
      var doubles: [Double?] = [], numbers: [String] = [], offsets: [Int] = []
      var elements = node.elements
      while let element = elements.next() {
        kinds.append(element.kind)
        bools.append(element.bool)
        strings.append(element.string)
        counts.append(element.count)
        doubles.append(element.double)
        offsets.append(element.offset)
        if let number = element.numberText {
          numbers.append(String(copying: try UTF8Span(validating: number)))
        }
      }
      #expect(kinds == [.null, .bool, .bool, .number, .string, .array, .object])
      #expect(bools == [nil, true, false, nil, nil, nil, nil])
      #expect(strings == [nil, nil, nil, nil, "a\n", nil, nil])
      #expect(counts == [0, 0, 0, 0, 0, 2, 1])
      #expect(doubles == [nil, nil, nil, -1.5, nil, nil, nil])
      #expect(numbers == ["-1.50"])
      #expect(offsets == [1, 6, 11, 17, 23, 29, 35])
      #expect(node.count == 7)
      #expect(node["a"]?.kind == nil)
    }
  }

  @Test func `finds members by key`() throws {
    try read("{\"a\":1,\"data\":{\"role\":\"user\",\"\\u0062\":[true]},\"\":\"empty\",\"\\u0000\":0}") {
      node in
      #expect(node["a"]?.int64 == 1)
      #expect(node["data"]?["role"]?.string == "user")
      #expect(node["data"]?["b"]?.count == 1)
      #expect(node["data"]?["role"]?["x"]?.kind == nil)
      #expect(node[""]?.string == "empty")
      #expect(node["role"]?.kind == nil)
      #expect(node.member(named: "data")?.member(named: "role")?.isString("user") == true)
      #expect(node.member(named: "\0")?.uint64 == 0)
      #expect(node.member(named: "dat")?.kind == nil)
      #expect(node["data"]?.isString("data") == false)
    }
  }

  @Test func `gives members in source order`() throws {
    let keys = try read("{\"b\":{\"x\":1},\"a\":[1,[2]],\"\\u0063\":3}") { node in
      var keys: [String] = []
      var members = node.members
      while let member = members.next() {
        keys.append((member.key.string ?? "") + "\(member.value.kind)")
        #expect(member.hasKey("b") == (keys.count == 1))
      }
      return keys
    }
    #expect(keys == ["bobject", "aarray", "cnumber"])
    try read("[1]") { node in
      var members = node.members
      #expect(members.next()?.key.string == nil)
      var elements = node["x"]?.elements
      #expect(elements?.next()?.kind == nil)
    }
  }

  @Test func `reads the part of a buffer that is asked for`() throws {
    let buffer = Array("[1,2]\n[\"a\",\"b\",\"c\"]\nnot JSON".utf8)
    let parser = JSONParser()
    #expect(try parser.parse(buffer, 0..<5) { $0.count } == 2)
    #expect(try parser.parse(buffer, 6..<19) { $0.count } == 3)
    #expect(try unsafe parser.parse(buffer.span.bytes.extracting(0..<6)) { $0.count } == 2)
    #expect(throws: JSONError.self) { try parser.parse(buffer, 20..<28) { $0.count } }
    #expect(throws: JSONError.self) { try parser.parse(buffer, 6..<18) { $0.count } }
  }

  @Test func `stays what it is while its parser parses another text`() throws {
    let parser = JSONParser()
    let texts = try parser.parse(Array("[\"\\u0061\",[1,2,3]]".utf8)) { outer in
      let inner = try parser.parse(Array("{\"x\":\"\\u0062\"}".utf8)) { inner in
        _ = try? parser.parse(Array("[".utf8)) { $0.count }
        return JSONText(inner)
      }
      return [JSONText(outer), inner]
    }
    #expect(texts.map(\.description) == ["[\"a\",[1,2,3]]", "{\"x\":\"b\"}"])
  }

  @Test func `lets the errors of its reader through, typed where they are`() {
    enum ReaderError: Error, Equatable { case json(JSONError.Kind), missing }
    func field(_ text: String) throws(ReaderError) -> String {
      try JSONParser().parse(Array(text.utf8).span, refusal: { .json($0.kind) }) { node throws(ReaderError) in
        guard let field = node["a"]?.string else { throw .missing }
        return field
      }
    }
    #expect(throws: ReaderError.missing) { try field("{}") }
    #expect(throws: ReaderError.json(.malformed)) { try field("{") }
    #expect(throws: Never.self) { try field("{\"a\":\"b\"}") }
  }
}
