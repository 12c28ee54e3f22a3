// Starting, touching, ending and looking at sessions.
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

@Suite struct `A session` {
  @Test func `starts with its first message, in one append`() async throws {
    let desk = try SessionDesk()
    let started = try await desk.store.startSession(
      .named("s-1"), of: desk.bob, metadata: JSONText(canonical: Array(#"{"channel":"web"}"#.utf8)),
      idleTimeoutSeconds: 60, firstMessage: MessageAdded(role: .user, content: "Hello"), agent: "web")
    #expect(started.session.id == .named("s-1") && started.session.messageCount == 1 && started.version == 2)
    #expect(started.session.start?.idleTimeoutSeconds == 60)
    let events = try desk.store.log.readStream(desk.bob).events
    #expect(events.map(\.typeName) == ["SessionStarted", "MessageAdded"] && events.map(\.id) == started.eventIDs)
    #expect(events[0].recordedAt == events[1].recordedAt && events.allSatisfy { $0.agent == "web" })
  }

  @Test func `without an id has one of its own`() async throws {
    let desk = try SessionDesk()
    let first = try await desk.store.startSession(of: desk.bob)
    let second = try await desk.store.startSession(of: desk.bob)
    #expect(first.session.id != second.session.id && EventID(utf8: first.session.id.description.utf8.span) != nil)
    #expect(first.session.id.description == first.session.id.description.lowercased())
    #expect(try desk.store.state(of: desk.bob).state.sessions.openCount == 2)
  }

  @Test func `never begins twice, open or ended, known by its start or by a message`() async throws {
    let desk = try SessionDesk()
    try await desk.store.startSession(.named("open"), of: desk.bob)
    try await desk.say("Hi", in: "said")
    try await desk.store.startSession(.named("ended"), of: desk.bob)
    _ = try await desk.store.endSession(.named("ended"), of: desk.bob)
    let before = try desk.types()
    for name in ["open", "said", "ended"] {
      #expect(await code { _ = try await desk.store.startSession(.named(name), of: desk.bob) } == .idConflict)
    }
    #expect(try desk.types() == before)
    // Another person's may be called the same.
    _ = try await desk.store.startSession(.named("open"), of: .alice)
  }

  @Test func `begun by several at once under one name, begins once`() async throws {
    let desk = try SessionDesk()
    let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
      for _ in 1...8 {
        group.addTask { await code { _ = try await desk.store.startSession(.named("s"), of: desk.bob) } }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.count { $0 == nil } == 1 && outcomes.count { $0 == .idConflict } == 7)
    #expect(try desk.types() == ["SessionStarted"])
  }

  @Test func `ends with memories, summary and end in one append, and says who made them`() async throws {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon.", "Nice! How can I help?", "I still need to renew my passport.", in: "s")
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob, agent: "web")
    #expect(!ended.hadEnded && ended.distiller == RuleDistiller().identity && ended.failure == nil)
    #expect(try desk.memories("s") == ["fact: Lives in Lisbon.", "task: Still needs to renew their passport."])
    let made = try desk.store.log.readStream(desk.bob, from: 4).events
    #expect(made.map(\.typeName) == ["FactLearned", "FactLearned", "SessionEnded"])
    #expect(Set(made.map(\.recordedAt)).count == 1 && made.map(\.id) == ended.eventIDs)
    #expect(
      made.allSatisfy { $0.metadata.description == #"{"agent":"web","distiller":{"name":"rules","version":"1"}}"# })
    let facts = try desk.store.memories(of: .named("s"), of: desk.bob).facts
    let said = try desk.store.messages(of: .named("s"), of: desk.bob).messages
    #expect(facts[0].sourceMessageID?.description == said[0].id.description)
    #expect(facts.allSatisfy { ($0.importance?.value ?? 0) >= 0.75 && ($0.importance?.value ?? 1) <= 0.9 })
    #expect(ended.session.end?.reason == "closed" && ended.session.end?.summary?.contains("Lives in Lisbon.") == true)
    #expect(try desk.store.log.verify().problems.isEmpty)
  }

  @Test func `that has ended answers what it came to, and nothing changes`() async throws {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon.", in: "s")
    let first = try await desk.store.endSession(.named("s"), of: desk.bob, summary: "About Lisbon.")
    let before = try desk.types()
    let second = try await desk.store.endSession(.named("s"), of: desk.bob, reason: "again", summary: "Other.")
    #expect(second.hadEnded && second.eventIDs.isEmpty && second.session.end?.summary == "About Lisbon.")
    #expect(try desk.types() == before && first.session.end?.event == second.session.end?.event)
  }

  @Test func `ended by several at once ends once`() async throws {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon.", in: "s")
    let endings = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 1...8 {
        group.addTask {
          try await desk.store.endSession(.named("s"), of: desk.bob, reason: "by \(number)").hadEnded
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(endings.count { !$0 } == 1)
    #expect(try desk.types() == ["MessageAdded", "FactLearned", "SessionEnded"])
  }

  @Test func `takes in what is said while it is distilled`() async throws {
    let desk = try SessionDesk { policy in
      policy.distiller = ScriptedDistiller { transcript in
        Distillation(summary: "\(transcript.messages.count) messages", memories: [])
      }
    }
    try await desk.say("One", in: "s")
    let store = desk.store
    async let ended = store.endSession(.named("s"), of: .bob)
    for number in 2...30 {
      try await store.append(
        [.messageAdded(try MessageAdded(role: .user, content: "\(number)"))], to: .bob, session: .named("s"))
    }
    let session = try await ended.session
    let end = try #require(session.end)
    let before = try store.log.readStream(.bob, to: end.event.version, filter: EventFilter(types: ["MessageAdded"]))
    // Outrun, the rules took over; either way all that came before the end was taken in.
    #expect(end.summary == "\(before.events.count) messages" || end.summary == "One.")
  }

  @Test func `of another person is not found, nor is one nobody has heard of`() async throws {
    let desk = try SessionDesk()
    try await desk.say("Hi", in: "s")
    try await desk.say("Hi", in: "t", of: .alice)
    for name in ["t", "nowhere"] {
      let id = SessionID.named(name)
      #expect(await code { _ = try await desk.store.endSession(id, of: desk.bob) } == .notFound)
      #expect(await code { _ = try await desk.store.touchSession(id, of: desk.bob) } == .notFound)
      #expect(await code { _ = try desk.store.session(id, of: desk.bob) } == .notFound)
      #expect(await code { _ = try desk.store.messages(of: id, of: desk.bob) } == .notFound)
      #expect(await code { _ = try desk.store.memories(of: id, of: desk.bob) } == .notFound)
      #expect(await code { _ = try await desk.store.distill(desk.bob, .session(id)) } == .notFound)
    }
    #expect(await code { _ = try await desk.store.endSession(.named("s"), of: .named("nobody")) } == .notFound)
    #expect(await code { _ = try await desk.store.distill(.named("nobody")) } == .notFound)
    #expect(try desk.types() == ["MessageAdded"])
  }

  @Test func `refuses metadata that is no object, a text that is too long, and a touch after its end`() async throws {
    let desk = try SessionDesk()
    let bob = desk.bob
    #expect(await code { _ = try await desk.store.startSession(of: bob, metadata: .null) } == .invalidArgument)
    try await desk.say("Hi", in: "s")
    let long = String(repeating: "x", count: Limits.textSize + 1)
    #expect(
      await code { _ = try await desk.store.endSession(.named("s"), of: bob, summary: long) } == .invalidArgument)
    _ = try await desk.store.endSession(.named("s"), of: bob)
    #expect(await code { _ = try await desk.store.touchSession(.named("s"), of: bob) } == .invalidArgument)
  }

  @Test func `shows its messages page by page, and as they were`() async throws {
    let desk = try SessionDesk()
    for number in 1...25 {
      try await desk.say("\(number)", in: "s")
      try await desk.say("noise", in: "other")
    }
    var texts: [String] = []
    var after: StreamVersion? = 0
    while let start = after {
      let page = try desk.store.messages(of: .named("s"), of: desk.bob, after: start, limit: 10)
      #expect(page.messages.count <= 10)
      for message in page.messages {
        guard case .messageAdded(let said) = try MemoirEvent(message) else { continue }
        texts.append(said.content)
      }
      after = page.next
    }
    #expect(texts == (1...25).map { "\($0)" })
    #expect(try desk.store.messages(of: .named("s"), of: desk.bob, at: .version(4)).messages.count == 2)
    #expect(await code { _ = try desk.store.messages(of: .named("other"), of: desk.bob, at: .version(1)) } == .notFound)
  }

  @Test func `is listed with others, open or ended, from either end`() async throws {
    let desk = try SessionDesk()
    for number in 1...5 { try await desk.say("Hi", in: "s-\(number)") }
    for number in [2, 4] { _ = try await desk.store.endSession(.named("s-\(number)"), of: desk.bob) }
    func names(_ filter: SessionFilter, newestFirst: Bool = false, after: StreamVersion? = nil, limit: Int = 9) throws
      -> [String]
    {
      try desk.store.sessions(of: desk.bob, after: after, limit: limit, filter: filter, newestFirst: newestFirst)
        .sessions.map { "\($0.id)" }
    }
    #expect(try names(.open) == ["s-1", "s-3", "s-5"])
    #expect(try names(.ended, newestFirst: true) == ["s-4", "s-2"])
    #expect(try names(.all, newestFirst: true, limit: 2) == ["s-5", "s-4"])
    let page = try desk.store.sessions(of: desk.bob, limit: 2, newestFirst: true)
    #expect(try names(.all, newestFirst: true, after: page.next) == ["s-3", "s-2", "s-1"])
    #expect(page.total == 5 && page.open == 3)
  }

  @Test func `that ended long ago is still found`() async throws {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon.", in: "first")
    _ = try await desk.store.endSession(.named("first"), of: desk.bob)
    for number in 1...30 {
      try await desk.say("Hi", in: "s-\(number)")
      try await desk.endRaw("s-\(number)")
    }
    #expect(try desk.session("first").end != nil)
    #expect(try desk.memories("first") == ["fact: Lives in Lisbon."])
    #expect(try await desk.store.endSession(.named("first"), of: desk.bob).hadEnded)
  }
}

/// Sessions as a dictionary, and what each call should do to them.
private struct SessionModel {
  struct Entry {
    var lastEvent: Timestamp
    var timeout: UInt64
    var reason: String?
    var messages = 0
  }
  var sessions: [String: Entry] = [:]

  mutating func sweep(at now: Timestamp) -> Set<String> {
    var closed: Set<String> = []
    for (name, entry) in sessions where entry.reason == nil && entry.timeout > 0 {
      guard entry.lastEvent.microseconds + Int64(entry.timeout) * 1_000_000 <= now.microseconds else { continue }
      sessions[name]?.reason = "timeout"
      closed.insert(name)
    }
    return closed
  }
}

@Suite struct `Sessions of any history` {
  @Test(arguments: 1...12) func `are as the plain model says`(seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let desk = try SessionDesk { $0.idleTimeoutSeconds = 500 }
    let sweeper = OrphanSweeper(desk.store)
    var model = SessionModel()
    try await desk.store.append([.messageAdded(MessageAdded(role: .user, content: "begin"))], to: desk.bob)
    for step in 1...80 {
      desk.advance(seconds: Double(Int.random(in: 0...90, using: &random)))
      let name = "s-\(Int.random(in: 1...8, using: &random))"
      let known = model.sessions[name]
      switch Int.random(in: 0...9, using: &random) {
      case 0, 1:
        let timeout: UInt64? = [nil, 0, 200][Int.random(in: 0...2, using: &random)]
        let found = await code {
          _ = try await desk.store.startSession(.named(name), of: desk.bob, idleTimeoutSeconds: timeout)
        }
        #expect(found == (known == nil ? nil : .idConflict), "seed \(seed), step \(step)")
        if known == nil {
          model.sessions[name] = SessionModel.Entry(lastEvent: try recorded(desk), timeout: timeout ?? 500)
        }
      case 2, 3, 4:
        try await desk.store.append(
          [.messageAdded(MessageAdded(role: .user, content: "I like \(step)."))], to: desk.bob, session: .named(name))
        var entry = known ?? SessionModel.Entry(lastEvent: .earliest, timeout: 500)
        entry.messages += 1
        if entry.reason == nil { entry.lastEvent = try recorded(desk) }
        model.sessions[name] = entry
      case 5:
        let found = await code { _ = try await desk.store.touchSession(.named(name), of: desk.bob) }
        #expect(found == (known == nil ? .notFound : known?.reason == nil ? nil : .invalidArgument), "seed \(seed)")
        if found == nil { model.sessions[name]?.lastEvent = try recorded(desk) }
      case 6:
        if let known {
          let ended = try await desk.store.endSession(.named(name), of: desk.bob)
          #expect(ended.hadEnded == (known.reason != nil), "seed \(seed), step \(step)")
          model.sessions[name]?.reason = known.reason ?? "closed"
        }
      case 7: _ = try await desk.store.distill(desk.bob, .all)
      default:
        let result = try await sweeper.sweep()
        #expect(
          Set(result.closed.map { "\($0.session.id)" }) == model.sweep(at: result.now), "seed \(seed), step \(step)")
      }
      let sessions = try desk.store.sessions(of: desk.bob).sessions
      #expect(sessions.count == model.sessions.count)
      for session in sessions {
        let expected = try #require(model.sessions["\(session.id)"], "seed \(seed), step \(step)")
        #expect(session.end?.reason == expected.reason && session.messageCount == UInt64(expected.messages))
      }
    }
    // Exactly one end for each that ended.
    let ends = try desk.events("SessionEnded").compactMap(\.session)
    #expect(Set(ends).count == ends.count && ends.count == model.sessions.values.count { $0.reason != nil })
  }

  private func recorded(_ desk: SessionDesk) throws -> Timestamp {
    try #require(try desk.store.log.lastRecorded().recordedAt)
  }
}
