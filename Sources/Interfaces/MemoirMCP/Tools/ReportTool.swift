// `report`: what is kept of a person, for the person.
import JSON
import Memoir

extension Tool {
  static let report = Tool(
    name: "report", title: "Report what is kept",
    description: """
      Tell the person what is kept of them: how much and since when, facts by category, the latest sessions, and how \
      all of it can be exported and erased. Use it when they ask what you store, or who can see it. For what is known \
      in particular, use 'state'.
      """,
    parameters: [],
    output: .object([
      .required("user", .text()), .required("namespace", .text()), .required("version", .whole()),
      .required(
        "totals",
        .object(
          ["episodes", "events", "facts", "messages", "preferences", "relationships", "sessions"].map {
            .required($0, .whole())
          })),
      .required("facts_by_category", .anyObject), .required("recent_sessions", .array(of: .anyObject)),
    ]),
    effect: .reading
  ) { call in
    let report = try call.store.report(of: call.user)
    return ToolResult(text(of: report), .written { report.write(to: &$0) })
  }

  private static func text(of report: TransparencyReport) -> String {
    let totals = report.totals
    let since = report.memorySince.map { "since \($0.minute)" } ?? "nothing"
    var lines = Lines(
      "Kept of \(report.user.user), \(since): \(totals.events) events, \(totals.messages) messages, "
        + "\(totals.sessions) sessions, \(totals.facts) facts, \(totals.preferences) preferences, "
        + "\(totals.relationships) relationships, \(totals.episodes) episodes.")
    lines.add("Facts by category", report.factsByCategory) { "\($0.category.onOneLine): \($0.count)" }
    lines.add("Latest sessions", report.recentSessions, \.line)
    lines.add("To take everything away: \(report.howToExport.command)")
    lines.add("To have everything erased: \(report.howToErase.command)")
    return lines.text
  }
}
