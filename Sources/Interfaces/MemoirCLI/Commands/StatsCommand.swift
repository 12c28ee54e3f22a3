// `memoir stats`: how much there is, and what it weighs.

enum StatsCommand {
  static let row = CommandRow(
    name: "stats",
    summary: "Count events and users, weigh log and snapshots",
    section: .overview,
    discussion: "Of all namespaces, unless one is given.",
    examples: [CommandExample("memoir stats --json", "The figures for a program.")],
    exitCodes: .ofReading())
}
