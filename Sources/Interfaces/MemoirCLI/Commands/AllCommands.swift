// The whole table: a line per command.

extension CommandTable {
  /// Every command that is described, in the order of help within its section.
  static let all = CommandTable(rows: [
    AppendCommand.row, EventsCommand.row, ExportCommand.row,
    StateCommand.row, DiffCommand.row, ExplainCommand.row, ReplayCommand.row,
    UsersCommand.row, SessionsCommand.row, StatsCommand.row,
    VerifyCommand.row, SnapshotsCommand.row, BackupCommand.row, RestoreCommand.row,
    DemoCommand.row, CompletionCommand.row, CompletionCandidatesCommand.row, HelpCommand.row,
  ])
}
