// `memoir memories`: the memories of a user, or one of them, now or at an earlier point.
import JSON
import Memoir

enum MemoriesCommand: Command {
  static let factID = Argument.optionalPositional(.factID, help: "Only this memory, with all there is to say.")
  static let categories = Argument.options(
    "category", .category, short: "c", help: "Only of this category; may be given again.")
  static let types = Argument.options(
    "memory-type", .memoryType, help: "Only of this type; may be given again.")
  static let tags = Argument.options(
    "tag", .text("TAG"), short: "t", help: "Only with this tag, and every other given.")
  static let importance = Argument.option(
    "min-importance", .fraction, help: "Only where importance has not faded below X.")
  static let session = Argument.option("session", .session, help: "Only those learned in this session.")
  static let after = Argument.option(
    "after", .ordinal, help: "Only memories that were learned after the user's event N.")
  static let limit = Argument.option("limit", .amount, short: "n", help: "At most N memories.")

  static let row = CommandRow(
    name: "memories",
    summary: "List the memories of a user, or show one",
    section: .memory,
    discussion: """
      The facts that are live, in the order they were learned in. Importance fades by 5 % a day since a memory
      was learned, revised or confirmed last; below 0.1 it is archived, and no longer recalled. A memory is
      stale after 7 days (a task after 5 minutes), and to be refreshed from 80 % of that on.

      A memory that was forgotten, superseded or has expired is not there; ask as of an earlier point for it.
      With --limit, 'next' in the JSON is the --after of the next page.
      """,
    arguments: [
      CommandRow.user, factID, categories, types, tags, importance, session, after, limit, AsOfArguments.group,
    ],
    examples: [
      CommandExample("memoir memories user-bob --category task", "What is still to be done."),
      CommandExample(
        "memoir memories user-bob --recorded-at 2026-03-03T14:00:00Z",
        "What was remembered on the 3rd of March at 14:00."),
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; a point after the head", notFound: "no store, no such user, no such memory then"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      if let id = arguments[factID] {
        let memory = try store.memory(id, of: arguments.stream, at: arguments.asOf)
        if arguments.wantsJSON {
          try context.output.write(json: JSONWriter.line { memory.write(to: &$0) })
        } else {
          try MemoryText.show(memory, on: context.output)
        }
        return .done
      }
      let filter = MemoryFilter(
        categories: Set(arguments[categories]), types: Set(arguments[types]), tags: Set(arguments[tags]),
        minimumImportance: arguments[importance], session: arguments[session])
      let page = try store.memories(
        of: arguments.stream, matching: filter, at: arguments.asOf,
        after: StreamVersion(arguments[after] ?? 0), limit: Int(clamping: arguments[limit] ?? .max))
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { page.write(to: &$0) })
      } else {
        try MemoryText.show(page, on: context.output)
      }
      return .done
    }
  }
}
