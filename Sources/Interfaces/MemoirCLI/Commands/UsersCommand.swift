// `memoir users`: whose memory the store holds.

enum UsersCommand {
  static let row = CommandRow(
    name: "users",
    summary: "List the users, with versions and times",
    section: .overview,
    discussion: "Of all namespaces, unless one is given.",
    examples: [CommandExample("memoir users --namespace support", "The users of one namespace.")],
    exitCodes: .ofReading())
}
