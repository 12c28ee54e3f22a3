// `memoir encryption`: how the store is encrypted, and with which master key.
import JSON
import Memoir

/// What is done about the encryption of a store.
enum EncryptionAction: String, CaseIterable, Sendable {
  case status, newKey = "new-key", rotate
}

enum EncryptionCommand: Command {
  static let action = Argument.positional(
    ArgumentKind<EncryptionAction>.choice("ACTION"), help: "What is done about it.")
  static let file = Argument.optionalPositional(.file, help: "New key: where it is written to.")
  static let newKey = Argument.option(
    "new-key-file", .file, help: "Rotate: the file with the master key that the store is to have.")

  static let row = CommandRow(
    name: "encryption",
    summary: "Say how the store is encrypted; make a master key, or change it",
    section: .care,
    discussion: """
      A store that is made while $MEMOIR_MASTER_KEY, or a file that $MEMOIR_MASTER_KEY_FILE names, holds a master key is
      encrypted from then on: all that people said, and what is made of it. It takes the same key to open it, whatever
      the command. Without the key nothing of it can be read, by nobody: keep a copy of it elsewhere, and not with the
      backups. User ids, session names, times and sizes are not encrypted.

      'encryption new-key' writes a new key to a file that only you can read. 'encryption rotate' gives a store another
      key: it wraps the keys in it anew and leaves the events as they are. It needs the store alone; a crash leaves the
      one key or the other. Backups from before take the key from before.
      """,
    arguments: [action, file, newKey],
    examples: [
      CommandExample("memoir encryption new-key ~/memoir.key", "A new master key, 64 hexadecimal digits."),
      CommandExample("memoir encryption status", "The algorithm, and which master key it takes."),
      CommandExample(
        "memoir encryption rotate --new-key-file ~/new.key",
        "Another master key; the old one is in $MEMOIR_MASTER_KEY_FILE."),
    ],
    exitCodes: .ofReading(usage: "wrong usage; no master key given, or not the store's"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let action = arguments[action]
    try checkCompany(arguments, action)
    switch action {
    case .status:
      try arguments.withStore(in: context) { store in try tell(store.log.encryption, arguments, in: context) }
    case .newKey:
      let key = MasterKey.random()
      try key.write(toNewFile: arguments[file] ?? "", field: file.spec.name)
      try tell(key, in: arguments[file] ?? "", arguments, in: context)
    case .rotate:
      try tell(rotate(arguments, in: context), arguments, in: context)
    }
    return .done
  }

  private static func checkCompany(_ arguments: ParsedArguments, _ action: EncryptionAction) throws(MemoirError) {
    if (arguments[file] != nil) != (action == .newKey) {
      throw .invalid(
        field: file.spec.name,
        action == .newKey
          ? "is missing: 'encryption new-key' needs one" : "is too much: 'encryption \(action.rawValue)' takes none")
    }
    if (arguments[newKey] != nil) != (action == .rotate) {
      throw .invalid(
        field: newKey.spec.spelled,
        action == .rotate ? "is missing" : "means nothing for 'encryption \(action.rawValue)'")
    }
  }

  private static func rotate(_ arguments: ParsedArguments, in context: CommandContext) throws(MemoirError)
    -> KeyRotation
  {
    guard let old = try MasterKey.named(environment: context.environment) else {
      throw .invalid(field: "MEMOIR_MASTER_KEY_FILE", "is missing: it takes the store's master key to change it")
    }
    let new = try MasterKey(file: arguments[newKey] ?? "", field: newKey.spec.spelled)
    do throws(StorageError) {
      return try EventLog.rotateMasterKey(
        of: arguments.storePath(environment: context.environment), from: old, to: new, schema: .memoir)
    } catch {
      throw MemoirError(error)
    }
  }

  // MARK: What is shown

  private static func tell(
    _ encryption: EncryptionStatus?, _ arguments: ParsedArguments, in context: CommandContext
  ) throws {
    if arguments.wantsJSON {
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          if let encryption {
            writer.key("algorithm")
            writer.string(encryption.algorithm)
          }
          writer.key("encrypted")
          writer.bool(encryption != nil)
          if let encryption {
            writer.key("master_key")
            writer.string(encryption.masterKeyID)
          }
        })
    } else if let encryption {
      try context.output.print(
        "The store is encrypted: \(encryption.algorithm, .bold), master key \(encryption.masterKeyID, .accent).")
    } else {
      try context.output.print("The store is not encrypted.")
    }
  }

  private static func tell(
    _ key: MasterKey, in path: String, _ arguments: ParsedArguments, in context: CommandContext
  ) throws {
    if arguments.wantsJSON {
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          writer.key("file")
          writer.string(path)
          writer.key("master_key")
          writer.string(key.id)
        })
    } else {
      try context.output.print("The master key \(key.id, .accent) is in \(path). Who loses it loses the store.")
    }
  }

  private static func tell(
    _ rotation: KeyRotation, _ arguments: ParsedArguments, in context: CommandContext
  ) throws {
    if arguments.wantsJSON {
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          rotation.encryption.writeMembers(to: &writer)
          writer.key("scrubbed")
          writer.bool(rotation.isScrubbed)
          writer.key("users")
          writer.integer(rotation.streams)
        })
    } else {
      let users = Quantity.count(rotation.streams, "user")
      try context.output.print(
        "The store takes the master key \(rotation.encryption.masterKeyID, .accent) now; the keys of \(users) are wrapped anew."
      )
      if !rotation.isScrubbed {
        try context.output.print("As they were wrapped before they may be in the file still, until the next append.")
      }
    }
  }
}
