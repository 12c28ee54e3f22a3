// What is remembered for a question: recall, contexts and their receipts.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  static let memoryRoutes: [Route] = [
    Route(
      .get, "/v1/users/{user}/recall", "recall", access: .scope(.recall),
      summary: "The memories that answer a question best, now or as they would have been ranked then.",
      parameters: [
        AnyParameter(Parameters.namespace), AnyParameter(query.required), AnyParameter(topK),
        AnyParameter(minImportance), AnyParameter(tags), AnyParameter(memoryTypes), AnyParameter(kinds),
        AnyParameter(Parameters.session), AnyParameter(since), AnyParameter(until),
      ] + Parameters.asOf,
      answers: [.json(.named("Recall"))],
      .later { call in
        let question = recallQuery(call)
        let point = try call.asOf()
        guard let user = try call.reachedUser() else {
          try question.check()
          // The same as of somebody nobody has heard of.
          return Reply.json(items: 0) { RecallAnswer.writeNobody(to: &$0) }
        }
        let answer = try await call.store.recall(question, of: user, at: point)
        return Reply.json(items: answer.memories.count) { answer.write(to: &$0) }
      }),
    Route(
      .get, "/v1/users/{user}/context", "context", access: .scope(.recall),
      summary: "What to tell a model about a user, within a budget of tokens.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(contextQuery), AnyParameter(budget)]
        + Parameters.asOf,
      answers: [.json(.named("Context"))],
      .later { call in
        let user = try call.user()
        var request = ContextRequest(call[contextQuery] ?? "")
        if let budget = call[budget] { request.budget = budget }
        let (context, receipt) = try await call.store.contextWithReceipt(request, for: user, at: try call.asOf())
        return Reply.json(items: context.items.count) { context.write(receipt, to: &$0) }
      }),
    Route(
      .get, "/v1/receipts/{receipt}", "receipt", access: .scope(.recall),
      summary: "A context that was handed out, again, byte for byte.",
      parameters: [AnyParameter(Parameters.namespace)],
      answers: [.json(.object([], isOpen: true))],
      .later { call in
        try call.requireScope()
        let id = try ReceiptID(call.path("receipt"))
        let receipt = try call.store.receipt(id, in: try call.namespace())
        // Of somebody who was erased nobody knows who it was.
        if receipt.user.isNameless { try call.reachNamespace(receipt.user.namespace) }
        guard try receipt.user.isNameless || call.reaches(receipt.user) else {
          throw MemoirError(.notFound, "there is no receipt \(id)", details: .members(("receipt", id.description)))
        }
        return Reply.json(items: 1) { receipt.write(to: &$0) }
      }),
    Route(
      .get, "/v1/users/{user}/report", "report", access: .scope(.read),
      summary: "What is kept of a user, and who read it.",
      parameters: [AnyParameter(Parameters.namespace)],
      answers: [.json(.object([], isOpen: true))],
      .later { call in
        let report = try call.store.report(of: try call.user())
        return Reply.json(items: 1) { report.write(to: &$0) }
      }),
    Route(
      .get, "/v1/users/{user}/export", "export", access: .scope(.read),
      summary: "All that is kept of a user: JSON Lines, which an append takes again.",
      parameters: [AnyParameter(Parameters.namespace)],
      answers: [
        .other(
          type: "application/jsonl", "One event a line, between one that says what they are and one that proves it.")
      ],
      .later { call in
        let beginning = try call.store.export(of: try call.user())
        let body = LiveBody(capacity: 256 << 10)
        Task {
          do {
            // Some at a time, as fast as they are read.
            var export = beginning
            while let lines = try export.next() {
              guard await body.write(lines) else { return }
            }
            body.end()
          } catch {
            // A part must not look like all of it.
            body.fail()
          }
        }
        return Reply(body: .live(type: "application/jsonl", body), itemCount: 1)
      }),
  ]

  private static func recallQuery(_ call: Call) -> RecallQuery {
    var result = RecallQuery(call[query] ?? "")
    if let topK = call[topK] { result.topK = topK }
    result.minImportance = call[minImportance]?.value
    result.tags = call.all(tags)
    result.memoryTypes = Set(call.all(memoryTypes))
    if !call.all(kinds).isEmpty { result.kinds = Set(call.all(kinds)) }
    result.session = call[Parameters.session]
    result.since = call[since]
    result.until = call[until]
    return result
  }

  private static let query = Parameter<String>.text(
    "query", "The question, in the person's words. Longer ones go as far as a head of 32 KiB does.",
    maxLength: longestQuery)
  private static let longestQuery = 2_048
  private static let contextQuery = Parameter<String>.text(
    "query", "What the person says or asks; left out where nothing was said yet.", maxLength: longestQuery)
  private static let topK = Parameter<Int>.integer(
    "top_k", "At most so many; 5 where nothing is said.", in: 1...RecallQuery.largestTopK)
  private static let minImportance = Parameter<Fraction>(
    "min_importance", "Only memories of at least this importance.", .number(min: 0, max: 1)
  ) { try Fraction(text: $0, field: $1) }
  private static let tags = Parameter<String>(
    "tag", "Only memories with any of these tags; may be repeated.", .string(), isRepeatable: true
  ) { text, _ in text }
  private static let memoryTypes = Parameter<MemoryType>.word(
    "memory_type", "Only memories of these types; may be repeated.")
  private static let kinds = Parameter<MemoryKind>.word(
    "kind", "Of which kinds; may be repeated; without it all but messages.")
  private static let since = Parameter<Timestamp>.time("since", "Only what occurred then or later.")
  private static let until = Parameter<Timestamp>.time("until", "Only what occurred then or before.")
  private static let budget = Parameter<Int>.integer(
    "budget", "Tokens; 4,000 where nothing is said.", in: 1...ContextRequest.largestBudget)
}

extension Parameter where Value: CaseIterable & CustomStringConvertible {
  /// One of some words; may be repeated.
  static func word(_ name: String, _ summary: String) -> Parameter {
    let words = Value.allCases.map(\.description)
    return Parameter(name, summary, .words(words), isRepeatable: true) { text, field in
      guard let value = Value.allCases.first(where: { $0.description == text }) else {
        throw MemoirError.invalid(field: field, "is none of \(words.joined(separator: ", "))")
      }
      return value
    }
  }
}
