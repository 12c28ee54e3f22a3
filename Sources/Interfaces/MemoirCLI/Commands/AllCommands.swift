// The whole table: a line per command.

extension CommandTable {
  /// Every command, in the order of help within its section.
  static let commands: [any Command.Type] = [
    AppendCommand.self, EventsCommand.self, ExportCommand.self,
    RememberCommand.self, RecallCommand.self, ContextCommand.self, ReceiptCommand.self, ForgetCommand.self,
    MemoriesCommand.self, ConflictsCommand.self,
    StateCommand.self, DiffCommand.self, ExplainCommand.self, ReplayCommand.self,
    UsersCommand.self, SessionsCommand.self, StatsCommand.self,
    ServeCommand.self, MCPCommand.self,
    ReportCommand.self, EraseCommand.self, AccessesCommand.self, GrantsCommand.self, KeyCommand.self,
    SweepCommand.self, DistillCommand.self, EmbedCommand.self,
    VerifyCommand.self, AttestCommand.self, SnapshotsCommand.self, BackupCommand.self, RestoreCommand.self,
    CompactCommand.self, EncryptionCommand.self, RetentionCommand.self,
    DemoCommand.self, CompletionCommand.self, CompletionCandidatesCommand.self, HelpCommand.self,
  ]

  static let all = CommandTable(rows: commands.map { $0.row })
}
