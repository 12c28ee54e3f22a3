// Sessions that nobody ended.
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

@Suite struct `A sweep` {
  @Test func `closes what was idle for four hours, and says when it fell silent`() async throws {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon.", in: "old")
    let silent = try #require(try desk.store.log.lastRecorded().recordedAt)
    desk.advance(hours: 3.9)
    try await desk.say("Hi", in: "young")
    #expect(try await desk.store.sweep().closed.isEmpty)
    desk.advance(hours: 0.2)
    let result = try await desk.store.sweep()
    #expect(result.closed.map { "\($0.session.id)" } == ["old"] && result.closed[0].idleSince == silent)
    #expect(result.userCount == 1 && result.failures.isEmpty)
    let session = try desk.session("old")
    #expect(session.end?.reason == "timeout" && session.end?.endedAt == result.now)
    #expect(try desk.memories("old") == ["fact: Lives in Lisbon."])
    #expect(try await desk.store.sweep().closed.isEmpty && desk.events("SessionEnded").count == 1)
  }

  @Test func `goes by the session's own time, and never closes one whose time is 0`() async throws {
    let desk = try SessionDesk()
    for (name, seconds) in [("minute", 60), ("never", 0), ("for ever", UInt64.max), ("default", nil)]
      as [(String, UInt64?)]
    {
      _ = try await desk.store.startSession(.named(name), of: desk.bob, idleTimeoutSeconds: seconds)
    }
    desk.advance(seconds: 61)
    #expect(try await desk.store.sweep().closed.map { "\($0.session.id)" } == ["minute"])
    desk.advance(hours: 24 * 3_650)
    #expect(try await desk.store.sweep().closed.map { "\($0.session.id)" } == ["default"])
  }

  @Test func `closes nothing where the policy says so`() async throws {
    let desk = try SessionDesk { $0.idleTimeoutSeconds = 0 }
    try await desk.say("Hi", in: "s")
    desk.advance(hours: 10_000)
    #expect(try await desk.store.sweep().closed.isEmpty)
  }

  @Test func `goes by when events were recorded, not by when they happened`() async throws {
    let desk = try SessionDesk()
    let late = try EventData(
      .messageAdded(MessageAdded(role: .user, content: "Long ago")), session: .named("s"), id: .number(1),
      occurredAt: .earliest)
    try await desk.store.append([late], to: desk.bob)
    #expect(try await desk.store.sweep().closed.isEmpty)
  }

  @Test func `leaves a session that was touched`() async throws {
    let desk = try SessionDesk()
    try await desk.say("Hi", in: "s")
    desk.advance(hours: 3.9)
    try await desk.store.touchSession(.named("s"), of: desk.bob, agent: "web")
    desk.advance(hours: 3.9)
    #expect(try await desk.store.sweep().closed.isEmpty)
    #expect(try desk.events("SessionTouched").map(\.agent) == ["web"])
    desk.advance(hours: 0.2)
    #expect(try await desk.store.sweep().closed.count == 1)
  }

  @Test func `at another time sees what will be idle by then, and never looks back behind the log`() async throws {
    let desk = try SessionDesk()
    try await desk.say("Hi", in: "s")
    #expect(try await desk.store.sweep(now: .earliest).now == desk.store.log.lastRecorded().recordedAt)
    let then = desk.clock.now.advanced(byMicroseconds: 5 * 3_600 * 1_000_000)
    let result = try await desk.store.sweep(now: then)
    #expect(result.now == then && result.closed.count == 1)
    #expect(try #require(result.closed.first?.session.end).endedAt < then)
    // The clock was put back: what was recorded counts.
    desk.advance(hours: -48)
    #expect(try await desk.store.sweep().now == desk.store.log.lastRecorded().recordedAt)
  }

  @Test func `by several sweepers at once closes each session once`() async throws {
    let desk = try SessionDesk()
    let users = (1...10).map { StreamName.named("user-\($0)") }
    for user in users { for session in 1...3 { try await desk.say("I like tea.", in: "s-\(session)", of: user) } }
    desk.advance(hours: 5)
    let now = desk.clock.now
    let results = try await withThrowingTaskGroup(of: SweepResult.self) { group in
      // Some as at the very same moment, so that they make the very same events.
      for number in 1...6 { group.addTask { try await desk.store.sweep(now: number % 2 == 0 ? now : nil) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.reduce(0) { $0 + $1.closed.count } == 30 && results.allSatisfy(\.failures.isEmpty))
    for user in users {
      let ended = try desk.events("SessionEnded", of: user)
      #expect(ended.count == 3 && Set(ended.map(\.id)).count == 3)
      #expect(try desk.events("FactLearned", of: user).count == 1, "the same words are one fact")
    }
  }

  @Test func `looks at one namespace where one is given`() async throws {
    let desk = try SessionDesk()
    let other = StreamName.named("bob", in: "acme")
    try await desk.say("Hi", in: "s")
    try await desk.say("Hi", in: "s", of: other)
    desk.advance(hours: 5)
    #expect(try await desk.store.sweep(in: Namespace("acme")).closed.map(\.user) == [other])
    #expect(try await desk.store.sweep().closed.map(\.user) == [desk.bob])
  }

  @Test func `again and again by one sweeper sees each session when it is due`() async throws {
    let desk = try SessionDesk()
    let sweeper = OrphanSweeper(desk.store)
    try await desk.say("Hi", in: "first")
    #expect(try await sweeper.sweep().closed.isEmpty)
    desk.advance(hours: 2)
    try await desk.say("Hi", in: "second")
    #expect(try await sweeper.sweep().closed.isEmpty)
    desk.advance(hours: 2)
    #expect(try await sweeper.sweep().closed.map { "\($0.session.id)" } == ["first"])
    desk.advance(hours: 2)
    #expect(try await sweeper.sweep().closed.map { "\($0.session.id)" } == ["second"])
    desk.advance(hours: 200)
    #expect(try await sweeper.sweep().closed.isEmpty)
  }

  @Test func `gives the same events the same ids, whoever makes them`() async throws {
    var ids: [[EventID]] = []
    for _ in 1...2 {
      let desk = try SessionDesk()
      let hello = try EventData(
        .messageAdded(MessageAdded(role: .user, content: "I live in Lisbon.")), session: .named("s"), id: .number(9))
      try await desk.store.append([hello], to: desk.bob)
      desk.advance(hours: 5)
      _ = try await desk.store.sweep()
      ids.append(try desk.store.log.readStream(desk.bob).events.map(\.id))
    }
    #expect(ids[0] == ids[1] && ids[0].count == 3)
    for id in ids[0].dropFirst() {
      #expect(id.description.dropFirst(14).first == "8", "\(id) is no UUID of version 8")
    }
  }
}
