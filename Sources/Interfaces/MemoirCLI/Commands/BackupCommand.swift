// `memoir backup`: a copy of the store while it is in use.
import JSON
import Memoir

enum BackupCommand: Command {
  static let destination = Argument.positional(
    .directory, called: "DEST",
    help: "A backup of this store, or a folder that is empty or does not exist yet; not within the store's.")

  static let row = CommandRow(
    name: "backup",
    summary: "Copy the store while it is in use",
    section: .care,
    discussion: """
      The copy is the store of one moment, whole and consistent; appending goes on meanwhile. It is a store like any
      other, to be looked into or restored from, at any point up to its end.

      To a backup of the same store, what came since is added, after a check that all before is the same history. A
      crash leaves the backup as it was, or with a part of what came since. Where something was erased since, all is
      copied anew, so that it is gone from the backup too.
      """,
    arguments: [destination],
    examples: [
      CommandExample("memoir backup /mnt/backup/memoir", "Copy all; the next time, add what came since.")
    ],
    exitCodes: .ofReading(usage: "wrong usage; the folder holds something else"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    // Made now where there is none, so that what is restored signs with the key that this store will have signed with. A
    // store that cannot be written to is copied without.
    _ = try? arguments.withSigningStore(in: context) { store in try store.signingKey() }
    return try arguments.withStore(in: context) { store in
      let summary = try backup(store, to: arguments[destination])
      if arguments.wantsJSON {
        try context.output.write(
          json: JSONWriter.objectLine { writer in
            writer.key("added")
            writer.integer(summary.added)
            writer.key("bytes")
            writer.integer(summary.sizeInBytes)
            writer.key("destination")
            writer.string(arguments[destination])
            writer.key("position")
            writer.integer(summary.position.number)
          })
      } else {
        let count = Quantity.count(summary.added, "event")
        let size = Quantity.bytes(summary.sizeInBytes)
        let isAll = summary.added == summary.position.number
        let rest: StyledText = isAll ? "" : ", which has \(Quantity.count(summary.position.number)) now"
        try context.output.print("Copied \(count, .bold) (\(size)) to \(arguments[destination], .accent)\(rest).")
      }
      return .done
    }
  }

  private static func backup(_ store: MemoirStore, to destination: String) throws(MemoirError) -> BackupSummary {
    do throws(StorageError) {
      return try store.log.backup(to: destination)
    } catch {
      switch error {
      case .occupied(let reason): throw .invalid(field: "DEST", reason)
      // The store is there.
      case .missing: throw .invalid(field: "DEST", "\(destination) cannot be made")
      default: throw MemoirError(error)
      }
    }
  }
}
