// `memoir conflicts`: the facts that others took the place of.
import JSON
import Memoir

enum ConflictsCommand: Command {
  static let after = Argument.option(
    "after", .ordinal, help: "Only facts superseded by events after the user's event N.")
  static let limit = Argument.option("limit", .amount, short: "n", help: "At most N of them.")

  static let row = CommandRow(
    name: "conflicts",
    summary: "List the facts that others took the place of",
    section: .memory,
    discussion: """
      Each superseded fact with its successor, and when: contradictions that 'remember' found, and those that
      came in as events. History keeps both. With --limit, 'next' in the JSON is the --after of the next page.
      """,
    arguments: [CommandRow.user, after, limit, AsOfArguments.group],
    examples: [CommandExample("memoir conflicts user-bob", "What was held once, and what replaced it.")],
    exitCodes: .ofReading(usage: "wrong usage; a point after the head", notFound: "no store, or no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let page = try store.conflicts(
        of: arguments.stream, at: arguments.asOf, after: StreamVersion(arguments[after] ?? 0),
        limit: Int(clamping: arguments[limit] ?? .max))
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { page.write(to: &$0) })
      } else {
        try show(page, on: context.output)
      }
      return .done
    }
  }

  private static func show(_ page: SupersessionPage, on output: Console) throws {
    if page.conflicts.isEmpty { return try output.print(StyledText("No fact was superseded.", .dim)) }
    for (number, conflict) in page.conflicts.enumerated() {
      if number > 0 { try output.print() }
      try output.print("\(conflict.occurredAt.minute, .bold)  \("v\(conflict.event.version)", .dim)")
      try output.item(
        conflict.superseded.fact, remark: "(\(conflict.superseded.category), \(conflict.superseded.factID))",
        bullet: "  - ")
      try output.item(
        conflict.successor?.fact ?? "a fact that nobody learned", remark: "(\(conflict.successorID))", bullet: "  + ")
    }
    if let next = page.next { try output.print(StyledText("There are more: --after \(next)", .dim)) }
  }
}
