// `memoir replay`: folds the log anew, and says how fast.
import JSON
import Memoir
import Platform

enum ReplayCommand: Command {
  static let projector = Argument.option(
    "projector", .choice("NAME"), default: BuiltInProjector.context, help: "What to fold to.")
  static let users = Argument.positionals(.user, help: "Only these users; else all.")
  static let noSnapshots = Argument.flag(
    "no-snapshots", help: "Fold from the first event, whatever snapshots there are.")
  static let dryRun = Argument.flag(
    "dry-run", excludes: ["--no-snapshots", "--occurred-at"],
    help: "Compare with the snapshots that stand, and change nothing.")
  static let against = Argument.option(
    "against", .number("VERSION", in: 0...Int.max), needs: ["--dry-run"],
    help: "Only snapshots of that version of the projector; else the latest.")
  static let limit = Argument.option(
    "limit", .number(in: 0...Int.max), short: "n", default: 10, needs: ["--dry-run"],
    help: "Show what differs of the first N users that do.")
  static let jobs = Argument.option(
    "jobs", .number(in: 1...1024), short: "j", help: "Fold N users at a time; else one a core.")

  static let row = CommandRow(
    name: "replay",
    summary: "Fold the log again, timed, and print a digest",
    section: .lookingBack,
    discussion: """
      Rebuilds the states of all users, or of those named, and prints users, events, seconds, events per second
      and a digest of all states. The digest is the same with and without snapshots, on one core or many. Users
      with fewer events than --at-version are folded to their last.

      With --dry-run it says what an upgrade of this program would change: of each user, the latest snapshot,
      whichever version of the projector left it, beside what this program folds the same events to. It counts
      who differs, and shows in what, with the events responsible. A part of the context is compared with that
      part of the context's snapshots. Users with too few events for a snapshot are only counted. Nothing is written
      but how far it has come, so that it can go on.
      """,
    arguments: [projector, users, AsOfArguments.group, noSnapshots, jobs, dryRun, against, limit],
    examples: [
      CommandExample("memoir replay", "Rebuild everything."),
      CommandExample(
        "memoir replay --projector facts --no-snapshots user-bob", "One user's facts, from the first event."),
      CommandExample(
        "memoir replay --dry-run --projector facts", "Whose facts this program would fold otherwise."),
    ],
    exitCodes: .ofReading(notFound: "no store, or no such user"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    if arguments[dryRun] { return try DryRun(arguments: arguments, context: context).run() }
    let result = try arguments.with(openStore(arguments, in: context)) { store in
      try replay(store, arguments, in: context)
    }
    let projector = arguments[projector]
    if arguments.wantsJSON {
      try context.output.write(json: json(result, projector))
    } else {
      try show(result, projector, on: context.output)
    }
    return .done
  }

  /// With leave to write, so that an interrupted replay can go on later; without it where there is none to be had.
  private static func openStore(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws(MemoirError) -> MemoirStore {
    do {
      return try arguments.openStore(for: .writing, in: context)
    } catch {
      guard error.code == .forbidden else { throw error }
      return try arguments.openStore(for: .reading, in: context)
    }
  }

  private static func replay(
    _ store: MemoirStore, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> ReplayResult {
    var options = ReplayOptions()
    options.namespace = arguments[GlobalOptions.namespace]
    options.point = arguments.asOf.asOf
    options.usesSnapshots = !arguments[noSnapshots]
    options.jobs = arguments[jobs] ?? CurrentProcess.processorCount
    let scope = try scope(of: arguments, in: store)
    options.streams = scope.streams
    let progress = Progress(
      "replaying \(arguments[projector])", total: Int(clamping: scope.events), on: context.errors,
      clock: context.monotonic)
    defer { progress.finish() }
    return try arguments[projector].replay(store.log, options) {
      progress.update(to: Int(clamping: $0.events))
    }
  }

  /// The users named, each once (`nil`: all), and how many events there are of all that are meant.
  ///
  /// - Throws: `not_found` for a user nobody has heard of.
  static func scope(
    of arguments: ParsedArguments, in store: MemoirStore
  ) throws -> (streams: [StreamName]?, events: UInt64) {
    var events: UInt64 = 0
    if !arguments[users].isEmpty {
      let streams = Set(arguments[users].map(arguments.stream(of:))).sorted()
      for stream in streams {
        let version = try store.log.version(of: stream)
        if version == 0 { throw MemoirError.noUser(stream) }
        events += version.number
      }
      return (streams, events)
    }
    if let namespace = arguments[GlobalOptions.namespace] {
      try store.forEachUser(in: namespace) { user in events += user.version.number }
      return (nil, events)
    }
    return (nil, try store.log.lastPosition().number)
  }

  private static func rate(_ result: ReplayResult) -> Double {
    result.seconds > 0 ? Double(result.events) / result.seconds : 0
  }

  private static func json(_ result: ReplayResult, _ projector: BuiltInProjector) -> [UInt8] {
    JSONWriter.objectLine { writer in
      writer.key("projector")
      writer.string(projector.rawValue)
      writer.key("users")
      writer.integer(result.streams)
      writer.key("events")
      writer.integer(result.events)
      writer.key("seconds")
      writer.value(canonical: Array(decimal(result.seconds).utf8).span)
      writer.key("events_per_second")
      writer.integer(UInt64(rate(result).rounded()))
      writer.key("digest")
      writer.string(result.digest)
    }
  }

  /// To the microsecond, never with an exponent.
  static func decimal(_ seconds: Double) -> String {
    let micros = UInt64((seconds * 1_000_000).rounded())
    let digits = String(micros % 1_000_000)
    return "\(micros / 1_000_000)." + String(repeating: "0", count: 6 - digits.utf8.count) + digits
  }

  private static func show(_ result: ReplayResult, _ projector: BuiltInProjector, on output: Console) throws {
    let events = Quantity.count(result.events, "event")
    let users = Quantity.count(result.streams, "user")
    let time = Quantity.duration(.seconds(result.seconds))
    var line: StyledText = "Replayed \(events, .bold) of \(users) to their \(projector.rawValue) in \(time)"
    line.append(" (\(Quantity.rate(perSecond: rate(result))))", .dim)
    try output.print(line)
    if result.eventsFolded < result.events {
      let folded = Quantity.count(result.eventsFolded)
      try output.print(
        StyledText("\(folded) of them were folded one by one; snapshots stand for the others", .dim))
    }
    if result.resumedStreams > 0 {
      let users = Quantity.count(result.resumedStreams, "user")
      try output.print(StyledText("went on where a replay was interrupted: \(users) were done before", .dim))
    }
    try output.print("digest \(result.digest, .accent)")
  }
}
