// `memoir restore`: a store from a backup.

enum RestoreCommand {
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
}
