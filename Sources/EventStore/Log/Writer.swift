// The one writer of a process: takes what the sequencer gives, commits it in one transaction, tells the callers.
internal import Bytes
internal import LMDB
internal import Platform
internal import Sodium
internal import Synchronization

/// Runs on a thread of its own: LMDB ties a write transaction to the thread that began it.
struct Writer {
  private let environment: Environment
  private let settings: WriterSettings
  private let tail: TailIndex
  private let sequencer: any Sequencer
  private let statistics: WriterStatistics
  private let appended: @Sendable ([AppendedEvent]) -> Void
  private let snapshots: SnapshotQueue
  private let stepLimit: Int?

  /// The end of the log as of our last commit: another end means that other processes appended.
  private var end = LogEnd()
  private var streams: [HashedName: WriterStream] = [:]
  private var filters = RunFilters()
  private var sealing: Sealing?
  private var scrubbing: Scrubbing
  /// Whether somebody waits for what was erased to be overwritten.
  private var isScrubWanted = false
  /// Whether blocks, or runs, stay as they are, since one of them is damaged.
  private var isSealingStopped = false, isMergingStopped = false
  /// When readers of processes that died were last looked for, in nanoseconds of the ``MonotonicClock``.
  private var readersCheckedAt = MonotonicClock.nanoseconds
  /// Records of blocks and runs that are due to be moved.
  private var credit = 0

  /// Pages that a dead reader sees are not used again: the file grows by all that is written until it is found.
  private let readerCheckInterval: UInt64
  /// Streams whose ends are kept in memory between commits.
  private static let largestCache = 65_536
  /// Snapshots stored with one commit, so that none takes much longer for them.
  private static let snapshotBytesPerCommit = 256 << 10
  /// Records moved for an event appended: one is sealed, and in time merged as often as there are levels above, so that
  /// there is always some to spare. Not fewer than a few chunks at once.
  private static let creditPerEvent = 4, smallestStep = 128

  init(
    _ environment: Environment, _ settings: WriterSettings, tail: TailIndex, sequencer: any Sequencer,
    statistics: WriterStatistics, snapshots: SnapshotQueue, stepLimit: Int?,
    readerCheckInterval: UInt64, appended: @escaping @Sendable ([AppendedEvent]) -> Void
  ) {
    self.environment = environment
    self.settings = settings
    self.tail = tail
    self.sequencer = sequencer
    self.statistics = statistics
    self.snapshots = snapshots
    self.stepLimit = stepLimit
    self.readerCheckInterval = readerCheckInterval
    self.appended = appended
    scrubbing = Scrubbing(environment, settings.tables)
  }

  /// Works until the sequencer is closed and empty.
  mutating func run() {
    while let jobs = sequencer.next() { process(jobs) }
  }

  /// One commit. Whatever fails in storage fails all of it, and leaves everything as it was.
  private mutating func process(_ jobs: [WriterJob]) {
    var results: [Result<[AppendResult], AppendError>?] = []
    results.reserveCapacity(jobs.count)
    let creditBefore = credit
    do throws(StorageError) {
      try commit(jobs, &results)
    } catch {
      // The tail may have events that were not committed: it is read from the log again.
      tail.forget()
      streams.removeAll()
      end = LogEnd()
      sealing = nil
      credit = creditBefore
      for job in jobs {
        switch job {
        case .append(_, let completion): completion(.failure(.storage(error)))
        case .work(_, let completion): completion(.failure(error))
        }
      }
      return
    }
    for (job, result) in zip(jobs, results) {
      if case .append(_, let completion) = job, let result { completion(result) }
    }
    // Who has somebody erased is told whether that is all.
    scrubbing.run(isWanted: isScrubWanted)
    for case .work(_, let completion) in jobs { completion(.success(())) }
    clearDeadReaders()
  }

  /// Looks now and then for readers that died: when everybody has an answer.
  private mutating func clearDeadReaders() {
    guard MonotonicClock.nanoseconds - readersCheckedAt >= readerCheckInterval else { return }
    readersCheckedAt = MonotonicClock.nanoseconds
    // What fails here is found again at the next opening.
    _ = try? environment.clearDeadReaders()
  }

  private mutating func commit(
    _ jobs: [WriterJob], _ results: inout [Result<[AppendResult], AppendError>?]
  ) throws(StorageError) {
    var context = try begin()
    context.time = sequencer.time()
    for job in jobs {
      switch job {
      case .append(let request, _): results.append(try context.append(request))
      case .work(let work, _):
        try work.run(in: &context)
        results.append(nil)
      }
    }
    let events = context.appended
    credit += events.count * Self.creditPerEvent
    if context.isIndexRebuilt { (context.isSealingStopped, isMergingStopped) = (false, false) }
    try tidy(&context)
    isSealingStopped = context.isSealingStopped
    filters = context.filters
    isScrubWanted = context.wantsScrub
    guard context.hasWritten else {
      tail.committed()
      streams = context.streams
      return
    }
    // Snapshots ride along with whatever is committed anyway.
    if !snapshots.isEmpty {
      try StoreSnapshots(snapshots: snapshots.take(upTo: Self.snapshotBytesPerCommit)).run(in: &context)
    }
    let (newEnd, newStreams, sealed) = (context.end, context.streams, context.catalog.end)
    let outdatesTail = context.isIndexRebuilt || context.hasErased
    tail.commitEnds(at: newEnd)
    let began = MonotonicClock.nanoseconds
    try context.commit()
    statistics.count(groupOf: jobs.count, since: began)
    end = newEnd
    streams = newStreams.count > Self.largestCache ? [:] : newStreams
    tail.committed()
    tail.sealed(through: sealed)
    if outdatesTail {
      tail.forget()
      filters.removeAll()
      sealing = nil
    }
    statistics.count(commits: 1, events: events.count)
    if !events.isEmpty { appended(events) }
  }

  private mutating func begin() throws(StorageError) -> WriterContext {
    while true {
      let transaction: WriteTransaction
      do throws(LMDBError) { transaction = try environment.beginWrite() } catch { throw StorageError(error) }
      // What others appended since comes into the tail first.
      guard let view = try tail.view(for: transaction) else {
        tail.forget()
        continue
      }
      if view.last != end.position {
        streams.removeAll()
        end = try Self.logEnd(view, transaction, settings)
      }
      try filters.update(view.catalog, transaction, settings.tables)
      tail.commitBegins(after: view.last)
      // They go over to the context, or changing them would copy them.
      let (known, knownFilters) = (streams, filters)
      (streams, filters) = ([:], RunFilters())
      var context = WriterContext(
        transaction, settings, tail, view, end: end, streams: known, filters: knownFilters)
      context.isSealingStopped = isSealingStopped
      return context
    }
  }

  private static func logEnd(
    _ view: TailView, _ transaction: borrowing some Transaction & ~Copyable, _ settings: WriterSettings
  ) throws(StorageError) -> LogEnd {
    guard view.last > 0 else { return LogEnd() }
    let index = StreamIndex(
      tables: settings.tables, hashSeed: settings.hashSeed, generations: view.generations, bound: view.last,
      catalog: view.catalog)
    let record = try index.record(at: view.last, transaction)
    guard let chain = record.chain else {
      throw .corrupt(reason: "the last record does not end its request", position: view.last)
    }
    let streams = view.generations.last?.end.streams ?? 0
    return LogEnd(position: view.last, recordedAt: record.recordedAt, chain: chain, streams: streams)
  }

  /// Seals blocks and merges runs a little.
  private mutating func tidy(_ context: inout WriterContext) throws(StorageError) {
    let isSealing = context.catalog.blocks.count > 1 && !context.isSealingStopped
    let isMerging = (context.catalog.merge ?? context.catalog.dueMerge()) != nil && !isMergingStopped
    guard isSealing || isMerging else {
      credit = 0
      return
    }
    let limit = stepLimit ?? .max
    guard credit >= min(Self.smallestStep, limit) else { return }
    var step = min(credit, limit)
    credit -= step
    // Of what is damaged those who read it are told. The others go on: with more places to look at, and as long as there
    // is a table for the next block.
    if isSealing {
      do throws(StorageError) { sealing = try Sealing.step(sealing, credit: &step, &context) } catch .corrupt {
        context.isSealingStopped = true
      }
    }
    if isMerging, step > 0 {
      do throws(StorageError) { try Merging.step(credit: &step, &context) } catch .corrupt {
        isMergingStopped = true
      }
    }
  }

  /// Seals everything: at closing, when nobody waits.
  ///
  /// In several commits all the same: pages that one gives up, the next but one uses again.
  static func sealAll(
    _ environment: Environment, _ settings: WriterSettings, _ tail: TailIndex
  ) throws(StorageError) {
    var sealing: Sealing?
    var isBegun = false
    while true {
      let transaction: WriteTransaction
      do throws(LMDBError) { transaction = try environment.beginWrite() } catch { throw StorageError(error) }
      guard let view = try tail.view(for: transaction) else { return }
      let end = try logEnd(view, transaction, settings)
      var context = WriterContext(transaction, settings, tail, view, end: end)
      if !isBegun { try context.beginBlock() }
      isBegun = true
      var credit = creditAtClosing
      sealing = try Sealing.step(sealing, credit: &credit, &context)
      let (sealed, isDone) = (context.catalog.end, context.catalog.blocks.count == 1)
      try context.commit()
      tail.sealed(through: sealed)
      if isDone { return }
    }
  }

  private static let creditAtClosing = 8_192
}

extension WriterContext {
  /// Makes everything durable.
  consuming func commit() throws(StorageError) {
    do throws(LMDBError) {
      try transaction.commit()
    } catch {
      switch error {
      case .mapFull, .transactionFull, .diskFull, .outOfMemory, .badTransaction, .closed, .usedAfterFork:
        throw StorageError(error)
      // Nobody knows what reached the disk, so nobody may be told that it was nothing.
      default: throw .stopped(reason: error.description)
      }
    }
  }
}

/// What the writer has done since the store was opened.
final class WriterStatistics: Sendable {
  private let commits = Atomic<Int>(0)
  private let events = Atomic<Int>(0)
  /// Jobs that share a commit, and seconds that it took to reach the disk.
  let sizes = Histogram(bounds: Histogram.sizes), seconds = Histogram(bounds: Histogram.seconds)

  func count(commits: Int, events: Int) {
    self.commits.add(commits, ordering: .relaxed)
    self.events.add(events, ordering: .relaxed)
  }

  func count(groupOf jobs: Int, since began: UInt64) {
    sizes.add(Double(jobs))
    seconds.add(Double(MonotonicClock.nanoseconds - began) / 1e9)
  }

  var total: (commits: Int, events: Int) {
    (commits.load(ordering: .relaxed), events.load(ordering: .relaxed))
  }
}
