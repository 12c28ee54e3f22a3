// `memoir replay`: folds the log anew, and says how fast.

enum ReplayCommand {
  /// The projectors that are built in.
  enum Projector: String, CaseIterable, Sendable, CustomStringConvertible {
    case messages, facts, preferences, relationships, sessions, episodes, profile, context

    var description: String { rawValue }
  }

  static let projector = Argument.option(
    "projector", .choice("NAME"), default: Projector.context, help: "What to fold to.")
  static let users = Argument.positionals(.user, help: "Only these users; else all.")
  static let noSnapshots = Argument.flag(
    "no-snapshots", help: "Fold from the first event, whatever snapshots there are.")
  static let jobs = Argument.option(
    "jobs", .number(in: 1...1024), short: "j", help: "Fold N users at a time; else one a core.")

  static let row = CommandRow(
    name: "replay",
    summary: "Fold the log again, timed, and print a digest",
    section: .lookingBack,
    discussion: """
      Rebuilds the states of all users, or of those named, and prints users, events, seconds, events per second
      and a digest of all states. The digest is the same with and without snapshots, on one core or many.
      """,
    arguments: [projector, users, AsOfArguments.group, noSnapshots, jobs],
    examples: [
      CommandExample("memoir replay", "Rebuild everything."),
      CommandExample(
        "memoir replay --projector facts --no-snapshots user-bob", "One user's facts, from the first event."),
    ],
    exitCodes: .ofReading(notFound: "no store, or no such user"))
}
