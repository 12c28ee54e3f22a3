// Points in time whose answers were once wrong, and those at the edges.
import LMDB
import TestSupport
import Testing

@testable import EventStore

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
  // A row of the index that a disk had changed put the event at a time it does not have, and the fold took it there.
  @Test func `fails where the index puts a late event at another time`() throws {
    var options = EventLog.Options()
    options.checkpointInterval = 1
    let store = try TemporaryStore(options)
    let noon = store.clock.now
    for (number, minutes) in [10, 5, 20, 30, 40].enumerated() {
      let time = noon.advanced(byMicroseconds: Int64(minutes) * 60_000_000)
      try store.append(Diary.written("k\(number)", "text", id: .number(number)).occurring(at: time))
    }
    #expect(try store.notebook(at: .occurredAt(.latest))?.events == 5)

    try store.reopen {
      let environment = try Environment(folder: store.path)
      defer { environment.close() }
      let late = try environment.openTables(["late"])[0]
      var transaction = try environment.beginWrite()
      let stored = Key.stream(1, UInt64(noon.microseconds) + 300_000_000, 2)
      let moved = Key.stream(1, UInt64(noon.microseconds) + 900_000_000, 2)
      let place = try transaction.value(of: stored.rawSpan, in: late)?.array() ?? []
      _ = try transaction.delete(stored.rawSpan, in: late)
      try transaction.put(place.rawSpan, at: moved.rawSpan, in: late)
      try transaction.commit()
    }
    #expect(throws: ReadError.self) { try store.notebook(at: .occurredAt(.latest), usesSnapshots: false) }
  }
}
