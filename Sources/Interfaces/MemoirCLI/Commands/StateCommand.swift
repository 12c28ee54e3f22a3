// `memoir state`: what is known of a user, now or at an earlier point.
import JSON
import Memoir

enum StateCommand: Command {
  static let row = CommandRow(
    name: "state",
    summary: "Show what is known of a user, now or earlier",
    section: .lookingBack,
    discussion: """
      Sessions, latest messages, facts, preferences, relationships, episodes and the profile; each item with
      the event that put it there. Equal states print equal bytes with --json.
      """,
    arguments: [CommandRow.user, AsOfArguments.group],
    examples: [
      CommandExample("memoir state user-bob", "What is known now."),
      CommandExample(
        "memoir state user-bob --recorded-at 2026-03-03T14:00:00Z",
        "What was known on the 3rd of March at 14:00."),
    ],
    exitCodes: .ofReading(usage: "wrong usage; a point after the head", notFound: "no store, or no such user")
  )

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let state = try store.state(of: arguments.stream, at: arguments.asOf)
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { try store.write(state, to: &$0) })
      } else {
        try StateText(state, messages: try store.recentMessages(of: state)).show(on: context.output)
      }
      return .done
    }
  }
}
