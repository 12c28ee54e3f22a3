// A person's memory at a point, ready to be ranked for any question: the texts that could be answered with then.
internal import EventStore

/// What can be recalled at a point.
struct MemoryAtPoint {
  let state: StateAt
  private let index: RecallIndex
  /// The highest version that may be answered with.
  let last: StreamVersion
  /// Facts, summaries and episodes.
  private let memories: TextsAtPoint
  /// Of each memory, when it was used last and its importance as it has faded.
  private let used: [(at: Int64, importance: Double)]
  private let facts: [FactWording]
  /// Of each memory that is a fact to be recalled, its place among the facts; of others -1.
  private let places: [Int]
  /// Texts of facts that have faded and count in a context all the same, each with its place among the facts.
  private let lasting: [(text: Int, place: Int)]
  /// How many facts are not to be recalled since they have faded.
  let faded: Int
  private let decay: Decay

  /// - Parameter head: The version up to which texts count where they go by occurrence: later ones may have occurred
  ///   earlier, and the state holds all that had come in by then.
  init(_ state: StateAt, _ index: RecallIndex, head: StreamVersion, decay: Decay) {
    let facts = state.state.facts.wordings
    self.state = state
    self.facts = facts
    self.index = index
    self.decay = decay
    if case .occurred = state.asOf { last = head } else { last = state.version }
    var memories = Self.texts(of: index.memories, at: state, through: last)
    var used = [(at: Int64, importance: Double)](repeating: (0, decay.defaultImportance), count: memories.count)
    var places = [Int](repeating: -1, count: memories.count)
    // Both are in the order of the versions.
    var place = 0
    var faded = 0
    var lasting: [(text: Int, place: Int)] = []
    for text in 0..<memories.count {
      used[text].at = memories.columns.times[text]
      while place < facts.count, facts[place].version < memories.columns.versions[text] { place += 1 }
      guard place < facts.count, facts[place].version == memories.columns.versions[text],
        facts[place].expiresAt > state.clock.microseconds
      else { continue }
      let usedAt = facts[place].usedAt
      let importance = decay.importance(facts[place].importance, usedAt: usedAt, at: state.clock)
      guard importance >= decay.archivedBelow else {
        faded += 1
        if FactCategory.lasting.contains(facts[place].category) { lasting.append((text, place)) }
        continue
      }
      used[text] = (usedAt, importance)
      places[text] = place
    }
    let isSummary = Self.summaries(in: memories)
    for text in 0..<memories.count where memories.isCandidate[text] {
      switch memories.kind(of: text) {
      case .fact: memories.isCandidate[text] = places[text] >= 0
      case .summary: memories.isCandidate[text] = isSummary[text] && memories.columns.lengths[text] > 0
      default: break
      }
    }
    self.memories = memories
    self.used = used
    self.places = places
    self.faded = faded
    self.lasting = lasting
  }

  private static func texts(of index: TermIndex, at state: StateAt, through last: StreamVersion) -> TextsAtPoint {
    var occurred: Timestamp?
    if case .occurred(let time) = state.asOf { occurred = time }
    return TextsAtPoint(of: index, through: last.number, occurredThrough: occurred)
  }

  /// Of each text, whether it is the summary of its session: that of its first end, or the last that was distilled since,
  /// in the order of the fold.
  private static func summaries(in texts: borrowing TextsAtPoint) -> [Bool] {
    var current: [UInt32: Int] = [:]
    for text in texts.inOrder where texts.isCandidate[text] && texts.kind(of: text) == .summary {
      let session = texts.columns.sessions[text]
      // Of a session that has not ended, nothing was distilled.
      if (current[session] != nil) == texts.isReplacement(text) { current[session] = text }
    }
    var isCurrent = [Bool](repeating: false, count: texts.count)
    for text in current.values { isCurrent[text] = true }
    return isCurrent
  }

  /// The fact of a ranked text, and its importance as it has faded.
  func fact(_ ranked: RankedText) -> (Fact, importance: Double)? {
    let place = places[ranked.text]
    return place < 0 ? nil : (fact(at: place), used[ranked.text].importance)
  }

  /// The fact at a place among the wordings.
  @inline(__always)
  func fact(at place: Int) -> Fact { state.state.facts[facts[place]] }

  // MARK: Ranking

  /// All that may answer a question, by rank.
  ///
  /// - Parameter session: The number of the session it is limited to; 0 for one that does not exist.
  func rank(_ query: RecallQuery, session: UInt64?, _ meaning: SemanticAnswer?, _ analyzer: TextAnalyzer) -> RankedTexts
  {
    let said = analyzer.said(in: query.text)
    let time = QueryTime(of: query.text, now: state.clock)
    var ranked = RankedTexts(expecting: query.topK)
    if query.kinds != [.message] {
      let words = WordScores(of: said.terms, in: index.memories, memories, sessionCount: 0)
      let ranking = Ranking(
        memories, words, .memories, isWordless: said.length == 0, time: time, now: state.clock,
        meaning: meaning?.scores(of: memories, [.fact, .summary, .episode], missing: &ranked.missing), used: used)
      var isWanted = memories.isCandidate
      for text in isWanted.indices where isWanted[text] { isWanted[text] = self.isWanted(text, query, session) }
      ranked.add(isWanted, ranking)
    }
    if query.kinds.contains(.message), query.tags.isEmpty, query.wantsEpisodic,
      query.minImportance ?? 0 <= decay.defaultImportance
    {
      let messages = Self.texts(of: index.messages, at: state, through: last)
      let words = WordScores(of: said.terms, in: index.messages, messages, sessionCount: index.sessions.count)
      let ranking = Ranking(
        messages, words, .messages, isWordless: said.length == 0, time: time, now: state.clock,
        meaning: meaning?.scores(of: messages, [.message], missing: &ranked.missing))
      let ordinal = session.map { index.ordinal(ofSession: $0) ?? .max }
      let (range, isUnlimited) = (query.range, query.isUnlimited)
      var isWanted = messages.isCandidate
      for text in isWanted.indices where isWanted[text] {
        // What has nothing but stop words answers only those that ask for these.
        isWanted[text] = messages.columns.lengths[text] > 0 || words.own[text] > 0
        if isUnlimited || !isWanted[text] { continue }
        isWanted[text] =
          range.contains(messages.columns.times[text])
          && (ordinal == nil || messages.columns.sessions[text] == ordinal)
      }
      ranked.add(isWanted, ranking)
    }
    return ranked
  }

  /// Lends all facts that count in a context to `body`, each with its place and how much of a question it meets: 0…1.
  ///
  /// - Returns: How many of them might be nearer in meaning than is known, since they have no vector.
  func forEachFact(
    relevantTo question: String, _ meaning: SemanticAnswer?, _ analyzer: TextAnalyzer,
    _ body: (_ place: Int, borrowing FactWording, _ relevance: Float) -> Void
  ) -> Int {
    let said = analyzer.said(in: question)
    var texts = memories
    for fact in lasting { texts.isCandidate[fact.text] = true }
    let words = WordScores(of: said.terms, in: index.memories, texts, sessionCount: 0)
    var missing = 0
    let ranking = Ranking(
      texts, words, .memories, isWordless: said.length == 0, time: QueryTime(of: question, now: state.clock),
      now: state.clock, meaning: meaning?.scores(of: texts, [.fact], missing: &missing), used: used)
    let wordings = facts.span
    for text in places.indices where places[text] >= 0 {
      body(places[text], wordings[places[text]], ranking.parts(of: text).relevance)
    }
    for (text, place) in lasting { body(place, wordings[place], ranking.parts(of: text).relevance) }
    return missing
  }

  private func isWanted(_ text: Int, _ query: RecallQuery, _ session: UInt64?) -> Bool {
    guard query.kinds.contains(memories.kind(of: text)) else { return false }
    if let least = query.minImportance, used[text].importance < least { return false }
    if places[text] < 0 {
      if !query.tags.isEmpty || !query.wantsEpisodic || query.minStatedImportance != nil { return false }
      if let session, index.ordinal(ofSession: session) ?? .max != memories.columns.sessions[text] { return false }
      return query.range.contains(memories.columns.times[text])
    }
    // Most questions are not limited, and a fact costs something to look at.
    if query.isUnlimited { return true }
    let fact = fact(at: places[text])
    if let least = query.minStatedImportance, decay.statedImportance(of: fact) < least { return false }
    if let session, fact.session?.number != session { return false }
    if !query.memoryTypes.isEmpty, !query.memoryTypes.contains(fact.memoryType ?? .semantic) { return false }
    if !query.tags.isEmpty {
      let tags = fact.tags?.strings ?? []
      if !tags.contains(where: query.tags.contains) { return false }
    }
    return query.range.contains(fact.learnedAt.microseconds)
  }
}

extension SemanticAnswer {
  /// The cosine of each text of these kinds; 0 for one without a vector. `nil` where there are no scores at all.
  ///
  /// - Parameter missing: Grows by the texts that could be answered with and have no vector.
  fileprivate func scores(
    of texts: borrowing TextsAtPoint, _ kinds: [MemoryKind], missing: inout Int
  ) -> [Float]? {
    if absence != nil { return nil }
    var scores = [Float](repeating: 0, count: texts.count)
    var isKnown = [Bool](repeating: false, count: texts.count)
    for kind in kinds {
      forEachScore(of: kind) { version, score in
        guard let text = texts.text(of: version.number) else { return }
        scores[text] = score
        isKnown[text] = true
      }
    }
    for text in 0..<texts.count where texts.isCandidate[text] && texts.columns.lengths[text] > 0 && !isKnown[text] {
      missing += 1
    }
    return scores
  }
}

extension RecallQuery {
  fileprivate var range: ClosedRange<Int64> {
    (since ?? .earliest).microseconds...(until ?? .latest).microseconds
  }

  fileprivate var wantsEpisodic: Bool { memoryTypes.isEmpty || memoryTypes.contains(.episodic) }

  fileprivate var isUnlimited: Bool {
    session == nil && tags.isEmpty && memoryTypes.isEmpty && since == nil && until == nil && minStatedImportance == nil
  }
}
