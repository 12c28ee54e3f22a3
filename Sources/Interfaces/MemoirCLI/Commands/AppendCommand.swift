// `memoir append`: events from JSON Lines into the log.
import JSON
import Memoir

enum AppendCommand: Command {
  static let input = Argument.optionalPositional(
    .input, help: "A file of JSON Lines, an event a line; '-', or nothing, for standard input.")
  static let expectedVersion = Argument.option(
    "expected-version", .expectedVersion,
    help: """
      Append only if the stream is where you believe it to be: a version, 'no_stream', 'stream_exists' or \
      'any'. Needs a file of one user, and is carried on over its batches.
      """)
  static let batch = Argument.option(
    "batch", .number(in: 1...Limits.eventsPerRequest), default: 1000, shownDefault: "1,000",
    help: "Events in one atomic append.")
  static let takeErased = Argument.flag(
    "take-erased", help: "Take events that were erased as new ones. Else their ids are refused.")

  static let row = CommandRow(
    name: "append",
    summary: "Append events from JSON Lines",
    section: .events,
    discussion: """
      Each line is an event: {"user":…, "type":…, "data":{…}}, and optionally id, session, occurred_at,
      metadata and namespace. Positions follow the order of the file. When the command returns, all of it is on
      disk; it prints as JSON how many events were appended, how many were known already, and the last
      position.

      A line whose id is known with the same content counts as a duplicate and is left out, so a file can be
      appended again after a failure. A line that cannot be accepted stops the command with its number and the
      reason: nothing of its batch is stored, earlier batches are kept. Empty lines are passed over.

      A line names its user; its namespace is the line's, else the one given by --namespace, else 'default'.

      Types, and what their data has to have: MessageAdded (role, content), FactLearned (fact, category, confidence),
      FactRevised (fact_id), FactForgotten (fact_id), PreferenceUpdated (key, value), RelationshipLearned (subject,
      predicate, object), EpisodeRecorded (task, actions, outcomes, success), SessionStarted, SessionEnded,
      SessionsCompacted (sessions, summary), and any name of your own. The page Events of the documentation has all
      fields.

      What 'export' printed is taken as it was stored: a user who begins with it has the same chain here. A file that
      begins as an export is first read to its end, and nothing of it is stored unless it is whole and unchanged. Standard
      input can be read only once: each line is checked before it is stored, and that the end is missing shows at the
      end, when what came before is stored.
      """,
    arguments: [input, expectedVersion, batch, takeErased],
    examples: [
      CommandExample("memoir append events.jsonl", "Append a file; create the store if there is none."),
      CommandExample(
        "memoir append --expected-version 12 < more.jsonl",
        "Append only if the user's stream is at version 12."),
    ],
    exitCodes: [
      ExitMeaning(.failed, "a failure of the disk or the store"),
      ExitMeaning(.wrongUsage, "wrong usage; a line that cannot be accepted"),
      ExitMeaning(.notFound, "no such file"),
      ExitMeaning(.conflict, "the stream is elsewhere, or an id is taken by another event"),
      ExitMeaning(.corrupt, "the store is damaged; an export that was changed or cut"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    // The input first: where there is none, or no right export, no store shall be made.
    try proveExport(arguments, in: context)
    var reader = try reader(arguments, in: context)
    let progress = Progress("appending", total: nil, on: context.errors, clock: context.monotonic)
    var appender = BatchAppender(
      expecting: arguments[expectedVersion], takingErased: arguments[takeErased], progress: progress
    ) {
      try arguments.openStore(for: .creating, in: context)
    }
    let summary: AppendSummary
    do {
      while let batch = try reader.next() { try appender.append(batch) }
      summary = try appender.finish()
    } catch {
      progress.finish()
      throw appender.stop(error)
    }
    progress.finish()
    try context.output.write(json: JSONWriter.objectLine { summary.write(to: &$0) })
    return .done
  }

  private static func reader(_ arguments: ParsedArguments, in context: CommandContext) throws -> EventReader {
    var reader = try EventReader(arguments[input] ?? .standardInput, batchSize: arguments[batch])
    reader.namespace = arguments[GlobalOptions.namespace]
    reader.isOfOneUser = arguments[expectedVersion] != nil
    reader.now = context.now
    return reader
  }

  /// Reads a file that begins as an export to its end before anything of it is stored: whether it is whole, its last line
  /// alone tells. Of any other file, a batch is read.
  private static func proveExport(_ arguments: ParsedArguments, in context: CommandContext) throws {
    guard let source = arguments[input], source.isRegularFile else { return }
    var reader = try reader(arguments, in: context)
    let progress = Progress("verifying", total: nil, on: context.errors, clock: context.monotonic)
    defer { progress.finish() }
    do {
      while let batch = try reader.next(), reader.hasReadExport { progress.advance(by: batch.lines.count) }
    } catch let error as LineError {
      throw AppendStopped(error: error, summary: AppendSummary())
    }
  }
}

extension ArgumentKind where Value == ExpectedVersion {
  /// A version, or one of the contract's words; 0 is `no_stream`.
  static var expectedVersion: Self {
    Self("V", candidates: .common(["any", "no_stream", "stream_exists"])) { text throws(ArgumentProblem) in
      do throws(InvalidValue) {
        return try ExpectedVersion(text)
      } catch {
        throw ArgumentProblem(
          "\(SafeText.quoted(text)) is neither a version nor any, no_stream, stream_exists",
          suggestion: Suggestion.nearest(to: text, among: ["any", "no_stream", "stream_exists"]))
      }
    }
  }
}
