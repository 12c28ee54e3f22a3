// From distilled memories to events: the one place where they meet what is known already.
internal import EventStore

extension StateAt {
  /// The events that store `drafts`: what is known is confirmed, what is contradicted superseded; see ``FactPlan``.
  ///
  /// A distiller's categories are its own, so a memory goes where the fact is that says the same or that it contradicts,
  /// and takes the place of all that it contradicts. What a session said long ago changes nothing of what was learned
  /// since: such a memory is left out.
  ///
  /// - Parameters:
  ///   - time: When the memories were learned.
  ///   - newID: The id of the n-th new fact. Ids that drafts bring along are passed over.
  func events(
    storing drafts: [MemoryDraft], at time: Timestamp, newID: @escaping (Int) -> EventID
  ) throws(MemoirError) -> [MemoirEvent] {
    let live = facts
    var placed: [MemoryDraft] = []
    var contradicted: [[Fact]] = []
    for draft in drafts {
      let related = live.map { (fact: $0, verdict: Contradiction.verdict(on: $0.fact, by: draft.content)) }
        .filter { $0.verdict != .unrelated }
      if related.contains(where: { $0.fact.updatedAt > time }) { continue }
      let home = related.last { $0.verdict == .same } ?? related.last
      placed.append(
        try MemoryDraft(
          draft.content, category: home?.fact.category ?? draft.category, memoryType: draft.memoryType,
          importance: draft.importance, confidence: draft.confidence, tags: draft.tags, metadata: draft.metadata,
          lifetime: draft.lifetime, sourceMessageID: draft.sourceMessageID))
      contradicted.append(related.filter { $0.verdict == .supersedes }.map(\.fact))
    }
    var count = 0
    let plan = try FactPlan.events(
      for: placed, against: state.facts.facts, at: clock,
      newID: {
        defer { count += 1 }
        return FactID(newID(count))
      })
    // The plan looks into a memory's own category.
    var events = plan.events
    var gone = Set(plan.outcomes.flatMap(\.superseded))
    for (outcome, facts) in zip(plan.outcomes, contradicted) {
      for fact in facts where fact.factID != outcome.factID && gone.insert(fact.factID).inserted {
        do throws(InvalidValue) {
          events.append(.factRevised(try FactRevised(factID: fact.factID, supersededBy: outcome.factID)))
        } catch {
          throw MemoirError(error)
        }
      }
    }
    return events
  }
}
