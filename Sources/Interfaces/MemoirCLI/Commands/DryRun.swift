// `memoir replay --dry-run`: which users' states this program's projector would change, and in what.
import JSON
import Memoir
import Platform

/// Compares the snapshots that stand with a fold by this program. The store is only looked at.
struct DryRun {
  let arguments: ParsedArguments
  let context: CommandContext

  /// What came of it, for the summary.
  struct Result {
    var comparison: StateComparison
    /// The users that differ, the first of them.
    var differences: [StateDifference] = []
    /// How many users an interrupted run had compared before.
    var resumedUsers = 0
    /// Events that this run folded.
    var eventsFolded: UInt64 = 0
    var seconds = 0.0

    var counts: ComparisonCounts { comparison.checkpoint.counts }
    var eventsPerSecond: Double { seconds > 0 ? Double(eventsFolded) / seconds : 0 }
  }

  func run() throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      // Who names users has few of them, and names them again.
      let file = arguments[ReplayCommand.users].isEmpty ? DryRunFile(in: store.log.folder) : nil
      let result = try compare(store, file)
      if arguments.wantsJSON {
        try context.output.write(json: json(result))
      } else {
        try DryRunText(result).showSummary(limit: limit, on: context.output)
      }
      // Only now: what could not be shown can be shown without comparing again.
      try context.output.flush()
      file?.remove()
      return .done
    }
  }

  private var limit: Int { arguments[ReplayCommand.limit] }

  private func compare(_ store: MemoirStore, _ file: DryRunFile?) throws -> Result {
    let start = context.monotonic()
    let scope = try ReplayCommand.scope(of: arguments, in: store)
    var options = ComparisonOptions()
    options.streams = scope.streams
    options.namespace = arguments[GlobalOptions.namespace]
    options.point = arguments.asOf.asOf
    options.snapshotVersion = arguments[ReplayCommand.against]
    options.jobs = arguments[ReplayCommand.jobs] ?? CurrentProcess.processorCount
    let projector = arguments[ReplayCommand.projector]
    var result = Result(comparison: try projector.comparison(ofSnapshotsIn: store.log, options))

    var earlier: [StreamName] = []
    if let known = file?.read(), result.comparison.resume(from: known.checkpoint) {
      result.resumedUsers = result.counts.streams
      earlier = known.different
    }
    let foldedBefore = result.counts.eventsFolded
    file?.begin(different: earlier, at: result.comparison.checkpoint)

    let progress = Progress(
      "dry run of \(projector)", total: Int(clamping: scope.events), done: Int(clamping: result.counts.events),
      on: context.errors, clock: context.monotonic)
    defer { progress.finish() }
    for user in earlier.prefix(limit) {
      if let difference = try result.comparison.difference(of: user) {
        try take(difference, into: &result, progress)
      }
    }
    while let found = try result.comparison.next() {
      for difference in found where result.differences.count < limit {
        try take(difference, into: &result, progress)
      }
      file?.note(different: found.map(\.user), at: result.comparison.checkpoint)
      progress.update(to: Int(clamping: result.counts.events))
    }
    result.eventsFolded = result.counts.eventsFolded - foldedBefore
    result.seconds = (context.monotonic() - start) / .seconds(1)
    return result
  }

  /// People see it at once, programs in the object at the end.
  private func take(
    _ difference: StateDifference, into result: inout Result, _ progress: Progress
  ) throws {
    result.differences.append(difference)
    if arguments.wantsJSON { return }
    progress.finish()
    try DryRunText(result).show(difference, on: context.output)
    try context.output.flush()
  }

  private func json(_ result: Result) -> [UInt8] {
    let (counts, projector) = (result.counts, result.comparison.projector)
    return JSONWriter.objectLine { writer in
      writer.key("projector")
      writer.string(projector.name)
      writer.key("version")
      writer.integer(projector.version)
      writer.key("dry_run")
      writer.bool(true)
      writer.key("users")
      writer.integer(counts.streams)
      writer.key("equal")
      writer.integer(counts.equal)
      writer.key("different")
      writer.integer(counts.different)
      writer.key("unreadable")
      writer.integer(counts.unreadable)
      writer.key("damaged")
      writer.integer(counts.damaged)
      writer.key("without_snapshot")
      writer.integer(counts.withoutSnapshot)
      writer.key("events")
      writer.integer(counts.events)
      writer.key("events_folded")
      writer.integer(counts.eventsFolded)
      writer.key("resumed_users")
      writer.integer(result.resumedUsers)
      writer.key("seconds")
      writer.value(canonical: Array(ReplayCommand.decimal(result.seconds).utf8).span)
      writer.key("events_per_second")
      writer.integer(UInt64(result.eventsPerSecond.rounded()))
      writer.key("snapshots")
      writer.beginArray()
      for snapshot in counts.snapshotsByName { writer.write(snapshot.projector, users: snapshot.users) }
      writer.endArray()
      writer.key("differences")
      writer.beginArray()
      for difference in result.differences { writer.write(difference) }
      writer.endArray()
    }
  }
}

extension ComparisonCounts {
  /// Whose snapshots were compared with, by name and version.
  var snapshotsByName: [(projector: ProjectorIdentity, users: Int)] {
    snapshots.map { ($0.key, $0.value) }.sorted {
      ($0.0.name, $0.0.version, $0.0.parameters, $0.0.schema)
        < ($1.0.name, $1.0.version, $1.0.parameters, $1.0.schema)
    }
  }
}
