// `memoir help`: help for the program, or for a command.

enum HelpCommand: Command {
  static let command = Argument.optionalPositional(
    .text("COMMAND", candidates: .commands), help: "The command to explain.")

  static let row = CommandRow(
    name: "help",
    summary: "Explain the program or a command",
    section: .help,
    discussion: "The same text as 'memoir COMMAND --help'.",
    arguments: [command],
    examples: [CommandExample("memoir help state", "What 'state' shows, and at which points in time.")],
    exitCodes: [ExitMeaning(.wrongUsage, "there is no such command")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let row = try arguments[command].map { try context.table.command(named: $0) }
    try context.output.write(Help(table: context.table, paint: context.output.paint).text(for: row))
    return .done
  }
}
