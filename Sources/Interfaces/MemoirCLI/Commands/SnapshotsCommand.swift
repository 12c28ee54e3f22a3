// `memoir snapshots`: the stored states that make reading fast, and can be thrown away.

enum SnapshotsCommand {
  enum Action: String, CaseIterable, Sendable { case rebuild, clear }

  static let action = Argument.optionalPositional(
    .choice() as ArgumentKind<Action>, called: "rebuild|clear",
    help: "Take those that are due, or delete all. Without it, they are listed.")

  static let row = CommandRow(
    name: "snapshots",
    summary: "List, rebuild or delete the stored states",
    section: .care,
    discussion: """
      Snapshots only save time: every answer is the same without them.
      """,
    arguments: [action],
    examples: [CommandExample("memoir snapshots rebuild", "Make the next reads fast.")],
    exitCodes: .ofReading())
}
