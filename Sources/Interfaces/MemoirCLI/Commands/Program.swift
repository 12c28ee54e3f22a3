// From the words of a command line to an exit code.
import Memoir

/// The program `memoir`: finds the command, runs it, shows what went wrong.
struct Program: Sendable {
  static let version = Release.version

  /// The commands that there are; the table is made of their rows.
  let commands: [any Command.Type]

  var table: CommandTable { CommandTable(rows: commands.map { $0.row }) }

  /// Runs the command line `words`, which begins after the program's name.
  func run(_ words: [String], in context: CommandContext) async -> ExitCode {
    var context = context
    context.table = table
    do {
      let code = try await dispatch(words, in: context)
      try context.output.flush()
      return code
    } catch {
      // What was found out before the error is still worth reading.
      try? context.output.flush()
      return show(error, asJSON: ArgumentParser.asksForJSON(words), in: context)
    }
  }

  private func dispatch(_ words: [String], in context: CommandContext) async throws -> ExitCode {
    switch try ArgumentParser(table: table).parse(words) {
    case .version:
      try context.output.write("memoir \(Self.version)\n")
    case .help(let row):
      try context.output.write(Help(table: table, paint: context.output.paint).text(for: row))
    case .run(let arguments):
      guard let command = commands.first(where: { $0.row.name == arguments.row.name }) else {
        preconditionFailure("the table is made of the commands")
      }
      return try await command.run(arguments, in: context)
    }
    return .done
  }

  func show(_ error: any Error, asJSON: Bool, in context: CommandContext) -> ExitCode {
    let report = (error as? any ReportableError)?.report ?? MemoirError(error).report
    if report.exitCode == .readerGone { return .readerGone }
    // Where not even standard error can be written to, the exit code is all that is left.
    if asJSON {
      try? context.errors.write(json: report.json)
    } else {
      try? context.errors.print("\("memoir:", .bad) \(report.message)")
      for hint in report.hints { try? context.errors.print(StyledText(hint, .dim)) }
    }
    return report.exitCode
  }
}
