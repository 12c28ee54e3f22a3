// Points in time whose answers were once wrong, and those at the edges.
import EventStore
import TestSupport
import Testing

@Suite struct `A state as of a time when things occurred` {
  /// A store that takes a snapshot after every event.
  private func store() throws -> TemporaryStore {
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    options.cacheBytes = 0
    return try TemporaryStore(options)
  }

  // A fold that began at a snapshot told the highest version of what it folded itself, not of what the snapshot held.
  @Test func `has the version of a late event that only the snapshot holds`() throws {
    let store = try store()
    let noon = store.clock.now
    func minutes(_ count: Int64) -> Timestamp { noon.advanced(byMicroseconds: count * 60_000_000) }
    try store.append(Diary.written("a", "1", id: .number(1)).occurring(at: minutes(10)))
    try store.append(Diary.written("b", "2", id: .number(2)).occurring(at: minutes(5)))
    try store.append(Diary.written("c", "3", id: .number(3)).occurring(at: minutes(20)))

    for _ in 1...2 {
      let state = try store.log.state(of: .bob, by: NotebookProjector(), at: .occurredAt(minutes(6)))
      #expect(state?.version == 2)
      #expect(state?.state.notes.keys.sorted() == ["b"])
      try store.log.storeDueSnapshots()
    }
    let again = try store.log.state(of: .bob, by: NotebookProjector(), at: .occurredAt(minutes(6)))
    #expect(again?.eventsFolded == 0)
  }
}
