// `memoir distill`: makes memories of sessions that ended without it, or anew.
import JSON
import Memoir

enum DistillCommand: Command {
  static let session = Argument.option(
    "session", .session, excludes: ["--all"], help: "Only this session, which must have ended.")
  static let all = Argument.flag(
    "all", help: "Also sessions that another distiller has made memories of.")
  static let agent = Argument.option(
    "agent", .text("A"), help: "Who asks for it; kept in the events' metadata.")

  static let row = CommandRow(
    name: "distill",
    summary: "Make memories of sessions that ended",
    section: .care,
    discussion: """
      A session is distilled when it ends by 'sessions --end' or 'sweep'. This does it for sessions that ended in another
      way, e.g. by an imported SessionEnded: a summary where they have none, and up to six memories each, in one atomic
      append a session. What a distiller has made of a session it never makes again, so the command can be repeated.

      Afterwards sessions that ended long ago are combined where enough of them did.
      """,
    arguments: [CommandRow.user, session, all, agent],
    examples: [CommandExample("memoir distill user-bob", "After an import.")],
    exitCodes: .ofReading(usage: "wrong usage, or a session that is open", notFound: "no store, user or session"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let scope: DistillationScope =
      if let id = arguments[session] { .session(id) } else { arguments[all] ? .all : .undistilled }
    let results = try await arguments.withStore(for: .writing, usesModels: true, in: context) { store in
      try await store.distill(arguments.stream, scope, agent: arguments[agent])
    }
    if arguments.wantsJSON {
      try context.output.write(json: JSONWriter.objectLine { write(results, to: &$0) })
    } else {
      try show(results, on: context.output)
    }
    return .done
  }

  private static func write(_ results: [LateDistillation], to writer: inout JSONWriter) {
    writer.key("distilled")
    writer.integer(results.count { !$0.wasDistilled })
    writer.key("sessions")
    writer.beginArray()
    for result in results {
      writer.beginObject()
      writer.key("distiller")
      writer.string(result.distiller.description)
      writer.writeEventIDs(result.eventIDs)
      if let failure = result.failure {
        writer.key("failure")
        writer.string(failure.rawValue)
      }
      writer.key("session")
      writer.string(result.session.id.description)
      writer.key("was_distilled")
      writer.bool(result.wasDistilled)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func show(_ results: [LateDistillation], on output: Console) throws {
    if results.isEmpty { return try output.print("There is nothing to distil.") }
    for result in results {
      let name = result.session.id.description
      if result.wasDistilled {
        try output.print("\(name, .accent) was distilled by \(result.distiller.description) already.")
      } else {
        let count = Quantity.count(result.eventIDs.count - 1, "event")
        try output.print("\(name, .accent) is distilled by \(result.distiller.description): \(count).")
        if let failure = result.failure {
          try output.print(
            StyledText("The distiller failed (\(failure.rawValue)); the rules took its place.", .dim))
        }
      }
    }
  }
}

extension JSONWriter {
  /// Prints the member `event_ids`.
  fileprivate mutating func writeEventIDs(_ ids: [EventID]) {
    key("event_ids")
    beginArray()
    for id in ids { string(id.description) }
    endArray()
  }
}
