// `memoir demo`: the story of one customer, told by the store.

enum DemoCommand {
  static let row = CommandRow(
    name: "demo",
    summary: "See it all at work, on a story that comes with it",
    section: .help,
    discussion: """
      Half a year of one customer's conversations is appended to a temporary store; then the store is asked
      what it knows, what it knew in March, what changed, and why. Leaves nothing behind.
      """,
    examples: [CommandExample("memoir demo", "From an empty store to an answer about last March.")],
    exitCodes: [
      ExitMeaning(.failed, "a failure of the disk or the store"), ExitMeaning(.wrongUsage, "wrong usage"),
    ])
}
