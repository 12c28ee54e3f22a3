// kill -9 at any time: what was acknowledged is there once, what was not is there whole or not at all.
import EventStore
import Glibc
import Platform
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `Killed in the middle of appends` {
    @Test func `everything acknowledged is there once, and nothing by halves`() throws {
      let store = AgentStore()
      let work = NumberedWork()
      var random = SeededRandom(seed: `Real processes`.seed)
      var next: [Int: Int] = [:]
      var acknowledged: [Acknowledgement] = []
      for kill in 1...25 {
        let writers = [1, 3, 8][kill % 3]
        let agent = try store.agent(
          "append",
          ["writers": writers, "first": (0..<8).map { "\(next[$0, default: 0])" }.joined(separator: ",")])
        // Every fifth may be killed while opening.
        if kill % 5 != 0 { _ = try agent.words(after: "open") }
        let deadline = ContinuousClock.now + .microseconds(Int(random.next() % 120_000))
        var lines: [String] = []
        while let line = try agent.line(until: deadline) { lines.append(line) }
        try agent.kill9()
        lines += try agent.lines()
        acknowledged += lines.acknowledgements
        #expect(lines.allSatisfy { !$0.hasPrefix("error") }, "\(lines)")

        let log = try store.open()
        let problems = try log.problems(of: work, acknowledged: acknowledged, next: &next)
        #expect(problems.isEmpty, "kill \(kill), seed \(`Real processes`.seed): \(problems)")
        // That the check would find one that is missing.
        if let last = lines.acknowledgements.last {
          var lost = last, counts = next
          lost.request = next[last.writer, default: 0]
          #expect(try log.problems(of: work, acknowledged: [lost], next: &counts) == ["lost: \(lost)"])
        }
        try log.close()
        if !problems.isEmpty { return }
      }
      #expect(acknowledged.count > 25)
    }

    @Test func `others go on beside the one that died, also when it died writing`() throws {
      let store = AgentStore()
      try store.run("append", ["requests": 1, "base": 10])
      let survivor = try store.agent("append", ["writers": 2])
      var acknowledged: [Acknowledgement] = []
      try survivor.words(after: "open")
      for call in [2, 3, 5, 8, 13] {
        let victim = try store.agent(
          "append", ["base": 20 + call, "writers": 2],
          environment: try Shim.environment(store.path, killingAt: call))
        acknowledged += try victim.lines().acknowledgements
        #expect(try victim.wait() == .signal(SIGKILL))
        // Reached only if the writer's lock was taken over.
        let deadline = ContinuousClock.now + RunningProcess.patience
        var later = 0
        while later < 20, let line = try survivor.line(until: deadline) {
          if let acknowledgement = Acknowledgement(line) {
            acknowledged.append(acknowledgement)
            later += 1
          }
        }
        #expect(later == 20)
      }
      try survivor.kill9()
      acknowledged += try survivor.lines().acknowledgements
      var next: [Int: Int] = [10: 1]
      let log = try store.open()
      #expect(try log.problems(of: NumberedWork(), acknowledged: acknowledged, next: &next) == [])
    }

    @Test func `killed at each call in turn that makes a store, it is made by the next process`() throws {
      var calls = 0
      while true {
        let store = AgentStore()
        let agent = try store.agent(
          "append", ["requests": 1], environment: try Shim.environment(store.path, killingAt: calls + 1))
        let lines = try agent.lines()
        let end = try agent.wait()
        if end == .exit(0) { break }
        #expect(end == .signal(SIGKILL), "\(lines)")
        calls += 1
        let log = try store.open()
        var next: [Int: Int] = [:]
        #expect(
          try log.problems(of: NumberedWork(), acknowledged: lines.acknowledgements, next: &next) == [],
          "killed at call \(calls)")
        try log.close()
      }
      #expect(calls > 10)
    }

    @Test func `asked to end by SIGTERM, an agent ends its appends and closes`() throws {
      let store = AgentStore()
      let agent = try store.agent("append", ["writers": 8, "graceful": 1])
      for _ in 0..<50 { try agent.words(after: "ack") }
      agent.signal(SIGTERM)
      let lines = try agent.lines()
      #expect(try agent.wait() == .exit(0))
      #expect(lines.last == "closed")

      // And one that does not listen to it ends at once, as if killed.
      let deaf = try store.agent("append", ["writers": 8, "base": 8])
      for _ in 0..<50 { try deaf.words(after: "ack") }
      deaf.signal(SIGTERM)
      let last = try deaf.lines()
      #expect(try deaf.wait() == .signal(SIGTERM))
      var next = [Int: Int](uniqueKeysWithValues: (0..<16).map { ($0, 1_000_000) })
      let log = try store.open()
      #expect(
        try log.problems(of: NumberedWork(), acknowledged: (lines + last).acknowledgements, next: &next) == []
      )
    }

    @Test func `a process opens a store once at a time`() throws {
      #expect(try AgentStore().run("open-twice") == ["refused", "closed"])
    }
  }
}
