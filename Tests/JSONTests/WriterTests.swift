// Printing JSON.
import JSON
import Testing

@Suite struct `The writer` {
  private func write(_ style: JSONWriter.Style = .compact, _ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(style: style)
    body(&writer)
    return String(decoding: writer.finish(), as: UTF8.self)
  }

  private func writeSample(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("a")
    writer.beginArray()
    writer.integer(1)
    writer.string("x\ny")
    writer.beginObject()
    writer.endObject()
    writer.beginArray()
    writer.endArray()
    writer.null()
    writer.endArray()
    writer.key(text: "b\"")
    writer.bool(true)
    writer.key("c")
    writer.value(JSONText(canonical: Array("{\"d\":[],\"e\":[1,{}],\"f\":\"[,]\\\"\"}".utf8)))
    writer.endObject()
  }

  @Test func `puts commas where they belong`() {
    #expect(
      write(.compact, writeSample)
        == "{\"a\":[1,\"x\\ny\",{},[],null],\"b\\\"\":true,\"c\":{\"d\":[],\"e\":[1,{}],\"f\":\"[,]\\\"\"}}")
  }

  @Test func `indents by two spaces a level`() {
    #expect(
      write(.indented, writeSample) == """
        {
          "a": [
            1,
            "x\\ny",
            {},
            [],
            null
          ],
          "b\\"": true,
          "c": {
            "d": [],
            "e": [
              1,
              {}
            ],
            "f": "[,]\\""
          }
        }
        """)
  }

  @Test func `prints integers of any size`() {
    #expect(
      write {
        $0.beginArray()
        for value in [0, 7, -7, 10, 100, -100, Int64.max, Int64.min] { $0.integer(value) }
        $0.integer(UInt64.max)
        $0.integer(42 as Int)
        $0.endArray()
      }
        == "[0,7,-7,10,100,-100,9223372036854775807,-9223372036854775808,18446744073709551615,42]")
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `prints doubles that read back as themselves`(seed: UInt64) throws {
    var random = Seeded(seed)
    for _ in 0..<2_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      let text = write { $0.double(value) }
      #expect(try JSONText(parsing: text).description == text)
      #expect(JSONNumber.double(text.utf8Span.span)?.bitPattern == value.bitPattern, "\(text)")
    }
    #expect(write { $0.double(0.1) } == "0.1")
    #expect(write { $0.double(-0.0) } == "-0.0")
    #expect(write { $0.double(1e300) } == "1e+300")
    #expect(write { $0.double(.leastNonzeroMagnitude) } == "5e-324")
  }

  @Test func `writes lines`() throws {
    let lines = write {
      for number in 1...3 {
        $0.beginObject()
        $0.key("n")
        $0.integer(number)
        $0.endObject()
        $0.endLine()
      }
    }
    #expect(lines == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
  }

  @Test func `goes on behind what is there`() throws {
    var writer = JSONWriter(appendingTo: Array("data: ".utf8))
    try JSONParser().parse(Array("{\"b\":1,\"a\":\"\\/\"}".utf8)) { writer.value($0) }
    #expect(writer.finish() == Array("data: {\"a\":\"/\",\"b\":1}".utf8))
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `prints values canonically, and indented ones that parse to the same`(seed: UInt64) throws {
    var random = Seeded(seed)
    for _ in 0..<100 {
      let value = Model.random(using: &random)
      let text = JSONText(canonical: value.canonical)
      #expect(write { Self.write(value, to: &$0) } == text.description)
      let indented = write(.indented) { Self.write(value, to: &$0) }
      #expect(try JSONText(parsing: indented) == text)
      #expect(String(decoding: text.indented(), as: UTF8.self) == indented)
    }
  }

  private static func write(_ value: Model, to writer: inout JSONWriter) {
    switch value {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number(let text): writer.value(canonical: text.utf8Span.span)
    case .string(let text): writer.string(text)
    case .array(let elements):
      writer.beginArray()
      for element in elements { write(element, to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        writer.key(text: member.key)
        write(member.value, to: &writer)
      }
      writer.endObject()
    }
  }
}
