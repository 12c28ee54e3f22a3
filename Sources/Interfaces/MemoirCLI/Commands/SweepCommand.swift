// `memoir sweep`: closes sessions that nobody ended.
import JSON
import Memoir

enum SweepCommand: Command {
  static let now = Argument.option(
    "now", .time, help: "Sweep as at this time; never earlier than the last event was recorded.")

  static let row = CommandRow(
    name: "sweep",
    summary: "Close sessions that nobody ended",
    section: .care,
    discussion: """
      A session without an event for 4 hours, or as long as its start says, is closed by a SessionEnded with the
      reason 'timeout', and distilled. Each is closed exactly once, however many processes sweep. Then sessions that
      ended long ago are combined where enough of them did.

      Of all namespaces, unless one is given.
      """,
    arguments: [now],
    examples: [
      CommandExample("memoir sweep", "Close what is idle."),
      CommandExample("memoir sweep --now 2026-12-31T23:59:59Z", "Close what will be idle by then."),
    ],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let (result, distillerFailures) = try await arguments.withStore(for: .writing, usesModels: true, in: context) {
      store in
      let result = try await store.sweep(in: arguments[GlobalOptions.namespace], now: arguments[now])
      return (result, try result.closed.map { try distillerFailure(of: $0, in: store) })
    }
    if arguments.wantsJSON {
      try context.output.write(json: JSONWriter.objectLine { write(result, distillerFailures, to: &$0) })
    } else {
      try show(result, distillerFailures, on: context.output)
    }
    for failure in result.failures {
      try context.errors.print("\("memoir:", .bad) \(failure.user.description): \(failure.error.message)")
    }
    guard let first = result.failures.first else { return .done }
    return ExitCode(rawValue: first.error.code.exitCode) ?? .failed
  }

  /// Why the rules distilled a session in the place of the store's distiller, as its end says; `nil` where they did not.
  private static func distillerFailure(of swept: SweptSession, in store: MemoirStore) throws -> String? {
    guard let end = swept.session.end, let event = try store.log.event(at: end.event.version, of: swept.user)
    else { return nil }
    return try JSONParser().parse(event.metadata.utf8) { $0["distiller_failed"]?["failure"]?.string }
  }

  private static func write(
    _ result: SweepResult, _ distillerFailures: [String?], to writer: inout JSONWriter
  ) {
    writer.key("closed")
    writer.integer(result.closed.count)
    writer.key("compactions")
    writer.integer(result.compactions)
    writer.key("failed")
    writer.integer(result.failures.count)
    writer.key("now")
    writer.string(result.now.description)
    writer.key("sessions")
    writer.beginArray()
    for (swept, failure) in zip(result.closed, distillerFailures) {
      writer.beginObject()
      if let failure {
        writer.key("failure")
        writer.string(failure)
      }
      writer.key("idle_since")
      writer.string(swept.idleSince.description)
      writer.key("namespace")
      writer.string(swept.user.namespace.description)
      writer.key("session")
      writer.string(swept.session.id.description)
      writer.key("user")
      writer.string(swept.user.user.description)
      writer.endObject()
    }
    writer.endArray()
    writer.key("users")
    writer.integer(result.userCount)
  }

  private static func show(_ result: SweepResult, _ distillerFailures: [String?], on output: Console) throws {
    if !result.closed.isEmpty {
      var table = TextTable([
        .flexible("user", .accent), .flexible("session"), .fixed("idle since"), .flexible("summary", atLeast: 20),
      ])
      for swept in result.closed {
        table.add([
          StyledText(swept.user.description), StyledText(swept.session.id.description),
          StyledText(swept.idleSince.minute), StyledText(swept.session.end?.summary ?? ""),
        ])
      }
      try output.table(table)
    }
    for (swept, failure) in zip(result.closed, distillerFailures) {
      guard let failure else { continue }
      let name = swept.session.id.description
      try output.print(
        StyledText("The distiller failed (\(failure)) for \(name); the rules took its place.", .dim))
    }
    let users = Quantity.count(result.userCount, "user")
    try output.print("\(Quantity.count(result.closed.count, "session"), .bold) closed, of \(users).")
  }
}
