// A replay of everything that is killed on its way.
import EventStore
import Glibc
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A replay that was killed` {
    @Test(arguments: [1, 2], [false, true])
    func `goes on where it was, and comes to the same`(jobs: Int, usesSnapshots: Bool) throws {
      let store = AgentStore()
      let users = 40
      try store.run("append", ["requests": 60, "writers": 8, "users": users])
      let values: [String: Any] = ["jobs": jobs, "snapshots": usesSnapshots ? 1 : 0, "users": users]
      let undisturbed = try #require(try store.run("replay", values).words(after: "replayed"))
      #expect(undisturbed[1...] == ["\(users)", "\(60 * 8 * 3)", "0"])

      // The undisturbed one left its states where snapshots are used: a copy knows nothing of them.
      let again = AgentStore()
      try store.run("backup", ["to": again.path])
      var random = SeededRandom(seed: `Real processes`.seed)
      var begun = 0
      var resumed = 0
      for _ in 1...3 {
        let replay = try again.agent("replay", values.merging(["delay": 500]) { $1 })
        let dies = 2 + Int(random.next() % 10)
        for _ in 0..<dies { try replay.words(after: "begun") }
        let deadline = ContinuousClock.now + .microseconds(Int(random.next() % 30_000))
        while try replay.line(until: deadline) != nil { begun += 1 }
        try replay.kill9()
        begun += dies + (try replay.lines().count { $0.hasPrefix("begun") })
      }
      let last = try #require(try again.run("replay", values).words(after: "replayed"))
      resumed = try #require(Int(last[3]))
      #expect(last[..<3] == undisturbed[..<3])
      // Of all that the killed ones began, each job's last was for nothing.
      #expect(resumed > 0 && resumed <= begun)
      #expect(begun - resumed <= 3 * jobs, "\(begun) begun, \(resumed) taken over")
      // And what is finished is over.
      #expect(try #require(try again.run("replay", values).words(after: "replayed"))[3] == "0")
    }
  }
}
