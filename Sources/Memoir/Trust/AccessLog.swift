// The access log: who was told what of whom, and when. Never what it was.
//
// Whoever asks does not wait for the disk: entries are put into a queue, and a thread of its own has the writer add them
// to the journal, many with one commit. Where the queue is full, whoever asks waits after all: nothing is left out. The
// end of a process that could not close its store may cost the entries of the last moment.
internal import Bytes
public import EventStore
internal import Platform

/// An access to somebody's memory.
public struct Access: Hashable, Sendable {
  /// How it ended.
  public enum Outcome: String, CaseIterable, Hashable, Sendable {
    /// It was answered.
    case ok
    /// It was refused.
    case denied
    /// There was nothing to be told.
    case notFound = "not_found"
  }

  /// When.
  public var time: Timestamp
  /// Who.
  public var reader: Accessor
  /// In which namespace.
  public var namespace: Namespace
  /// Whose memory; `nil`: of the namespace as a whole.
  public var user: UserID?
  /// What was done, by the name it has on the surface it came in by: 1…100 bytes.
  public var operation: String
  /// How many items came back.
  public var items: Int
  /// How many bytes came back.
  public var bytes: Int
  /// The request's id, where it has one: at most 200 bytes.
  public var requestID: String?
  /// How it ended.
  public var outcome: Outcome

  /// An access.
  public init(
    _ operation: String, by reader: Accessor, in namespace: Namespace, user: UserID?, at time: Timestamp,
    items: Int = 0, bytes: Int = 0, requestID: String? = nil, outcome: Outcome = .ok
  ) {
    self.time = time
    self.reader = reader
    self.namespace = namespace
    self.user = user
    self.operation = operation
    self.items = items
    self.bytes = bytes
    self.requestID = requestID
    self.outcome = outcome
  }
}

/// An access as it stands in the log.
public struct AccessEntry: Hashable, Sendable {
  /// Its place in the log: 1, 2, 3 … without gaps.
  public let number: UInt64
  /// What happened.
  public let access: Access
}

/// Accesses to one person's memory, the latest first.
public struct AccessPage: Hashable, Sendable {
  /// The accesses.
  public let entries: [AccessEntry]
  /// Before which entry to go on; `nil` at the end.
  public let next: UInt64?
}

/// The access log of a store: ``MemoirStore/accesses``.
public final class AccessLog: Sendable {
  /// How many entries may wait for the disk.
  public static let queueLimit = 4_096
  /// How long an entry waits for others.
  private static let interval: UInt64 = 200_000_000
  private static let longestOperation = 100, longestRequestID = 200

  private struct Queue {
    var drafts: [JournalDraft] = []
    /// How many entries were ever taken in, and how many of them are on disk.
    var taken: UInt64 = 0, stored: UInt64 = 0
    /// Up to which entry somebody waits for the disk.
    var wanted: UInt64 = 0
    var isClosed = false
    var thread: DedicatedThread?
    /// Why the last attempt to store failed; until one succeeds.
    var failure: StorageError?
    /// How many attempts there were.
    var attempts: UInt64 = 0
    var waiting: [Waiting] = []
  }

  /// A task that waits for something of the queue.
  private struct Waiting {
    /// Tells whether it need not wait any more.
    let isOver: @Sendable (Queue) -> Bool
    let resume: @Sendable () -> Void
  }

  private let log: EventLog
  private let queue = Monitor(Queue())

  init(_ log: EventLog) { self.log = log }

  // MARK: Noting

  /// Takes an access into the log. Returns at once, unless the queue is full.
  ///
  /// Noted before the answer is sent, no answer goes out unnoted.
  /// - Throws: `invalid_argument` for an operation or request id that is too long or no plain text; ``MemoirError`` of the
  ///   storage where the queue is full and cannot be stored: then the access must not be granted.
  public func note(_ access: Access) async throws(MemoirError) {
    let draft = try Self.draft(access)
    while !(try take(draft)) {
      let attempts = queue.withLock { $0.attempts }
      await wait { $0.drafts.count < Self.queueLimit || $0.attempts > attempts || $0.isClosed }
      try refuseFailure()
    }
  }

  /// As ``note(_:)``, and waits for nothing.
  ///
  /// - Returns: `false` where the queue is full; then it is not noted.
  public func noteIfRoom(_ access: Access) throws(MemoirError) -> Bool { try take(Self.draft(access)) }

  /// As ``note(_:)``, and blocks the thread where the queue is full: for programs without tasks.
  public func noteAndWait(_ access: Access) throws(MemoirError) {
    let draft = try Self.draft(access)
    while !(try take(draft)) {
      let attempts = queue.withLock { $0.attempts }
      _ = queue.wait { queue -> Bool? in
        queue.drafts.count < Self.queueLimit || queue.attempts > attempts || queue.isClosed ? true : nil
      }
      try refuseFailure()
    }
  }

  /// Waits until everything that was noted is on disk.
  ///
  /// - Throws: ``MemoirError`` of the storage.
  public func flush() async throws(MemoirError) {
    let (taken, attempts) = queue.change { queue in
      queue.wanted = queue.taken
      return (queue.taken, queue.attempts)
    }
    await wait { $0.stored >= taken || $0.failure != nil && $0.attempts > attempts || $0.isClosed }
    try refuseFailure()
  }

  /// Stores what waits, and takes in nothing more. Closing again does nothing.
  ///
  /// - Throws: ``MemoirError`` of the storage, where entries could not be stored.
  func close() throws(MemoirError) {
    let thread = queue.change { queue -> DedicatedThread? in
      queue.isClosed = true
      defer { queue.thread = nil }
      return queue.thread
    }
    guard let thread else { return }
    thread.join()
    try refuseFailure()
  }

  /// Takes an entry in; `false` where there is no room.
  private func take(_ draft: JournalDraft) throws(MemoirError) -> Bool {
    if log.isReadOnly { throw MemoirError(.forbidden, "the store was opened for reading only; no access can be noted") }
    var matters = false
    let isNoted = queue.withLock { queue -> Result<Bool, MemoirError> in
      if queue.isClosed { return .failure(MemoirError(.unavailable, "the store was closed")) }
      guard queue.drafts.count < Self.queueLimit else { return .success(false) }
      if queue.thread == nil {
        do throws(PlatformError) {
          queue.thread = try DedicatedThread(name: "memoir-accesses") { [self] in run() }
        } catch {
          return .failure(MemoirError(.unavailable, error.description))
        }
      }
      queue.drafts.append(draft)
      queue.taken += 1
      matters = queue.drafts.count == 1 || queue.drafts.count == Self.queueLimit / 2
      return .success(true)
    }
    // Not for every entry: the thread would wake as often, only to wait on.
    if matters { queue.wake() }
    return try isNoted.get()
  }

  private func refuseFailure() throws(MemoirError) {
    if let failure = queue.withLock({ $0.failure }) { throw MemoirError(failure) }
  }

  private func wait(until isOver: @escaping @Sendable (Queue) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isOverNow = queue.withLock { queue in
        if isOver(queue) { return true }
        queue.waiting.append(Waiting(isOver: isOver) { continuation.resume() })
        return false
      }
      if isOverNow { continuation.resume() }
    }
  }

  // MARK: Storing

  /// The thread: as long as entries come, and until the last is stored.
  private func run() {
    while true {
      let isThere = queue.wait { queue -> Bool? in queue.drafts.isEmpty ? (queue.isClosed ? false : nil) : true }
      guard isThere == true else { return tellWaiting() }
      // Others may come along; but nobody is kept waiting for it.
      _ = queue.wait(until: MonotonicClock.nanoseconds + Self.interval) { queue -> Bool? in
        if queue.isClosed { return true }
        // After a failure, each attempt waits its turn.
        if queue.failure != nil { return nil }
        return queue.wanted > queue.stored || queue.drafts.count >= Self.queueLimit / 2 ? true : nil
      }
      let drafts = queue.withLock { $0.drafts }
      var failure: StorageError?
      do throws(StorageError) { try log.appendToJournal(drafts, in: .access) } catch { failure = error }
      let isOver = queue.change { queue in
        queue.attempts += 1
        queue.failure = failure
        if failure == nil {
          queue.drafts.removeFirst(drafts.count)
          queue.stored += UInt64(drafts.count)
        } else {
          // Who waits is told; the next attempt comes after the interval.
          queue.wanted = 0
        }
        return queue.isClosed && failure != nil
      }
      tellWaiting()
      if isOver { return }
    }
  }

  private func tellWaiting() {
    let over = queue.withLock { queue in
      let now = queue
      queue.waiting.removeAll { $0.isOver(now) }
      return now.waiting.filter { $0.isOver(now) }
    }
    for waiting in over { waiting.resume() }
  }

  // MARK: Reading

  /// Accesses to a person's memory, the latest first. What was noted within the last moment may be missing; see
  /// ``flush()``.
  ///
  /// - Parameters:
  ///   - since: Only accesses at or after this moment.
  ///   - until: Only accesses at or before this moment.
  ///   - before: Only entries with a smaller number: ``AccessPage/next`` of the page before.
  /// - Throws: `corrupt` where an entry is damaged.
  /// - Complexity: O(accesses to the person's memory).
  public func accesses(
    of user: StreamName, since: Timestamp? = nil, until: Timestamp? = nil, limit: Int = 1_000, before: UInt64? = nil
  ) throws(MemoirError) -> AccessPage {
    var entries: [AccessEntry] = []
    var next: UInt64?
    try forEachAccess(of: user, before: before ?? .max) { entry in
      let time = entry.access.time
      // Not in the order of time to the microsecond, so the search goes on below `since`.
      if let since, time < since { return true }
      if let until, time > until { return true }
      if entries.count == limit {
        next = entries.last?.number
        return false
      }
      entries.append(entry)
      return true
    }
    return AccessPage(entries: entries, next: next)
  }

  /// Lends accesses to a person's memory to `body`, the latest first, until it returns `false`.
  func forEachAccess(
    of user: StreamName, before: UInt64 = .max, _ body: (AccessEntry) -> Bool
  ) throws(MemoirError) {
    do throws(StorageError) {
      let subject = Self.subject(user.namespace, user.user)
      try log.forEachJournalEntry(of: subject, in: .access, before: before) { entry throws(DamagedBytes) in
        let access = try Access(in: user.namespace, user: user.user, decoding: entry.content)
        return body(AccessEntry(number: entry.number, access: access))
      }
    } catch {
      throw MemoirError(error)
    }
  }

  // MARK: Entries

  private static func subject(_ namespace: Namespace, _ user: UserID?) -> [UInt8] {
    Array(namespace.description.utf8) + [0] + Array((user?.description ?? "").utf8)
  }

  private static func draft(_ access: Access) throws(MemoirError) -> JournalDraft {
    do throws(InvalidValue) {
      try NameRule.check(access.operation, longest: longestOperation, field: "operation")
      if let id = access.requestID { try NameRule.check(id, longest: longestRequestID, field: "request_id") }
    } catch {
      throw MemoirError(error)
    }
    return JournalDraft(subject: subject(access.namespace, access.user), content: access.encoded())
  }
}

extension Access {
  private static let form: UInt8 = 1

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.write(Self.form)
    writer.writeVarint(UInt64(time.microseconds))
    writer.writeString(reader.description)
    writer.writeString(operation)
    writer.writeVarint(max(items, 0))
    writer.writeVarint(max(bytes, 0))
    writer.writeString(requestID ?? "")
    writer.writeString(outcome.rawValue)
    return writer.bytes
  }

  init(in namespace: Namespace, user: UserID?, decoding content: [UInt8]) throws(DamagedBytes) {
    var reader = ByteReader(content.rawSpan)
    guard try reader.readUInt8() == Self.form else { throw DamagedBytes() }
    self.namespace = namespace
    self.user = user
    time = try reader.readTime()
    self.reader = try Accessor(reading: try reader.readString())
    operation = try reader.readString()
    items = Int(clamping: try reader.readVarint())
    bytes = Int(clamping: try reader.readVarint())
    let id = try reader.readString()
    requestID = id.isEmpty ? nil : id
    guard let outcome = Outcome(rawValue: try reader.readString()) else { throw DamagedBytes() }
    self.outcome = outcome
  }
}
