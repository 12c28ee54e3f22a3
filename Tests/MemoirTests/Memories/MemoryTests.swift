// Getting, listing, revising and forgetting memories, and what time does to them.
import EventStore
import JSON
import Memoir
import TestSupport
import Testing

@Suite struct `A memory` {
  @Test func `that is not there is not found, whatever the reason`() async throws {
    let desk = try Desk()
    func lookUp(_ id: String) async -> ErrorCode? {
      await code { _ = try desk.store.memory(FactID(id), of: desk.bob) }
    }
    #expect(await lookUp("a") == .notFound)
    try await desk.remember("Lives in Lisbon", id: "superseded")
    try await desk.remember("Lives in Porto", id: "live")
    try await desk.remember("Owns a cat", id: "forgotten")
    try await desk.store.forget(FactID("forgotten"), of: desk.bob)
    let holiday = try MemoryDraft("Is on holiday", lifetime: .seconds(5), factID: FactID("expired"))
    try await desk.store.remember(holiday, for: desk.bob)
    #expect(await lookUp("expired") == nil)
    desk.advance(seconds: 5)
    for id in ["superseded", "forgotten", "expired", "unknown"] {
      #expect(await lookUp(id) == .notFound, "\(id)")
      #expect(await code { try await desk.store.forget(FactID(id), of: desk.bob) } == .notFound, "\(id)")
      let revision = MemoryRevision(importance: 1)
      #expect(await code { try await desk.store.revise(FactID(id), of: desk.bob, revision) } == .notFound, "\(id)")
    }
    #expect(await lookUp("live") == nil)
    #expect(await code { _ = try desk.store.memory(FactID("live"), of: .alice) } == .notFound)
    #expect(await code { try await desk.store.forget(FactID("live"), of: .alice) } == .notFound)
    #expect(try desk.store.log.version(of: .alice) == 0)
  }

  @Test func `is there as of before it was forgotten, superseded or had expired`() async throws {
    let desk = try Desk()
    try await desk.remember("Lives in Lisbon", id: "home")
    let holiday = try MemoryDraft("Is on holiday", lifetime: .seconds(5), factID: FactID("holiday"))
    try await desk.store.remember(holiday, for: desk.bob)
    desk.advance(seconds: 1)
    let then = desk.clock.now
    desk.advance(seconds: 5)
    try await desk.remember("Lives in Porto", id: "new home")
    try await desk.store.forget(FactID("new home"), of: desk.bob, reason: "wrong")
    #expect(try desk.texts() == [])
    for point: AsOfText in [.recorded(then), .occurred(then), .version(2), .position(2)] {
      #expect(try desk.texts(at: point) == ["Lives in Lisbon", "Is on holiday"], "\(point)")
      #expect(try desk.store.memory(FactID("holiday"), of: desk.bob, at: point).fact.fact == "Is on holiday")
    }
    #expect(try desk.texts(at: .version(4)) == ["Lives in Porto"])
  }

  @Test func `fades, is archived, and comes back when it is confirmed`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat", id: "cat")
    func cat() throws -> Memory { try desk.store.memory(FactID("cat"), of: desk.bob) }
    #expect(try cat().importance == 0.5)
    desk.advance(days: 10)
    let faded = try cat()
    #expect(abs(faded.importance - 0.29937) < 0.0001 && !faded.isArchived)
    desk.advance(days: 22)
    #expect(try cat().isArchived)
    #expect(try desk.texts() == ["Owns a cat"])
    #expect(try desk.store.state(of: desk.bob).recallable().isEmpty)
    try await desk.remember("Owns a cat")
    #expect(try !cat().isArchived && cat().fact.importance == 0.5)
    #expect(try desk.store.state(of: desk.bob).recallable().map(\.fact) == ["Owns a cat"])
    // As of when it was new, it is.
    #expect(try desk.store.memory(FactID("cat"), of: desk.bob, at: .version(1)).importance == 0.5)
  }

  @Test func `says how fresh it is, by what it is about`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat", id: "cat")
    try await desk.remember("Feed the cat", FactCategory.task, id: "feed")
    func staleness(_ id: String) throws -> Staleness { try desk.store.memory(FactID(id), of: desk.bob).staleness }
    let new = try staleness("feed")
    #expect(new.ageInSeconds == 0 && new.thresholdInSeconds == 300 && new.isValid && !new.needsRefresh)
    desk.advance(seconds: 241)
    #expect(try staleness("feed").isValid && staleness("feed").needsRefresh)
    desk.advance(seconds: 60)
    #expect(try !staleness("feed").isValid && staleness("feed").needsRefresh)
    #expect(try staleness("cat").thresholdInSeconds == 604_800 && !staleness("cat").needsRefresh)
    desk.advance(days: 5.7)
    #expect(try staleness("cat").isValid && staleness("cat").needsRefresh)
    desk.advance(days: 1.4)
    #expect(try !staleness("cat").isValid)
    var writer = JSONWriter()
    new.write(to: &writer)
    #expect(
      String(decoding: writer.finish(), as: UTF8.self)
        == #"{"age_seconds":0,"refresh":false,"threshold_seconds":300,"valid":true}"#)
  }
}

@Suite struct `The staleness of other items` {
  @Test func `goes by thresholds of their own, which can be changed`() async throws {
    let desk = try Desk()
    try await desk.store.append(
      [
        .preferenceUpdated(PreferenceUpdated(key: "theme", value: .null)),
        .sessionEnded(SessionEnded(summary: "Said hello.")),
      ], to: desk.bob, session: SessionID("s-1"))
    try await desk.store.append([.sessionStarted(SessionStarted())], to: desk.bob, session: SessionID("s-2"))
    let state = try desk.store.state(of: desk.bob).state
    let theme = try #require(state.preferences["theme"])
    let (ended, open) = (try #require(state.sessions.ended.first), try #require(state.sessions.open.first))
    var rule = StalenessRule()
    func later(_ seconds: Int64) -> Timestamp { desk.clock.now.advanced(byMicroseconds: seconds * 1_000_000) }
    #expect(rule.staleness(of: theme, at: later(30 * 86_400)).isValid)
    #expect(!rule.staleness(of: theme, at: later(30 * 86_400 + 1)).isValid)
    #expect(rule.staleness(of: ended, at: later(3_600))?.isValid == true)
    #expect(rule.staleness(of: ended, at: later(3_601))?.isValid == false)
    #expect(rule.staleness(of: open, at: later(0)) == nil)
    // Before it happened, it is new.
    #expect(rule.staleness(of: theme, at: .earliest).ageInSeconds == 0)
    rule.preference = 10
    rule.refreshShare = 0.5
    #expect(
      !rule.staleness(of: theme, at: later(5)).needsRefresh && rule.staleness(of: theme, at: later(6)).needsRefresh)
    #expect(!rule.staleness(of: theme, at: later(11)).isValid)
  }
}

@Suite struct `A store with rules of its own` {
  @Test func `lets memories fade and go stale by them`() async throws {
    var options = MemoryOptions()
    options.decay = Decay(factorPerDay: 0.5, archivedBelow: 0.3)
    options.staleness.fact = 60
    let desk = try Desk(options)
    try await desk.remember("Owns a cat", id: "cat")
    desk.advance(days: 1)
    let cat = try desk.store.memory(FactID("cat"), of: desk.bob)
    #expect(cat.importance == 0.25 && cat.isArchived && cat.staleness.thresholdInSeconds == 60)
    var writer = JSONWriter()
    try desk.store.write(desk.store.state(of: desk.bob), to: &writer)
    #expect(String(decoding: writer.finish(), as: UTF8.self).contains(#""archived":true"#))
  }
}

@Suite struct `Listing memories` {
  private func desk() async throws -> Desk {
    let desk = try Desk()
    func add(
      _ text: String, _ category: String, _ type: MemoryType, _ importance: Fraction, _ tags: [String],
      _ session: String?
    )
      async throws
    {
      desk.advance(seconds: 1)
      let draft = try MemoryDraft(
        text, category: category, memoryType: type, importance: importance, tags: tags,
        session: session.map { name throws in try SessionID(name) })
      try await desk.store.remember(draft, for: desk.bob)
    }
    try await add("one", "a", .semantic, 0.1, ["x"], "s-1")
    try await add("two", "a", .episodic, 0.5, ["x", "y"], "s-1")
    try await add("three", "b", .procedural, 0.9, ["y"], "s-2")
    try await add("four", "b", .semantic, 0.9, [], nil)
    try await desk.store.append([.factLearned(FactLearned(fact: "five", category: "c", confidence: 1))], to: desk.bob)
    return desk
  }

  @Test func `by category, type, tags, importance and session`() async throws {
    let desk = try await desk()
    func list(_ filter: MemoryFilter) throws -> [String] {
      try desk.store.memories(of: desk.bob, matching: filter).memories.map(\.fact.fact)
    }
    #expect(try list(MemoryFilter()) == ["one", "two", "three", "four", "five"])
    #expect(try list(MemoryFilter(categories: ["a", "c"])) == ["one", "two", "five"])
    #expect(try list(MemoryFilter(types: [.semantic])) == ["one", "four", "five"])
    #expect(try list(MemoryFilter(types: [.episodic, .procedural])) == ["two", "three"])
    #expect(try list(MemoryFilter(tags: ["x"])) == ["one", "two"])
    #expect(try list(MemoryFilter(tags: ["x", "y"])) == ["two"])
    // A fact of no stated importance counts as one of the middle; a second's decay takes it just below.
    #expect(try list(MemoryFilter(minimumImportance: 0.4)) == ["two", "three", "four", "five"])
    #expect(try list(MemoryFilter(session: SessionID("s-1"))) == ["one", "two"])
    #expect(try list(MemoryFilter(session: SessionID("s-3"))) == [])
    #expect(try list(MemoryFilter(categories: ["a"], types: [.semantic], tags: ["y"])) == [])
  }

  @Test func `page by page`() async throws {
    let desk = try await desk()
    let first = try desk.store.memories(of: desk.bob, limit: 2)
    #expect(first.memories.map(\.fact.fact) == ["one", "two"] && first.next == 2 && first.total == 5)
    let second = try desk.store.memories(of: desk.bob, after: 2, limit: 3)
    #expect(second.memories.map(\.fact.fact) == ["three", "four", "five"] && second.next == nil)
    #expect(try desk.store.memories(of: desk.bob, after: 99).memories.isEmpty)
    #expect(await code { _ = try desk.store.memories(of: .alice) } == .notFound)
    #expect(await code { _ = try desk.store.memories(of: desk.bob, at: .version(6)) } == .invalidArgument)
  }

  @Test func `open tasks are those that are live`() async throws {
    let desk = try Desk()
    try await desk.remember("Feed the cat", FactCategory.task, id: "feed")
    try await desk.remember("Buy milk", FactCategory.task)
    try await desk.remember("Owns a cat")
    #expect(try desk.store.openTasks(of: desk.bob).map(\.fact) == ["Feed the cat", "Buy milk"])
    try await desk.store.forget(FactID("feed"), of: desk.bob, reason: "done")
    #expect(try desk.store.openTasks(of: desk.bob).map(\.fact) == ["Buy milk"])
    #expect(try desk.store.openTasks(of: desk.bob, at: .version(1)).map(\.fact) == ["Feed the cat"])
  }
}

@Suite struct `Revising a memory` {
  @Test func `changes what is given and nothing else`() async throws {
    let desk = try Desk()
    let draft = try MemoryDraft("Owns a cat", importance: 0.7, tags: ["cat"], factID: FactID("cat"))
    try await desk.store.remember(draft, for: desk.bob)
    desk.advance(seconds: 9)
    let revision = MemoryRevision(
      content: "Owns two cats", confidence: 1, tags: ["cats"], metadata: .emptyObject, lifetime: .seconds(60))
    let updated = try await desk.store.revise(FactID("cat"), of: desk.bob, revision, agent: "web")
    #expect(updated.result.kind == .revised && updated.result.superseded.isEmpty && updated.version == 2)
    let fact = try desk.store.memory(FactID("cat"), of: desk.bob).fact
    #expect(fact.fact == "Owns two cats" && fact.importance == 0.7 && fact.confidence == 1)
    #expect(fact.tags?.strings == ["cats"] && fact.updatedAt == desk.clock.now)
    #expect(fact.expiresAt == desk.clock.now.advanced(byMicroseconds: 60_000_000))
    #expect(try desk.texts(at: .version(1)) == ["Owns a cat"])
  }

  @Test func `to what others say or deny takes their place`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat", id: "cat")
    try await desk.remember("Owns a dog", id: "dog")
    try await desk.remember("Lives in Lisbon", id: "lisbon")
    let dog = try await desk.store.revise(FactID("cat"), of: desk.bob, MemoryRevision(content: "owns a DOG"))
    #expect(dog.result.superseded.map(\.description) == ["dog"])
    let porto = try await desk.store.revise(FactID("cat"), of: desk.bob, MemoryRevision(content: "Lives in Porto"))
    #expect(porto.result.superseded.map(\.description) == ["lisbon"])
    #expect(try desk.texts() == ["Lives in Porto"])
  }

  @Test func `is refused where a draft would be`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat", id: "cat")
    let bad = [
      MemoryRevision(content: " "), MemoryRevision(category: ""), MemoryRevision(tags: [""]),
      MemoryRevision(metadata: .null), MemoryRevision(lifetime: .seconds(0)),
      MemoryRevision(lifetime: .until(.earliest)),
    ]
    for revision in bad {
      #expect(await code { try await desk.store.revise(FactID("cat"), of: desk.bob, revision) } == .invalidArgument)
    }
    #expect(try desk.store.log.version(of: desk.bob) == 1)
  }
}

@Suite struct `The list of conflicts` {
  @Test func `is paged, and whole also where the successor came later or never`() async throws {
    let desk = try Desk()
    func fact(_ id: String) throws -> MemoirEvent {
      .factLearned(try FactLearned(fact: "fact " + id, category: "c", confidence: 1, factID: FactID(id)))
    }
    func superseded(_ id: String, by other: String) throws -> MemoirEvent {
      .factRevised(try FactRevised(factID: FactID(id), supersededBy: FactID(other)))
    }
    try await desk.store.append(
      [
        fact("a"), fact("b"), superseded("a", by: "later"), superseded("b", by: "never"),
        superseded("unknown", by: "b"), superseded("a", by: "b"), fact("later"), superseded("later", by: "b"),
      ], to: desk.bob)
    let all = try desk.store.conflicts(of: desk.bob).conflicts
    #expect(all.map(\.superseded.factID.description) == ["a", "b", "later"])
    #expect(all.map(\.successorID.description) == ["later", "never", "b"])
    #expect(all.map(\.successor?.fact) == ["fact later", nil, nil])
    #expect(all.map(\.event.version) == [3, 4, 8])
    let page = try desk.store.conflicts(of: desk.bob, limit: 2)
    #expect(page.conflicts.count == 2 && page.next == 4 && page.total == 3)
    #expect(try desk.store.conflicts(of: desk.bob, after: 4).conflicts.map(\.event.version) == [8])
    #expect(await code { _ = try desk.store.conflicts(of: .alice) } == .notFound)
    #expect(await code { _ = try desk.store.conflicts(of: desk.bob, at: .version(9)) } == .invalidArgument)
    #expect(try desk.store.conflicts(of: desk.bob, at: .start).total == 0)
  }
}

@Suite struct `A profile of one's own` {
  @Test func `has the standard members and the application's`() async throws {
    var options = MemoryOptions()
    options.profile = ProfileSchema.standard.extended(
      preferenceKeys: ["pronouns", "name"], factLists: ["allergies": "allergy"])
    let desk = try Desk(options)
    try await desk.remember("Chess", FactCategory.interest)
    try await desk.remember("Peanuts", "allergy")
    try await desk.store.updatePreferences(
      ["name": JSONText(string: "Bob"), "pronouns": JSONText(string: "he/him")], of: desk.bob)
    var writer = JSONWriter()
    try desk.store.write(desk.store.state(of: desk.bob), to: &writer)
    let text = writer.finish()
    let profile = try JSONParser().parse(text.span) { state -> String? in
      guard let profile = state["profile"] else { return nil }
      return JSONText(profile).description
    }
    #expect(
      profile == #"{"allergies":["Peanuts"],"goals":[],"interests":["Chess"],"name":"Bob","pronouns":"he/him"}"#)
  }
}
