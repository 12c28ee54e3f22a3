// Named places in the log. How readers that die and come back use them is tried with real processes in CrashTests.
import EventStore
import TestSupport
import Testing

@Suite struct `A durable subscription` {
  private func store() throws -> TemporaryStore {
    let store = try TemporaryStore()
    for number in 1...5 { try store.append(Diary.written("k", "text", id: .number(number))) }
    return store
  }

  @Test func `keeps its place, which never goes back`() throws {
    let store = try store()
    #expect(try store.log.makeSubscription(named: "mirror", after: 1).checkpoint == 1)
    try store.log.acknowledge(4, of: "mirror")
    try store.log.acknowledge(2, of: "mirror")
    #expect(try store.log.makeSubscription(named: "mirror").checkpoint == 4)
    try store.reopen()
    #expect(try store.log.subscription(named: "mirror")?.checkpoint == 4)
    #expect(try store.log.subscriptions().map(\.name) == ["mirror"])
  }

  @Test func `is refused beyond the log's end, and without a name`() throws {
    let store = try store()
    try store.log.makeSubscription(named: "mirror")
    #expect(throws: ReadError.self) { try store.log.makeSubscription(named: "", after: 0) }
    #expect(throws: ReadError.self) { try store.log.makeSubscription(named: "other", after: 6) }
    #expect(throws: ReadError.self) { try store.log.acknowledge(6, of: "mirror") }
    // An acknowledgement that went nowhere was taken for one that was kept.
    #expect(throws: ReadError.self) { try store.log.acknowledge(3, of: "mirrors") }
    #expect(try store.log.subscription(named: "mirror")?.checkpoint == 0)
  }

  @Test func `is forgotten when deleted`() throws {
    let store = try store()
    try store.log.makeSubscription(named: "mirror", after: 3)
    try store.log.deleteSubscription(named: "mirror")
    try store.log.deleteSubscription(named: "mirror")
    #expect(try store.log.subscription(named: "mirror") == nil)
    #expect(try store.log.makeSubscription(named: "mirror").checkpoint == 0)
  }
}
