// `memoir erase`: all that is kept of a person goes, for good.
import JSON
import Memoir

enum EraseCommand: Command {
  static let yes = Argument.flag("yes", help: "Do it. Without it, the command says how many events would go.")
  static let by = Argument.option(
    "by", .text("NAME"), default: "local", help: "Who has it done: it stays in the log. Not the person's own name.")

  static let row = CommandRow(
    name: "erase",
    summary: "Erase a person for good",
    section: .access,
    discussion: """
      Takes out of the log what the person's events say, their sessions' names and the person's own; and drops
      what was made of it: states, indexes, receipts, grants, their own keys. That the events were there, in which order,
      is proven still: 'verify' finds nothing missing. An event says when they were erased, by whom, and how many
      events went.

      Once it says that it is scrubbed, nothing of it is left in the files of the store. A reader that began before may
      keep it from that; then the next commit after that one has ended makes up for it.

      Backups from before have it still. One that is restored with the file TOMBSTONES of this store erases the
      person again. Events of before that are appended again are refused, unless with --take-erased. Nothing
      keeps the person from coming back: what is new is appended behind it.
      """,
    arguments: [CommandRow.user, yes, by],
    examples: [
      CommandExample("memoir erase user-bob", "See how much would go."),
      CommandExample("memoir erase user-bob --yes --by privacy@example.org", "Erase them."),
    ],
    exitCodes: .ofReading(usage: "wrong usage; --yes is missing", notFound: "no store, no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let user = arguments.stream
    guard arguments[yes] else {
      return try arguments.withStore(in: context) { store in
        guard let count = try store.log.erasableEvents(of: user) else { throw MemoirError.noUser(user) }
        throw MemoirError.invalid(
          field: "--yes", "is missing: \(Quantity.count(count, "event")) of \(user) would be erased for good")
      }
    }
    return try await arguments.withStore(for: .writing, in: context) { store in
      let summary = try await store.erase(user, by: arguments[by])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { summary.write(to: &$0) })
      } else {
        let count = Quantity.count(summary.erased, "event")
        try context.output.print(
          summary.isScrubbed
            ? "Erased \(count, .bold); nothing of it is left in the store."
            : "Erased \(count, .bold). A reader that began before can see it still; once it has ended, the next commit scrubs the file."
        )
      }
      return .done
    }
  }
}
