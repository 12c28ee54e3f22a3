// `memoir sessions`: all sessions of a user.
import JSON
import Memoir

enum SessionsCommand: Command {
  static let after = Argument.option(
    "after", .ordinal, help: "Only sessions that began after the user's event N.")
  static let limit = Argument.option("limit", .amount, short: "n", help: "At most N sessions.")

  static let row = CommandRow(
    name: "sessions",
    summary: "List the sessions of a user",
    section: .overview,
    discussion: """
      All of them, open and ended, with times, numbers of messages and summaries, in the order in which the
      log heard of them. With --limit, 'next' in the JSON is the --after of the next page.
      """,
    arguments: [CommandRow.user, after, limit],
    examples: [CommandExample("memoir sessions user-bob", "When the user was here, and what for.")],
    exitCodes: .ofReading(notFound: "no store, or no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let page = try store.sessions(
        of: arguments.stream, after: StreamVersion(arguments[after] ?? 0),
        limit: Int(clamping: arguments[limit] ?? .max))
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { page.write(to: &$0) })
      } else {
        try show(page, on: context.output)
      }
      return .done
    }
  }

  private static func show(_ page: SessionPage, on output: Console) throws {
    var table = TextTable([
      .flexible("session", .accent), .fixed("began"), .fixed("ended"), .number("messages"),
      .flexible("summary", atLeast: 20),
    ])
    for session in page.sessions {
      let end = session.end.map { end in
        StyledText(session.startedAt.day == end.endedAt.day ? end.endedAt.minuteOfDay : end.endedAt.day)
      }
      table.add([
        StyledText(session.id.description),
        StyledText(session.startedAt.minute),
        end ?? StyledText("open", .good), StyledText(Quantity.count(session.messageCount)),
        StyledText(session.end?.summary ?? session.end?.reason ?? ""),
      ])
    }
    try output.table(table)
    if let next = page.next {
      try output.print(StyledText("There are more: --after \(next)", .dim))
    } else if page.sessions.count < page.total || page.sessions.count > 10 {
      let all = Quantity.count(page.total, "session")
      try output.print(StyledText("\(all), \(Quantity.count(page.open)) open", .dim))
    }
  }
}
