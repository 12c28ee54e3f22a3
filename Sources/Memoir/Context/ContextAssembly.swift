// Which few things an assistant should know now: items compete for the tokens there are, and the best become a text.
internal import Bytes
public import EventStore

extension MemoirStore {
  /// What matters of a person's memory for what is said now, as text for a prompt, within a budget of tokens.
  ///
  /// Tasks, decisions, preferences, history and facts compete by priority × relevance × recency. What a person or a tool
  /// has said stands on one line, however it was broken, so that it can't pose as a section of its own.
  ///
  /// - Returns: An empty context for a user nobody has heard of.
  /// - Throws: `invalid_argument` or `too_large` for a request that can't be met, or a point beyond the head.
  public func context(
    _ request: ContextRequest, for user: StreamName, at point: AsOfText = .now
  ) async throws(MemoirError) -> ContextPackage {
    try request.check()
    guard let remembered = try memoryAtPoint(of: user, at: point) else {
      var nobody = ContextPackage(user: user, asOf: point, version: 0, text: "", tokens: 0, items: [], omitted: 0)
      nobody.isKnown = false
      return nobody
    }
    let meaning = request.isAsking ? await meaning(of: request.query, to: remembered) : nil
    var history: [RecalledMemory] = []
    var missing = 0
    if request.isAsking, request.historyLimit > 0 {
      var query = RecallQuery(request.query)
      query.kinds = [.summary, .episode, .message]
      query.topK = request.historyLimit
      let found = try answer(query, from: remembered, meaning)
      history = found.memories
      missing = found.meaning?.missing ?? 0
      if let most = request.historySessions { history = history.ofSessions(atMost: most) }
    }
    let candidates = recallProjector.analyzers.withAnalyzer { analyzer in
      ContextCandidates(request, remembered, history, meaning, memory, analyzer)
    }
    let items = candidates.items
    let (kept, text) = ContextText(of: user, counter: memory.tokenCounter, budget: request.budget).fill(items)
    var package = ContextPackage(
      user: user, asOf: point, version: remembered.state.version, text: text, tokens: memory.tokenCounter.count(text),
      items: kept, omitted: candidates.count - kept.count)
    // Who looked for history has looked at the facts too.
    package.meaning = meaning.map { MeaningUse($0, missing: max(missing, candidates.missing)) }
    return package
  }
}

extension [RecalledMemory] {
  /// Those of the first `most` sessions among them; what is of no session counts for none.
  fileprivate func ofSessions(atMost most: Int) -> [RecalledMemory] {
    var sessions: [SessionID] = []
    return filter { memory in
      guard let session = memory.session, !sessions.contains(session) else { return true }
      if sessions.count == most { return false }
      sessions.append(session)
      return true
    }
  }
}

extension ContextRequest {
  /// Whether there is anything to be relevant to.
  var isAsking: Bool { query.unicodeScalars.contains { !$0.properties.isWhitespace } }
}

/// All that competes for a place.
private struct ContextCandidates {
  private(set) var items: [ContextItem] = []
  /// Facts that others leave no room for are counted, and not looked at any closer.
  private var passedOver = 0
  /// Facts without a vector.
  private(set) var missing = 0
  private static let mostFacts = 1_000
  /// Of so many categories the priority is kept.
  private static let mostPlaces = 32
  private let request: ContextRequest
  private let now: Timestamp
  private let rule: StalenessRule
  /// Of an item that meets nothing of the question.
  private let leastRelevance: Double

  init(
    _ request: ContextRequest, _ memory: MemoryAtPoint, _ history: [RecalledMemory], _ meaning: SemanticAnswer?,
    _ options: MemoryOptions,
    _ analyzer: TextAnalyzer
  ) {
    self.request = request
    now = memory.state.clock
    rule = options.staleness
    leastRelevance = request.isAsking ? request.priorities.leastRelevance : 1
    let profile = options.profile
    addFacts(memory, meaning, profile, analyzer)
    addPreferences(memory.state.state.preferences.all, profile, analyzer)
    let terms = Set(analyzer.terms(of: request.query))
    addRelationships(
      memory.state.state.relationships.all.filter { !options.decay.isArchived($0, at: now) }, terms, analyzer)
    addHistory(memory.state.state.sessions, history, terms, analyzer)
  }

  private mutating func addFacts(
    _ memory: MemoryAtPoint, _ meaning: SemanticAnswer?, _ profile: ProfileSchema, _ analyzer: TextAnalyzer
  ) {
    let known = Set(profile.factLists.values)
    // Facts are large: what is sorted is their places. They have few categories.
    var places: [(category: String, priority: Double)] = []
    var ranked: [(score: Double, relevance: Double, version: StreamVersion, index: Int)] = []
    missing = memory.forEachFact(relevantTo: request.query, meaning, analyzer) { index, fact, relevance in
      let priority: Double
      if let place = places.first(where: { $0.category == fact.category }) {
        priority = place.priority
      } else {
        priority = place(of: fact.category, known).priority
        if places.count < Self.mostPlaces { places.append((fact.category, priority)) }
      }
      let score = priority * self.relevance(Double(relevance)) * recency(ofMicroseconds: fact.usedAt)
      ranked.append((score, Double(relevance), fact.origin, index))
    }
    ranked.sort { $0.score == $1.score ? $0.version > $1.version : $0.score > $1.score }
    passedOver = max(0, ranked.count - Self.mostFacts)
    for (_, relevance, _, index) in ranked.prefix(Self.mostFacts) {
      let fact = memory.fact(at: index)
      let (section, priority) = place(of: fact.category, known)
      let isLabelled = section == .profile || section == .decisions
      add(
        section, "fact", fact.factID.description, isLabelled ? "\(fact.category): \(fact.fact)" : fact.fact, priority,
        relevance, fact.origin, fact.updatedAt, staleness: rule.staleness(of: fact, at: now))
    }
  }

  private func place(of category: String, _ profile: Set<String>) -> (section: ContextSection, priority: Double) {
    switch category {
    case FactCategory.task: (.tasks, request.priorities.task)
    case FactCategory.decision, FactCategory.constraint: (.decisions, request.priorities.decision)
    case FactCategory.preference: (.preferences, request.priorities.preference)
    case let category where profile.contains(category): (.profile, request.priorities.preference)
    default: (.facts, request.priorities.fact)
    }
  }

  private mutating func addPreferences(
    _ preferences: [Preference], _ profile: ProfileSchema, _ analyzer: TextAnalyzer
  ) {
    let terms = Set(analyzer.terms(of: request.query))
    for preference in preferences where preference.value != .null {
      let text = "\(preference.key): \(preference.value.shownText)"
      let isProfile = profile.preferenceKeys.contains(preference.key)
      add(
        isProfile ? .profile : .preferences, "preference", preference.key, text, request.priorities.preference,
        share(of: terms, in: analyzer.terms(of: text)), preference.origin, preference.updatedAt,
        staleness: rule.staleness(of: preference, at: now),
        // Who the person is matters whatever is asked.
        alwaysMatters: isProfile)
    }
  }

  private mutating func addRelationships(
    _ relationships: [Relationship], _ terms: Set<Term>, _ analyzer: TextAnalyzer
  ) {
    for relationship in relationships {
      let text = "\(relationship.subject) \(relationship.predicate) \(relationship.object)"
      add(
        .facts, "relationship", relationship.origin.id.description, text, request.priorities.fact,
        share(of: terms, in: analyzer.terms(of: text)), relationship.origin, relationship.confirmedAt)
    }
  }

  private mutating func addHistory(
    _ sessions: SessionsState, _ history: [RecalledMemory], _ terms: Set<Term>, _ analyzer: TextAnalyzer
  ) {
    var shown: Set<EventReference> = []
    for session in sessions.ended.suffix(request.sessionLimit) {
      guard let end = session.end, let summary = end.summary, !summary.isEmpty else { continue }
      // Who says so: the end, or a later distillation, by which recall knows it too.
      let event = end.resummarized ?? end.event
      shown.insert(event)
      add(
        .sessions, "summary", event.id.description, "\(end.endedAt.dateText): \(summary)",
        request.priorities.history, share(of: terms, in: analyzer.terms(of: summary)), event, end.endedAt,
        staleness: rule.staleness(of: session, at: now))
    }
    for memory in history where !shown.contains(memory.event) && memory.parts.relevance > 0 {
      let speaker = memory.role.map { ", \($0)" } ?? ""
      add(
        .history, memory.kind.description, memory.id,
        "\(memory.occurredAt.dateText)\(speaker): \(memory.content)", request.priorities.history,
        Double(memory.parts.relevance), memory.event, memory.occurredAt, staleness: memory.staleness)
    }
  }

  private mutating func add(
    _ section: ContextSection, _ kind: String, _ id: String, _ text: String, _ priority: Double,
    _ relevance: Double, _ event: EventReference, _ usedAt: Timestamp, staleness: Staleness? = nil,
    alwaysMatters: Bool = false
  ) {
    items.append(
      ContextItem(
        section: section, kind: kind, id: id, text: text.onOneLine.cut(toSize: Self.longestText), priority: priority,
        relevance: alwaysMatters ? 1 : self.relevance(relevance), recency: recency(of: usedAt), event: event,
        usedAt: usedAt, staleness: staleness, isHit: relevance > 0))
  }

  /// How many compete, those passed over included.
  var count: Int { items.count + passedOver }

  private func relevance(_ met: Double) -> Double {
    leastRelevance + (1 - leastRelevance) * min(1, met)
  }

  private func recency(of usedAt: Timestamp) -> Double { recency(ofMicroseconds: usedAt.microseconds) }

  private func recency(ofMicroseconds usedAt: Int64) -> Double {
    let days = Double(max(0, now.microseconds - usedAt)) / 86_400_000_000
    return 0.5 + 0.5 / (1 + days / 30)
  }

  /// What is longer is cut: an item is there to remind, not to be read whole.
  private static let longestText = 500

  /// How many of the question's words a text says.
  private func share(of terms: Set<Term>, in said: [Term]) -> Double {
    terms.isEmpty ? 0 : Double(terms.intersection(said).count) / Double(terms.count)
  }
}

/// Makes a text of as many items as fit, the best first.
private struct ContextText {
  private let title: String
  private let counter: any TokenCounter
  private let budget: Int

  init(of user: StreamName, counter: any TokenCounter, budget: Int) {
    title = "What is known of \(user.user)"
    self.counter = counter
    self.budget = budget
  }

  func fill(_ items: [ContextItem]) -> (items: [ContextItem], text: String) {
    // Equal scores: the later event first, and of one event (never more than one item each) there is nothing to order.
    let ranked = items.sorted {
      $0.score == $1.score ? $0.event.version > $1.event.version : $0.score > $1.score
    }
    var kept: [ContextItem] = []
    var left = budget - counter.count("# \(title)\n")
    var sections: Set<ContextSection> = []
    for item in ranked {
      var cost = counter.count("- \(item.text)\n")
      if !sections.contains(item.section) { cost += counter.count("\n## \(item.section.heading)\n") }
      guard cost <= left else { continue }
      left -= cost
      sections.insert(item.section)
      kept.append(item)
    }
    // A counter may find that the whole takes more than its parts: then the last to get a place lose it.
    var text = Self.text(title, Self.inOrder(kept))
    while counter.count(text) > budget, !kept.isEmpty {
      kept.removeLast()
      text = Self.text(title, Self.inOrder(kept))
    }
    return (Self.inOrder(kept), kept.isEmpty ? "" : text)
  }

  /// By section, and there in the order of the events: an item more or less moves no other.
  private static func inOrder(_ items: [ContextItem]) -> [ContextItem] {
    let order = Dictionary(uniqueKeysWithValues: ContextSection.allCases.enumerated().map { ($1, $0) })
    return items.sorted { a, b in
      a.section == b.section
        ? a.event.version < b.event.version : order[a.section, default: 0] < order[b.section, default: 0]
    }
  }

  private static func text(_ title: String, _ items: [ContextItem]) -> String {
    var text = "# \(title)\n"
    var section: ContextSection?
    for item in items {
      if item.section != section { text += "\n## \(item.section.heading)\n" }
      section = item.section
      text += "- \(item.text)\n"
    }
    return text
  }
}

extension Timestamp {
  /// The day: `2026-03-04`.
  fileprivate var dateText: String { String(description.prefix(10)) }
}

extension JSONText {
  /// A text without its quotation marks; anything else as JSON.
  fileprivate var shownText: String {
    (try? JSONParser().parse(utf8.span) { $0.string }).flatMap { $0 } ?? String(decoding: utf8, as: UTF8.self)
  }
}
