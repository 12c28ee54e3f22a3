// `memoir export`: everything about a user, to take away.

enum ExportCommand {
  static let row = CommandRow(
    name: "export",
    summary: "Print everything about a user, to keep or import",
    section: .events,
    discussion: """
      JSON Lines that 'append' takes again, with what is needed to prove the chain of events. Begins after the
      last erasure.
      """,
    arguments: [CommandRow.user],
    examples: [
      CommandExample("memoir export user-bob > user-bob.jsonl", "All that is remembered of one person.")
    ],
    exitCodes: .ofReading(notFound: "no store, or no such user"))
}
