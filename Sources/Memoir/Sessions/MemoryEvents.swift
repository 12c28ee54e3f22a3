// From distilled memories to events: the one place where they meet what is known already.
internal import EventStore

extension StateAt {
  /// The events that store `drafts`: what is known is confirmed, what is contradicted superseded; see ``FactPlan``.
  ///
  /// - Parameter newID: The id of the n-th new fact. Ids that drafts bring along are passed over.
  func events(
    storing drafts: [MemoryDraft], newID: @escaping (Int) -> EventID
  ) throws(MemoirError) -> [MemoirEvent] {
    let live = facts
    var unnamed: [MemoryDraft] = []
    for draft in drafts {
      unnamed.append(
        try MemoryDraft(
          draft.content, category: Self.category(of: draft, among: live), memoryType: draft.memoryType,
          importance: draft.importance,
          confidence: draft.confidence, tags: draft.tags, metadata: draft.metadata, lifetime: draft.lifetime,
          sourceMessageID: draft.sourceMessageID))
    }
    var count = 0
    return try FactPlan.events(
      for: unnamed, against: state.facts.facts, at: clock,
      newID: {
        defer { count += 1 }
        return FactID(newID(count))
      }
    ).events
  }

  /// Where a memory belongs: a distiller's categories are its own, so what contradicts a live fact goes where that fact is,
  /// and takes its place.
  private static func category(of draft: MemoryDraft, among live: [Fact]) -> String {
    let reading = FactReading(draft.content)
    let contradicted = live.filter { reading.verdict(on: Sentence($0.fact)) == .supersedes }
    if contradicted.contains(where: { $0.category == draft.category }) { return draft.category }
    return contradicted.last?.category ?? draft.category
  }
}
