// The log: opened once in a process, appended to from any task, read from any thread.
internal import Bytes
internal import LMDB
internal import Platform
package import Sodium
internal import Synchronization

/// An append-only log of events, one stream a user, in a folder of its own.
///
/// An append that has returned is on disk. Readers see whole commits, never block an append, and are never blocked.
/// Any number of processes may have the same store open; a process opens it once.
///
///     let log = try EventLog(folder: "memoir.store", schema: schema)
///     try await log.append([event], to: StreamName(user))
///     let page = try log.readStream(StreamName(user))
public final class EventLog: Sendable {
  /// How to open.
  public struct Options: Sendable {
    /// Make the store where there is none.
    public var creates = true
    /// Never write, not even derived data.
    public var isReadOnly = false
    /// After so many events a block of the log ends: they are indexed in memory until they are sealed into a run, and the
    /// next process to open the store reads them first. At most ``largestBlockSize``.
    public var blockSize = 65_536
    /// The largest size the file may grow to; address space, not memory.
    public var mapSize = 1 << 40
    /// Where times come from. Tests bring their own.
    public var clock: @Sendable () -> Timestamp = { Timestamp(clamping: WallClock.microseconds) }
    /// When a snapshot of a stream is due.
    public var snapshotPolicy = SnapshotPolicy()
    /// Memory for decoded head states, in bytes of their stored form.
    public var cacheBytes = 64 << 20
    /// For tests: records that one commit may move at most.
    package var stepLimit: Int?
    /// How often a process that appends looks for readers that died, in nanoseconds.
    package var readerCheckInterval: UInt64 = 10_000_000_000
    /// Whether who is named by the file of tombstones, and not erased yet, is erased. Not where a copy is made, which
    /// does so itself.
    var appliesTombstones = true
    /// Whether an encrypted store is opened without its master key: where its log ends can be read, and nothing that
    /// anybody said.
    var isLocked = false
    /// The master key. A new store that is made with one is encrypted from then on, and nobody opens it without.
    public var masterKey: MasterKey?
    /// For tests: what a new store is encrypted with; `nil`: with the fastest that this processor can do.
    package var algorithm: SealingAlgorithm?
    /// What the store is encrypted with, where it is made anew of an older one.
    var cipher: StoreCipher?
    /// For tests: what ids are hashed with, e.g. to make all of them collide.
    package var hashSeed: UInt64?
    /// What tells the store from all others, where it is made anew of an older one.
    var storeID: EventID?

    /// The defaults.
    public init() {}
  }

  /// The event types of the application.
  public let schema: EventSchema
  /// The folder of the store.
  public let folder: String
  /// Tells this store from all others.
  public let storeID: EventID

  let options: Options
  let environment: Environment
  let tables: Tables
  let tail: TailIndex
  let statistics = WriterStatistics()
  let folds = FoldStatistics()
  let headCache: HeadCache
  let snapshots: SnapshotQueue
  let followers = Followers()
  let maintenance = SnapshotMaintenance()
  private let sequencer: LocalSequencer
  let openers: FileLock
  /// Streams' hashers; of a stream that has no event yet, with the secret it is to get from this process unless another
  /// is first.
  private let hashers = Mutex(KnownHashers())

  private struct KnownHashers {
    var byName: [StreamName: (hasher: StreamHasher, isSettled: Bool)] = [:]
    /// How often names had been erased when they were made: with a name goes its secret.
    var erasures: UInt64 = 0
  }

  private let writer = Mutex<DedicatedThread?>(nil)
  private let isClosed = Atomic<Bool>(false)

  /// Opens the store in `folder`.
  ///
  /// - Throws: ``StorageError``: missing, not a store, newer, encrypted with another key, in use, corrupt, denied, full.
  /// - Complexity: O(events that no run holds), about 0.2 µs each, on the first reading or appending.
  public init(folder: String, schema: EventSchema, options: Options = Options()) throws(StorageError) {
    let opened = try StoreFolder.open(folder, options)
    self.schema = schema
    self.folder = folder
    self.options = options
    environment = opened.environment
    tables = opened.tables
    storeID = opened.identity.storeID
    openers = opened.openers
    tail = TailIndex(tables: opened.tables, hashSeed: opened.identity.hashSeed)
    sequencer = LocalSequencer(clock: options.clock)
    headCache = HeadCache(limit: options.cacheBytes)
    snapshots = SnapshotQueue()
    do throws(StorageError) { try applyTombstones() } catch {
      try? close()
      throw error
    }
  }

  deinit { try? close() }

  /// The form of the store's data.
  var format: Int { tables.cipher == nil ? StoreFormat.plain : StoreFormat.encrypted }

  /// How the store is encrypted; `nil` where it is not.
  public var encryption: EncryptionStatus? { tables.cipher?.status }

  /// Whether it was opened never to write.
  public var isReadOnly: Bool { options.isReadOnly }

  /// Ends all appends that were begun, seals a long block, and closes the file. Reading or appending
  /// afterwards fails as closed. Closing again does nothing.
  public func close() throws(StorageError) {
    // In a child of a fork there is no writer to wait for, and the lock is the parent's.
    guard !environment.isForked else { return }
    // First of all: nothing more is to be taken in when no writer is started any more.
    sequencer.close()
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    maintenance.close()
    followers.close()
    let thread = writer.withLock { thread -> DedicatedThread? in
      defer { thread = nil }
      return thread
    }
    // Whoever was told of an append may hold the log's last reference: then the writer's thread ends by itself.
    if let thread, !thread.isCurrent { thread.join() }
    defer {
      environment.close()
      // The lock would else last as long as this object, and keep out whoever opens the store anew.
      try? openers.unlock()
    }
    // Who has appended nothing never writes; and while others are at work, they will do it.
    guard thread != nil, statistics.total.events > 0, tail.eventCount > Self.longTail else { return }
    guard (try? openers.tryUpgrade()) == true else { return }
    do throws(StorageError) { try Writer.sealAll(environment, settings, tail) } catch .corrupt {
      // Everything is on disk; the next process finds the block as it is.
    }
  }

  /// What can be indexed in memory in a blink.
  public static let largestBlockSize = 262_144
  /// A tail that the next process is spared.
  private static let longTail = 16_384

  private var settings: WriterSettings {
    WriterSettings(
      tables: tables, hashSeed: tail.hashSeed, schema: schema,
      blockSize: min(max(options.blockSize, 1), Self.largestBlockSize))
  }

  // MARK: Appending

  /// Appends to one or several streams: all or nothing, in this order, as neighbours in the log.
  ///
  /// - Parameter takingErased: Whether events with the ids of erased ones are taken as new. Else they are refused: what
  ///   was erased is not to come back by an old file being read in again.
  /// - Returns: A result for each of `appends`, in order. Once it is there, the events are on disk.
  /// - Throws: ``AppendError``; ``AppendError/invalid(_:)`` also for an event of the type that only an erasure writes.
  ///   Nothing was stored then, save after ``StorageError/stopped(reason:)``, where nobody knows: open the store again and
  ///   append with the same ids.
  public func append(
    _ appends: [StreamAppend], repeats: RepeatRule = .request, takingErased: Bool = false
  ) async throws(AppendError) -> [AppendResult] {
    let request = try prepare(appends, repeats, takingErased)
    let result = await withCheckedContinuation { continuation in
      submit(.append(request) { continuation.resume(returning: $0) })
    }
    return try result.get()
  }

  /// Appends to one stream.
  @discardableResult
  public func append(
    _ events: [EventData], to stream: StreamName, expecting expected: ExpectedVersion = .any,
    takingErased: Bool = false
  ) async throws(AppendError) -> AppendResult {
    let results = try await append(
      [StreamAppend(events, to: stream, expecting: expected)], takingErased: takingErased)
    return results[0]
  }

  /// Appends, and blocks the thread until it is done: for programs without tasks.
  @discardableResult
  public func appendAndWait(
    _ appends: [StreamAppend], repeats: RepeatRule = .request, takingErased: Bool = false
  ) throws(AppendError) -> [AppendResult] {
    let request = try prepare(appends, repeats, takingErased)
    let outcome = Monitor<Result<[AppendResult], AppendError>?>(nil)
    submit(.append(request) { result in outcome.change { $0 = result } })
    let result = outcome.wait { $0 } ?? .failure(.storage(.closed(reason: "the writer ended")))
    return try result.get()
  }

  /// Does all of an append that can be done before its turn comes: checks, digests.
  package func prepareAppend(
    _ appends: [StreamAppend], repeats: RepeatRule, takingErased: Bool = false
  ) throws(AppendError) -> ReadyAppend {
    ReadyAppend(request: try prepare(appends, repeats, takingErased))
  }

  /// Begins an append that was made ready, and calls `completion` on the writer's thread when it is done.
  package func beginAppend(
    _ ready: ReadyAppend, completion: @escaping @Sendable (Result<[AppendResult], AppendError>) -> Void
  ) {
    submit(.append(ready.request, completion))
  }

  /// Removes the payload of one event for good. Its place, id and times stay, and the chains go on proving it.
  ///
  /// Does nothing where it was removed before, or there is no such event.
  package func redact(_ version: StreamVersion, of stream: StreamName) throws(StorageError) {
    try perform(Redaction(stream: stream, version: version))
  }

  /// Has the writer do something in its next commit, and waits for it.
  func perform(_ work: any WriterWork) throws(StorageError) {
    let outcome = Monitor<Result<Void, StorageError>?>(nil)
    submit(.work(work) { result in outcome.change { $0 = result } })
    let result = outcome.wait { $0 } ?? .failure(.closed(reason: "the writer ended"))
    return try result.get()
  }

  /// Has the writer do something in its next commit, and holds no thread meanwhile.
  func performed(_ work: any WriterWork) async throws(StorageError) {
    let result = await withCheckedContinuation { continuation in
      submit(.work(work) { continuation.resume(returning: $0) })
    }
    try result.get()
  }

  private func submit(_ job: WriterJob) {
    func refuse(_ error: StorageError) {
      switch job {
      case .append(_, let completion): completion(.failure(.storage(error)))
      case .work(_, let completion): completion(.failure(error))
      }
    }
    // The writer's thread is not among those that a fork takes along.
    if environment.isForked { return refuse(StorageError(LMDBError.usedAfterFork)) }
    if options.isReadOnly { return refuse(.denied(reason: "the store was opened for reading only")) }
    do throws(StorageError) { try startWriter() } catch { return refuse(error) }
    if !sequencer.submit(job) { refuse(.closed(reason: "the store was closed")) }
  }

  private func startWriter() throws(StorageError) {
    try writer.withLock { (thread) throws(StorageError) in
      guard thread == nil, !isClosed.load(ordering: .acquiring) else { return }
      try refuseWritingToDamagedFile()
      do throws(PlatformError) {
        thread = try DedicatedThread(name: "memoir-writer") {
          [
            environment, settings, tail, sequencer, statistics, snapshots, followers, maintenance,
            limit = options.stepLimit, interval = options.readerCheckInterval
          ] in
          var writer = Writer(
            environment, settings, tail: tail, sequencer: sequencer, statistics: statistics, snapshots: snapshots,
            stepLimit: limit, readerCheckInterval: interval
          ) { events in
            followers.wake()
            maintenance.count(events)
          }
          writer.run()
        }
      } catch {
        throw .unavailable(reason: error.description)
      }
    }
  }

  /// Streams whose hashers are kept.
  private static let largestHasherCount = 65_536

  private func prepare(
    _ appends: [StreamAppend], _ repeats: RepeatRule, _ takingErased: Bool
  ) throws(AppendError) -> AppendRequest {
    let preparer = RequestPreparer(
      appends: appends, repeats: repeats, takesErased: takingErased, reserved: schema.erasure?.type,
      now: options.clock())
    let erasures = tail.erasures
    return try preparer.prepare { name, secret throws(StorageError) in
      let known = hashers.withLock { hashers in
        if hashers.erasures != erasures { hashers = KnownHashers(erasures: erasures) }
        return hashers.byName[name]
      }
      if let known, known.isSettled { return known.hasher }
      var settled: Bytes32?
      do {
        let view = try view()
        if let stream = try view.stream(name) {
          let epoch = try view.index.epoch(of: stream, view.transaction)
          // Who was erased gets another secret.
          if epoch.erased == nil { settled = epoch.secret }
        }
      }
      return hashers.withLock { hashers in
        if hashers.byName.count >= Self.largestHasherCount { hashers.byName.removeAll() }
        if let settled {
          let hasher = known?.hasher.secret == settled ? known?.hasher : nil
          let made = hasher ?? StreamHasher(name, secret: settled, dataKey: newDataKey())
          hashers.byName[name] = (made, true)
          return made
        }
        // Callers of a new stream at the same time share one, or all but the first would have hashed in vain.
        if let known = hashers.byName[name], secret == nil || known.hasher.secret == secret { return known.hasher }
        let made = StreamHasher(name, secret: secret ?? Bytes32.random(), dataKey: newDataKey())
        hashers.byName[name] = (made, false)
        return made
      }
    }
  }

  /// Also for a stream that has one: it is to have another if it is erased before the request's turn.
  private func newDataKey() -> Bytes32 { tables.cipher == nil ? .zero : .random() }

  /// Forgets secrets, some of which are to be nobody's any more.
  func forgetSecrets() { hashers.withLock { $0 = KnownHashers() } }

  // MARK: Reading

  /// A consistent look at the store.
  func view() throws(StorageError) -> LogView { try LogView(environment, tail: tail, schema: schema) }

  /// A look at the store in which all is there that will ever have been recorded by a point.
  ///
  /// As of a moment after the last event, a commit under way may still record at an earlier one. So the time is passed
  /// first, and the commit waited for. A store that was opened for reading only can't do that.
  func view(asOf point: AsOf) throws(StorageError) -> LogView {
    guard case .recordedAt(let time) = point, !options.isReadOnly, time <= options.clock() else { return try view() }
    if try lastRecorded().recordedAt ?? .earliest < time {
      sequencer.pass(time)
      environment.awaitWriter()
    }
    return try view()
  }
}
