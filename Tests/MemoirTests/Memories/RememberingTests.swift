// Remembering: what becomes of a memory beside those there are.
import EventStore
import JSON
import Memoir
import TestSupport
import Testing

@Suite struct `Remembering` {
  @Test func `stores a fact with all that is said of it`() async throws {
    let desk = try Desk()
    let draft = try MemoryDraft(
      "Owns a cat", category: "pets", memoryType: .episodic, importance: 0.7, confidence: 0.6,
      tags: ["cat", "home", "cat"], metadata: JSONText(parsing: #"{"n":1}"#), lifetime: .seconds(60),
      session: SessionID("s-1"), sourceMessageID: MessageID("m-1"), factID: FactID("cat"))
    let updated = try await desk.store.remember(draft, for: desk.bob, agent: "web")
    #expect(updated.result.kind == .stored && updated.result.superseded.isEmpty && updated.version == 1)
    let memory = try desk.store.memory(FactID("cat"), of: desk.bob)
    let fact = memory.fact
    #expect(fact.fact == "Owns a cat" && fact.category == "pets" && fact.memoryType == .episodic)
    #expect(fact.importance == 0.7 && fact.confidence == 0.6 && fact.tags?.strings == ["cat", "home"])
    #expect(fact.metadata?.description == #"{"n":1}"# && fact.sourceMessageID?.description == "m-1")
    #expect(fact.expiresAt == desk.clock.now.advanced(byMicroseconds: 60_000_000))
    #expect(memory.session?.description == "s-1")
    let event = try #require(try desk.store.log.readStream(desk.bob).events.first)
    #expect(event.agent == "web" && updated.eventIDs == [event.id])
  }

  @Test func `a fact without an id goes by its event's`() async throws {
    let desk = try Desk()
    let updated = try await desk.store.remember(MemoryDraft("Owns a cat"), for: desk.bob)
    #expect(updated.result.factID == FactID(updated.eventIDs[0]))
  }

  @Test func `the same again makes no second fact but raises confidence`() async throws {
    let desk = try Desk()
    let first = try await desk.remember("Owns a cat")
    var confidences: [String] = []
    for text in ["owns a CAT.", "Owns  a cat!", "Owns a cat", "Owns a cat", "Owns a cat"] {
      let outcome = try await desk.remember(text)
      #expect(outcome.kind == .confirmed && outcome.factID == first.factID && outcome.superseded.isEmpty)
      confidences.append(try desk.store.memory(first.factID, of: desk.bob).fact.confidence.description)
    }
    #expect(confidences == ["0.9", "0.95", "0.975", "0.9875", "0.9937"])
    for _ in 1...20 { try await desk.remember("Owns a cat") }
    #expect(try desk.store.memory(first.factID, of: desk.bob).fact.confidence == 0.9999)
    #expect(try desk.texts() == ["Owns a cat"])
  }

  @Test func `a confirmation brings more weight, more tags and a longer life, never less`() async throws {
    let desk = try Desk()
    func remember(_ importance: Fraction, _ tags: [String], _ lifetime: MemoryDraft.Lifetime?) async throws -> Fact {
      let draft = try MemoryDraft(
        "Is on holiday", importance: importance, tags: tags, lifetime: lifetime)
      let outcome = try await desk.store.remember(draft, for: desk.bob).result
      return try desk.store.memory(outcome.factID, of: desk.bob).fact
    }
    let first = try await remember(0.5, ["a"], .seconds(100))
    let second = try await remember(0.2, ["b"], .seconds(50))
    #expect(second.factID == first.factID && second.importance == 0.5 && second.tags?.strings == ["a", "b"])
    #expect(second.expiresAt == first.expiresAt)
    let third = try await remember(0.9, [], .seconds(200))
    #expect(third.importance == 0.9 && third.expiresAt == desk.clock.now.advanced(byMicroseconds: 200_000_000))
    #expect(try await remember(0.1, [], nil).expiresAt == .latest)
  }

  @Test func `a contradiction supersedes, and history keeps both`() async throws {
    let desk = try Desk()
    let lisbon = try await desk.remember("Lives in Lisbon", "home", id: "lisbon")
    try await desk.remember("Likes Lisbon", "home")
    let porto = try await desk.remember("Lives in Porto", "home")
    #expect(porto.kind == .stored && porto.superseded == [lisbon.factID])
    #expect(try desk.texts() == ["Likes Lisbon", "Lives in Porto"])
    #expect(try desk.texts(at: .version(2)) == ["Lives in Lisbon", "Likes Lisbon"])
    let page = try desk.store.conflicts(of: desk.bob)
    #expect(page.total == 1 && page.next == nil)
    #expect(page.conflicts[0].superseded.fact == "Lives in Lisbon")
    #expect(page.conflicts[0].successor?.fact == "Lives in Porto" && page.conflicts[0].event.version == 4)
    #expect(try desk.store.conflicts(of: desk.bob, at: .version(3)).total == 0)
  }

  @Test func `only the category is looked at`() async throws {
    let desk = try Desk()
    try await desk.remember("Lives in Lisbon", "home")
    #expect(try await desk.remember("Lives in Porto", "travel").superseded == [])
    #expect(try await desk.remember("Lives in Lisbon", "travel").kind == .stored)
    #expect(try desk.texts() == ["Lives in Lisbon", "Lives in Lisbon"])
  }

  @Test func `a switch ends every fact that states the old thing`() async throws {
    let desk = try Desk()
    try await desk.remember("The project uses PostgreSQL 14")
    try await desk.remember("The database is PostgreSQL 14 on RDS")
    try await desk.remember("The analytics team uses PostgreSQL")
    let outcome = try await desk.remember("Switched from PostgreSQL to MySQL")
    #expect(outcome.superseded.count == 2)
    #expect(try desk.texts() == ["The analytics team uses PostgreSQL", "Switched from PostgreSQL to MySQL"])
    try await desk.remember("Switched from MySQL to SQLite")
    #expect(try desk.texts() == ["The analytics team uses PostgreSQL", "Switched from MySQL to SQLite"])
    #expect(
      try desk.store.conflicts(of: desk.bob).conflicts.map(\.successor?.fact).last == "Switched from MySQL to SQLite")
  }

  @Test func `what is confirmed still takes the place of what contradicts it`() async throws {
    let desk = try Desk()
    let likes = try await desk.remember("Likes tea")
    // Events come in as they are: only remembering holds them against each other.
    try await desk.store.append(
      [.factLearned(FactLearned(fact: "Does not like tea", category: "general", confidence: 1))], to: desk.bob)
    let outcome = try await desk.remember("Likes tea")
    #expect(outcome.kind == .confirmed && outcome.factID == likes.factID && outcome.superseded.count == 1)
    #expect(try desk.texts() == ["Likes tea"])
  }

  @Test func `of several at once, later ones are held against earlier ones, and all or none is stored`() async throws {
    let desk = try Desk()
    func drafts(_ texts: String...) throws -> [MemoryDraft] { try texts.map { text throws in try MemoryDraft(text) } }
    let updated = try await desk.store.remember(
      drafts("Lives in Lisbon", "Owns a cat", "owns a cat", "Lives in Porto"), for: desk.bob)
    #expect(updated.result.map(\.kind) == [.stored, .stored, .confirmed, .stored])
    #expect(updated.result[3].superseded == [updated.result[0].factID])
    #expect(try desk.texts() == ["Owns a cat", "Lives in Porto"] && updated.version == 5)
    let bad = try drafts("Owns a dog") + [MemoryDraft("Passed", lifetime: .until(desk.clock.now))]
    #expect(await code { try await desk.store.remember(bad, for: desk.bob) } == .invalidArgument)
    #expect(try desk.store.log.version(of: desk.bob) == 5)
    let nothing = try await desk.store.remember([MemoryDraft](), for: desk.bob)
    #expect(nothing.result.isEmpty && nothing.version == 5)
  }

  @Test func `under an id of one's own, the second time changes nothing`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat", id: "cat")
    let again = try await desk.remember("Owns a cat.", id: "cat")
    #expect(again.kind == .unchanged && again.factID.description == "cat")
    #expect(try desk.store.log.version(of: desk.bob) == 1)
    // Under another id it is the same fact still.
    #expect(try await desk.remember("Owns a cat", id: "cat-2").factID.description == "cat")
    #expect(await code { try await desk.remember("Owns a dog", id: "cat") } == .idConflict)
    try await desk.store.forget(FactID("cat"), of: desk.bob)
    #expect(try await desk.remember("Owns a cat", id: "cat").kind == .unchanged)
    #expect(try desk.texts() == [])
    #expect(await code { try await desk.remember("Owns a dog", id: "cat") } == .idConflict)
    #expect(await code { try await desk.remember("Owns a cat", "pets", id: "cat") } == .idConflict)
    #expect(try await desk.remember("Owns a cat").kind == .stored)
  }

  @Test func `again under an id whose fact was superseded, revised or has expired changes nothing`() async throws {
    let desk = try Desk()
    try await desk.remember("Lives in Lisbon", id: "home")
    try await desk.remember("Lives in Porto")
    try await desk.remember("Owns a cat", id: "pet")
    try await desk.store.revise(FactID("pet"), of: desk.bob, MemoryRevision(content: "Owns a dog"))
    let holiday = try MemoryDraft("Is on holiday", lifetime: .seconds(10), factID: FactID("holiday"))
    try await desk.store.remember(holiday, for: desk.bob)
    desk.advance(seconds: 10)
    let version = try desk.store.log.version(of: desk.bob)
    #expect(try await desk.remember("Lives in Lisbon", id: "home").kind == .unchanged)
    #expect(try await desk.remember("Owns a cat", id: "pet").kind == .unchanged)
    #expect(try await desk.remember("Owns a dog", id: "pet").kind == .unchanged)
    #expect(try await desk.store.remember(holiday, for: desk.bob).result.kind == .unchanged)
    #expect(await code { try await desk.remember("Is at home", id: "holiday") } == .idConflict)
    #expect(try desk.store.log.version(of: desk.bob) == version)
  }

  @Test func `under an id of one's own, what confirms another fact confirms it once`() async throws {
    let desk = try Desk()
    let drafts = try ["cat", "cat-2", "cat-2"].map { id throws in try MemoryDraft("Owns a cat", factID: FactID(id)) }
    let outcomes = try await desk.store.remember(drafts, for: desk.bob).result
    #expect(outcomes.map(\.kind) == [.stored, .confirmed, .unchanged])
    let third = try await desk.remember("Owns a cat", id: "cat-3")
    #expect(third.kind == .confirmed && third.factID.description == "cat")
    let version = try desk.store.log.version(of: desk.bob)
    func repeats() async throws {
      for id in ["cat-2", "cat-3"] {
        let again = try await desk.remember("Owns a cat", id: id)
        #expect(again.kind == .unchanged && again.factID.description == "cat")
        #expect(await code { try await desk.remember("Owns a dog", id: id) } == .idConflict)
      }
    }
    try await repeats()
    #expect(try desk.store.log.version(of: desk.bob) == version)
    #expect(try desk.store.memory(FactID("cat"), of: desk.bob).fact.confidence == 0.95)
    try await desk.store.forget(FactID("cat"), of: desk.bob)
    try await repeats()
    #expect(try desk.texts() == [])
    // Of somebody else, the same ids say nothing.
    try await desk.store.remember(drafts, for: .named("eve"))
  }

  @Test func `a confirmation adds tags as long as there is room`() async throws {
    let desk = try Desk()
    let first = (1...Limits.tagsPerMemory - 1).map { "a\($0)" }
    try await desk.store.remember(MemoryDraft("Owns a cat", tags: first, factID: FactID("cat")), for: desk.bob)
    for tags in [["b", "c"], ["d"]] {
      try await desk.store.remember(MemoryDraft("Owns a cat", tags: tags), for: desk.bob)
      #expect(try desk.store.memory(FactID("cat"), of: desk.bob).fact.tags?.strings == first + ["b"])
    }
  }

  @Test func `a revision takes over the life, weight and tags of what says the same`() async throws {
    let desk = try Desk()
    let short = try MemoryDraft("Owns a pet", tags: ["a"], lifetime: .seconds(10), factID: FactID("pet"))
    let long = try MemoryDraft("Owns a cat", importance: 0.9, tags: ["a", "b"], factID: FactID("cat"))
    try await desk.store.remember([short, long], for: desk.bob)
    let outcome = try await desk.store.revise(FactID("pet"), of: desk.bob, MemoryRevision(content: "Owns a cat")).result
    #expect(outcome.superseded.map(\.description) == ["cat"])
    desk.advance(seconds: 10)
    let fact = try desk.store.memory(FactID("pet"), of: desk.bob).fact
    #expect(fact.expiresAt == .latest && fact.importance == 0.9 && fact.tags?.strings == ["a", "b"])
  }

  @Test func `what holds for longer outlives a contradiction`() async throws {
    let desk = try Desk()
    try await desk.remember("Lives in Lisbon", id: "lisbon")
    let stay = try MemoryDraft("Stays in Porto", lifetime: .seconds(10), factID: FactID("porto"))
    try await desk.store.remember(stay, for: desk.bob)
    let revised = try await desk.store.revise(
      FactID("porto"), of: desk.bob, MemoryRevision(content: "Lives in Porto")
    ).result
    #expect(revised.superseded.isEmpty)
    let faro = try MemoryDraft("Lives in Faro", lifetime: .seconds(20))
    #expect(try await desk.store.remember(faro, for: desk.bob).result.superseded.map(\.description) == ["porto"])
    desk.advance(seconds: 20)
    #expect(try desk.texts() == ["Lives in Lisbon"])
    #expect(try await desk.remember("Lives in Braga").superseded.map(\.description) == ["lisbon"])
  }

  @Test func `an expired fact stands in nobody's way`() async throws {
    let desk = try Desk()
    let holiday = try MemoryDraft("Is on holiday", lifetime: .seconds(10), factID: FactID("h"))
    try await desk.store.remember(holiday, for: desk.bob)
    desk.advance(seconds: 10)
    #expect(try desk.texts() == [])
    #expect(try await desk.remember("Is on holiday").kind == .stored)
    #expect(try desk.texts() == ["Is on holiday"])
  }

  @Test func `asks a judge about what the rules leave open, and does without it where it fails`() async throws {
    struct Judge: ContradictionJudge {
      struct Failure: Error {}
      var fails = false
      func contradicted(by content: String, among candidates: [Fact]) async throws -> [FactID] {
        if fails { throw Failure() }
        // Beside the one that is meant, one that it was not asked about.
        return candidates.filter { $0.fact.contains("vegetarian") }.map(\.factID) + [try FactID("steak")]
      }
    }
    let desk = try Desk()
    try await desk.remember("Bob has been a vegetarian since May", id: "veg")
    try await desk.remember("Owns steak knives", id: "steak")
    let draft = try MemoryDraft("Bob ordered a burger in May", factID: FactID("b"))
    let other = try MemoryDraft("Bob ordered a burger since May", factID: FactID("c"))
    let failed = try await desk.store.remember(draft, for: desk.bob, judge: Judge(fails: true))
    #expect(failed.result.kind == .stored && failed.result.superseded.isEmpty)
    let judged = try await desk.store.remember(other, for: desk.bob, judge: Judge())
    #expect(judged.result.superseded.map(\.description) == ["veg"])
    #expect(try desk.store.memory(FactID("steak"), of: desk.bob).fact.fact == "Owns steak knives")
  }

  @Test(arguments: 1...8) func `from many tasks at once loses and doubles nothing`(seed: UInt64) async throws {
    let desk = try Desk()
    let sentences = (1...6).map { "Likes dish \($0)" }
    let tasks = 6
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<tasks {
        group.addTask {
          var random = SeededRandom(seed: seed &* 100 &+ UInt64(task))
          for sentence in sentences.shuffled(using: &random) {
            try await desk.store.remember(MemoryDraft(sentence), for: desk.bob, retry: RetryPolicy(attempts: 200))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try Set(desk.texts()) == Set(sentences))
    let types = try desk.types()
    #expect(types.filter { $0 == "FactLearned" }.count == sentences.count)
    #expect(types.filter { $0 == "FactRevised" }.count == sentences.count * (tasks - 1))
  }
}

@Suite struct `A draft` {
  @Test func `is refused where it cannot be remembered`() async throws {
    func refused(_ field: String, _ make: () throws -> MemoryDraft) {
      do {
        _ = try make()
        Issue.record("\(field) was accepted")
      } catch {
        let error = MemoirError(error)
        #expect(error.code == .invalidArgument && error.message.hasPrefix(field + ": "), "\(error)")
      }
    }
    refused("content") { try MemoryDraft("") }
    refused("content") { try MemoryDraft(" \n\t") }
    refused("category") { try MemoryDraft("x", category: "") }
    refused("category") { try MemoryDraft("x", category: String(repeating: "c", count: 101)) }
    refused("tags[1]") { try MemoryDraft("x", tags: ["a", ""]) }
    refused("tags[0]") { try MemoryDraft("x", tags: ["a\u{0}b"]) }
    refused("tags[0]") { try MemoryDraft("x", tags: [String(repeating: "t", count: 101)]) }
    refused("tags") { try MemoryDraft("x", tags: (0...50).map { "t\($0)" }) }
    refused("metadata") { try MemoryDraft("x", metadata: JSONText(parsing: "[1]")) }
    refused("metadata") {
      try MemoryDraft("x", metadata: JSONText(parsing: "{\"a\":\"\(String(repeating: "b", count: 20_000))\"}"))
    }
    for seconds in [0, -1, .min, .max, Limits.longestLifetime + 1] {
      refused("ttl") { try MemoryDraft("x", lifetime: .seconds(seconds)) }
    }
    refused("importance") { try MemoryDraft("x", importance: Fraction(1.1, field: "importance")) }
    refused("importance") { try MemoryDraft("x", importance: Fraction(.nan, field: "importance")) }
    #expect(throws: Never.self) { try MemoryDraft("x", lifetime: .seconds(Limits.longestLifetime)) }
    #expect(throws: Never.self) { try MemoryDraft("x", tags: (1...50).map { "t\($0)" }) }
    #expect(await code { _ = try MemoryDraft(String(repeating: "x", count: 2_000_000)) } == .tooLarge)
  }

  @Test func `with an end that has passed is refused when it is remembered`() async throws {
    let desk = try Desk()
    let draft = try MemoryDraft("x", lifetime: .until(desk.clock.now))
    #expect(await code { try await desk.store.remember(draft, for: desk.bob) } == .invalidArgument)
    #expect(try desk.store.log.version(of: desk.bob) == 0)
  }

  @Test func `of the greatest size is remembered`() async throws {
    let desk = try Desk()
    let text = String(repeating: "word ", count: Limits.textSize / 5)
    try await desk.remember(text)
    #expect(try await desk.remember(text).kind == .confirmed)
  }
}

/// Sentences with one meaning each, for a model that knows only the meanings.
private struct Saying {
  let text: String
  let category: String
  /// What there is one of.
  let slot: String
  /// What fills it.
  let value: String

  static func random(using random: inout SeededRandom) -> Saying {
    func pick(_ texts: [String]) -> String { texts[Int.random(in: 0..<texts.count, using: &random)] }
    let category = pick(["home", "work"])
    var text: String
    let slot: String
    switch Int.random(in: 0..<6, using: &random) {
    case 0: (slot, text) = ("city", "Lives in " + pick(["Lisbon", "Porto", "Faro"]))
    case 1: (slot, text) = ("employer", "Works at " + pick(["Acme", "Beta"]))
    case 2: (slot, text) = ("colour", "Favourite colour is " + pick(["red", "blue", "green"]))
    case 3:
      let thing = pick(["tea", "coffee"])
      (slot, text) = ("likes " + thing, pick(["Likes ", "Does not like "]) + thing)
    case 4: (slot, text) = ("preference", pick(["Prefers tea over coffee", "Prefers coffee over tea"]))
    default:
      text = "Owns a " + pick(["cat", "dog", "car"])
      slot = text
    }
    let value = text
    if Bool.random(using: &random) { text += pick([".", "!", "  "]) }
    if Bool.random(using: &random) { text = text.replacing(" ", with: "  ") }
    // Names must still be seen to be names.
    if ["colour", "preference"].contains(slot), Bool.random(using: &random) { text = text.uppercased() }
    return Saying(text: text, category: category, slot: slot, value: value)
  }
}

@Suite struct `Random memories` {
  @Test(arguments: 1...15) func `are as a plain model says`(seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let desk = try Desk()
    let others = [StreamName.named("bob2"), StreamName.named("bob", in: "elsewhere")]
    for other in others { try await desk.store.remember(MemoryDraft("Lives in Lisbon", category: "home"), for: other) }
    let before = try others.map { other throws in try desk.store.log.version(of: other) }
    var model: [String: (value: String, first: String)] = [:]
    var history: [(version: StreamVersion, live: Set<String>)] = []
    var stored = 0
    var superseded = 0
    for _ in 0..<60 {
      let saying = Saying.random(using: &random)
      let key = saying.category + "/" + saying.slot
      let outcome = try await desk.remember(saying.text, saying.category)
      if model[key]?.value == saying.value {
        #expect(outcome.kind == .confirmed && outcome.superseded.isEmpty, "seed \(seed): \(saying)")
      } else {
        #expect(outcome.kind == .stored, "seed \(seed): \(saying)")
        #expect(outcome.superseded.count == (model[key] == nil ? 0 : 1), "seed \(seed): \(saying)")
        model[key] = (saying.value, saying.text)
      }
      stored += outcome.kind == .stored ? 1 : 0
      superseded += outcome.superseded.count
      let live = Set(model.map { $0.key.split(separator: "/")[0] + "/" + $0.value.first })
      history.append((try desk.store.log.version(of: desk.bob), live))
    }
    // Now, and as of every version where something was remembered.
    for (version, live) in history {
      let memories = try desk.store.memories(of: desk.bob, at: .version(version)).memories
      #expect(Set(memories.map { $0.fact.category + "/" + $0.fact.fact }) == live, "seed \(seed), version \(version)")
      #expect(memories.count == live.count)
    }
    // Whatever was superseded has a successor that is live, or was itself superseded later.
    let conflicts = try desk.store.conflicts(of: desk.bob).conflicts
    #expect(conflicts.count == superseded && stored - superseded == model.count)
    let live = Set(try desk.store.memories(of: desk.bob).memories.map(\.fact.factID))
    for (index, conflict) in conflicts.enumerated() {
      let later = conflicts[(index + 1)...].map(\.superseded.factID)
      #expect(live.contains(conflict.successorID) || later.contains(conflict.successorID), "seed \(seed)")
      #expect(conflict.successor?.category == conflict.superseded.category)
    }
    #expect(try others.map { other throws in try desk.store.log.version(of: other) } == before)
  }
}
