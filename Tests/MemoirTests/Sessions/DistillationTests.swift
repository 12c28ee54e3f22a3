// Distilling by whoever is configured: what the events say of it, what happens where it fails, and doing it again.
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

@Suite struct `Distilling a session` {
  private func scripted(
    _ answer: @escaping @Sendable (SessionTranscript) async throws(DistillerError) -> Distillation
  ) throws -> SessionDesk {
    try SessionDesk { policy in
      policy.distiller = ScriptedDistiller(answer: answer)
      policy.distillerTimeLimit = .milliseconds(200)
    }
  }

  @Test func `shows the distiller the conversation and what is known`() async throws {
    let desk = try scripted { transcript in
      let known = transcript.knownFacts.map(\.fact) + transcript.learnedFacts.map(\.fact)
      let said = transcript.messages.map { "\($0.role) \($0.content) \($0.agent ?? "-")" }
      return Distillation(
        summary: (said + known + transcript.preferences.map(\.key)).joined(separator: "|"), memories: [])
    }
    try await desk.say("Other", in: "other")
    try await desk.store.append(
      [.factLearned(FactLearned(fact: "Known.", category: "c", confidence: 1))], to: desk.bob)
    try await desk.say("Hello", "Hi there", in: "s")
    try await desk.store.append(
      [
        .factLearned(FactLearned(fact: "Learned.", category: "c", confidence: 1)),
        .preferenceUpdated(PreferenceUpdated(key: "theme", value: JSONText(string: "dark"))),
      ], to: desk.bob, session: .named("s"))
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob)
    #expect(ended.session.end?.summary == "user Hello -|assistant Hi there -|Known.|Learned.|theme")
    #expect(ended.distiller?.description == "scripted m-1 7")
  }

  @Test(arguments: [DistillerError.unavailable, .rateLimited, .malformed])
  func `that throws leaves it to the rules, and the events say so`(error: DistillerError) async throws {
    let desk = try scripted { _ throws(DistillerError) in throw error }
    try await desk.say("I live in Lisbon.", in: "s")
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob)
    #expect(ended.failure == error && ended.distiller?.name == "rules")
    #expect(try desk.memories("s") == ["fact: Lives in Lisbon."])
    let metadata = try #require(try desk.events("SessionEnded").first?.metadata.description)
    #expect(
      metadata
        == #"{"distiller":{"name":"rules","version":"1"},"distiller_failed":{"failure":"\#(error.rawValue)","model":"m-1","name":"scripted","version":"7"}}"#
    )
  }

  @Test func `that never comes back leaves it to the rules`() async throws {
    let desk = try scripted { _ in
      // Deaf to being cancelled.
      await withCheckedContinuation { (waiting: CheckedContinuation<Void, Never>) in
        Task.detached {
          try? await Task.sleep(for: .seconds(90))
          waiting.resume()
        }
      }
      return Distillation(summary: "too late", memories: [])
    }
    try await desk.say("I live in Lisbon.", in: "s")
    let begun = ContinuousClock.now
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob)
    #expect(ended.failure == .timeout && ended.session.end?.summary == "Lives in Lisbon.")
    #expect(ContinuousClock.now - begun < .seconds(60))
  }

  @Test func `that answers what cannot be stored leaves it to the rules`() async throws {
    let desk = try scripted { _ throws(DistillerError) in
      let draft = try? MemoryDraft("Held once.", lifetime: .until(.earliest))
      return Distillation(summary: "s", memories: draft.map { [$0] } ?? [])
    }
    try await desk.say("I live in Lisbon.", in: "s")
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob)
    #expect(ended.failure == .malformed)
    #expect(try desk.memories("s") == ["fact: Lives in Lisbon."])
  }

  @Test func `keeps six memories, under ids of the store's, and a summary that fits`() async throws {
    let desk = try scripted { _ throws(DistillerError) in
      var drafts: [MemoryDraft] = []
      for number in 1...9 {
        if let id = try? FactID("mine"), let draft = try? MemoryDraft("Number \(number) it is.", factID: id) {
          drafts.append(draft)
        }
      }
      return Distillation(summary: String(repeating: "long ", count: 1 << 20), memories: drafts)
    }
    try await desk.say("Hi", in: "s")
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob)
    #expect(ended.failure == nil && (ended.session.end?.summary?.utf8.count ?? 0) <= 8 << 10)
    let facts = try desk.store.memories(of: .named("s"), of: desk.bob).facts
    #expect(facts.map(\.fact) == (1...6).map { "Number \($0) it is." } && facts.allSatisfy { "\($0.factID)" != "mine" })
  }

  @Test func `confirms what is known and supersedes what is contradicted`() async throws {
    let desk = try SessionDesk()
    for text in ["Lives in Lisbon.", "We use PostgreSQL 14."] {
      try await desk.store.append(
        [.factLearned(FactLearned(fact: text, category: "fact", confidence: 0.8))], to: desk.bob)
    }
    try await desk.say(
      "I live in Lisbon.", "Nice.", "We switched from PostgreSQL to MySQL last week.", in: "s")
    _ = try await desk.store.endSession(.named("s"), of: desk.bob)
    let facts = try desk.store.state(of: desk.bob).facts.map(\.fact)
    #expect(facts == ["Lives in Lisbon.", "We switched from PostgreSQL to MySQL last week."])
    #expect(try desk.store.state(of: desk.bob).facts[0].confidence.value > 0.8)
  }

  @Test func `that ended by itself can be done later, once`() async throws {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon.", in: "s")
    try await desk.endRaw("s")
    try await desk.say("I work at Acme.", in: "t")
    try await desk.endRaw("t", summary: "Given.")
    try await desk.say("Hi", in: "open")
    let first = try await desk.store.distill(desk.bob)
    #expect(first.map { "\($0.session.id)" } == ["s", "t"] && first.allSatisfy { !$0.wasDistilled })
    #expect(try desk.memories("s") == ["fact: Lives in Lisbon."] && desk.memories("t") == ["fact: Works at Acme."])
    // A summary that was missing comes from the distiller; one that was given stays.
    #expect(try desk.session("s").end?.summary == "Lives in Lisbon." && desk.session("t").end?.summary == "Given.")
    #expect(try desk.session("s").revisedBy.count == 2)
    let before = try desk.types()
    #expect(try await desk.store.distill(desk.bob).isEmpty)
    #expect(try await desk.store.distill(desk.bob, .all).isEmpty)
    #expect(try await desk.store.distill(desk.bob, .session(.named("s"))).map(\.wasDistilled) == [true])
    #expect(try desk.types() == before)
    #expect(await code { _ = try await desk.store.distill(desk.bob, .session(.named("open"))) } == .invalidArgument)
    // As of before it is as it was.
    let then = try desk.store.session(.named("s"), of: desk.bob, at: .version(5))
    #expect(then.end?.summary == nil)
  }

  @Test func `done later is learned when the session ended, and overrules nothing that was learned since`() async throws
  {
    let desk = try SessionDesk()
    try await desk.say("I live in Lisbon. I prefer tea over coffee.", in: "old")
    try await desk.endRaw("old")
    let ended = desk.clock.now
    desk.advance(hours: 48)
    try await desk.store.remember(MemoryDraft("Lives in Porto", category: "home"), for: desk.bob)
    desk.advance(hours: 1)
    _ = try await desk.store.distill(desk.bob)
    let facts = try desk.store.state(of: desk.bob).facts
    #expect(facts.contains { $0.fact == "Lives in Porto" })
    #expect(!facts.contains { $0.fact.contains("Lisbon") })
    let preference = try #require(facts.first { $0.fact.contains("tea") })
    #expect(preference.learnedAt <= ended)
    #expect(try desk.store.state(of: desk.bob, at: .occurred(ended)).facts.contains { $0.fact.contains("tea") })
  }

  @Test func `takes the place of what it contradicts in every category, and doubles nothing`() async throws {
    let desk = try SessionDesk()
    try await desk.store.remember(MemoryDraft("Lives in Porto", category: "home"), for: desk.bob)
    try await desk.store.remember(MemoryDraft("Lives in Faro"), for: desk.bob)
    try await desk.store.remember(MemoryDraft("Works at Acme", category: "work"), for: desk.bob)
    try await desk.say("I live in Lisbon. I work at Acme.", in: "s-1")
    try await desk.store.endSession(.named("s-1"), of: desk.bob)
    let facts = try desk.store.state(of: desk.bob).facts
    #expect(facts.filter { $0.fact.contains("Lives in") }.map(\.fact) == ["Lives in Lisbon."])
    #expect(facts.filter { $0.fact.contains("Acme") }.map(\.category) == ["work"])
  }

  // The events were appended all the same: facts of somebody who had been erased.
  @Test(arguments: [false, true])
  func `of somebody who is erased meanwhile appends nothing`(comesBack: Bool) async throws {
    let interruption = Interruption()
    let desk = try SessionDesk { policy in
      policy.distiller = ScriptedDistiller { _ throws(DistillerError) in
        await interruption.run()
        guard let draft = try? MemoryDraft("Lives in Lisbon.") else { throw .failed }
        return Distillation(summary: "About Lisbon.", memories: [draft])
      }
      policy.distillerTimeLimit = .seconds(60)
    }
    interruption.set { [store = desk.store, bob = desk.bob] in
      _ = try? await store.erase(bob, by: "the office")
      guard comesBack else { return }
      // In a conversation of the same name.
      _ = try? await store.append(
        [
          .messageAdded(MessageAdded(role: .user, content: "Hello again.")),
          .sessionEnded(SessionEnded(reason: "closed")),
        ], to: bob, session: .named("s"))
    }
    try await desk.say("I live in Lisbon.", in: "s")
    try await desk.endRaw("s")
    let types = ["MessageAdded", "SessionEnded", "UserErased"] + (comesBack ? ["MessageAdded", "SessionEnded"] : [])
    #expect(try await desk.store.distill(desk.bob).isEmpty)
    #expect(try desk.types() == types)
    #expect(try desk.store.state(of: desk.bob).facts.isEmpty)
    // Who asks for one session is told that there is none.
    try await desk.say("I live in Porto.", in: "t")
    try await desk.endRaw("t")
    #expect(await code { _ = try await desk.store.distill(desk.bob, .session(.named("t"))) } == .notFound)
    #expect(try desk.store.state(of: desk.bob).facts.isEmpty)
    #expect(try desk.events("SessionDistilled").isEmpty && interruption.count == 2)
  }

  @Test func `by several at once is done once`() async throws {
    let desk = try SessionDesk()
    for number in 1...5 {
      try await desk.say("I own \(number) bicycles and a boat.", in: "s-\(number)")
      try await desk.endRaw("s-\(number)")
    }
    let made = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 1...6 {
        group.addTask { try await desk.store.distill(desk.bob).count { !$0.wasDistilled } }
      }
      return try await group.reduce(into: 0) { $0 += $1 }
    }
    #expect(try made == 5 && desk.events("SessionDistilled").count == 5)
    #expect(try desk.events("FactLearned").count == 5)
  }

  @Test func `with no message at all is no trouble`() async throws {
    let desk = try SessionDesk()
    _ = try await desk.store.startSession(.named("s"), of: desk.bob)
    let ended = try await desk.store.endSession(.named("s"), of: desk.bob)
    #expect(ended.session.end?.summary == nil && ended.eventIDs.count == 1)
    #expect(try await desk.store.distill(desk.bob).isEmpty)
  }

  @Test func `is believed of no event that only looks like it`() async throws {
    let desk = try SessionDesk()
    try await desk.endRaw("s", summary: "Mine.")
    for data in ["null", "[]", "{}", #"{"summary":7}"#, #"{"summary":null}"#] {
      try await desk.store.append(
        [.custom(CustomEvent(type: "SessionDistilled", data: JSONText(parsing: data)))], to: desk.bob,
        session: .named("s"))
    }
    #expect(try desk.session("s").end?.summary == "Mine.")
  }

  @Test func `again by another distiller adds to what there is, and only its own is known by it`() async throws {
    let folder = TemporaryFolder()
    func open(_ change: (inout SessionPolicy) -> Void) throws -> MemoirStore {
      var memory = MemoryOptions()
      change(&memory.sessions)
      return try MemoirStore(folder: folder.path + "/store", memory: memory)
    }
    var store = try open { _ in }
    try await store.append(
      [.messageAdded(MessageAdded(role: .user, content: "I live in Lisbon."))], to: .bob, session: .named("s"))
    _ = try await store.endSession(.named("s"), of: .bob)
    try store.close()
    store = try open { policy in
      policy.distiller = ScriptedDistiller { _ throws(DistillerError) in
        guard let draft = try? MemoryDraft("Speaks of Lisbon.") else { throw .failed }
        return Distillation(summary: "By a model.", memories: [draft])
      }
    }
    #expect(try await store.distill(.bob).isEmpty)
    #expect(try await store.distill(.bob, .all).count == 1)
    #expect(try await store.distill(.bob, .all).isEmpty)
    #expect(try store.session(.named("s"), of: .bob).end?.summary == "By a model.")
    #expect(try store.state(of: .bob).facts.map(\.fact) == ["Lives in Lisbon.", "Speaks of Lisbon."])
    try store.close()
  }
}
