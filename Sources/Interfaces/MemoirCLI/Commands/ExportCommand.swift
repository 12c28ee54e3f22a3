// `memoir export`: everything about a user, to take away.
import Memoir

enum ExportCommand: Command {
  static let row = CommandRow(
    name: "export",
    summary: "Print everything about a user, to keep or import",
    section: .events,
    discussion: """
      JSON Lines that 'append' takes again, here or in another store, and that fold to the same state. Begins
      after the last erasure.

      The first line says what follows, the last one is signed by the store: 'verify --export' checks that all of
      it is there and unchanged, without the store. What it takes for that is in it, so keep it as confidential as
      what it tells.
      """,
    arguments: [CommandRow.user],
    examples: [
      CommandExample("memoir export user-bob > user-bob.jsonl", "All that is remembered of one person."),
      CommandExample("memoir verify --export user-bob.jsonl", "Check it, wherever it came from."),
    ],
    exitCodes: .ofReading(notFound: "no store, or no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withSigningStore(in: context) { store in
      try store.export(arguments.stream) { lines in try context.output.write(json: lines) }
      return .done
    }
  }
}
