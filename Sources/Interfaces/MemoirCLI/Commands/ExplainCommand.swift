// `memoir explain`: which event put an item there, and which changed it.
import JSON
import Memoir

enum ExplainCommand: Command {
  static let item = Argument.positional(
    .text("ITEM"),
    help: "fact:ID, preference:KEY or session:ID; the bare id or key where it is only one of them.")

  static let row = CommandRow(
    name: "explain",
    summary: "Show where a fact, preference or session comes from",
    section: .lookingBack,
    discussion: """
      The event that put it there, the ones that changed it, and the message it was taken from.

      'state' and 'diff' show a fact's id, and the version of its event. A fact that was given no id has its
      event's: 'memoir events USER --from N --to N' shows it.
      """,
    arguments: [CommandRow.user, item],
    examples: [
      CommandExample("memoir explain user-bob preference:code_style", "Every event that set this preference.")
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; a bare name that several items have", notFound: "no store, no such user or item"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let provenance = try store.explain(arguments[item], of: arguments.stream)
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { try store.write(provenance, to: &$0) })
      } else {
        try ProvenanceText(provenance, store).show(on: context.output)
      }
      return .done
    }
  }
}
