// `memoir backup`: a copy of the store while it is in use.
import JSON
import Memoir

enum BackupCommand: Command {
  static let destination = Argument.positional(
    .directory, called: "DEST", help: "A folder that does not exist yet, or is empty.")

  static let row = CommandRow(
    name: "backup",
    summary: "Copy the store while it is in use",
    section: .care,
    discussion: "The copy is the store of one moment, whole and consistent; appending goes on meanwhile.",
    arguments: [destination],
    examples: [CommandExample("memoir backup /mnt/backup/memoir-2026-03-09", "A copy to keep.")],
    exitCodes: .ofReading(usage: "wrong usage; the folder is not empty"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      try refuseOccupied(arguments[destination], field: "DEST")
      let summary = try store.log.backup(to: arguments[destination])
      if arguments.wantsJSON {
        try context.output.write(
          json: JSONWriter.objectLine { writer in
            writer.key("bytes")
            writer.integer(summary.sizeInBytes)
            writer.key("destination")
            writer.string(arguments[destination])
            writer.key("position")
            writer.integer(summary.position.number)
          })
      } else {
        let count = Quantity.count(summary.position.number, "event")
        try context.output.print(
          "Copied \(count, .bold) (\(Quantity.bytes(summary.sizeInBytes))) to \(arguments[destination], .accent)."
        )
      }
      return .done
    }
  }
}
