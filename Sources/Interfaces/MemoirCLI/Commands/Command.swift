// What a command is: its row of the table, and what it does.
import Memoir
import Platform

/// A command. One file each, the row and the run beside one another.
protocol Command: Sendable {
  /// Name, help, arguments: all that parsing, help and completion need.
  static var row: CommandRow { get }

  /// Does it. Data goes to `context.output`, all else to `context.errors`.
  ///
  /// - Parameter arguments: Checked against ``row``; read with the keys that the row lists.
  /// - Returns: ``ExitCode/done``, or another code where the result itself is the answer, as in a verification.
  /// - Throws: ``ReportableError`` where the reason has a name; anything else is shown as an internal error.
  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode
}

/// The world around a command: handed in, so that a test can stand in for it.
struct CommandContext: Sendable {
  /// Standard output.
  let output: Console
  /// Standard error.
  let errors: Console
  let environment: @Sendable (String) -> String?
  /// The time of day.
  let now: @Sendable () -> Timestamp
  /// A clock that never goes back, for measuring.
  var monotonic: @Sendable () -> Duration = { .nanoseconds(Int64(clamping: MonotonicClock.nanoseconds)) }
  /// The table in force, which `help` and `completion` show; the program sets it.
  var table = CommandTable(rows: [])
}
