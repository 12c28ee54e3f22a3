// `remember`: a memory in, held against those there are.
import JSON
import Memoir

extension Tool {
  /// The parts of a memory that `remember` and `revise` share.
  enum MemoryParameters {
    static let category = Parameter.optional(
      "category", .text,
      "What it is about, as one word: general, home, work, technology, preference, goal, interest, task (an open "
        + "task), completion, decision, constraint, or your own. Repeats and contradictions are looked for within it.")
    static let importance = Parameter.optional(
      "importance", .fraction, "How much it matters: 0 to 1. It fades with time, unless it is confirmed.")
    static let confidence = Parameter.optional(
      "confidence", .fraction, "How sure it is: 0 to 1. 0.9 and more for what the person said outright.")
    static let tags = Parameter.optional("tags", .list(of: .text), "Words to find it by.")
    static let lifetime = Parameter.optional(
      "ttl", .whole(1...Limits.longestLifetime),
      "For how many seconds it holds; left out, for ever. It supersedes nothing that holds for longer.")
    static let metadata = Parameter.optional("metadata", .object, "Data of your own, kept with it.")
    static let session = Parameter.optional("session", .session, "The session it comes from.")
  }

  static let remember: Tool = {
    let content = Parameter.required(
      "content", .text, "What is to be known, as one sentence that stands by itself: 'Lives in Porto'.")
    let memoryType = Parameter.optional(
      "memory_type", .word, default: MemoryType.semantic,
      "What kind of memory: semantic (what is so), episodic (what happened), procedural (how to do it), working.")
    let factID = Parameter.optional(
      "fact_id", .factID, "An id of your own for it. The same call again then changes nothing.")
    typealias Shared = MemoryParameters
    return Tool(
      name: "remember", title: "Remember",
      description: """
        Keep one lasting fact about the person: who they are, what they prefer, plan, decided, asked you to do. Use it \
        as soon as you learn something that will matter in a later conversation; one call for each fact. What is known \
        already is confirmed, and what the new fact contradicts ('Lives in Lisbon', once it is 'Lives in Porto') is \
        superseded by it, so there is no need to forget first. Gives the fact's id, what was done (stored, confirmed, \
        unchanged) and which facts it superseded.
        """,
      parameters: [
        content, Shared.category, memoryType, Shared.importance, Shared.confidence, Shared.tags, Shared.lifetime,
        Shared.session, factID, Shared.metadata,
      ],
      output: .memoryOutcome, effect: .adding
    ) { call in
      let given = call.arguments
      let draft = try MemoryDraft(
        given[content], category: given[Shared.category] ?? FactCategory.general, memoryType: given[memoryType],
        importance: given[Shared.importance] ?? 0.5, confidence: given[Shared.confidence] ?? 0.8,
        tags: given[Shared.tags] ?? [], metadata: given[Shared.metadata],
        lifetime: given[Shared.lifetime].map { .seconds($0) }, session: given[Shared.session],
        factID: given[factID])
      return try call.result(of: await call.store.remember(draft, for: call.user, agent: call.agent))
    }
  }()
}

extension ToolCall {
  /// What became of a memory.
  func result(of updated: Updated<MemoryOutcome>) throws -> ToolResult {
    let outcome = updated.result
    let verb =
      switch outcome.kind {
      case .stored: "Remembered"
      case .confirmed: "Known already, and confirmed"
      case .unchanged: "Known already, nothing changed"
      case .revised: "Revised"
      }
    let now = try store.state(of: user, at: .version(updated.version)).state.facts
    var lines = Lines("\(verb): \(now[outcome.factID]?.line ?? "fact_id \(outcome.factID)")")
    if !outcome.superseded.isEmpty {
      // What held before the events of this call.
      let earlier = StreamVersion(updated.version.number - UInt64(updated.eventIDs.count))
      let before = try store.state(of: user, at: .version(earlier)).state.facts
      for id in outcome.superseded {
        lines.add("In the place of: \(before[id]?.fact.onOneLine ?? "") (fact_id \(id), no longer held)")
      }
    }
    return ToolResult(lines.text, .written { updated.write(to: &$0) })
  }
}

extension Schema {
  static let memoryOutcome = Schema.object([
    .required("fact_id", .text()),
    .required("outcome", .word(of: ["stored", "confirmed", "unchanged", "revised"])),
    .required("superseded", .array(of: .text()), "The facts that hold no more because of it."),
    .required("event_ids", .array(of: .text())), .required("version", .whole()),
  ])
}
