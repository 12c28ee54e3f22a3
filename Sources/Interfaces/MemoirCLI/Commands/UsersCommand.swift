// `memoir users`: whose memory the store holds.
import JSON
import Memoir

enum UsersCommand: Command {
  static let row = CommandRow(
    name: "users",
    summary: "List the users, with versions and times",
    section: .overview,
    discussion: """
      Of all namespaces, unless one is given. First and last are by version: what came in late, or was distilled of an
      earlier session, occurred before the event that it follows.
      """,
    examples: [CommandExample("memoir users --namespace support", "The users of one namespace.")],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let namespace = arguments[GlobalOptions.namespace]
      if arguments.wantsJSON {
        try printJSON(store, namespace, to: context.output)
      } else {
        try printTable(store, namespace, in: context)
      }
      return .done
    }
  }

  private static func printJSON(_ store: MemoirStore, _ namespace: Namespace?, to output: Console) throws {
    var isFirst = true
    try output.write(#"{"users":["#)
    try store.forEachUser(in: namespace) { user in
      var writer = JSONWriter()
      writer.beginObject()
      writer.key("first_event_at")
      writer.string(user.firstOccurredAt.description)
      writer.key("last_event_at")
      writer.string(user.lastOccurredAt.description)
      writer.key("namespace")
      writer.string(user.name.namespace.description)
      writer.key("position")
      writer.integer(user.position.number)
      writer.key("recorded_at")
      writer.string(user.lastRecordedAt.description)
      writer.key("user")
      writer.string(user.name.user.description)
      writer.key("version")
      writer.integer(user.version.number)
      writer.endObject()
      try output.write(isFirst ? "" : ",")
      try output.write(json: writer.finish())
      isFirst = false
    }
    try output.write("]}\n")
  }

  private static func printTable(_ store: MemoirStore, _ namespace: Namespace?, in context: CommandContext)
    throws
  {
    let isMixed = try namespace == nil && store.log.streams().contains { $0.name.namespace != .default }
    var table = TextTable(
      [.flexible("user", .accent)] + (isMixed ? [.flexible("namespace")] : []) + [
        .number("events"), .fixed("first event", .dim), .fixed("last event"),
      ])
    var count = 0
    try store.forEachUser(in: namespace) { user in
      count += 1
      table.add(
        [StyledText(user.name.user.description)]
          + (isMixed ? [StyledText(user.name.namespace.description)] : []) + [
            StyledText(Quantity.count(user.version.number)),
            StyledText(user.firstOccurredAt.day),
            StyledText(user.lastOccurredAt.second),
          ])
    }
    if count == 0 { return try context.errors.print("There are no users yet.") }
    try context.output.table(table)
  }
}
