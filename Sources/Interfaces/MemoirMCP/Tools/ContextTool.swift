// `context`: what an assistant should know for what is said now.
import JSON
import Memoir

extension Tool {
  static let budget = Parameter.optional(
    "budget", .whole(1...Int64(ContextRequest.largestBudget)), default: 4_000,
    "The most tokens that the text may take; 4,000 unless told.")

  static let context: Tool = {
    let query = Parameter.optional(
      "query", .text, default: "", "What the person says or asks now; left out where nothing was said yet.")
    return Tool(
      name: "context", title: "Context for what is said now",
      description: """
        Get a text with everything that matters about the person for what is said now: who they are, open tasks, \
        decisions, preferences, related history, facts, chosen to fit a budget of tokens. Use it once when a \
        conversation turns to something new and you want the whole picture; for a single question 'recall' is \
        shorter, and 'start_session' gives this text by itself. A receipt is kept of what you were given, unless nothing is \
        remembered yet.
        """,
      parameters: [query, budget, asOf],
      output: .contextPackage, effect: .reading
    ) { call in
      var request = ContextRequest(call.arguments[query])
      request.budget = Int(call.arguments[budget])
      let (package, receipt) = try await call.store.contextWithReceipt(
        request, for: call.user, at: call.arguments[asOf])
      var writer = JSONWriter()
      package.write(receipt, to: &writer)
      return ToolResult(package.shown, JSONText(canonical: writer.finish()))
    }
  }()
}

extension ContextPackage {
  /// The text, which is never nothing.
  var shown: String {
    if !text.isEmpty { return text }
    return items.isEmpty && omitted == 0
      ? "Nothing is remembered of \(user.user) yet."
      : "What is remembered of \(user.user) does not fit into the budget."
  }
}

extension Schema {
  static let contextPackage = Schema.object([
    .required("text", .text(), "For a prompt."), .required("tokens", .whole()),
    .required("items", .array(of: .anyObject), "What stands in the text, and why."),
    .optional("known", .flag, "False where nobody is known by that name yet."),
    .required("omitted", .whole(), "How many items found no room."),
    .optional("receipt", .text(), "By which the same bytes can be had again."),
  ])
}
