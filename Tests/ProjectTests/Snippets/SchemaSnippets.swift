// What the guide to the evolution of schemas shows.
import Foundation
import Memoir
import Testing

// snippet
/// `PlaceVisited` 1 had one text, `city, country`; 2 has two fields.
let splitPlace = Upcaster(from: 1) { payload throws(DamagedBytes) in
  var fields = PayloadReader(payload)
  guard let field = try fields.next() else { throw DamagedBytes() }
  let parts = try field.text().split(separator: ",", maxSplits: 1)
  guard parts.count == 2 else { throw DamagedBytes() }
  var writer = PayloadWriter()
  writer.write(String(parts[0]), field: 1)
  writer.write(String(parts[1].drop { $0 == " " }), field: 2)
  return writer.bytes
}

let schema = EventSchema.memoir(with: [
  EventTypeDefinition(code: .custom, name: "PlaceVisited", version: 2, upcasters: [splitPlace])
])
// end

@Suite struct `The example of an upcaster` {
  @Test func `shows an old event in today's form`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder, schema: schema)
    let bob = StreamName(try UserID("bob"))
    var old = PayloadWriter()
    old.write("Lisbon, Portugal", field: 1)
    let event = EventData(
      id: .generate(at: store.clock()), type: .custom, customType: "PlaceVisited", typeVersion: 1,
      payload: old.bytes)
    try store.log.appendAndWait([StreamAppend([event], to: bob)])
    let found = try #require(try store.log.event(event.id, of: bob))
    var today = PayloadWriter()
    today.write("Lisbon", field: 1)
    today.write("Portugal", field: 2)
    #expect(found.typeVersion == 2 && found.payload == today.bytes)
  }
}
