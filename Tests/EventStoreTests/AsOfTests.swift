// Points in time whose answers were once wrong, and those at the edges.
import Foundation
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
    options.blockSize = 1
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

@Suite struct `A state as of a recorded time` {
  @Test func `never changes, though the clock stands still or is put back`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.written("a", "1", id: .number(1)))
    for number in 2...6 {
      store.clock.advance(byMicroseconds: 1_000)
      let now = store.clock.now
      let answer = try store.notebook(at: .recordedAt(now))
      if number.isMultiple(of: 2) { store.clock.advance(byMicroseconds: -500) }
      try store.append(Diary.written("b", "\(number)", id: .number(number)))
      #expect(try store.notebook(at: .recordedAt(now)) == answer)
    }
    #expect(try store.notebook()?.events == 6)
  }

  // The time was taken before the commit's turn came: an event showed up at a time that had been asked about.
  @Test func `never changes while others append`() async throws {
    let folder = TemporaryFolder()
    let log = try EventLog(folder: folder.path, schema: Diary.schema)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for number in 1...150 {
            let event = Diary.written("w\(writer)", "\(number)", id: .number(writer * 1_000 + number))
            try await log.append([event], to: StreamName.bob)
          }
        }
      }
      group.addTask {
        var answers: [(time: Timestamp, version: StreamVersion)] = []
        while true {
          let now = Timestamp(clamping: Int64(Date().timeIntervalSince1970 * 1e6))
          let state = try log.state(of: .bob, by: NotebookProjector(), at: .recordedAt(now))
          if answers.isEmpty || state?.version != answers.last?.version, let state {
            answers.append((now, state.version))
          }
          if state?.version == 600 { break }
          await Task.yield()
        }
        for answer in answers {
          let again = try log.state(of: .bob, by: NotebookProjector(), at: .recordedAt(answer.time))
          #expect(again?.version == answer.version)
        }
      }
      try await group.waitForAll()
    }
  }
}
