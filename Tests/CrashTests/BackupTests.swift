// A copy of a store that is being written to.
import EventStore
import Platform
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

    @Test func `killed at any moment leaves the backup there was, or more, and the next one goes on`() throws {
      let store = AgentStore(), copy = AgentStore()
      var random = SeededRandom(seed: `Real processes`.seed)
      try store.run("append", ["requests": 1])
      try store.run("backup", ["to": copy.path])
      var requests = 1
      var held: UInt64 = 0
      for round in 0..<12 {
        let count = Int.random(in: 1...400, using: &random)
        try store.run("append", ["requests": count, "first": "\(requests)"])
        requests += count
        // So that a part of the rounds copies all anew.
        if round % 4 == 3 {
          let log = try store.open()
          try log.redact(1, of: NumberedWork().user(ofRequest: round, by: 0))
          try log.close()
        }
        let backup = try store.agent("backup", ["to": copy.path])
        MonotonicClock.sleep(nanoseconds: UInt64.random(in: 0...250_000_000, using: &random))
        try backup.kill9()
        let log = try store.open(), copied = try copy.open(readOnly: true)
        let head = try copied.head()
        #expect(head.position.number >= held)
        #expect(try copied.verify().isSound)
        // A beginning of the store's own history, at the end of an append.
        #expect(try log.verify(against: head).isSound)
        held = head.position.number
        try copied.close()
        try log.close()
      }
      try store.run("backup", ["to": copy.path])
      let log = try store.open(), copied = try copy.open()
      #expect(try copied.head() == log.head() && copied.verify().isSound)
      try copied.close()
      try log.close()
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
