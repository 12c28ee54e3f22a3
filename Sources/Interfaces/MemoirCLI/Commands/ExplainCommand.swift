// `memoir explain`: which event put an item there, and which changed it.

enum ExplainCommand {
  static let item = Argument.positional(
    .text("ITEM"),
    help: "fact:ID, preference:KEY or session:ID; the bare id or key where it is only one of them.")

  static let row = CommandRow(
    name: "explain",
    summary: "Show where a fact, preference or session comes from",
    section: .lookingBack,
    discussion: """
      The event that put it there, the ones that changed it, and the message it was taken from.
      """,
    arguments: [CommandRow.user, item],
    examples: [
      CommandExample("memoir explain user-bob preference:code_style", "Every event that set this preference.")
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; a bare name that several items have", notFound: "no store, no such user or item"))
}
