// `memoir grants`: what a person allows others with their memory.
import JSON
import Memoir

enum GrantsCommand: Command {
  static let add = Argument.option(
    "add", .grantee, help: "Allow the holder of a key, or another person of the namespace, what --operation says.")
  static let revoke = Argument.option("revoke", .grant, help: "End a grant, at once.")
  static let action = ExclusiveGroup(name: "ACTION", help: "lists grants, or does one of", entries: [add, revoke])
  static let operations = Argument.options(
    "operation", ArgumentKind<AccessScope>.choice("S"), needs: ["--add"],
    help: "What is allowed; not admin.")
  static let until = Argument.option("until", .time, needs: ["--add"], help: "From when on it holds no more.")
  static let all = Argument.flag("all", excludes: ["--add", "--revoke"], help: "List also those that hold no more.")

  static let row = CommandRow(
    name: "grants",
    summary: "Show or change what others may do with a person's memory",
    section: .access,
    discussion: """
      A grant lets a key that is limited to other users reach this person's memory too, for the operations it names. It
      never lets a key do what its own scopes do not say, nor reach into another namespace. 'user:ID' is whoever
      comes by a key of that person's own.
      """,
    arguments: [CommandRow.user, action, operations, until, all],
    examples: [
      CommandExample("memoir grants user-bob", "Who may reach Bob's memory besides."),
      CommandExample(
        "memoir grants user-bob --add user:user-ann --operation recall --until 2027-01-01T00:00:00Z",
        "Ann's own key may recall from it until then."),
    ],
    exitCodes: .ofReading(notFound: "no store, no such user, key or grant"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let user = arguments.stream
    if let grantee = arguments[add] {
      try await arguments.withStore(for: .writing, in: context) { store in
        let grant = try await store.grants.grant(
          Set(arguments[operations]), on: user, to: grantee, until: arguments[until])
        try tell(grant, "holds", arguments, on: context.output)
      }
    } else if let id = arguments[revoke] {
      try await arguments.withStore(for: .writing, in: context) { store in
        try tell(try await store.grants.revoke(id, of: user), "holds no more", arguments, on: context.output)
      }
    } else {
      try arguments.withStore(in: context) { store in
        let grants = try store.grants.list(of: user, includingEnded: arguments[all])
        if arguments.wantsJSON {
          for grant in grants { try context.output.write(json: JSONWriter.line { grant.write(to: &$0) }) }
        } else {
          try show(grants, at: context.now(), on: context.output)
        }
      }
    }
    return .done
  }

  private static func tell(
    _ grant: Grant, _ what: String, _ arguments: ParsedArguments, on output: Console
  ) throws {
    if arguments.wantsJSON {
      try output.write(json: JSONWriter.line { grant.write(to: &$0) })
    } else {
      try output.print(
        "\(grant.id, .accent) \(what): \(grant.grantee) \(grant.operations.names.joined(separator: ", "))")
    }
  }

  private static func show(_ grants: [Grant], at now: Timestamp, on output: Console) throws {
    if grants.isEmpty { return try output.print(StyledText("Nothing is granted.", .dim)) }
    var table = TextTable([
      .flexible("who"), .fixed("what"), .fixed("since"), .fixed("until"), .flexible("grant", atLeast: 36, .accent),
    ])
    for grant in grants {
      let end =
        if let time = grant.revokedAt {
          StyledText("revoked \(time.day)", .bad)
        } else if let time = grant.until {
          grant.stands(at: now) ? StyledText(time.minute) : StyledText("ended \(time.day)", .bad)
        } else {
          StyledText("no end", .dim)
        }
      table.add([
        StyledText(grant.grantee.description), StyledText(grant.operations.names.joined(separator: ", ")),
        StyledText(grant.createdAt.day), end, StyledText(grant.id.description),
      ])
    }
    try output.table(table)
  }
}
