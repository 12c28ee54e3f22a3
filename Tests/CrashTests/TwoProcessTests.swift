// Several processes on one store: competing, coming late, sleeping, following.
import EventStore
import Platform
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `Several processes on one store` {
    @Test func `made by several at once, it is one`() throws {
      for _ in 1...3 {
        let store = AgentStore()
        let agents = try (0..<4).map { try store.agent("append", ["base": $0, "requests": 5]) }
        var acknowledged: [Acknowledgement] = []
        for agent in agents {
          let lines = try agent.lines()
          acknowledged += lines.acknowledgements
          #expect(try agent.wait() == .exit(0), "\(lines)")
        }
        #expect(acknowledged.count == 20)
        var next: [Int: Int] = [:]
        #expect(try store.open().problems(of: NumberedWork(), acknowledged: acknowledged, next: &next) == [])
      }
    }

    // Who came second to make it waited for the first one's lock, and so until that closed it again.
    @Test func `made by two at once, it is open to both of them`() throws {
      let store = AgentStore()
      _ = try Files.makeFolder(store.path)
      // As long as a third one looks whether there is a store, none is made: both come to wait for it.
      let third = try FileLock(path: store.path + "/openers.lock")
      try third.lock(.shared)
      let agents = try [1, 2].map { try store.agent("compete", ["writer": $0, "count": 0]) }
      MonotonicClock.sleep(nanoseconds: 500_000_000)
      try third.unlock()
      for agent in agents { try agent.words(after: "open") }
      for agent in agents { try agent.send("go") }
      for agent in agents { #expect(try agent.wait() == .exit(0)) }
    }

    #if DEBUG
    // While a process had not heard yet that its commit had failed, it took its own events for those that another
    // process had stored in their places.
    @Test(arguments: [1, 2, 3, 64])
    func `whose commits fail now and then, each sees all that is stored and nothing else`(checkpoint: Int) throws {
      let work = NumberedWork(users: 200)
      try Trials(kind: "failing commits, \(checkpoint) a block", goal: 100).run { _, seed in
        let store = AgentStore(inMemory: true)
        let agents = try [0, 1].map { number in
          try store.agent(
            "struggle",
            [
              "base": 10 * number, "requests": 100, "users": work.users, "checkpoint": checkpoint,
              "snapshot": 1_000, "seed": 2 &* seed &+ UInt64(number),
            ])
        }
        for agent in agents { try agent.words(after: "open") }
        for agent in agents { try agent.send("go") }
        var acknowledged: [Acknowledgement] = []
        for agent in agents {
          let lines = try agent.lines()
          #expect(try agent.wait() == .exit(0))
          let errors = lines.filter { $0.hasPrefix("error") }
          if !errors.isEmpty { return errors }
          acknowledged += lines.acknowledgements
        }
        #expect(acknowledged.count == 400)
        var next: [Int: Int] = [:]
        return try store.open().problems(of: work, acknowledged: acknowledged, next: &next)
      }
    }
    #endif

    @Test func `of two that append the same at the same version, one wins and both know`() throws {
      let count = 600
      let store = AgentStore()
      try store.open().close()
      let agents = try [1, 2].map { try store.agent("compete", ["writer": $0, "count": count]) }
      for agent in agents { try agent.words(after: "open") }
      for agent in agents { try agent.send("go") }
      let lines = try agents.map { try $0.lines() }
      for agent in agents { #expect(try agent.wait() == .exit(0)) }

      let log = try store.open()
      let events = try log.readStream(.named("contested"), limit: count + 1).events
      #expect(events.map(\.version.number) == Array(1...UInt64(count)))
      #expect(try log.verify().isSound)
      for (agent, lines) in zip(1..., lines) {
        #expect(lines.words(after: "read") == ["\(count)"], "\(lines.suffix(3))")
        for line in lines {
          let words = line.split(separator: " ").map(String.init)
          switch words[0] {
          case "won", "again":
            let version = try #require(Int(words[2]))
            #expect(events[version - 1].id.description == words[1], "\(line)")
          case "conflict":
            // Told where the stream is, which was further on.
            let (expected, actual) = try (#require(Int(words[1])), #require(Int(words[2])))
            #expect(actual > expected)
          case "read", "closed": break
          default: Issue.record("agent \(agent) says \(line)")
          }
        }
      }
      // Every event was won once; lost with the same id and content it is a repeat, with others a conflict.
      let won = lines.joined().filter { $0.hasPrefix("won") }.map { $0.split(separator: " ")[1].description }
      #expect(won.sorted() == events.map(\.id.description).sorted())
      #expect(lines.joined().contains { $0.hasPrefix("again") })
      #expect(lines.joined().contains { $0.hasPrefix("conflict") })
    }

    @Test func `one that is 200,000 events behind catches up at its next append`() throws {
      let store = AgentStore()
      let many = 200_000
      let late = try store.agent("behind", ["checkpoint": 65_536])
      #expect(try late.words(after: "ready") == ["3"])
      let lines = try store.run("import", ["count": many, "checkpoint": 65_536])
      #expect(lines.words(after: "imported") == ["\(many + 3)"])
      try late.send("go")
      #expect(try late.words(after: "appended").last == "\(many + 4)")
      let read = try late.words(after: "read")
      #expect(read[0] == "\(many + 6)" && read[2] == "true", "\(read)")
      #expect(try late.wait() == .exit(0))

      // As does one that opens now, and finds a tail and the tables.
      let log = try store.open()
      #expect(try log.lastPosition().number == UInt64(many + 6))
      #expect(try log.streams().reduce(0) { $0 + $1.version.number } == UInt64(many + 6))
    }

    @Test func `a reader that died is found by the next commits`() throws {
      let store = AgentStore()
      let work = NumberedWork()
      try store.run("append", ["requests": 20, "writers": 1, "checkpoint": 16])
      let user = work.user(ofRequest: 0, by: 0)
      let reader = try store.agent("fold", ["user": user.user.description, "at": 2, "checkpoint": 16])
      try reader.words(after: "holding")
      var options = EventLog.Options()
      options.readerCheckInterval = 0
      let log = try EventLog(folder: store.path, schema: Diary.schema, options: options)
      // The one that counts is among them.
      func readers() throws -> Int { try log.storeStatistics(for: NotebookProjector()).readers - 1 }
      #expect(try readers() == 1)
      try reader.kill9()
      #expect(try readers() == 1)
      try log.redact(1, of: user)
      // It is done once the commit is answered for.
      let deadline = MonotonicClock.nanoseconds + 10_000_000_000
      while try readers() > 0, MonotonicClock.nanoseconds < deadline { MonotonicClock.sleep(nanoseconds: 1_000_000) }
      #expect(try readers() == 0)
    }

    @Test func `a reader that sleeps through many checkpoints goes on in its own view`() throws {
      let store = AgentStore()
      let work = NumberedWork()
      try store.run("append", ["requests": 150, "writers": 2, "checkpoint": 16])
      let user = work.user(ofRequest: 0, by: 0)
      let version = try store.open().version(of: user)
      let reader = try store.agent(
        "fold", ["user": user.user.description, "at": version.number / 2, "checkpoint": 16])
      try reader.words(after: "holding")
      // Sixteen events a checkpoint: over a hundred of them, and old pages of the tables are written anew.
      let lines = try store.run("append", ["requests": 300, "writers": 2, "base": 2, "checkpoint": 16])
      try reader.send("go")
      let after = try store.open().version(of: user)
      #expect(after > version)
      #expect(try reader.words(after: "folded") == ["\(version)", "true", "\(after)"])
      #expect(try reader.words(after: "read") == ["\(900 + 1_800)"])
      #expect(try reader.wait() == .exit(0))
      var next: [Int: Int] = [0: 150, 1: 150]
      let log = try store.open()
      #expect(try log.problems(of: work, acknowledged: lines.acknowledgements, next: &next) == [])
    }

    @Test func `a slow follower beside eight writers gets all, and keeps no pages`() throws {
      let (alone, followed) = (try sizeOfData(beside: nil), try sizeOfData(beside: "follow"))
      #expect(Double(followed) < 2.5 * Double(alone), "\(followed) bytes with a follower, \(alone) without")
      // And one that does keep its pages would be seen by it.
      let held = try sizeOfData(beside: "fold")
      #expect(Double(held) > 2.5 * Double(alone), "\(held) bytes with a reader in its view, \(alone) without")
    }

    /// What the data of eight writers takes up, with a reader beside them.
    private func sizeOfData(beside reader: String?) throws -> Int {
      let requests = 150
      let end = (requests * 8 + 1) * 3
      let store = AgentStore()
      try store.run("append", ["requests": 1, "base": 8])
      let user = NumberedWork().user(ofRequest: 0, by: 8).user.description
      let agent = try reader.map { try store.agent($0, ["end": end, "delay": 3_000, "user": user]) }
      if reader == "follow" { try agent?.words(after: "open") } else { try agent?.words(after: "holding") }
      let lines = try store.run("append", ["requests": requests, "writers": 8])
      #expect(lines.acknowledgements.count == requests * 8)
      let size = try #require(try Files.status(store.path + "/data.mdb")).sizeInBytes
      // The follower is behind, by far; and now it may hurry.
      try agent?.send("go")
      if reader == "follow" { #expect(try agent?.words(after: "followed") == ["\(end)"]) }
      if let agent { #expect(try agent.wait() == .exit(0)) }
      return size
    }
  }
}
