// Batch after batch into the log, each while the next one is being read: the writing half of `memoir append`.
import JSON
import Memoir
import Platform

/// What an append came to.
struct AppendSummary: Hashable, Sendable {
  var appended = 0
  /// Lines that were known already.
  var duplicates = 0
  /// All of the lines are at or before this position.
  var lastPosition: LogPosition = 0
  /// The last line stored.
  var lastLine = 0

  /// Prints the members of an object.
  func write(to writer: inout JSONWriter) {
    writer.key("appended")
    writer.integer(appended)
    writer.key("duplicates")
    writer.integer(duplicates)
    writer.key("last_position")
    writer.integer(lastPosition.number)
  }
}

/// Appends batches in order. Of two batches the later is not begun before the earlier is on disk, so what stops one
/// stops all that follow.
struct BatchAppender {
  private let open: () throws -> MemoirStore
  private var store: MemoirStore?
  private var expected: ExpectedVersion?
  private let takingErased: Bool
  private let progress: Progress
  private var pending: PendingAppend?
  private var summary = AppendSummary()
  /// The streams appended to, while they are few.
  private var touched: Set<StreamName> = []

  private static let fewStreams = 8

  /// - Parameters:
  ///   - expected: Where the one user's stream is believed to be; `nil` where it does not matter.
  ///   - open: Called when there is something to append.
  init(
    expecting expected: ExpectedVersion?, takingErased: Bool = false, progress: Progress,
    open: @escaping () throws -> MemoirStore
  ) {
    self.open = open
    self.expected = expected
    self.takingErased = takingErased
    self.progress = progress
  }

  /// Begins to append a batch, after the one before is done.
  ///
  /// - Throws: ``LineError`` about this batch or the one before.
  mutating func append(_ batch: EventBatch) throws {
    let log = try openedStore().log
    var batch = batch
    if let expected, expected != .any {
      // Where the stream is to be is known only when the batch before is stored.
      try settle()
      try expect(self.expected ?? expected, of: &batch, in: log)
    }
    if touched.count <= Self.fewStreams { touched.formUnion(batch.appends.map(\.stream)) }
    let ready: ReadyAppend
    do throws(AppendError) {
      ready = try log.prepareAppend(batch.appends, repeats: .event, takingErased: takingErased)
    } catch {
      throw batch.error(error)
    }
    try settle()
    pending = PendingAppend(batch, ready, in: log)
  }

  /// Waits for the last batch and for the snapshots that have become due.
  ///
  /// - Throws: ``LineError`` about the last batch.
  mutating func finish() throws -> AppendSummary {
    let store = try openedStore()
    try settle()
    if summary.lastLine == 0 { summary.lastPosition = try store.log.lastPosition() }
    if touched.count <= Self.fewStreams {
      // Who appends little at a time never comes to where a snapshot is due within one run.
      for stream in touched { try store.prepareSnapshots(of: stream) }
    }
    try store.log.finishSnapshots()
    try store.close()
    return summary
  }

  /// Ends after an error, and says in it what is stored.
  mutating func stop(_ error: any Error) -> any Error {
    var error = error
    do { try settle() } catch let earlier { error = earlier }
    try? store?.log.finishSnapshots()
    try? store?.close()
    guard let error = error as? LineError else { return error }
    return AppendStopped(error: error, summary: summary)
  }

  private mutating func openedStore() throws -> MemoirStore {
    if let store { return store }
    let opened = try open()
    try opened.maintainSnapshots()
    store = opened
    return opened
  }

  /// Waits for the batch that was begun.
  private mutating func settle() throws {
    guard let pending else { return }
    self.pending = nil
    let results: [AppendResult]
    do {
      results = try pending.wait()
    } catch {
      throw pending.batch.error(error)
    }
    for result in results {
      summary.appended += result.appended
      summary.duplicates += result.duplicates
      summary.lastPosition = max(summary.lastPosition, result.lastPosition)
    }
    summary.lastLine = pending.batch.lines.last ?? summary.lastLine
    if let expected, expected != .any, let last = results.last {
      self.expected = .exactly(last.lastVersion)
    }
    progress.advance(by: pending.batch.lines.count)
  }

  /// Says where the stream is believed to be before this batch.
  ///
  /// Lines that are known already have moved the stream themselves: what is believed holds for those that follow.
  private func expect(_ expected: ExpectedVersion, of batch: inout EventBatch, in log: EventLog) throws {
    guard let append = batch.appends.first else { return }
    var last: StreamVersion?
    for event in append.events {
      guard let known = try log.event(event.id, of: append.stream), !(takingErased && known.isRedacted) else { break }
      last = known.version
    }
    batch.appends[0].expected = last.map { .exactly($0) } ?? expected
  }
}

/// A batch on its way to the disk.
private final class PendingAppend: Sendable {
  let batch: EventBatch
  private let outcome = Monitor<Result<[AppendResult], AppendError>?>(nil)

  init(_ batch: EventBatch, _ ready: ReadyAppend, in log: EventLog) {
    self.batch = batch
    log.beginAppend(ready) { [outcome] result in outcome.change { $0 = result } }
  }

  func wait() throws(AppendError) -> [AppendResult] {
    let result = outcome.wait { $0 } ?? .failure(.storage(.closed(reason: "the writer ended")))
    return try result.get()
  }
}

extension EventBatch {
  /// Why none of the batch was stored, and which line it was.
  fileprivate func error(_ error: any Error) -> LineError {
    var line = lines.first ?? 0
    if case .idConflict(_, let ids, _)? = error as? AppendError, let id = ids.first {
      line = self.line(of: id) ?? line
    }
    return LineError(line: line, batchStart: lines.first ?? 0, error: MemoirError(error))
  }
}

/// An append that ended before its input did.
struct AppendStopped: Error, ReportableError {
  let error: LineError
  let summary: AppendSummary

  var report: ErrorReport {
    var stopped = error.error
    stopped.message = "line \(error.line): \(stopped.message)"
    stopped.details = stopped.details.adding { writer in
      summary.write(to: &writer)
      writer.key("line")
      writer.integer(error.line)
    }
    guard error.error.message.hasPrefix("export: ") else { return stopped.report(hints: [kept]) }
    return stopped.report(hints: ["It is not as it was exported: take another copy. " + kept])
  }

  private var kept: String {
    if summary.lastLine == 0 { return "Nothing was stored." }
    let known = summary.duplicates > 0 ? ", \(Quantity.count(summary.duplicates)) of them known before" : ""
    return "Lines 1 to \(Quantity.count(summary.lastLine)) are stored\(known); nothing from line "
      + "\(Quantity.count(summary.lastLine + 1)) on. The whole file can be appended again."
  }
}

extension JSONText {
  /// This object with further members, which come after or between those it has.
  func adding(_ body: (inout JSONWriter) -> Void) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    body(&writer)
    writer.endObject()
    var members = JSONText(canonical: writer.finish()).members
    members.merge(self.members) { added, _ in added }
    var merged = JSONWriter()
    merged.beginObject()
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      merged.key(text: key)
      merged.value(value)
    }
    merged.endObject()
    return JSONText(canonical: merged.finish())
  }

  private var members: [String: JSONText] {
    var found: [String: JSONText] = [:]
    _ = try? JSONParser().parse(utf8) { node throws in
      var rest = node.members
      while let member = rest.next() { found[member.key.string ?? ""] = JSONText(member.value) }
    }
    return found
  }
}
