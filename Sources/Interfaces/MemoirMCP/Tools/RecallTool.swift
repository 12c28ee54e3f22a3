// `recall`: the memories that answer a question best.
import JSON
import Memoir

extension Tool {
  /// The point in time that a question is asked at.
  static let asOf = Parameter.optional(
    "as_of", .point, default: AsOfText.now,
    "Answer as it would have been then: 'recorded:2026-03-03T14:00:00Z' (what was known at that time), "
      + "'occurred:2026-03-03T14:00:00Z' (what was true at that time), 'v12' (after the person's 12th event), 'p345' "
      + "(after the store's), 'start' or 'now'. Left out: now.")

  static let recall: Tool = {
    let query = Parameter.required("query", .text, "The question or the topic, in the person's words.")
    let topK = Parameter.optional(
      "top_k", .whole(1...Int64(RecallQuery.largestTopK)), default: 5, "How many memories; 5 unless told.")
    let kinds = Parameter.optional(
      "kinds", .list(of: .word), default: [MemoryKind](),
      "Only these: fact, summary (of a session), episode, message. Left out: all but messages.")
    let minImportance = Parameter.optional(
      "min_importance", .fraction, "Only what still matters at least so much, 0 to 1.")
    let tags = Parameter.optional("tags", .list(of: .text), default: [], "Only memories with any of these tags.")
    let memoryTypes = Parameter.optional(
      "memory_types", .list(of: .word), default: [MemoryType](), "Only memories of these types.")
    let session = Parameter.optional("session", .session, "Only memories of this session.")
    let since = Parameter.optional("since", .time, "Only what happened then or later: 2026-03-03T14:00:00Z.")
    let until = Parameter.optional("until", .time, "Only what happened then or before.")
    return Tool(
      name: "recall", title: "Recall",
      description: """
        Find what is remembered about a question or topic. Use it before you answer anything that may depend on what \
        the person said or did before, and before you ask them again. Gives the best matches, best first, each with \
        its id, when it was, and its score; it is a ranking, so judge yourself whether the last ones matter. With \
        as_of it answers what you would have recalled at an earlier time.
        """,
      parameters: [query, topK, kinds, minImportance, tags, memoryTypes, session, since, until, asOf],
      output: .object([
        .required("faded", .whole(), "How many facts have faded with time, and were not asked; 'state' shows them."),
        .optional("known", .flag, "False where nobody is known by that name yet."),
        .required(
          "memories",
          .array(
            of: .object([
              .required("kind", .word(of: MemoryKind.allCases.map(\.description))),
              .required("id", .text(), "Of a fact its fact_id; else the id of its event."),
              .required("content", .text()), .required("score", .number),
              .required("score_parts", .anyObject), .required("event_id", .text()), .required("version", .whole()),
              .required("occurred_at", .time), .optional("category", .text()), .optional("confidence", .fraction),
              .optional("importance", .number, "What is left of it."), .optional("session", .text()),
              .optional("role", .text()), .optional("tags", .array(of: .text())),
              .optional("expires_at", .time), .optional("staleness", .anyObject),
            ])), "Best first."),
        .optional("meaning", .anyObject, "Whether the ranking went by meaning, too."),
      ]),
      effect: .reading
    ) { call in
      let given = call.arguments
      var question = RecallQuery(given[query])
      question.topK = Int(given[topK])
      if !given[kinds].isEmpty { question.kinds = Set(given[kinds]) }
      question.minImportance = given[minImportance]?.value
      question.tags = given[tags]
      question.memoryTypes = Set(given[memoryTypes])
      question.session = given[session]
      question.since = given[since]
      question.until = given[until]
      let answer = try await call.store.recall(question, of: call.user, at: given[asOf])
      return ToolResult(text(of: answer), .written { answer.write(to: &$0) })
    }
  }()

  /// What somebody said may be a book; the structured result has all of it.
  private static let longestContent = 2_000

  private static func text(of answer: RecallAnswer) -> String {
    if !answer.isKnown { return "Nothing is remembered of \(answer.user.user) yet." }
    var lines = Lines(
      answer.memories.isEmpty
        ? "Nothing is remembered that answers this."
        : "\(counted(answer.memories.count, "memory", plural: "memories")) of \(answer.user.user), the best first:")
    for (index, memory) in answer.memories.enumerated() {
      var remarks: [String] = []
      if let fact = memory.fact {
        remarks = ["fact_id \(memory.id)", fact.category.onOneLine]
      } else {
        remarks = [memory.role.map { "\(memory.kind) by \($0)" } ?? memory.kind.description]
        if let session = memory.session { remarks.append("session \(session)") }
      }
      remarks.append(memory.occurredAt.minute)
      remarks.append("score \(Double((memory.score * 100).rounded()) / 100)")
      if memory.staleness?.needsRefresh == true { remarks.append("may be out of date") }
      lines.add(
        "\(index + 1). \(memory.content.onOneLine.cut(to: longestContent)) (\(remarks.joined(separator: ", ")))")
    }
    if answer.faded > 0 {
      lines.add("Not asked: \(counted(answer.faded, "fact")) that faded with time; 'state' shows what is known.")
    }
    return lines.text
  }
}
