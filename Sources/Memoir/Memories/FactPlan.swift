// What becomes of memories that are handed in: decided by the facts there are, before anything is appended.
public import EventStore
internal import JSON

/// What became of a memory that was handed in.
public struct MemoryOutcome: Hashable, Sendable {
  /// What was done with it.
  public enum Kind: String, Sendable {
    /// It is a new fact.
    case stored
    /// A live fact says the same: it is surer now, and counts as used.
    case confirmed
    /// It was there already under the id it names; nothing was done.
    case unchanged
    /// A fact was changed, as the caller asked.
    case revised
  }

  /// What was done.
  public let kind: Kind
  /// The fact that holds now.
  public let factID: FactID
  /// The facts whose place it took, in the order they were learned in.
  public let superseded: [FactID]
}

/// Which memories confirm a live fact instead of becoming one of their own.
public enum MergeRule: Hashable, Sendable {
  /// Those that say what a fact says, in whatever words.
  case meaning
  /// Those that say what a fact says and have its type, tags, metadata and session too; the fact then has their
  /// words. One with an id of its own confirms no other, and an id whose fact is gone is not used again.
  case identity
}

/// Plans the events by which memories become facts.
///
/// Within its category, a memory that says what a live fact says confirms it, and one that contradicts live facts
/// supersedes them (``Contradiction``), save for those that hold for longer than it does. The memories of one batch are planned against each other too, in their order.
public enum FactPlan {
  /// The events to append for `drafts`, in order, and what becomes of each draft.
  ///
  /// Pure, save for the ids of new facts. A confirmed fact keeps its words, type and metadata; its doubt is halved (to four
  /// decimals, never to nothing), its importance is the greater one, its tags are those of both, as far as there is room for
  /// them (``Limits/tagsPerMemory``), and it holds as long as
  /// the longer-lived of both: what is confirmed without an end holds to the end of the year 9999.
  ///
  /// - Parameters:
  ///   - facts: The facts that were neither forgotten nor superseded. Those that have expired at `clock` are passed over.
  ///   - clock: When the memories are learned.
  ///   - judged: For each draft, the facts that a judge besides the rules found contradicted.
  ///   - isTaken: Whether an id belongs to a fact that is live no more.
  ///   - newID: Makes the id of a new fact that names none.
  /// - Throws: `id_conflict` where a draft names the id of another fact; `invalid_argument` for an end that has passed.
  /// - Complexity: O(facts + drafts × facts of their categories)
  public static func events(
    for drafts: [MemoryDraft], against facts: [Fact], at clock: Timestamp, judged: [[FactID]] = [],
    isTaken: (FactID) -> Bool = { _ in false }, newID: (() -> FactID)? = nil
  ) throws(MemoirError) -> (events: [MemoirEvent], outcomes: [MemoryOutcome]) {
    let steps = try steps(
      for: drafts, against: facts, at: clock, judged: judged,
      earlier: { isTaken($0) ? EarlierFact(id: $0) : nil },
      newID: newID ?? { FactID(EventID.generate(at: clock)) })
    return (steps.flatMap(\.events), steps.map(\.outcome))
  }

  /// A draft's events and what becomes of it.
  struct Step {
    var events: [MemoirEvent]
    var outcome: MemoryOutcome

    /// That the fact was of use.
    func use() throws(MemoirError) -> MemoirEvent {
      do throws(InvalidValue) { return .factRevised(try FactRevised(factID: outcome.factID)) } catch {
        throw MemoirError(error)
      }
    }
  }

  /// What was remembered under an id before.
  struct EarlierFact {
    /// The fact that it became: another one where it was confirmed.
    var id: FactID
    /// What was said, and of what category; `nil` where nobody can tell any more.
    var said: (text: String, category: String)?
  }

  /// - Parameter earlier: What became of the id of a draft before, unless a live fact has it.
  static func steps(
    for drafts: [MemoryDraft], against facts: [Fact], at clock: Timestamp, judged: [[FactID]],
    merging: MergeRule = .meaning, sessions: [SessionID: StreamVersion] = [:],
    earlier: (FactID) throws(MemoirError) -> EarlierFact?, newID: () -> FactID
  ) throws(MemoirError) -> [Step] {
    var live = LiveFacts(facts, at: clock)
    var steps: [Step] = []
    for (index, draft) in drafts.enumerated() {
      do {
        steps.append(
          try step(
            for: draft, against: &live, at: clock, judged: index < judged.count ? judged[index] : [],
            merging: merging, sessions: sessions, earlier: earlier, newID: newID))
      } catch {
        throw MemoirError(error)
      }
    }
    return steps
  }

  private static func step(
    for draft: MemoryDraft, against live: inout LiveFacts, at clock: Timestamp, judged: [FactID],
    merging: MergeRule, sessions: [SessionID: StreamVersion],
    earlier: (FactID) throws(MemoirError) -> EarlierFact?, newID: () -> FactID
  ) throws -> Step {
    let reading = FactReading(draft.content)
    let end = try draft.lifetime?.end(from: clock)
    if let id = draft.factID {
      var known = live.remembered(under: id)
      // What was revised since is still known by what was said at first.
      if known?.says(reading, draft.category) != true, let first = try earlier(id) { known = first }
      if let known {
        guard known.says(reading, draft.category), merging == .meaning || live[known.id] != nil else {
          throw MemoirError.taken(id)
        }
        return Step(events: [], outcome: MemoryOutcome(kind: .unchanged, factID: known.id, superseded: []))
      }
    }
    let (known, contradicted) = live.judge(reading, in: draft.category, judged: judged)
    let same =
      switch merging {
      case .meaning: known.first
      case .identity: draft.factID == nil ? known.first { $0.isIdentical(to: draft, sessions) } : nil
      }
    var events: [MemoirEvent] = []
    let id: FactID
    if let same {
      id = same.id
      events.append(.factRevised(try live.confirm(same, by: draft, until: end, takingWords: merging == .identity)))
      if let own = draft.factID { live.confirmed[own] = same.id }
    } else {
      id = draft.factID ?? newID()
      events.append(
        .factLearned(
          try FactLearned(
            fact: draft.content, category: draft.category, confidence: draft.confidence, factID: id,
            importance: draft.importance, memoryType: draft.memoryType,
            tags: draft.tags.isEmpty ? nil : draft.tags, sourceMessageID: draft.sourceMessageID,
            expiresAt: end, metadata: draft.metadata)))
      live.learn(id, draft, reading, until: end)
    }
    let life = live[id]?.expiresAt
    let superseded = contradicted.filter { $0 != id && live.holds($0, until: life) }
    for old in superseded {
      events.append(.factRevised(try FactRevised(factID: old, supersededBy: id)))
      live.remove(old)
    }
    return Step(
      events: events,
      outcome: MemoryOutcome(kind: same == nil ? .stored : .confirmed, factID: id, superseded: superseded))
  }
}

/// The facts that new ones are held against, as they are while a batch is planned.
struct LiveFacts {
  struct Entry {
    /// Where it was learned: in a session by its number, or by its name where that is of the batch.
    enum Home {
      case known(StreamVersion?)
      case batch(SessionID?)
    }

    let id: FactID
    var text: String
    let category: String
    let memoryType: MemoryType?
    let metadata: JSONText?
    let home: Home
    var confidence: Fraction
    var importance: Fraction?
    var tags: [String]
    var expiresAt: Timestamp?
    var live: LiveReading?

    /// What a new fact is to it.
    mutating func verdict(by new: FactReading) -> Contradiction.Verdict {
      var reading = live ?? LiveReading(Sentence(text))
      // Moved out and in, not copied.
      live = nil
      defer { live = reading }
      return new.verdict(on: &reading)
    }

    /// Whether a draft that says the same is the same in everything else.
    func isIdentical(to draft: MemoryDraft, _ sessions: [SessionID: StreamVersion]) -> Bool {
      let isAtHome =
        switch home {
        case .batch(let session): session == draft.session
        case .known(let number): draft.session.map { number != nil && sessions[$0] == number } ?? (number == nil)
        }
      return isAtHome && memoryType ?? .semantic == draft.memoryType && Set(tags) == Set(draft.tags)
        && (metadata ?? .emptyObject).isSame(as: draft.metadata ?? .emptyObject)
    }
  }

  /// In the order they were learned in.
  private var entries: [Entry] = []
  private var places: [FactID: Int] = [:]
  private var byCategory: [String: [Int]] = [:]
  private var expired: [FactID: Entry] = [:]
  /// The facts that drafts of this batch confirmed, by the ids the drafts had.
  var confirmed: [FactID: FactID] = [:]

  init(_ facts: [Fact], at clock: Timestamp) {
    for fact in facts {
      let entry = Entry(
        id: fact.factID, text: fact.fact, category: fact.category, memoryType: fact.memoryType,
        metadata: fact.metadata, home: .known(fact.session), confidence: fact.confidence, importance: fact.importance,
        tags: fact.tags?.strings ?? [], expiresAt: fact.expiresAt)
      if fact.isExpired(at: clock) { expired[fact.factID] = entry } else { add(entry) }
    }
  }

  private mutating func add(_ entry: Entry) {
    places[entry.id] = entries.count
    byCategory[entry.category, default: []].append(entries.count)
    entries.append(entry)
  }

  subscript(id: FactID) -> Entry? { places[id].map { entries[$0] } }

  /// What was remembered under an id, as it is worded now: expired, superseded or only confirmed in this batch as well.
  func remembered(under id: FactID) -> FactPlan.EarlierFact? {
    let id = confirmed[id] ?? id
    guard let entry = self[id] ?? expired[id] ?? entries.last(where: { $0.id == id }) else { return nil }
    return FactPlan.EarlierFact(id: id, said: (entry.text, entry.category))
  }

  /// Whether a fact holds no longer than to `end`; `nil` is for ever.
  func holds(_ id: FactID, until end: Timestamp?) -> Bool {
    (self[id]?.expiresAt ?? .latest) <= end ?? .latest
  }

  /// The facts that say the same, and those that do not hold beside it.
  mutating func judge(
    _ reading: FactReading, in category: String, judged: [FactID] = [], besides own: FactID? = nil
  ) -> (same: [Entry], contradicted: [FactID]) {
    var same: [Entry] = []
    var contradicted: [FactID] = []
    for place in byCategory[category] ?? [] where entries[place].id != own {
      switch entries[place].verdict(by: reading) {
      case .same: same.append(entries[place])
      case .supersedes: contradicted.append(entries[place].id)
      case .unrelated:
        if judged.contains(entries[place].id) { contradicted.append(entries[place].id) }
      }
    }
    return (same, contradicted)
  }

  mutating func learn(_ id: FactID, _ draft: MemoryDraft, _ reading: FactReading, until end: Timestamp?) {
    add(
      Entry(
        id: id, text: draft.content, category: draft.category, memoryType: draft.memoryType,
        metadata: draft.metadata, home: .batch(draft.session), confidence: draft.confidence,
        importance: draft.importance, tags: draft.tags, expiresAt: end, live: LiveReading(reading.sentence)))
  }

  mutating func remove(_ id: FactID) {
    guard let place = places.removeValue(forKey: id) else { return }
    byCategory[entries[place].category]?.removeAll { $0 == place }
  }

  /// What confirming a fact makes of it.
  mutating func confirm(
    _ entry: Entry, by draft: MemoryDraft, until end: Timestamp?, takingWords: Bool
  ) throws(InvalidValue) -> FactRevised {
    var entry = entry
    entry.confidence = max(entry.confidence.withDoubtHalved, draft.confidence)
    // A memory of no stated importance counts as one of the middle.
    let raised = draft.importance > entry.importance ?? 0.5 ? draft.importance : nil
    let tags = Self.tags(entry.tags, and: draft.tags)
    let isTagged = tags.count > entry.tags.count
    var expiry: Timestamp?
    if let old = entry.expiresAt, (end ?? .latest) > old { expiry = end ?? .latest }
    let isReworded = takingWords && !entry.text.utf8.elementsEqual(draft.content.utf8)
    if isReworded { (entry.text, entry.live) = (draft.content, nil) }
    entry.importance = raised ?? entry.importance
    entry.tags = tags
    entry.expiresAt = expiry ?? entry.expiresAt
    if let place = places[entry.id] { entries[place] = entry }
    return try FactRevised(
      factID: entry.id, fact: isReworded ? draft.content : nil, confidence: entry.confidence, importance: raised,
      tags: isTagged ? tags : nil, expiresAt: expiry)
  }

  /// The tags, and of the others those that there is room for.
  static func tags(_ tags: [String], and others: [String]) -> [String] {
    let added = others.filter { tag in !tags.contains { $0.utf8.elementsEqual(tag.utf8) } }
    return tags + added.prefix(max(Limits.tagsPerMemory - tags.count, 0))
  }
}

extension FactPlan.EarlierFact {
  /// Whether that is what is said again.
  fileprivate func says(_ reading: FactReading, _ category: String) -> Bool {
    guard let said, said.category == category else { return false }
    return reading.verdict(on: Sentence(said.text)) == .same
  }
}

extension Fraction {
  /// Half as far from 1, to four decimals: 0.8, 0.9, 0.95, 0.975, 0.9875, 0.9937 … 0.9999, and never 1.
  var withDoubtHalved: Fraction {
    let tenThousandths = Int((value * 10_000).rounded())
    guard tenThousandths < 9_999 else { return self }
    let raised = Double(tenThousandths + (10_000 - tenThousandths) / 2) / 10_000
    return (try? Fraction(raised)) ?? self
  }
}

extension MemoirError {
  /// `id_conflict`: the id belongs to another fact.
  static func taken(_ id: FactID) -> MemoirError {
    MemoirError(
      .idConflict, "the fact id \(id) is taken by another fact",
      details: .object("ids", JSONText(strings: [id.description])))
  }
}

extension JSONText {
  /// An object of one member.
  static func object(_ key: StaticString, _ value: JSONText) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(key)
    writer.value(value)
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}
