// A copy of a store that is being written to.
import EventStore
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A backup while eight append` {
    @Test func `restored, is the store as it was at one position`() throws {
      let store = AgentStore()
      let users = 60
      let writers = try store.agent("append", ["writers": 8, "users": users])
      var acknowledged: [Acknowledgement] = []
      var copies: [(place: AgentStore, position: UInt64, before: Int)] = []
      for number in 1...4 {
        while acknowledged.count < 60 * number * number {
          acknowledged += [try writers.line()].acknowledgements
        }
        let copy = AgentStore()
        let before = acknowledged.count
        let lines = try store.run("backup", ["to": copy.path])
        copies.append((copy, try #require(lines.words(after: "copied").flatMap { UInt64($0[0]) }), before))
      }
      try writers.kill9()

      for (copy, position, before) in copies {
        let restored = AgentStore()
        let report = try EventLog.restore(from: copy.path, to: restored.path, schema: Diary.schema)
        #expect(report.isSound && report.position.number == position)
        // All that had been acknowledged when it began is in it, and nothing by halves.
        var next: [Int: Int] = [:]
        let log = try restored.open()
        let work = NumberedWork(users: users)
        #expect(
          try log.problems(of: work, acknowledged: Array(acknowledged[..<before]), next: &next)
            .filter { !$0.contains("can have tried") } == [])
        try log.close()
        // The same states as the original had at that position, streams that began later left out.
        let own = try #require(try restored.run("replay").words(after: "replayed"))
        for snapshots in [0, 1] {
          let original = try store.run("replay", ["position": position, "snapshots": snapshots, "jobs": 2])
          #expect(original.words(after: "replayed") == own)
        }
      }
      #expect(Set(copies.map(\.position)).count == 4)
    }

    @Test func `goes into a new folder only`() throws {
      let store = AgentStore(), other = AgentStore()
      try store.run("append", ["requests": 5])
      try other.run("append", ["requests": 2])
      let before = try other.open().lastPosition()
      let backup = try store.agent("backup", ["to": other.path])
      let lines = try backup.lines()
      #expect(try backup.wait() == .exit(1))
      #expect(lines.contains { $0.contains("not empty") }, "\(lines)")
      let log = try other.open()
      #expect(try log.lastPosition() == before)
      #expect(try log.verify().isSound)
      try log.close()
      #expect(throws: StorageError.self) {
        try EventLog.restore(from: store.path, to: other.path, schema: Diary.schema)
      }
      #expect(try other.open().lastPosition() == before)
    }
  }
}
