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
  /// Of each memory that is a fact, its key.
  private let keys: [ItemKey?]
  private let decay: Decay

  /// - Parameter head: The version up to which texts count where they go by occurrence: later ones may have occurred
  ///   earlier, and the state holds all that had come in by then.
  init(_ state: StateAt, _ index: RecallIndex, head: StreamVersion, decay: Decay) {
    self.decay = decay
    self.state = state
    self.index = index
    if case .occurred = state.asOf { last = head } else { last = state.version }
    var memories = Self.texts(of: index.memories, at: state, through: last)
    var used = memories.times.map { (at: $0, importance: decay.defaultImportance) }
    var keys = [ItemKey?](repeating: nil, count: memories.count)
    state.state.facts.forEachUnordered { fact in
      guard !fact.isExpired(at: state.clock) else { return }
      let importance = decay.importance(of: fact, at: state.clock)
      guard importance >= decay.archivedBelow, let text = memories.text(of: fact.wordedAt.number) else { return }
      used[text] = (fact.updatedAt.microseconds, importance)
      keys[text] = fact.key
    }
    let isSummary = Self.summaries(in: memories)
    for text in 0..<memories.count where memories.isCandidate[text] {
      switch memories.kind(of: text) {
      case .fact: memories.isCandidate[text] = keys[text] != nil
      case .summary: memories.isCandidate[text] = isSummary[text] && memories.lengths[text] > 0
      default: break
      }
    }
    self.memories = memories
    self.used = used
    self.keys = keys
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
      let session = texts.sessions[text]
      // Of a session that has not ended, nothing was distilled.
      if (current[session] != nil) == texts.isReplacement(text) { current[session] = text }
    }
    var isCurrent = [Bool](repeating: false, count: texts.count)
    for text in current.values { isCurrent[text] = true }
    return isCurrent
  }

  /// The fact of a ranked text, and its importance as it has faded.
  func fact(_ ranked: RankedText) -> (Fact, importance: Double)? {
    guard let key = keys[ranked.text], let fact = state.state.facts[key: key] else { return nil }
    return (fact, decay.importance(of: fact, at: state.clock))
  }

  // MARK: Ranking

  /// All that may answer a question, by rank.
  ///
  /// - Parameter session: The number of the session it is limited to; 0 for one that does not exist.
  func rank(_ query: RecallQuery, session: UInt64?, _ meaning: SemanticAnswer?, _ analyzer: TextAnalyzer) -> RankedTexts
  {
    let terms = Array(Set(analyzer.terms(of: query.text))).sorted()
    let time = QueryTime(of: query.text, now: state.clock)
    var ranked = RankedTexts(expecting: query.topK)
    if query.kinds != [.message] {
      let words = WordScores(of: terms, in: index.memories, memories, sessionCount: 0)
      let ranking = Ranking(
        memories, words, .memories, isWordless: terms.isEmpty, time: time, now: state.clock,
        meaning: meaning?.scores(of: memories, [.fact, .summary, .episode], missing: &ranked.missing), used: used)
      var isWanted = memories.isCandidate
      for text in isWanted.indices where isWanted[text] { isWanted[text] = self.isWanted(text, query, session) }
      ranked.add(isWanted, ranking)
    }
    if query.kinds.contains(.message), query.tags.isEmpty, query.wantsEpisodic,
      query.minImportance ?? 0 <= decay.defaultImportance
    {
      let messages = Self.texts(of: index.messages, at: state, through: last)
      let words = WordScores(of: terms, in: index.messages, messages, sessionCount: index.sessions.count)
      let ranking = Ranking(
        messages, words, .messages, isWordless: terms.isEmpty, time: time, now: state.clock,
        meaning: meaning?.scores(of: messages, [.message], missing: &ranked.missing))
      let ordinal = session.map { index.ordinal(ofSession: $0) ?? .max }
      let range = query.range
      var isWanted = messages.isCandidate
      for text in isWanted.indices where isWanted[text] {
        isWanted[text] =
          messages.lengths[text] > 0 && range.contains(messages.times[text])
          && (ordinal == nil || messages.sessions[text] == ordinal)
      }
      ranked.add(isWanted, ranking)
    }
    return ranked
  }

  /// All facts that can be recalled, each with how much of a question it meets: 0…1.
  func facts(relevantTo question: String, _ meaning: SemanticAnswer?, _ analyzer: TextAnalyzer) -> [(
    fact: Fact, relevance: Float
  )] {
    let terms = Array(Set(analyzer.terms(of: question))).sorted()
    let words = WordScores(of: terms, in: index.memories, memories, sessionCount: 0)
    var missing = 0
    let ranking = Ranking(
      memories, words, .memories, isWordless: terms.isEmpty, time: QueryTime(of: question, now: state.clock),
      now: state.clock, meaning: meaning?.scores(of: memories, [.fact], missing: &missing), used: used)
    return keys.indices.compactMap { text in
      guard let key = keys[text], let fact = state.state.facts[key: key] else { return nil }
      return (fact, ranking.parts(of: text).relevance)
    }
  }

  private func isWanted(_ text: Int, _ query: RecallQuery, _ session: UInt64?) -> Bool {
    guard query.kinds.contains(memories.kind(of: text)) else { return false }
    if let least = query.minImportance, used[text].importance < least { return false }
    guard let key = keys[text] else {
      if !query.tags.isEmpty || !query.wantsEpisodic || query.minStatedImportance != nil { return false }
      if let session, index.ordinal(ofSession: session) ?? .max != memories.sessions[text] { return false }
      return query.range.contains(memories.times[text])
    }
    // Most questions are not limited, and a fact costs something to look at.
    if query.isUnlimited { return true }
    guard let fact = state.state.facts[key: key] else { return false }
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
    for text in 0..<texts.count where texts.isCandidate[text] && texts.lengths[text] > 0 && !isKnown[text] {
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
