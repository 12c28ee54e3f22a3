// `memoir events`: the log, or one user's part of it.

enum EventsCommand {
  static let user = Argument.optionalPositional(.user, help: "Only this user's events; else those of all.")
  static let from = Argument.option("from", .ordinal, needs: ["USER"], help: "From the user's version N on.")
  static let to = Argument.option(
    "to", .ordinal, needs: ["USER"], help: "Up to the user's version N, inclusive.")
  static let afterPosition = Argument.option(
    "after-position", .ordinal, help: "Only events after the store's position N.")
  static let types = Argument.options(
    "type", .text("T", candidates: .common(knownTypes)), help: "Only events of this type, e.g. FactLearned.")
  static let session = Argument.option("session", .text("S"), help: "Only events of this session.")
  static let reverse = Argument.flag("reverse", excludes: ["--follow"], help: "The latest first.")
  static let limit = Argument.option("limit", .amount, short: "n", help: "At most N events.")
  static let follow = Argument.flag(
    "follow", short: "f", help: "Go on with events as they are appended, until stopped.")
  static let subscription = Argument.option(
    "subscription", .text("NAME"), needs: ["--follow"], help: "Begin at the checkpoint kept under this name.")
  static let ack = Argument.flag(
    "ack", needs: ["--subscription"], help: "Move the checkpoint on as events are printed.")

  static let row = CommandRow(
    name: "events",
    summary: "Print events, of one user or of all",
    section: .events,
    discussion: """
      Prints events as JSON Lines, in the form that 'append' takes, in the order of the log. A user nobody has
      heard of has no events.

      With --follow it waits for more. With --subscription it begins where that subscription's checkpoint
      stands, and with --ack the checkpoint follows: each event is seen at least once, also after a crash.
      """,
    arguments: [
      user, from, to, afterPosition, types, session, reverse, limit, follow, subscription, ack,
    ],
    examples: [
      CommandExample(
        "memoir events user-bob --type FactLearned --reverse -n 5", "The five facts learned last."),
      CommandExample(
        "memoir events --follow --subscription mailer --ack",
        "What is new since the last time, and then what comes."),
    ],
    exitCodes: .ofReading())

  /// The types of the contract, for completion; any other name is an application's own.
  static let knownTypes = [
    "SessionStarted", "MessageAdded", "FactLearned", "FactRevised", "FactForgotten", "PreferenceUpdated",
    "RelationshipLearned", "EpisodeRecorded", "SessionEnded", "SessionsCompacted", "UserErased",
  ]
}
