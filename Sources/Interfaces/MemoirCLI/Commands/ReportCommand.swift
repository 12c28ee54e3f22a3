// `memoir report`: what is kept of a person, for the person.
import JSON
import Memoir

enum ReportCommand: Command {
  static let row = CommandRow(
    name: "report",
    summary: "Tell a person what is kept of them",
    section: .access,
    discussion: """
      How much there is and since when, facts by category, the latest sessions, who was told something of it and who
      may be, and how to take all of it away.
      """,
    arguments: [CommandRow.user],
    examples: [CommandExample("memoir report user-bob", "What Bob is told about his memory.")],
    exitCodes: .ofReading(notFound: "no store, or no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let report = try store.report(of: arguments.stream)
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { report.write(to: &$0) })
      } else {
        try show(report, on: context.output)
      }
      return .done
    }
  }

  private static func show(_ report: TransparencyReport, on output: Console) throws {
    let since = report.memorySince.map { "memory since \($0.day)" } ?? "nothing that was said is kept"
    try output.print("\(report.user.description, .bold), \(since)  \("on \(report.madeAt.minute)", .dim)")
    let totals = report.totals
    let erased = report.erasedEvents == 0 ? "" : " (\(Quantity.count(report.erasedEvents)) of them erased)"
    let counts = [
      Quantity.count(totals.events, "event") + erased, Quantity.count(totals.messages, "message"),
      Quantity.count(totals.sessions, "session"), Quantity.count(totals.facts, "fact"),
      Quantity.count(totals.preferences, "preference"), Quantity.count(totals.relationships, "relationship"),
      Quantity.count(totals.episodes, "episode"),
    ]
    try output.paragraph(counts.joined(separator: ", "))
    if !report.factsByCategory.isEmpty {
      try output.heading("Facts by category")
      var values = KeyValues()
      for (category, count) in report.factsByCategory {
        values.add("  " + category, StyledText(Quantity.count(count)))
      }
      try output.keyValues(values)
    }
    if !report.recentSessions.isEmpty {
      try output.heading("Latest sessions")
      for session in report.recentSessions {
        let end = session.end.map { $0.summary ?? $0.reason ?? "ended" } ?? "open"
        try output.item(
          "\(session.startedAt.minute)  \(end)",
          remark: "(\(session.id), \(Quantity.count(session.messageCount, "message")))")
      }
    }
    try output.heading("Who was told")
    if report.readers.isEmpty { try output.print(StyledText("  nobody that the access log knows of", .dim)) }
    for reader in report.readers {
      var counts = [Quantity.count(reader.answered, "answer")]
      if reader.denied > 0 { counts.append("\(Quantity.count(reader.denied)) refused") }
      if reader.notFound > 0 { counts.append("\(Quantity.count(reader.notFound)) with nothing to tell") }
      try output.item(
        "\(reader.name ?? reader.accessor.description): \(counts.joined(separator: ", "))",
        remark: "(\(reader.name == nil ? "" : "\(reader.accessor), ")last on \(reader.lastAt.minute))")
    }
    if !report.grants.isEmpty {
      try output.heading("What others are allowed")
      for grant in report.grants {
        try output.item(
          "\(grant.grantee): \(grant.operations.names.joined(separator: ", "))",
          remark: "(\(grant.until.map { "until \($0.minute)" } ?? "until revoked"), \(grant.id))")
      }
    }
    try output.heading("What can be done")
    // Whole, wherever the lines break: they are to be copied.
    try output.print("  \("take everything away", .dim)")
    try output.print("    \(report.howToExport.command, .accent)")
    try output.print("    \(report.howToExport.request)")
    try output.print("  \("have everything erased", .dim)")
    try output.print("    \(report.howToErase.command, .accent)")
    try output.print("    \(report.howToErase.request)")
  }
}
