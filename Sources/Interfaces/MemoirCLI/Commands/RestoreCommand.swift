// `memoir restore`: a store from a backup.
import JSON
import Memoir

enum RestoreCommand: Command {
  static let source = Argument.positional(
    .directory, called: "SRC", help: "A folder that 'backup' has written.")

  static let row = CommandRow(
    name: "restore",
    summary: "Make a new store from a backup",
    section: .care,
    discussion:
      "The backup is verified on the way. The store given must not exist yet: nothing is overwritten.",
    arguments: [source],
    examples: [
      CommandExample(
        "memoir --store ./restored restore /mnt/backup/memoir-2026-03-09", "Restore beside the old store.")
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; the store is there already", notFound: "no backup there",
      corrupt: "the backup is damaged"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let folder = arguments.storePath(environment: context.environment)
    try refuseOccupied(folder, field: "--store")
    let progress = ProgressOfPositions("verifying", in: context)
    let report: VerifyReport
    do throws(StorageError) {
      defer { progress.finish() }
      report = try EventLog.restore(from: arguments[source], to: folder, schema: .memoir) { done, total in
        progress.report(done, of: total)
      }
    } catch {
      throw Self.named(error, arguments[source])
    }
    if arguments.wantsJSON {
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          writer.key("events")
          writer.integer(report.events)
          writer.key("store")
          writer.string(folder)
          writer.key("users")
          writer.integer(report.streams)
        })
    } else {
      let count = Quantity.count(report.events, "event")
      try context.output.print(
        "Restored \(count, .bold) of \(Quantity.count(report.streams, "user")) to \(folder, .accent); all of it verifies."
      )
    }
    return .done
  }

  /// The backup is what was not found, and not the store.
  private static func named(_ error: StorageError, _ source: String) -> MemoirError {
    if case .missing = error { return MemoirError(.notFound, "there is no backup at \(source)") }
    return MemoirError(error)
  }
}
