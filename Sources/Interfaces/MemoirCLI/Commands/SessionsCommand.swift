// `memoir sessions`: all sessions of a user.

enum SessionsCommand {
  static let row = CommandRow(
    name: "sessions",
    summary: "List the sessions of a user",
    section: .overview,
    discussion: "All of them, open and ended, with times, numbers of messages and summaries.",
    arguments: [CommandRow.user],
    examples: [CommandExample("memoir sessions user-bob", "When the user was here, and what for.")],
    exitCodes: .ofReading(notFound: "no store, or no such user"))
}
