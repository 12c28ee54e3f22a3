// `memoir compact`: the store's file without its free pages.
import JSON
import Memoir

enum CompactCommand: Command {
  static let row = CommandRow(
    name: "compact",
    summary: "Write the store's file anew, without its free pages",
    section: .care,
    discussion: """
      Pages that are given up are used again by what follows, so a file seldom needs it. The new file takes the place of
      the old one when it is written and on the disk; a crash leaves the one or the other. It needs the store alone, and
      room for the new file.
      """,
    arguments: [],
    examples: [CommandExample("memoir compact", "Give the disk back what is free.")],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let summary: CompactionSummary
    let masterKey = try MasterKey.named(environment: context.environment)
    do throws(StorageError) {
      summary = try EventLog.compact(
        arguments.storePath(environment: context.environment), schema: .memoir, masterKey: masterKey)
    } catch {
      throw MemoirError(error)
    }
    if arguments.wantsJSON {
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          writer.key("bytes_after")
          writer.integer(summary.bytesAfter)
          writer.key("bytes_before")
          writer.integer(summary.bytesBefore)
        })
    } else {
      let (before, after) = (Quantity.bytes(summary.bytesBefore), Quantity.bytes(summary.bytesAfter))
      try context.output.print("The file has \(after, .bold) now; it had \(before).")
    }
    return .done
  }
}
