// The least: one event in, the same event out, and again after opening anew.
import EventStore
import TestSupport
import Testing

@Suite struct `A new log` {
  @Test func `gives back what was appended`() async throws {
    let folder = TemporaryFolder()
    let log = try EventLog(folder: folder.path + "/s", schema: EventSchema([]))
    let bob = StreamName(try UserID("bob"))
    var payload = PayloadWriter()
    payload.write("hello", field: 1)
    let event = EventData(
      id: EventID(high: 1, low: 2), type: .custom, customType: "Said", session: try SessionID("s-1"),
      payload: payload.bytes)
    let result = try await log.append([event], to: bob)
    #expect(result.firstVersion == 1 && result.lastPosition == 1 && !result.isDuplicate)
    let again = try await log.append([event], to: bob)
    #expect(again.isDuplicate && again.recordedAt == result.recordedAt)
    let page = try log.readStream(bob)
    #expect(page.events.count == 1)
    #expect(page.events[0].session?.description == "s-1")
    #expect(page.events[0].payload == payload.bytes)
    try log.close()
    let reopened = try EventLog(folder: folder.path + "/s", schema: EventSchema([]))
    #expect(try reopened.readAll().events.count == 1)
  }
}
