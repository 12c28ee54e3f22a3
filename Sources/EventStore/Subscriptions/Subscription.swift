// Following the log: what is there already, then what comes, in order and without gaps.
internal import Platform
internal import Synchronization

/// The events of the log after a position: first those there are, then those to come, for as long as one asks.
///
///     for try await event in log.subscribe(after: 0) { … }
///
/// It reads page by page and holds neither a view of the log nor a queue in between, so a slow reader costs nobody
/// anything. Appends of this process wake it at once; those of others are found within 50 ms. It ends when the log is
/// closed or the task cancelled.
public struct Subscription: AsyncSequence, Sendable {
  /// What it gives.
  public typealias Element = RecordedEvent

  let log: EventLog
  let start: LogPosition
  let filter: EventFilter
  let namespace: Namespace?

  /// Reads on where the one before stopped.
  public struct Iterator: AsyncIteratorProtocol {
    let log: EventLog
    let filter: EventFilter
    let namespace: Namespace?
    /// Up to where the log has been looked at; events handed out are at or before it.
    public private(set) var position: LogPosition
    private var page: ArraySlice<RecordedEvent> = []

    init(_ subscription: Subscription) {
      log = subscription.log
      filter = subscription.filter
      namespace = subscription.namespace
      position = subscription.start
    }

    /// The next event; `nil` when the log is closed or the task cancelled.
    ///
    /// - Throws: ``StorageError/corrupt(reason:position:)`` where a record is not what was written.
    public mutating func next() async throws -> RecordedEvent? {
      while page.isEmpty {
        if Task.isCancelled || log.followers.isClosed { return nil }
        do throws(StorageError) {
          if try read() { continue }
        } catch {
          // Closed between the two.
          if case .closed = error { return nil }
          throw error
        }
        await log.waitForEvents(after: position)
      }
      return page.removeFirst()
    }

    /// Reads the next page.
    ///
    /// - Returns: Whether there was anything to look at.
    private mutating func read() throws(StorageError) -> Bool {
      let found = try log.readAll(after: position, limit: 256, filter: filter, namespace: namespace)
      let reached = found.next ?? Swift.max(found.head, position)
      let hasMoved = reached > position
      position = reached
      page = found.events[...]
      return hasMoved
    }
  }

  /// Begins reading.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }
}

extension EventLog {
  /// The events after `position`, those to come included.
  public func subscribe(
    after position: LogPosition, filter: EventFilter = EventFilter(), namespace: Namespace? = nil
  ) -> Subscription {
    Subscription(log: self, start: position, filter: filter, namespace: namespace)
  }

  /// How long appends of other processes may go unnoticed.
  private static let pollNanoseconds: UInt64 = 50_000_000

  /// Waits for an append of this process, at most as long as an append of another may go unnoticed, and not past
  /// `deadline`.
  package func waitForEvents(
    after position: LogPosition, until deadline: ContinuousClock.Instant? = nil
  ) async {
    let wakeup = OneWakeup()
    guard let number = followers.add({ wakeup.wake() }) else { return }
    // What was appended before we were on the list woke nobody.
    if let head = try? lastPosition(), head > position { wakeup.wake() }
    let timer = Task {
      var patience = Duration.nanoseconds(Int64(Self.pollNanoseconds))
      if let deadline { patience = min(patience, max(.zero, deadline - .now)) }
      try? await Task.sleep(for: patience)
      wakeup.wake()
    }
    await withTaskCancellationHandler {
      await wakeup.wait()
    } onCancel: {
      wakeup.wake()
    }
    timer.cancel()
    followers.remove(number)
  }

  /// Blocks until there are events after `position`, or until `deadline` of the monotonic clock in nanoseconds.
  ///
  /// - Returns: Whether there are; `false` also when the log was closed.
  package func waitForEvents(after position: LogPosition, until deadline: UInt64) throws(StorageError) -> Bool {
    while true {
      let wakeup = Wakeup()
      guard let number = followers.add({ wakeup.wake() }) else { return false }
      defer { followers.remove(number) }
      if try lastPosition() > position { return true }
      let now = MonotonicClock.nanoseconds
      if now >= deadline || followers.isClosed { return false }
      wakeup.wait(until: min(deadline, now + Self.pollNanoseconds))
    }
  }
}

/// Lets one task wait once, until somebody wakes it, before or after.
private final class OneWakeup: Sendable {
  private enum State {
    case idle
    case waiting(CheckedContinuation<Void, Never>)
    case woken
  }

  private let state = Mutex(State.idle)

  func wait() async {
    await withCheckedContinuation { continuation in
      let isWoken = state.withLock { state in
        if case .woken = state { return true }
        state = .waiting(continuation)
        return false
      }
      if isWoken { continuation.resume() }
    }
  }

  func wake() {
    let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
      defer { state = .woken }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    waiting?.resume()
  }
}
