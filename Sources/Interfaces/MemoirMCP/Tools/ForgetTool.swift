// `forget`: a memory is shown and recalled no more.
import JSON
import Memoir

extension Tool {
  static let forget: Tool = {
    let reason = Parameter.optional("reason", .text, "Why; kept in history.")
    return Tool(
      name: "forget", title: "Forget a memory",
      description: """
        End one memory: it is shown and recalled no more. Use it when the person asks for it, or when a fact turned \
        out to be wrong and nothing takes its place. History keeps that it was known until now; to have everything \
        about a person erased for good is not done here.
        """,
      parameters: [factID, reason],
      output: .object([
        .required("fact_id", .text()), .required("event_ids", .array(of: .text())), .required("version", .whole()),
      ]),
      effect: .removing
    ) { call in
      let updated = try await call.store.forget(
        call.arguments[factID], of: call.user, reason: call.arguments[reason], agent: call.agent)
      return ToolResult(
        "Forgotten: \(updated.result.fact.onOneLine) (fact_id \(updated.result.factID))",
        .written { updated.write(to: &$0) })
    }
  }()
}
