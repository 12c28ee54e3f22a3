// `memoir accesses`: who was told what of a person.
import JSON
import Memoir

enum AccessesCommand: Command {
  static let since = Argument.option("since", .time, help: "Only accesses at or after TIME.")
  static let until = Argument.option("until", .time, help: "Only accesses at or before TIME.")
  static let before = Argument.option("before", .amount, help: "Only entries before entry N of the access log.")
  static let limit = Argument.option("limit", .amount, short: "n", help: "At most N of them.")

  static let row = CommandRow(
    name: "accesses",
    summary: "Show who was told what of a person",
    section: .access,
    discussion: """
      The latest first: when, who, what was done, and how much came back; never what it was. The access log has what came
      in by HTTP and MCP over HTTP. Commands like this one are not in it: who runs them has the store's file in hand.
      'memoir verify' proves that no entry was changed or taken out. With --limit, 'next' in the JSON is the --before of
      the next page.
      """,
    arguments: [CommandRow.user, since, until, before, limit],
    examples: [CommandExample("memoir accesses user-bob -n 20", "The last 20.")],
    exitCodes: .ofReading(corrupt: "an entry is damaged"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let page = try store.accesses.accesses(
        of: arguments.stream, since: arguments[since], until: arguments[until],
        limit: Int(clamping: arguments[limit] ?? .max), before: arguments[before])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { page.write(to: &$0) })
      } else {
        try show(page, on: context.output)
      }
      return .done
    }
  }

  private static func show(_ page: AccessPage, on output: Console) throws {
    if page.entries.isEmpty { return try output.print(StyledText("No access is noted.", .dim)) }
    var table = TextTable([
      .number("entry"), .fixed("when"), .flexible("who", .accent), .flexible("what"), .fixed("outcome"),
      .number("items"), .number("size"),
    ])
    for entry in page.entries {
      let access = entry.access
      table.add([
        StyledText(Quantity.count(entry.number)), StyledText(access.time.second), StyledText(access.reader.description),
        StyledText(access.operation), StyledText(access.outcome.rawValue, access.outcome == .denied ? .bad : .plain),
        StyledText(Quantity.count(access.items)), StyledText(Quantity.bytes(access.bytes)),
      ])
    }
    try output.table(table)
    if let next = page.next { try output.print(StyledText("There are more: --before \(next)", .dim)) }
  }
}
