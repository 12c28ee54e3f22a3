// What recall answers: whose memories, which of them, in which order, and why.
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `The memories of a user` {
  private static let people: [StreamName] = [
    .named("x-918"), .named("x-9182"), .named("x-91"), .named("x-918", in: "other"), .named("x-9182", in: "x-918"),
  ]

  @Test(arguments: 1...4) func `are seen by nobody else, and weigh on nobody's answers`(seed: UInt64) async throws {
    var memories = RandomMemories(seed: seed)
    let shared = try RecallStore()
    var alone: [RecallStore] = []
    for _ in Self.people { alone.append(try RecallStore()) }
    for _ in 0..<120 {
      let index = memories.number(0...Self.people.count - 1)
      let event = try memories.next(at: shared.clock.now).saying("marker\(index)")
      try shared.append([event], to: Self.people[index])
      try alone[index].append([event], to: Self.people[index])
    }
    for round in 0..<12 {
      var query = memories.query(now: shared.clock.now)
      if round == 0 { query = RecallQuery("") }
      query.text += Self.people.indices.map { " marker\($0)" }.joined()
      query.topK = 1_000
      for (index, person) in Self.people.enumerated() {
        let answer = try await shared.recall(query, of: person)
        for memory in answer.memories { #expect(memory.content.contains("marker\(index)"), "seed \(seed)") }
        alone[index].setClock(to: answer.clock)
        #expect(try await alone[index].recall(query, of: person).lines == answer.lines, "seed \(seed)")
        #expect(round > 0 || !answer.memories.isEmpty)
      }
    }
  }

  @Test func `of somebody nobody has heard of are none`() async throws {
    let store = try RecallStore()
    try store.learn("Lives in Lisbon.")
    for point in [AsOfText.now, .version(0), .occurred(.latest)] {
      let answer = try await store.recall(RecallQuery("Lisbon"), of: .named("nobody"), at: point)
      #expect(answer.memories.isEmpty && answer.version == 0)
    }
  }
}

extension EventData {
  /// The same event, with a further word wherever it says something that can be recalled.
  fileprivate func saying(_ word: String) throws -> EventData {
    var history = History()
    history.append(self)
    guard let event = try MemoirEvent(history.recorded(1)) else { return self }
    let marked: MemoirEvent
    switch event {
    case .messageAdded(let message):
      marked = .messageAdded(try MessageAdded(role: message.role, content: "\(message.content) \(word)"))
    case .factLearned(let fact):
      marked = .factLearned(
        try FactLearned(
          fact: "\(fact.fact) \(word)", category: fact.category, confidence: fact.confidence, tags: fact.tags))
    case .factRevised(let fact):
      marked = .factRevised(try FactRevised(factID: fact.factID, fact: fact.fact.map { "\($0) \(word)" }))
    case .sessionEnded(let end): marked = .sessionEnded(try SessionEnded(summary: "\(end.summary ?? "") \(word)"))
    case .episodeRecorded(let episode):
      marked = .episodeRecorded(
        try EpisodeRecorded(
          task: "\(episode.task) \(word)", actions: episode.actions, outcomes: episode.outcomes,
          success: episode.success))
    default: return self
    }
    return try EventData(marked, session: session, id: id, occurredAt: occurredAt)
  }
}

/// What may be answered with, told from the events and the state without an index.
private struct PlainRecall {
  let events: [EventData]
  let state: StateAt

  func expected(_ query: RecallQuery) throws -> Set<String> {
    let range = (query.since ?? .earliest)...(query.until ?? .latest)
    var ids: Set<String> = []
    let decay = Decay()
    for fact in state.facts where query.kinds.contains(.fact) {
      let importance = decay.importance(of: fact, at: state.clock)
      guard importance >= max(decay.archivedBelow, query.minImportance ?? 0) else { continue }
      if let session = query.session, events.first(where: { $0.id == fact.origin.id })?.session != session { continue }
      if !query.memoryTypes.isEmpty, !query.memoryTypes.contains(fact.memoryType ?? .semantic) { continue }
      if !query.tags.isEmpty, !(fact.tags?.strings ?? []).contains(where: query.tags.contains) { continue }
      if range.contains(fact.learnedAt) { ids.insert(fact.factID.description) }
    }
    guard query.tags.isEmpty, query.memoryTypes.isEmpty || query.memoryTypes.contains(.episodic),
      query.minImportance ?? 0 <= 0.5
    else { return ids }
    var ended: Set<SessionID> = []
    var history = History()
    for event in events {
      history.append(event)
      let kind: MemoryKind
      switch try MemoirEvent(history.recorded(StreamVersion(UInt64(history.entries.count)))) {
      case .messageAdded(let message) where Self.says(message.content): kind = .message
      case .episodeRecorded: kind = .episode
      case .sessionEnded(let end):
        guard let session = event.session, ended.insert(session).inserted, Self.says(end.summary ?? "") else {
          continue
        }
        kind = .summary
      default: continue
      }
      guard query.kinds.contains(kind), range.contains(event.occurredAt ?? .earliest) else { continue }
      if query.session == nil || query.session == event.session { ids.insert(event.id.description) }
    }
    return ids
  }

  /// Whether a text is more than words that say nothing.
  private static func says(_ text: String) -> Bool {
    text.split(separator: " ").contains { !["the", "we", "yes", "May"].contains($0) }
  }
}

@Suite struct `An answer` {
  private static func store(seed: UInt64) throws -> (RecallStore, RandomMemories, [EventData]) {
    var memories = RandomMemories(seed: seed)
    let store = try RecallStore()
    var events: [EventData] = []
    for _ in 0..<150 {
      store.clock.advance(byMicroseconds: Int64(memories.number(1...8)) * 3_600_000_000)
      let event = try memories.next(at: store.clock.now)
      events.append(event)
      try store.append([event])
    }
    return (store, memories, events)
  }

  @Test(arguments: 1...6) func `has all that the filters let through, and nothing else`(seed: UInt64) async throws {
    var (store, memories, events) = try Self.store(seed: seed)
    let plain = PlainRecall(events: events, state: try store.memoir.state(of: .bob))
    var found = 0
    for _ in 0..<60 {
      var query = memories.query(now: store.clock.now)
      query.topK = RecallQuery.largestTopK
      let answer = try await store.recall(query)
      let ids = answer.memories.map(\.id)
      #expect(Set(ids).count == ids.count, "seed \(seed), \(query)")
      let expected = try plain.expected(query)
      try #require(Set(ids).symmetricDifference(expected) == [], "seed \(seed), \(query)")
      for memory in answer.memories { #expect(query.kinds.contains(memory.kind)) }
      found += ids.count
    }
    #expect(found > 0)
  }

  @Test(arguments: 1...4) func `of few is the beginning of the answer of many`(seed: UInt64) async throws {
    var (store, memories, _) = try Self.store(seed: seed)
    for _ in 0..<12 {
      var query = memories.query(now: store.clock.now)
      query.topK = RecallQuery.largestTopK
      let many = try await store.recall(query).memories
      for topK in [1, 2, 3, 5, 10, 70, many.count, many.count + 1] where topK > 0 {
        query.topK = topK
        let few = try await store.recall(query).memories
        try #require(few.count == min(topK, many.count))
        let ids = few.map(\.event.id)
        try #require(ids == many.prefix(topK).map(\.event.id), "seed \(seed), \(query)")
      }
    }
  }

  @Test(arguments: 1...4) func `has scores that never rise and say how they came about`(seed: UInt64) async throws {
    var (store, memories, _) = try Self.store(seed: seed)
    for _ in 0..<30 {
      var query = memories.query(now: store.clock.now)
      query.topK = 200
      let answer = try await store.recall(query).memories
      for (memory, next) in zip(answer, answer.dropFirst()) { #expect(memory.score >= next.score) }
      for memory in answer {
        #expect((0...1).contains(memory.score))
        let parts = memory.parts.named.map(\.value)
        #expect(parts.allSatisfy { $0 > 0 })
        // What says the same as one before is scored no higher than what it comes after.
        #expect(parts.reduce(0, +) >= memory.score - 1e-6, "seed \(seed), \(query)")
      }
      // In full where nothing was moved: before the first that is worth more than it is scored.
      for memory in answer.prefix(while: { $0.parts.score <= $0.score + 1e-6 }) {
        #expect(abs(memory.parts.named.map(\.value).reduce(0, +) - memory.score) < 1e-6)
      }
    }
  }

  @Test func `makes room instead of saying the same again`() async throws {
    let store = try RecallStore()
    for _ in 0..<5 { try store.say("I would like a table for two at Luigi's, please.") }
    try store.say("Is there a table free somewhere else?")
    let first = try await store.messages("table at Luigi's", topK: 2)
    #expect(
      first.map(\.content) == [
        "I would like a table for two at Luigi's, please.", "Is there a table free somewhere else?",
      ])
    // There is room for all.
    let all = try await store.messages("table at Luigi's", topK: 10)
    #expect(all.count == 6)
    #expect(all.dropFirst(2).allSatisfy { $0.content.contains("Luigi") })
  }

  @Test func `does not read all that says the same for one answer`() async throws {
    let store = try RecallStore()
    for number in 0..<600 {
      store.clock.advance(byMicroseconds: 1_000_000)
      try store.say(number == 0 ? "The build is slow on the main branch" : "The build passed on the main branch")
    }
    var query = RecallQuery("build branch")
    query.kinds = [.message]
    query.topK = 300
    let many = try await store.recall(query).memories
    query.topK = 100
    let few = try await store.recall(query).memories
    // After some two hundred repeats they are taken as they come, so fifty are still the beginning of three hundred.
    #expect(many.count == 300 && Array(many.prefix(100)).map(\.id) == few.map(\.id))
  }

  @Test func `keeps texts apart that differ in a number`() async throws {
    let store = try RecallStore()
    for number in 1...4 { try store.say("The order has the number 10\(number) and will be sent soon by mail.") }
    try store.say("No order.")
    #expect(try await store.messages("order number", topK: 4).allSatisfy { $0.content.contains("10") })
  }

  @Test func `ranks what matters and what is fresh before the rest`() async throws {
    let store = try RecallStore()
    let dull = try store.learn("The office is on the third floor.", importance: 0.3)
    let vital = try store.learn("The office is closed on Friday.", importance: 0.9)
    #expect(try await store.recall(RecallQuery("office")).memories.map(\.event.id) == [vital, dull])
    store.clock.advance(byMicroseconds: 10 * Timestamp.day)
    let fresh = try store.learn("The office has a new coffee machine.", importance: 0.9)
    let answer = try await store.recall(RecallQuery("office")).memories
    #expect(answer.map(\.event.id) == [fresh, vital, dull])
    #expect(answer[0].parts.recency > answer[1].parts.recency)
    #expect(answer[0].parts.importance > answer[1].parts.importance)
    #expect(abs((answer[1].importance ?? 0) - 0.9 * 0.5987) < 0.001)
  }

  @Test func `leaves out a memory that has faded, until it is confirmed`() async throws {
    let store = try RecallStore()
    let id = try store.learn("The office is on the third floor.", importance: 0.2)
    store.clock.advance(byMicroseconds: 13 * Timestamp.day)
    #expect(try await store.recall(RecallQuery("office")).memories.count == 1)
    store.clock.advance(byMicroseconds: Timestamp.day)
    let faded = try await store.recall(RecallQuery("office"))
    #expect(faded.memories.isEmpty && faded.faded == 1)
    var query = RecallQuery("office")
    query.kinds = [.message]
    #expect(try await store.recall(query).faded == 0)
    try store.append(.factRevised(FactRevised(factID: FactID(id))))
    let confirmed = try await store.recall(RecallQuery("office"))
    #expect(confirmed.memories.count == 1 && confirmed.faded == 0)
  }

  @Test func `takes a least importance that is just reached`() async throws {
    let store = try RecallStore()
    for (text, importance) in [("one", 0.9), ("two", 0.7), ("three", 0.3)] {
      try store.learn("Word \(text)", importance: Fraction(importance))
    }
    for (least, count) in [(0.9, 1), (0.7, 2), (0.3, 3), (0.30001, 2), (0.0, 3), (1.0, 0)] {
      var query = RecallQuery("word")
      query.minImportance = least
      #expect(try await store.recall(query).memories.count == count, "\(least)")
    }
  }

  @Test func `prefers what happened when the question says`() async throws {
    let store = try RecallStore()
    let may = try store.say("We went to see a concert.", at: Timestamp("2025-05-20T20:00:00Z"))
    let june = try store.say("We went to another concert.", at: Timestamp("2025-06-20T20:00:00Z"))
    let inMay = try await store.messages("Which concert was in May 2025?")
    #expect(inMay.map(\.event.id) == [may, june])
    #expect(inMay[0].parts.time > 0 && inMay[1].parts.time == 0)
    #expect(try await store.messages("Which concert was on 20 June 2025?").map(\.event.id) == [june, may])
  }

  @Test func `finds an answer by the question before it, and by its session`() async throws {
    let store = try RecallStore()
    try store.say("Which hotel shall I book?", session: "trip")
    let answer = try store.say("The one beside the harbour.", session: "trip")
    try store.say("The one beside the church.", session: "walk")
    let found = try await store.messages("hotel", topK: 2)
    #expect(found.map(\.event.id).contains(answer))
    let part = try #require(found.first { $0.event.id == answer }).parts
    #expect(part.before > 0 && part.session > 0 && part.words == 0)
  }

  @Test func `to several questions is the answer to each`() async throws {
    var (store, memories, _) = try Self.store(seed: 9)
    let queries = (0..<5).map { _ in memories.query(now: store.clock.now) }
    let together = try await store.memoir.recall(queries, of: .bob)
    for (query, answer) in zip(queries, together) {
      #expect(try await store.recall(query).lines == answer.lines)
    }
    #expect(together.count == 5)
    #expect(try await store.memoir.recall([], of: .bob).isEmpty)
  }

  @Test func `in a session that does not exist is empty`() async throws {
    let store = try RecallStore()
    try store.say("Hello Lisbon", session: "s")
    var query = RecallQuery("Lisbon")
    query.kinds = [.message]
    query.session = .named("s")
    #expect(try await store.recall(query).memories.count == 1)
    query.session = .named("S")
    #expect(try await store.recall(query).memories.isEmpty)
  }
}

@Suite struct `A question that can't be asked` {
  private func refusal(_ change: (inout RecallQuery) -> Void) async throws -> MemoirError {
    let store = try RecallStore()
    try store.learn("Lives in Lisbon.")
    var query = RecallQuery("Lisbon")
    change(&query)
    let asked = query
    let error = try #require(
      await #expect(throws: MemoirError.self) { _ = try await store.recall(asked) })
    // Nobody known, and still no question.
    await #expect(throws: error) { _ = try await store.recall(asked, of: .named("nobody")) }
    await #expect(throws: error) { _ = try await store.memoir.recall([RecallQuery("Lisbon"), asked], of: .bob) }
    return error
  }

  @Test(arguments: ["", " ", "\n\t \u{3000}\u{A0}"]) func `because it is blank`(text: String) async throws {
    let error = try await refusal { $0.text = text }
    #expect(error.code == .invalidArgument && error.details == .object("field", "query"))
  }

  @Test func `because it is too long`() async throws {
    let error = try await refusal { $0.text = String(repeating: "a", count: 1 << 20) }
    #expect(error.code == .tooLarge && error.details == .object("field", "query"))
    let store = try RecallStore()
    try store.learn("Lives in Lisbon.")
    let longest = "Lisbon " + String(repeating: "b ", count: (RecallQuery.longestText - 8) / 2)
    #expect(try await store.recall(RecallQuery(longest)).memories.count == 1)
  }

  @Test(arguments: [0, -1, 10_001, .max, .min]) func `because of how many it wants`(topK: Int) async throws {
    let error = try await refusal { $0.topK = topK }
    #expect(error.code == .invalidArgument && error.details == .object("field", "top_k"))
  }

  @Test(arguments: [1.1, -0.1, .nan, .infinity]) func `because of its least importance`(least: Double) async throws {
    let error = try await refusal { $0.minImportance = least }
    #expect(error.code == .invalidArgument && error.details == .object("field", "min_importance"))
  }

  @Test func `because its time ends before it begins`() async throws {
    let error = try await refusal {
      $0.since = Timestamp(clamping: 2)
      $0.until = Timestamp(clamping: 1)
    }
    #expect(error.code == .invalidArgument && error.details == .object("field", "since"))
  }

  @Test func `because it wants nothing`() async throws {
    let error = try await refusal { $0.kinds = [] }
    #expect(error.code == .invalidArgument && error.details == .object("field", "kind"))
  }

  @Test func `is not one of words that say nothing`() async throws {
    let store = try RecallStore()
    try store.learn("Lives in Lisbon.")
    try store.learn("Works in Porto.")
    for text in ["what is the", "???", "🙂", "\u{0}"] {
      #expect(try await store.recall(RecallQuery(text)).memories.count == 2, "\(text)")
    }
  }
}
