// Reading one's own writes, and hearing of the others': what keeps agents that share a memory up to date.
public import EventStore

extension MemoirStore {
  /// The state of a user once it has reached a version, for which it waits.
  ///
  /// Every other reading needs no such bound: it has all that any process was told to be stored before it began. This
  /// one is for a version that is only known of, from a message of another agent or machine.
  ///
  /// Appends of this process are seen at once, those of others within 50 ms.
  /// - Parameter limit: How long to wait.
  /// - Throws: `unavailable` where the version is not there in time, or the task is cancelled; `details` has `expected`
  ///   and `actual`.
  public func state(
    of user: StreamName, atLeast version: StreamVersion, within limit: Duration = .seconds(5)
  ) async throws(MemoirError) -> StateAt {
    let deadline = ContinuousClock.now + limit
    while true {
      let head: LogPosition
      let actual: StreamVersion
      do throws(StorageError) {
        // In this order: what comes in after the first look is waited for no more.
        head = try log.lastPosition()
        actual = try log.version(of: user)
      } catch {
        throw MemoirError(error)
      }
      if actual >= version { return try state(of: user) }
      guard ContinuousClock.now < deadline, !Task.isCancelled else {
        throw MemoirError(
          .unavailable, "the stream of \(user) is at version \(actual), and not at \(version) in time",
          details: MemoirError.details(.exactly(version), actual))
      }
      await log.waitForEvents(after: head, until: deadline)
    }
  }

  /// The events of a user after a version: those there are, then those to come, for as long as one asks.
  ///
  /// ```swift
  /// for try await event in store.changes(of: bob, after: state.version) where event.agent != "me" { … }
  /// ```
  /// Each event comes once and in order, whichever process appended it, with the agent that handed it in
  /// (`RecordedEvent.agent`). Appends of this process wake the reader at once; those of others are found within 50 ms.
  /// A slow reader holds nothing and delays nobody. Ends when the store is closed or the task cancelled. Of all users,
  /// `log.subscribe(after:)` gives the same.
  public func changes(of user: StreamName, after version: StreamVersion = 0) -> UserChanges {
    UserChanges(log: log, user: user, version: version)
  }
}

/// The changes of one user's memory, as they come; see ``MemoirStore/changes(of:after:)``.
public struct UserChanges: AsyncSequence, Sendable {
  /// What it gives.
  public typealias Element = RecordedEvent

  let log: EventLog
  let user: StreamName
  let version: StreamVersion

  /// Reads on where the one before stopped.
  public struct Iterator: AsyncIteratorProtocol {
    let log: EventLog
    let user: StreamName
    /// The version of the event given last.
    public private(set) var version: StreamVersion
    private var page: ArraySlice<RecordedEvent> = []

    init(_ changes: UserChanges) {
      log = changes.log
      user = changes.user
      version = changes.version
    }

    /// The next event; `nil` when the store is closed or the task cancelled.
    ///
    /// - Throws: ``MemoirError``: `corrupt` where a record is not what was written.
    public mutating func next() async throws -> RecordedEvent? {
      while page.isEmpty {
        if Task.isCancelled { return nil }
        do throws(StorageError) {
          // In this order: what comes in after the first look is waited for no more.
          let head = try log.lastPosition()
          page = try log.readStream(user, from: version.next, limit: 256).events[...]
          if page.isEmpty { await log.waitForEvents(after: head) }
        } catch {
          if case .closed = error { return nil }
          throw MemoirError(error)
        }
      }
      let event = page.removeFirst()
      version = event.version
      return event
    }
  }

  /// Begins reading.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }
}
