// `memoir restore`: a store from a backup.
import JSON
import Memoir

enum RestoreCommand: Command {
  static let source = Argument.positional(
    .directory, called: "SRC", help: "A folder that 'backup' has written.")
  static let tombstones = Argument.option(
    "tombstones", .file, help: "The file TOMBSTONES of the store, newer than the backup's own: who is in it is erased.")

  static let position = Argument.option(
    "at-position", .ordinal, excludes: ["--recorded-at"], help: "Up to the store's event N, and nothing after it.")
  static let recordedAt = Argument.option(
    "recorded-at", .time, excludes: ["--at-position"], help: "Up to what had been recorded by then.")

  static let row = CommandRow(
    name: "restore",
    summary: "Make a new store from a backup",
    section: .care,
    discussion: """
      The backup is verified on the way. The store given must not exist yet: nothing is overwritten.

      At an earlier point, the events after it are left out; of an append that goes beyond it, all. What was erased
      or revoked since stays so.

      Who was erased after the backup was made is in it still. The file TOMBSTONES in the folder of the store they
      were erased from names them by a hash: given with --tombstones, they are erased again before anything can be read.

      The backup of an encrypted store is encrypted like it: it takes the master key that the store had when it was made.
      """,
    arguments: [source, position, recordedAt, tombstones],
    examples: [
      CommandExample("memoir --store ./restored restore /mnt/backup/memoir", "Restore beside the old store."),
      CommandExample(
        "memoir --store ./restored restore /mnt/backup/memoir --recorded-at 2026-03-09T12:00:00Z",
        "As it was at noon, before what went wrong."),
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; the store is there already, or the tombstones are of another one",
      notFound: "no backup there",
      corrupt: "the backup is damaged"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let folder = arguments.storePath(environment: context.environment)
    try refuseOccupied(folder, field: "--store")
    let progress = ProgressOfPositions("verifying", in: context)
    let report: VerifyReport
    var options = EventLog.Options()
    options.masterKey = try MasterKey.named(environment: context.environment)
    do throws(ReadError) {
      try EventLog.checkRestore(
        of: arguments[source], at: arguments[position].map { LogPosition($0) }, tombstones: arguments[tombstones],
        schema: .memoir, options: options)
    } catch {
      if case .storage(.missing(let path)) = error {
        let what = path == arguments[tombstones] ? "are no tombstones" : "is no backup"
        throw MemoirError(.notFound, "there \(what) at \(path.isEmpty ? arguments[source] : path)")
      }
      throw arguments.spelled(error)
    }
    do throws(StorageError) {
      defer { progress.finish() }
      report = try EventLog.restore(
        from: arguments[source], to: folder, schema: .memoir, at: arguments.restorePoint,
        tombstones: arguments[tombstones], options: options
      ) { done, total in
        progress.report(done, of: total)
      }
    } catch {
      switch error {
      case .occupied(let reason): throw MemoirError.invalid(field: "--store", reason)
      // The backup is there.
      case .missing: throw MemoirError.invalid(field: "--store", "\(folder) cannot be made")
      default: throw MemoirError(error)
      }
    }
    if arguments.wantsJSON {
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          writer.key("erased_again")
          writer.integer(report.erasedAgain)
          writer.key("events")
          writer.integer(report.events)
          writer.key("position")
          writer.integer(report.position.number)
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
      if report.erasedAgain > 0 {
        let people = Quantity.count(report.erasedAgain, "person", plural: "people")
        let events = Quantity.count(report.eventsErasedAgain, "event")
        try context.output.print("Erased again, as after the backup was made: \(people), \(events).")
      }
    }
    return .done
  }
}

extension ParsedArguments {
  fileprivate var restorePoint: RestorePoint? {
    if let position = self[RestoreCommand.position] { return .position(LogPosition(position)) }
    return self[RestoreCommand.recordedAt].map { .recordedAt($0) }
  }
}
