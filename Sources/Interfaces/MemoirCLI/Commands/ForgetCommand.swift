// `memoir forget`: a memory is shown and recalled no more.
import JSON
import Memoir

enum ForgetCommand: Command {
  static let reason = Argument.option("reason", .text("R"), help: "Why; kept in history.")

  static let row = CommandRow(
    name: "forget",
    summary: "Forget a memory of a user",
    section: .memory,
    discussion: """
      History keeps it: as-of before this it is still there, and 'explain' shows it. What takes texts out of the store
      for good is 'memoir erase' of all about a person, and 'memoir retention' by age. A memory that was forgotten,
      superseded or has expired is not found: also by the second 'forget' of the same one.
      """,
    arguments: [CommandRow.user, MemoryArguments.factID, reason, MemoryArguments.agent],
    examples: [CommandExample("memoir forget user-bob home-1 --reason moved", "Forget it, and say why.")],
    exitCodes: .ofReading(notFound: "no store, no such user, no such memory now"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    try await arguments.withStore(for: .writing, in: context) { store in
      let updated = try await store.forget(
        arguments[MemoryArguments.factID], of: arguments.stream, reason: arguments[reason],
        agent: arguments[MemoryArguments.agent])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { updated.write(to: &$0) })
      } else {
        try context.output.item(
          updated.result.fact, remark: "(\(updated.result.factID))", bullet: "Forgotten: ")
      }
      return .done
    }
  }
}
