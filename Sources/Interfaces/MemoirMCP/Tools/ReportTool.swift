// `report`: what is kept of a person, for the person.
import JSON
import Memoir

extension Tool {
  static let report = Tool(
    name: "report", title: "Report what is kept",
    description: """
      Tell the person what is kept of them: how much and since when, facts by category, the latest sessions, who was \
      told something of it, what others are allowed, and how all of it can be exported and erased. Use it when they ask \
      what you store, or who can see it. For what is known in particular, use 'state'.
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
      .required("readers", .array(of: .anyObject), "Who was told something of it, the latest first."),
      .required("grants", .array(of: .anyObject), "What others are allowed."),
    ]),
    effect: .reading
  ) { call in
    let report = try call.store.report(of: call.user)
    return ToolResult(text(of: report), .written { report.write(to: &$0) })
  }

  private static func text(of report: TransparencyReport) -> String {
    let totals = report.totals
    let since = report.memorySince.map { "since \($0.minute)" } ?? "nothing that was said"
    let erased = report.erasedEvents == 0 ? "" : " (\(report.erasedEvents) of them erased)"
    let counts = [
      counted(totals.events, "event") + erased, counted(totals.messages, "message"),
      counted(totals.sessions, "session"),
      counted(totals.facts, "fact"), counted(totals.preferences, "preference"),
      counted(totals.relationships, "relationship"), counted(totals.episodes, "episode"),
    ]
    var lines = Lines("Kept of \(report.user.user), \(since): \(counts.joined(separator: ", ")).")
    lines.add("Facts by category", report.factsByCategory) { "\($0.category.onOneLine): \($0.count)" }
    lines.add("Latest sessions", report.recentSessions, \.line)
    lines.add("Who was told", report.readers, line)
    if report.readers.isEmpty { lines.add("Nobody was told anything of it that the access log knows of.") }
    lines.add("What others are allowed", report.grants, line)
    if report.grants.isEmpty { lines.add("Nobody else is allowed anything besides.") }
    lines.add("To take everything away: \(report.howToExport.command)")
    lines.add("To have everything erased: \(report.howToErase.command)")
    return lines.text
  }

  private static func line(_ reader: TransparencyReport.Reader) -> String {
    var counts = [counted(reader.answered, "answer")]
    if reader.denied > 0 { counts.append("\(reader.denied) refused") }
    if reader.notFound > 0 { counts.append("\(reader.notFound) with nothing to tell") }
    let name = reader.name.map { "\($0.onOneLine) (\(reader.accessor))" } ?? reader.accessor.description.onOneLine
    return "\(name): \(counts.joined(separator: ", ")), last on \(reader.lastAt.minute)"
  }

  private static func line(_ grant: Grant) -> String {
    let until = grant.until.map { "until \($0.minute)" } ?? "until revoked"
    return "\(grant.grantee): \(grant.operations.names.joined(separator: ", ")), \(until)"
  }
}
