// Payloads field by field: what is the same, and what a field gives.
import Bytes
import Testing

@testable import EventStore

@Suite struct `A payload` {
  private func payload(
    text: String = "a", json: String = "[1.0]", integer: UInt64 = 7,
    id: String = "01890a5d-ac96-774b-bcce-b302099a8057"
  ) -> [UInt8] {
    var writer = PayloadWriter()
    writer.write(text, field: 1)
    writer.write(json: Array(json.utf8).rawSpan, field: 2)
    writer.write(integer, field: 3)
    writer.write(id, field: 4)
    return writer.bytes
  }

  private func isSame(_ other: [UInt8]) -> Bool { Payload.isSame(payload().rawSpan, other.rawSpan) }

  @Test func `is the same as another only where every field is, numbers in JSON by their value`() {
    #expect(isSame(payload()))
    #expect(isSame(payload(json: "[1]")))
    #expect(!isSame(payload(text: "b")))
    #expect(!isSame(payload(json: "[2]")))
    #expect(!isSame(payload(integer: 8)))
    #expect(!isSame(payload(id: "01890a5d-ac96-774b-bcce-b302099a8058")))
    #expect(!isSame(Array(payload().dropLast(17))), "a field less")
  }

  @Test func `gives a text only of a field that is one`() throws {
    let bytes = payload()
    var reader = PayloadReader(bytes.rawSpan)
    var texts: [String?] = []
    while let field = try reader.next() { texts.append(try? field.text()) }
    #expect(texts == ["a", nil, nil, "01890a5d-ac96-774b-bcce-b302099a8057"])
  }
}
