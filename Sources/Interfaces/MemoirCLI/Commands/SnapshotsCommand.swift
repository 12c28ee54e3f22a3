// `memoir snapshots`: the stored states that make reading fast, and can be thrown away.
import JSON
import Memoir

enum SnapshotsCommand: Command {
  enum Action: String, CaseIterable, Sendable { case rebuild, clear }

  static let action = Argument.optionalPositional(
    .choice() as ArgumentKind<Action>, called: "rebuild|clear",
    help: "Take those that are due, or delete all. Without it, they are counted.")

  static let row = CommandRow(
    name: "snapshots",
    summary: "Count, rebuild or delete the stored states",
    section: .care,
    discussion: "Snapshots only save time: every answer is the same without them.",
    arguments: [action],
    examples: [CommandExample("memoir snapshots rebuild", "Make the next reads fast.")],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let action = arguments[action]
    return try arguments.withStore(for: action == nil ? .reading : .writing, in: context) { store in
      switch action {
      case .clear: try store.log.clearSnapshots()
      case .rebuild: try rebuild(store)
      case nil: break
      }
      let statistics = try store.log.storeStatistics(for: store.projector)
      let table = statistics.tables.first { $0.name == "snapshots" }
      let (count, bytes) = (table?.entries ?? 0, table?.sizeInBytes ?? 0)
      if arguments.wantsJSON {
        try context.output.write(
          json: JSONWriter.objectLine { writer in
            writer.key("bytes")
            writer.integer(bytes)
            writer.key("due")
            writer.integer(statistics.dueSnapshots)
            writer.key("snapshots")
            writer.integer(count)
          })
      } else {
        var line: StyledText = "\(Quantity.count(count, "snapshot"), .bold) in \(Quantity.bytes(bytes))"
        let due = statistics.dueSnapshots
        if due > 0 { line.append("; \(Quantity.count(due, "user has", plural: "users have")) one due") }
        line.append(".")
        try context.output.print(line)
      }
      return .done
    }
  }

  private static func rebuild(_ store: MemoirStore) throws {
    try store.forEachUser(in: nil) { user in
      try store.prepareSnapshots(of: user.name)
      try store.prepareRecall(of: user.name)
      // One by one, so that those that wait do not pile up.
      try store.log.storeDueSnapshots()
    }
  }
}
