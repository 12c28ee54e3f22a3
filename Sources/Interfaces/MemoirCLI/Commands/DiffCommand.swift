// `memoir diff`: what changed about a user between two points.
import JSON
import Memoir

enum DiffCommand: Command {
  static let from = Argument.required("from", .point, help: "The earlier point.")
  static let to = Argument.required("to", .point, help: "The later point.")

  static let row = CommandRow(
    name: "diff",
    summary: "Show what changed about a user between two points",
    section: .lookingBack,
    discussion: """
      Facts learned, revised, forgotten and expired, preferences changed, sessions begun and ended, messages
      added: each with the event responsible.

      A point is v12 (the user's version), p345 (the store's position), recorded:TIME, occurred:TIME, start or
      now; a TIME is like 2026-03-03T14:00:00Z. 'occurred:' goes with 'occurred:', 'start' and 'now' only.
      """,
    arguments: [CommandRow.user, from, to],
    examples: [
      CommandExample("memoir diff user-bob --from v12 --to now", "What came after the user's 12th event."),
      CommandExample(
        "memoir diff user-bob --from recorded:2026-03-02T00:00:00Z --to recorded:2026-03-09T00:00:00Z",
        "What was learned in a week."),
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; the points are the wrong way round", notFound: "no store, or no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let diff = try store.diff(of: arguments.stream, from: arguments[from], to: arguments[to])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { try store.write(diff, to: &$0) })
      } else {
        try DiffText(diff).show(on: context.output)
      }
      return .done
    }
  }
}
