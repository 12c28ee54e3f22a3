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
  private let checkpointLimit: Int?

  /// The end of the log as of our last commit: another end means that other processes appended.
  private var end = LogEnd()
  private var streams: [StreamName: WriterStream] = [:]
  private var checkpoint: IndexCheckpoint?
  /// When readers of processes that died were last looked for, in nanoseconds of the ``MonotonicClock``.
  private var readersCheckedAt = MonotonicClock.nanoseconds
  /// Index entries owed, in events.
  private var credit = 0

  /// Pages that a dead reader sees are not used again: the file grows by all that is written until it is found.
  private let readerCheckInterval: UInt64
  /// Streams whose ends are kept in memory between commits.
  private static let largestCache = 65_536
  /// Snapshots stored with one commit, so that none takes much longer for them.
  private static let snapshotBytesPerCommit = 256 << 10
  /// Index entries written for four events appended: more than as many, so that a checkpoint ends before the next is
  /// due, but not many more, since pages scattered over the tables are what costs. Where it is late, it hurries.
  private static let creditPerFourEvents = 5, hurriedCreditPerFourEvents = 16

  init(
    _ environment: Environment, _ settings: WriterSettings, tail: TailIndex, sequencer: any Sequencer,
    statistics: WriterStatistics, snapshots: SnapshotQueue, checkpointLimit: Int?,
    readerCheckInterval: UInt64, appended: @escaping @Sendable ([AppendedEvent]) -> Void
  ) {
    self.environment = environment
    self.settings = settings
    self.tail = tail
    self.sequencer = sequencer
    self.statistics = statistics
    self.snapshots = snapshots
    self.checkpointLimit = checkpointLimit
    self.readerCheckInterval = readerCheckInterval
    self.appended = appended
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
      checkpoint = nil
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
      switch job {
      case .append(_, let completion): if let result { completion(result) }
      case .work(_, let completion): completion(.success(()))
      }
    }
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
    let time = sequencer.time()
    for job in jobs {
      switch job {
      case .append(let request, _): results.append(try context.append(request, time: time))
      case .work(let work, _):
        try work.run(in: &context)
        results.append(nil)
      }
    }
    let events = context.appended
    let rate = tail.isBehind ? Self.hurriedCreditPerFourEvents : Self.creditPerFourEvents
    credit += (events.count * rate + 3) / 4
    let completed = try stepCheckpoint(&context)
    guard context.hasWritten else {
      tail.committed()
      streams = context.streams
      return
    }
    // Snapshots ride along with whatever is committed anyway.
    if !snapshots.isEmpty {
      try StoreSnapshots(snapshots: snapshots.take(upTo: Self.snapshotBytesPerCommit)).run(in: &context)
    }
    let (newEnd, newStreams) = (context.end, context.streams)
    tail.commitEnds(at: newEnd)
    try context.commit()
    end = newEnd
    streams = newStreams.count > Self.largestCache ? [:] : newStreams
    tail.committed()
    if let completed {
      tail.checkpointed(through: completed)
      checkpoint = nil
    }
    statistics.count(commits: 1, events: events.count)
    if !events.isEmpty { appended(events) }
  }

  private mutating func begin() throws(StorageError) -> WriterContext {
    while true {
      let transaction: WriteTransaction
      do throws(LMDBError) { transaction = try environment.beginWrite() } catch { throw StorageError(error) }
      // What others appended since comes into the tail first.
      guard let (generations, last) = try tail.generations(for: transaction) else {
        tail.forget()
        continue
      }
      if last != end.position {
        streams.removeAll()
        end = try Self.logEnd(at: last, generations, transaction, settings.tables)
      }
      tail.commitBegins(after: last)
      // The dictionary goes over to the context, or changing it would copy it.
      let known = streams
      streams = [:]
      return WriterContext(transaction, settings, generations: generations, end: end, streams: known)
    }
  }

  static func logEnd(
    at last: LogPosition, _ generations: [TailGeneration],
    _ transaction: borrowing some Transaction & ~Copyable,
    _ tables: Tables
  ) throws(StorageError) -> LogEnd {
    guard last > 0 else { return LogEnd() }
    let record = try transaction.record(at: last, in: tables)
    guard let chain = record.chain else {
      throw .corrupt(reason: "the last record does not end its request", position: last)
    }
    let streams = generations.last?.contents.withLock { $0.streamCount } ?? 0
    return LogEnd(position: last, recordedAt: record.recordedAt, chain: chain, streams: streams)
  }

  /// Folds a little of what is due into the tables.
  ///
  /// - Returns: Up to where the tables are complete once this commit is.
  private mutating func stepCheckpoint(_ context: inout WriterContext) throws(StorageError) -> LogPosition? {
    if checkpoint == nil { checkpoint = tail.generationToCheckpoint().map { IndexCheckpoint($0) } }
    guard let due = checkpoint else {
      credit = 0
      return nil
    }
    // Another process may have been faster.
    let stored = try TailIndex.checkpoint(in: context.transaction, settings.tables)
    if stored.position >= due.end.position {
      checkpoint = nil
      tail.checkpointed(through: stored.position)
      return nil
    }
    let limit = min(credit, checkpointLimit ?? .max)
    guard limit > 0 else { return nil }
    credit -= limit
    return try checkpoint?.step(credit: limit, &context) == true ? due.end.position : nil
  }

  /// Folds everything into the tables: at closing, when nobody waits.
  ///
  /// In several commits all the same: pages that one gives up, the next but one uses again.
  static func checkpointAll(
    _ environment: Environment, _ settings: WriterSettings, _ tail: TailIndex
  ) throws(StorageError) {
    tail.seal()
    while let generation = tail.generationToCheckpoint() {
      var checkpoint = IndexCheckpoint(generation)
      var isComplete = false
      while !isComplete {
        let transaction: WriteTransaction
        do throws(LMDBError) { transaction = try environment.beginWrite() } catch {
          throw StorageError(error)
        }
        guard let (generations, last) = try tail.generations(for: transaction) else { return }
        let end = try logEnd(at: last, generations, transaction, settings.tables)
        var context = WriterContext(transaction, settings, generations: generations, end: end, streams: [:])
        let stored = try TailIndex.checkpoint(in: context.transaction, settings.tables)
        if stored.position >= checkpoint.end.position { break }
        isComplete = try checkpoint.step(credit: creditAtClosing, &context)
        try context.commit()
      }
      tail.checkpointed(through: checkpoint.end.position)
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

  func count(commits: Int, events: Int) {
    self.commits.add(commits, ordering: .relaxed)
    self.events.add(events, ordering: .relaxed)
  }

  var total: (commits: Int, events: Int) {
    (commits.load(ordering: .relaxed), events.load(ordering: .relaxed))
  }
}
