// `memoir completion-candidates`: what a completion script asks the store for. Not for people.
import Memoir

enum CompletionCandidatesCommand: Command {
  static let what = Argument.positional(.choice("WHAT", of: ["users"]), called: "WHAT", help: "What to list.")

  static let row = CommandRow(
    name: "completion-candidates",
    summary: "List what a completion script offers",
    section: .help,
    arguments: [what],
    isHidden: true)

  /// More would help nobody to choose.
  private static let limit = 10_000

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      for user in try store.log.streams(in: arguments[GlobalOptions.namespace] ?? .default, limit: limit) {
        try context.output.write(user.name.user.description + "\n")
      }
      return .done
    }
  }
}
