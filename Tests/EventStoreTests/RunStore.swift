// A store whose records move from blocks to runs and from run to run while we look, and what it must say all the while.
import Bytes
import Foundation
import LMDB
import Synchronization
import TestSupport

@testable import EventStore

/// An event as it was handed in, and where it went.
struct KeptEvent: Equatable, CustomStringConvertible {
  var stream: StreamName
  var version: StreamVersion
  var position: LogPosition
  var id: EventID
  var session: SessionID?
  var payload: [UInt8]
  var isRedacted = false
  var isTombstone = false

  var description: String {
    "\(stream) \(version) @\(position), \(payload.count) bytes\(isRedacted ? ", redacted" : "")"
  }
}

extension KeptEvent {
  init(_ event: RecordedEvent) {
    self.init(
      stream: event.stream, version: event.version, position: event.position, id: event.id, session: event.session,
      payload: event.payload, isRedacted: event.isRedacted, isTombstone: event.type == Diary.erased)
  }
}

/// All events of a store, the one at position p at index p − 1.
struct KeptLog {
  private(set) var events: [KeptEvent] = []
  private(set) var places: [StreamName: [Int]] = [:]

  var streams: [StreamName] { places.keys.sorted() }
  func events(of stream: StreamName) -> [KeptEvent] { (places[stream] ?? []).map { events[$0] } }

  mutating func append(_ append: StreamAppend) {
    show(append.stream, as: append.stream)
    for event in append.events {
      let version = StreamVersion(UInt64(places[append.stream]?.count ?? 0) + 1)
      let position = LogPosition(UInt64(events.count) + 1)
      places[append.stream, default: []].append(events.count)
      events.append(
        KeptEvent(
          stream: append.stream, version: version, position: position, id: event.id, session: event.session,
          payload: event.payload))
    }
  }

  /// Takes out all that a stream's events say, and adds the one that says so.
  mutating func erase(_ stream: StreamName, noting tombstone: KeptEvent) {
    for place in places[stream] ?? [] {
      // What said so before stays.
      if events[place].isTombstone { continue }
      (events[place].isRedacted, events[place].payload, events[place].session) = (true, [], nil)
    }
    places[stream, default: []].append(events.count)
    events.append(tombstone)
    show(stream, as: tombstone.stream)
  }

  /// Has the events of a stream say that they are another's, or nobody's.
  private mutating func show(_ stream: StreamName, as name: StreamName) {
    for place in places[stream] ?? [] { events[place].stream = name }
  }

  mutating func redact(_ position: LogPosition) {
    events[Int(position.number) - 1].isRedacted = true
    events[Int(position.number) - 1].payload = []
  }
}

/// How far a store has come with what moves.
enum RunStage: Hashable, CaseIterable {
  case sealingRecords, sealingPieces, mergingRecords, mergingPieces, levelOne, levelTwo

  static func all(of catalog: RunCatalog) -> Set<RunStage> {
    var stages: Set<RunStage> = []
    if let sealing = catalog.sealing {
      if sealing.hasAllRecords {
        stages.insert(.sealingPieces)
      } else if sealing.stream > 0 {
        stages.insert(.sealingRecords)
      }
    }
    if let merge = catalog.merge {
      if merge.progress.hasAllRecords {
        stages.insert(.mergingPieces)
      } else if merge.progress.stream > 0 {
        stages.insert(.mergingRecords)
      }
    }
    if catalog.runs.contains(where: { $0.level == 1 }) { stages.insert(.levelOne) }
    if catalog.runs.contains(where: { $0.level == 2 }) { stages.insert(.levelTwo) }
    return stages
  }
}

/// Does nothing, so that a commit has nothing to do but to seal and to merge.
struct Idle: WriterWork {
  func run(in context: inout WriterContext) {}
}

/// A store, all that was appended to it, and what is to come.
final class RunStore {
  let store: TemporaryStore
  var kept = KeptLog()
  var random: SeededRandom
  private var appended: [StreamAppend] = []
  private var count = 0
  /// The bytes of a text.
  var sizes: ClosedRange<Int>

  var log: EventLog { store.log }

  init(
    blockSize: Int, stepLimit: Int?, seed: UInt64 = 1, sizes: ClosedRange<Int> = 900...2_400, isEncrypted: Bool = false
  ) throws {
    var options = isEncrypted ? try EventLog.Options.encrypted() : EventLog.Options()
    options.blockSize = blockSize
    options.stepLimit = stepLimit
    options.hashSeed = 42
    store = try TemporaryStore(options)
    random = SeededRandom(seed: seed)
    self.sizes = sizes
  }

  func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  /// An event with a text that tells it from all others.
  func newEvent() -> EventData {
    count += 1
    let size = number(sizes)
    let text = "text \(count) of many ".padding(to: size)
    let event = Diary.removed(text, id: .number(count))
    return number(0...2) == 0 ? event.inSession(.named("s\(number(1...3))")) : event
  }

  /// Events for one of `streams` streams: most for the first ones.
  func newRequest(_ count: Int = 1, streams: Int = 6) -> StreamAppend {
    let stream = min(number(0...(streams - 1)), number(0...(streams - 1)))
    return StreamAppend((0..<count).map { _ in newEvent() }, to: .named("user-\(stream)"))
  }

  /// What is noted was stored.
  func note(_ request: StreamAppend) {
    kept.append(request)
    appended.append(request)
  }

  @discardableResult
  func append(_ count: Int = 1, streams: Int = 6) throws -> StreamAppend {
    let request = newRequest(count, streams: streams)
    try log.appendAndWait([request])
    note(request)
    return request
  }

  func append(_ events: [EventData], to stream: StreamName) throws {
    try log.appendAndWait([StreamAppend(events, to: stream)])
    note(StreamAppend(events, to: stream))
  }

  func redact(_ position: LogPosition) throws {
    let event = kept.events[Int(position.number) - 1]
    try log.redact(event.version, of: event.stream)
    kept.redact(position)
  }

  /// Erases somebody.
  @discardableResult
  func erase(_ stream: StreamName) async throws -> ErasureSummary? {
    let summary = try await log.erase(stream, by: "the office")
    try noteErasure(of: stream)
    return summary
  }

  /// Takes note of it, where there was anything to be erased.
  func noteErasure(of stream: StreamName) throws {
    guard let last = try log.readStream(stream, direction: .backward, limit: 1).events.first else { return }
    if last.version.number > UInt64(kept.events(of: stream).count) {
      kept.erase(stream, noting: KeptEvent(last))
    }
  }

  /// Whoever has events that say something.
  var speaking: [StreamName] {
    kept.streams.filter { stream in kept.events(of: stream).last?.isTombstone == false }
  }

  func catalog() throws -> RunCatalog { try log.view().index.catalog }

  /// Appends one by one until what moves has come to where it is wanted.
  func append(until isThere: (RunCatalog) -> Bool, withIdleCommits idle: Int = 0, atMost limit: Int = 600) throws {
    for _ in 0..<limit {
      if isThere(try catalog()) { return }
      try append()
      for _ in 0..<idle { try log.perform(Idle()) }
    }
    throw Mismatch(description: "it never came to what is to be tested: \(try catalog())")
  }

  /// Lets nothing but sealing and merging happen until nothing is left to be done.
  func settle() throws {
    var before: RunCatalog?
    while try catalog() != before {
      before = try catalog()
      try log.perform(Idle())
    }
  }

  // MARK: Comparing

  /// Compares all that `log` says.
  func checkAll(_ log: EventLog? = nil, without excluded: StreamName? = nil) throws {
    let log = log ?? self.log
    try checkStreams(log, without: excluded)
    try checkRanges(log, without: excluded)
    try checkIDs(log, without: excluded)
    guard excluded == nil else { return }
    try checkReadingAll(log, .forward, limit: number(1...70))
    try checkReadingAll(log, .backward, limit: number(1...70))
    let report = try log.verify()
    try check(report.problems, is: [], "problems")
    try check(report.events, is: UInt64(kept.events.count), "events verified")
    try check(report.redacted, is: kept.events.count { $0.isRedacted }, "events redacted")
  }

  func checkStreams(_ log: EventLog, without excluded: StreamName? = nil) throws {
    for stream in kept.streams where stream != excluded {
      let found = try log.readStream(stream, limit: 100_000)
      try check(found.events.map { KeptEvent($0) }, is: kept.events(of: stream), "\(stream)")
    }
  }

  func checkRanges(_ log: EventLog, without excluded: StreamName? = nil) throws {
    for stream in kept.streams.prefix(12) where stream != excluded {
      let events = kept.events(of: stream)
      for direction: ReadDirection in [.forward, .backward] {
        let (a, b) = (number(1...events.count), number(1...events.count))
        let (low, high) = (min(a, b), max(a, b))
        let (first, last) = direction == .forward ? (low, high) : (high, low)
        let limit = number(1...40)
        var found: [KeptEvent] = []
        var next: StreamVersion? = StreamVersion(UInt64(first))
        while let from = next {
          let page = try log.readStream(
            stream, from: from, to: StreamVersion(UInt64(last)), direction: direction, limit: limit)
          found += page.events.map { KeptEvent($0) }
          next = page.next
        }
        let expected = Array(events[low - 1..<high])
        try check(
          found, is: direction == .forward ? expected : expected.reversed(),
          "versions \(first) to \(last) of \(stream), \(limit) at once")
      }
    }
  }

  func checkIDs(_ log: EventLog, without excluded: StreamName? = nil) throws {
    for _ in 0..<6 {
      guard let event = kept.events.randomElement(using: &random), event.stream != excluded, !event.stream.isNameless
      else { continue }
      try check(log.event(event.id, of: event.stream).map { KeptEvent($0) }, is: event, "event \(event.id)")
      let version = try log.event(at: event.version, of: event.stream)
      try check(version.map { KeptEvent($0) }, is: event, "version \(event.version) of \(event.stream)")
      try check(log.event(.number(count + 1_000_000), of: event.stream) == nil, is: true, "an event never appended")
    }
  }

  func checkReadingAll(
    _ log: EventLog, _ direction: ReadDirection, limit: Int, after start: LogPosition? = nil
  ) throws {
    var found: [KeptEvent] = []
    var next = start
    repeat {
      let page = try log.readAll(after: next, direction: direction, limit: limit)
      found += page.events.map { KeptEvent($0) }
      next = page.next
    } while next != nil
    var expected = kept.events.filter { $0.position > start ?? 0 }
    if direction == .backward { expected.reverse() }
    try check(found, is: expected, "all, \(direction), \(limit) at once")
  }

  /// Appends again what was appended before, and something new beside it.
  func checkRepeats(_ log: EventLog, count: Int = 3) throws {
    for _ in 0..<count {
      guard let request = appended.randomElement(using: &random) else { return }
      let isRedacted = kept.events(of: request.stream).contains { event in
        event.isRedacted && request.events.contains { $0.id == event.id }
      }
      if isRedacted { continue }
      let results = try log.appendAndWait([request])
      try check(results.map(\.isDuplicate), is: [true], "\(request.events.count) again to \(request.stream)")
      let first = kept.events(of: request.stream).first { $0.id == request.events[0].id }
      try check(results[0].firstPosition, is: first?.position ?? 0, "where they were")
    }
  }

  /// Whether any value of any table holds these bytes.
  func fileHolds(_ bytes: [UInt8]) throws -> Bool {
    let view = try log.view()
    for table in log.tables.all {
      var cursor = try view.transaction.scan(table)
      while let entry = try cursor.toNext() {
        if Data(entry.value.array()).range(of: Data(bytes)) != nil { return true }
      }
    }
    return false
  }
}

extension String {
  /// The same, made as long as that.
  fileprivate func padding(to size: Int) -> String {
    self + String(repeating: "x", count: max(0, size - utf8.count))
  }
}

/// A process beside the one that has a store open: with a tail and a writer of its own, which works on our thread.
final class AnotherProcess {
  private final class Turn: Sequencer {
    private let jobs = Mutex<[WriterJob]>([])
    private let clock: TestClock

    init(_ clock: TestClock) { self.clock = clock }

    func submit(_ job: WriterJob) -> Bool {
      jobs.withLock { $0.append(job) }
      return true
    }

    /// Everything at once, then the end.
    func next() -> [WriterJob]? {
      jobs.withLock { jobs in
        defer { jobs = [] }
        return jobs.isEmpty ? nil : jobs
      }
    }

    func time() -> Timestamp { clock.now }
    func pass(_ time: Timestamp) {}
    func close() {}
  }

  private let log: EventLog
  private let turn: Turn
  private let settings: WriterSettings
  let tail: TailIndex
  private var writer: Writer

  init(beside store: TemporaryStore) {
    log = store.log
    turn = Turn(store.clock)
    tail = TailIndex(tables: log.tables, hashSeed: log.tail.hashSeed)
    settings = WriterSettings(
      tables: log.tables, hashSeed: log.tail.hashSeed, schema: log.schema, blockSize: store.options.blockSize)
    writer = Writer(
      log.environment, settings, tail: tail, sequencer: turn, statistics: WriterStatistics(),
      snapshots: SnapshotQueue(), stepLimit: store.options.stepLimit, readerCheckInterval: .max
    ) { _ in
    }
  }

  func view() throws -> LogView { try LogView(log.environment, tail: tail, schema: log.schema) }

  /// Appends all of it with one commit.
  func append(
    _ requests: [StreamAppend], repeats: RepeatRule = .request
  ) throws -> [Result<[AppendResult], AppendError>] {
    let results = Mutex<[Result<[AppendResult], AppendError>]>([])
    for request in requests {
      let ready = try log.prepareAppend([request], repeats: repeats)
      _ = turn.submit(.append(ready.request) { result in results.withLock { $0.append(result) } })
    }
    writer.run()
    return results.withLock { $0 }
  }

  /// Has something done in a commit of its own.
  func perform(_ work: any WriterWork) throws {
    let result = Mutex<Result<Void, StorageError>?>(nil)
    _ = turn.submit(.work(work) { found in result.withLock { $0 = found } })
    writer.run()
    try result.withLock { $0 }?.get()
  }

  /// Seals everything, as at closing.
  func sealAll() throws { try Writer.sealAll(log.environment, settings, tail) }
}
