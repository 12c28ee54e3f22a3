// kill -9 at random, and at every call in turn, while everything is done that can be done to a store.
import Glibc
import Platform
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `Killed in the middle of chores` {
    @Test func `at any time, nothing acknowledged is lost and nothing is there by halves`() throws {
      var folder = try ChoreFolder()
      try Trials(kind: "kills", goal: 1_000).run { number, seed in
        // Looked through after every kill, a store must not grow for ever. One is encrypted, the next is not.
        if number % 25 == 0 { folder = try ChoreFolder(isEncrypted: number % 50 == 0) }
        var random = SeededRandom(seed: seed)
        let agent = try folder.start(
          "chores",
          ["seed": seed, "rounds": 1_000, "writers": [1, 2, 4][number % 3], "requests": 40, "first": folder.first])
        // Every fifth may be killed while opening.
        if number % 5 != 0 { folder.note(["open \(try agent.words(after: "open"))"]) }
        let deadline = ContinuousClock.now + .microseconds(Int(random.next() % 900_000))
        var lines: [String] = []
        while let line = try agent.line(until: deadline) { lines.append(line) }
        try agent.kill9()
        lines += try agent.lines()
        folder.note(lines)
        let problems = try folder.problems() + lines.filter { $0.hasPrefix("error") }
        if !problems.isEmpty { folder = try ChoreFolder() }
        return problems
      }
    }

    @Test func `at every call that changes a file, nothing is lost, and the next one goes on`() throws {
      let chores: [String: Any] = ["requests": 2, "seed": 1]
      let whole = try ChoreFolder()
      let report = whole.beside("report")
      #expect(try whole.run(chores, environment: Shim.environment(whole.path, report: report)) == .exit(0))
      #expect(try whole.problems() == [])
      let calls = try CallCount(report).changes
      #expect(calls > 300)
      let trials = Trials(kind: "crash points", goal: 2_000)
      // Each once, and then each again amid other chores.
      let step = max(1, calls / trials.count)
      try trials.run { number, seed in
        let place = number * step
        let folder = try ChoreFolder()
        let end = try folder.run(
          chores.merging(["seed": 1 + place / calls]) { $1 },
          environment: Shim.environment(folder.path, killingAt: 1 + place % calls))
        // Other chores may be fewer calls.
        guard end == .signal(SIGKILL) || place >= calls && end == .exit(0) else {
          return ["it ended with \(end): \(folder.lines.suffix(2))"]
        }
        var problems = try folder.problems()
        if problems.isEmpty {
          let again = try folder.run(["requests": 2, "seed": seed, "only": "erase,backup,retain,restore,compact"])
          if again != .exit(0) { problems.append("going on, it ended with \(again): \(folder.lines.suffix(2))") }
          problems += try folder.problems()
        }
        return problems.map { "killed at call \(1 + place % calls): \($0)" }
      }
    }

    @Test func `it would be noticed if something were lost, doubled, or still there`() throws {
      let folder = try ChoreFolder()
      #expect(try folder.run(["requests": 4]) == .exit(0))
      #expect(try folder.problems() == [])
      let next = folder.next[0, default: 0]
      let last = try #require(folder.lines.last { $0.hasPrefix("ack ") })
      let words = last.split(separator: " ").map(String.init)
      // Each of these was not so; of the last two, all that was said before the claim is held against the store.
      let claims: [(claim: [String], problem: String)] = [
        (["ack 0 \(next) 100 1000 new"], "lost: ack 0 \(next)"),
        (["ack 0 \(words[2]) \(words[3]) \((UInt64(words[4]) ?? 0) + 3) new"], "elsewhere: ack"),
        (["done acknowledge 100000"], "the subscription is at"),
        (["begin retain 100000", "done retain 100000"], "is still kept"),
        (["begin backup", "ack 0 \(next) 100 1000 new", "begin backup", "done backup"], "the backup: lost"),
      ]
      for (claim, problem) in claims {
        let found = try folder.problems(believing: claim)
        #expect(found.contains { $0.contains(problem) }, "\(claim): \(found)")
      }
      for user in 0..<7 {
        let claim = ["begin erase user-\(user)", "done erase user-\(user)", "begin scrub", "done scrub"]
        let found = try folder.problems(believing: claim)
        // Unless that one was erased, or has said nothing.
        if found.isEmpty { continue }
        #expect(found.contains { $0.contains("is not erased any more") }, "\(found)")
        return
      }
      Issue.record("nobody would have been missed")
    }
  }
}
