// Remembering, revising, forgetting: each decided by the facts there are, and appended if nobody came in between.
public import EventStore
public import JSON

/// What is to be otherwise about a memory; what is not said stays. Nothing said at all confirms it as it is.
public struct MemoryRevision: Sendable {
  /// What is known now.
  public var content: String?
  /// What it is about now.
  public var category: String?
  /// How much it matters now.
  public var importance: Fraction?
  /// What kind of memory it is now.
  public var memoryType: MemoryType?
  /// How sure it is now.
  public var confidence: Fraction?
  /// Words to find it by from now on, instead of those before.
  public var tags: [String]?
  /// The application's own from now on, instead of what was there: an object.
  public var metadata: JSONText?
  /// How long it holds from now on.
  public var lifetime: MemoryDraft.Lifetime?

  /// Changes nothing, unless told otherwise. It is checked when it is used.
  public init(
    content: String? = nil, category: String? = nil, importance: Fraction? = nil, memoryType: MemoryType? = nil,
    confidence: Fraction? = nil, tags: [String]? = nil, metadata: JSONText? = nil,
    lifetime: MemoryDraft.Lifetime? = nil
  ) {
    self.content = content
    self.category = category
    self.importance = importance
    self.memoryType = memoryType
    self.confidence = confidence
    self.tags = tags
    self.metadata = metadata
    self.lifetime = lifetime
  }

  func check() throws(MemoirError) {
    if let content { try MemoryRule.check(content: content) }
    if let category { try MemoryRule.check(category: category) }
    if let tags { _ = try MemoryRule.checked(tags: tags) }
    try MemoryRule.check(metadata: metadata)
    try MemoryRule.check(lifetime: lifetime)
  }
}

extension MemoirStore {
  /// Remembers something about a user: as a new fact, by confirming the one that says the same, or in the place of those
  /// that it contradicts.
  ///
  /// ```swift
  /// let outcome = try await store.remember(MemoryDraft("Lives in Porto", category: "home"), for: bob).result
  /// ```
  /// Agents and processes that remember at the same time are put in order, so that none of them stores a fact twice or
  /// loses what another has said. After a failure that leaves the outcome open, remembering again confirms what had been
  /// stored; a draft with a ``MemoryDraft/factID`` even changes nothing the second time, whatever became of the fact since.
  ///
  /// - Parameters:
  ///   - agent: Who says so; kept in the events' metadata.
  ///   - judge: Asked about facts that the rules leave open; else ``MemoryOptions/judge``.
  /// - Throws: `id_conflict` where the draft's id belongs to another fact; `version_conflict` where others kept coming in
  ///   between for as long as `retry` allows.
  @discardableResult
  public func remember(
    _ draft: MemoryDraft, for user: StreamName, agent: String? = nil,
    judge: (any ContradictionJudge)? = nil, retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<MemoryOutcome> {
    let updated = try await remember([draft], for: user, agent: agent, judge: judge, retry: retry)
    return Updated(result: updated.result[0], version: updated.version, eventIDs: updated.eventIDs)
  }

  /// Remembers several things at once: all or none. Later ones are held against earlier ones too.
  ///
  /// - Parameter merging: Which memories confirm a fact instead of becoming one.
  /// - Returns: An outcome for each draft, in order.
  @discardableResult
  public func remember(
    _ drafts: [MemoryDraft], for user: StreamName, agent: String? = nil, merging: MergeRule = .meaning,
    judge: (any ContradictionJudge)? = nil, retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<[MemoryOutcome]> {
    var judged: [[FactID]] = []
    if let judge = judge ?? memory.judge { judged = try await ask(judge, about: drafts, of: user) }
    return try await update(user, retry: retry) { [judged] state throws(MemoirError) in
      let clock = state?.clock ?? self.clock()
      let facts = state?.state.facts
      let sessions = merging == .identity ? try self.numbers(of: drafts.compactMap(\.session), of: user) : [:]
      let steps = try FactPlan.steps(
        for: drafts, against: facts?.facts ?? [], at: clock, judged: judged, merging: merging, sessions: sessions,
        earlier: { id throws(MemoirError) in
          guard let state else { return nil }
          return try self.earlierFact(under: id, in: state)
        }, newID: { FactID(EventID.generate(at: clock)) })
      var events: [EventData] = []
      for (draft, step) in zip(drafts, steps) {
        for event in step.events {
          // A new fact goes by its event's id, as one does that is appended without an id.
          var id: EventID?
          if case .factLearned(let learned) = event, draft.factID == nil { id = learned.factID?.eventID }
          // What is confirmed under an id of its own is known by it when it comes again.
          if case .factRevised(let revised) = event, revised.supersededBy == nil, let own = draft.factID {
            id = try self.origin(of: user).map { .confirming(own, $0) } ?? events.first.map { .confirming(own, $0.id) }
          }
          guard case .factLearned = event, let occurredAt = draft.occurredAt else {
            events.append(try self.event(event, session: draft.session, id: id, at: clock, agent: agent))
            continue
          }
          events.append(try self.event(event, session: draft.session, id: id, at: occurredAt, agent: agent))
          // What is long ago is of use today, or it would have faded before it was ever recalled.
          if occurredAt < clock {
            events.append(try self.event(step.use(), session: draft.session, at: clock, agent: agent))
          }
        }
      }
      return Decision(append: events, result: steps.map(\.outcome))
    }
  }

  /// Changes a memory. With a new content or category it takes the place of those that say the same or are contradicted
  /// by it, save for what is contradicted and holds for longer. Of those that say the same, it takes over what matters more:
  /// the longest life, the greatest importance, and all tags there is room for.
  ///
  /// - Throws: `not_found` where there is no such memory now, the forgotten included; `invalid_argument` as
  ///   ``MemoryDraft`` does.
  @discardableResult
  public func revise(
    _ id: FactID, of user: StreamName, _ revision: MemoryRevision, session: SessionID? = nil,
    agent: String? = nil, retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<MemoryOutcome> {
    try revision.check()
    return try await update(user, retry: retry) { state throws(MemoirError) in
      guard let state else { throw .noUser(user) }
      let fact = try state.memory(id)
      var superseded: [FactID] = []
      var merged = MergedLife(fact, revision, try revision.lifetime?.end(from: state.clock))
      if revision.content != nil || revision.category != nil {
        var live = LiveFacts(state.state.facts.facts, at: state.clock)
        let (same, contradicted) = live.judge(
          FactReading(revision.content ?? fact.fact), in: revision.category ?? fact.category, besides: id)
        for entry in same { merged.take(entry) }
        superseded = same.map(\.id) + contradicted.filter { live.holds($0, until: merged.end) }
      }
      var contents: [FactRevised] = []
      do {
        contents.append(
          try FactRevised(
            factID: id, fact: revision.content, category: revision.category, confidence: revision.confidence,
            importance: merged.newImportance, memoryType: revision.memoryType,
            tags: merged.newTags.map(MemoryRule.checked), expiresAt: merged.newEnd, metadata: revision.metadata))
        for old in superseded { contents.append(try FactRevised(factID: old, supersededBy: id)) }
      } catch {
        throw MemoirError(error)
      }
      var events: [EventData] = []
      for content in contents {
        events.append(try self.event(.factRevised(content), session: session, at: state.clock, agent: agent))
      }
      return Decision(
        append: events, result: MemoryOutcome(kind: .revised, factID: id, superseded: superseded))
    }
  }

  /// Forgets a memory: it is shown and recalled no more. History keeps it, and as-of before this it is still there.
  ///
  /// - Throws: `not_found` where there is no such memory now: also the second time.
  @discardableResult
  public func forget(
    _ id: FactID, of user: StreamName, reason: String? = nil, session: SessionID? = nil, agent: String? = nil,
    retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<Fact> {
    let content: FactForgotten
    do {
      content = try FactForgotten(factID: id, reason: reason)
    } catch {
      throw MemoirError(InvalidValue(field: "reason", reason: error.reason))
    }
    return try await update(user, retry: retry) { state throws(MemoirError) in
      guard let state else { throw .noUser(user) }
      let fact = try state.memory(id)
      return Decision(
        append: [try self.event(.factForgotten(content), session: session, at: state.clock, agent: agent)], result: fact
      )
    }
  }

  /// For each draft, what a judge says is contradicted by it, among the facts that the rules leave open.
  private func ask(
    _ judge: any ContradictionJudge, about drafts: [MemoryDraft], of user: StreamName
  ) async throws(MemoirError) -> [[FactID]] {
    guard let state = try stateIfKnown(of: user) else { return [] }
    var judged: [[FactID]] = []
    for draft in drafts {
      let candidates = LiveFacts.open(state.facts.filter { $0.category == draft.category }, to: draft.content)
      let allowed = Set(candidates.map(\.factID))
      var found: [FactID] = []
      // A judge that fails has said nothing.
      if !candidates.isEmpty { found = (try? await judge.contradicted(by: draft.content, among: candidates)) ?? [] }
      judged.append(found.filter(allowed.contains))
    }
    return judged
  }
}

/// How long a revised fact holds, how much it matters and how it is found, once it stands for others that say the same.
private struct MergedLife {
  /// When it no longer holds; `nil` for never.
  private(set) var end: Timestamp?
  private var importance: Fraction?
  private var tags: [String]
  /// What is to be written of it: only what becomes otherwise.
  private(set) var newEnd: Timestamp?
  private(set) var newImportance: Fraction?
  private(set) var newTags: [String]?

  init(_ fact: Fact, _ revision: MemoryRevision, _ newEnd: Timestamp?) {
    self.newEnd = newEnd
    end = newEnd ?? fact.expiresAt
    newImportance = revision.importance
    importance = revision.importance ?? fact.importance
    newTags = revision.tags
    tags = revision.tags ?? fact.tags?.strings ?? []
  }

  mutating func take(_ entry: LiveFacts.Entry) {
    if let end, entry.expiresAt ?? .latest > end {
      newEnd = entry.expiresAt ?? .latest
      self.end = newEnd
    }
    // A memory of no stated importance counts as one of the middle.
    if let theirs = entry.importance, theirs > importance ?? 0.5 {
      newImportance = theirs
      importance = theirs
    }
    let all = LiveFacts.tags(tags, and: entry.tags)
    if all.count > tags.count {
      newTags = all
      tags = all
    }
  }
}

extension MemoirStore {
  /// The first event of a user. Its id goes into those derived here: what is known of one user says nothing of another.
  private func origin(of user: StreamName) throws(MemoirError) -> EventID? {
    do { return try log.event(at: 1, of: user)?.id } catch { throw MemoirError(error) }
  }

  /// What was remembered under an id up to a state: as a fact of its own, or by confirming another one.
  ///
  /// - Complexity: O(log events) for an id that nobody has used, O(events of the user) otherwise
  private func earlierFact(under id: FactID, in state: StateAt) throws(MemoirError) -> FactPlan.EarlierFact? {
    let facts = state.state.facts
    do {
      if facts[id] != nil || facts.isGone(id) {
        var said: (text: String, category: String)?
        try log.forEachEvent(of: state.user, through: AsOfText.version(state.version).asOf) {
          event throws(DamagedBytes) in
          guard said == nil, !event.isRedacted, event.type == .factLearned else { return }
          var fields = FactFields()
          try fields.read(event.payload)
          guard (fields.factID ?? FactID(event.id)) == id, let text = fields.fact, let category = fields.category else {
            return
          }
          said = (text, category)
        }
        return FactPlan.EarlierFact(id: id, said: said)
      }
      guard let origin = try origin(of: state.user),
        let event = try log.event(.confirming(id, origin), of: state.user), event.version <= state.version
      else { return nil }
      guard !event.isRedacted, case .factRevised(let confirmation)? = try MemoirEvent(event) else {
        return FactPlan.EarlierFact(id: id)
      }
      let known = try self.state(of: state.user, at: .version(event.version)).state.facts[confirmation.factID]
      return FactPlan.EarlierFact(id: confirmation.factID, said: known.map { ($0.fact, $0.category) })
    } catch {
      throw MemoirError(error)
    }
  }
}

extension EventID {
  /// The id of the event that confirms a fact by what is remembered under another id.
  fileprivate static func confirming(_ id: FactID, _ origin: EventID) -> EventID {
    .derived(from: origin, ["confirmed", id.description])
  }
}

extension LiveFacts {
  /// How many facts a judge is asked about at most: those learned last.
  static let judgedAtMost = 10
  /// A shorter word says too little about what a fact is about.
  private static let shortestWord = 4

  /// The facts that a judge may be asked about: unrelated by the rules, and with a word in common.
  static func open(_ facts: [Fact], to content: String) -> [Fact] {
    let reading = FactReading(content)
    let words = Set(reading.sentence.texts.filter { $0.count >= shortestWord })
    let candidates = facts.reversed().lazy.filter { fact in
      let other = Sentence(fact.fact)
      return !words.isDisjoint(with: other.texts) && reading.verdict(on: other) == .unrelated
    }
    return Array(candidates.prefix(judgedAtMost))
  }
}
