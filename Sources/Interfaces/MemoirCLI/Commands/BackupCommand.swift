// `memoir backup`: a copy of the store while it is in use.

enum BackupCommand {
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
}
