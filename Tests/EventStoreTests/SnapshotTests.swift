// Stored states: never more than an offer.
import EventStore
import TestSupport
import Testing

@Suite struct `Snapshots of another schema` {
  // A snapshot was kept under the projector alone, so what an older schema had folded was taken for today's.
  @Test func `are not used`() throws {
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    let store = try TemporaryStore(options, schema: Diary.firstSchema)
    for number in 1...5 { try store.append(Diary.firstWritten("k\(number)", "text", id: .number(number))) }
    _ = try store.notebook()
    _ = try store.notebook(at: .occurredAt(.latest))
    try store.log.storeDueSnapshots()

    store.schema = Diary.schema
    try store.reopen()
    for point: AsOf in [.head, .occurredAt(.latest)] {
      #expect(try store.notebook(at: point) == store.notebook(at: point, usesSnapshots: false))
    }
  }
}
