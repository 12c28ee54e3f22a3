// Closing sessions that nobody ended: once, by an event, whoever looks and however often.
public import EventStore
internal import Synchronization

/// A session that a sweep closed.
public struct SweptSession: Sendable {
  /// Whose it was.
  public let user: StreamName
  /// The session, ended.
  public let session: Session
  /// When its last event was recorded: from then on it was idle.
  public let idleSince: Timestamp
}

/// What a sweep did.
public struct SweepResult: Sendable {
  /// The moment at which idleness was judged.
  public let now: Timestamp
  /// The sessions it closed, by user.
  public internal(set) var closed: [SweptSession] = []
  /// How many users it looked at.
  public internal(set) var userCount = 0
  /// How many events combine sessions that ended long ago.
  public internal(set) var compactions = 0
  /// The users it could not deal with, and why. It went on with the others.
  public internal(set) var failures: [(user: StreamName, error: MemoirError)] = []
}

/// Closes orphans: sessions without an event for a set time, or as long as their start said.
///
/// A session is closed by a `SessionEnded` with the reason `timeout`, distilled like any that ends. Idleness is judged by
/// when the store recorded the session's last event, so late imports don't end what goes on. It is closed exactly once,
/// also by several processes that sweep at a time and after a crash: the event's id follows from the session, and it is
/// appended only to the state in which the session was seen to be idle.
///
/// A sweeper remembers of each user when the next session is due. So sweeping again and again, as a server does, costs
/// little for users who rest.
public final class OrphanSweeper: Sendable {
  private struct Seen {
    var version: StreamVersion
    /// When the first of the open sessions is due; `nil` where none will ever be.
    var due: Timestamp?
  }

  private let store: MemoirStore
  private let seen = Mutex<[StreamName: Seen]>([:])
  /// More users than these are not remembered.
  private static let memory = 1_000_000

  /// Sweeps a store.
  public init(_ store: MemoirStore) { self.store = store }

  /// Looks through all users, or those of one namespace, and closes what is due.
  ///
  /// - Parameter time: Sweeps as at that time; without it, now. Never earlier than the last event was recorded.
  /// - Throws: Where the store can't be read at all. What fails for one user is in the result.
  /// - Complexity: O(users), and for those with new events or with something due, O(size of the state).
  public func sweep(
    in namespace: Namespace? = nil, now time: Timestamp? = nil
  ) async throws(MemoirError) -> SweepResult {
    var result = SweepResult(now: try now(time))
    var last: StreamName?
    while true {
      let page: [StreamSummary]
      do throws(StorageError) {
        page = try store.log.streams(in: namespace, after: last)
      } catch {
        throw MemoirError(error)
      }
      guard let end = page.last else { return result }
      for user in page {
        if Task.isCancelled { return result }
        await sweep(user, &result)
      }
      last = end.name
    }
  }

  private func now(_ time: Timestamp?) throws(MemoirError) -> Timestamp {
    do throws(StorageError) {
      return max(time ?? store.clock(), try store.log.lastRecorded().recordedAt ?? .earliest)
    } catch {
      throw MemoirError(error)
    }
  }

  private func sweep(_ user: StreamSummary, _ result: inout SweepResult) async {
    result.userCount += 1
    if let known = seen.withLock({ $0[user.name] }), known.version == user.version,
      known.due.map({ $0 > result.now }) ?? true
    {
      return
    }
    do throws(MemoirError) {
      let state = try store.state(of: user.name)
      var next: Timestamp?
      for session in state.state.sessions.open {
        guard let due = try store.idleLimit(of: session, user.name) else { continue }
        if due.time <= result.now {
          try await close(session, of: user.name, &result)
        } else {
          next = min(next ?? .latest, due.time)
        }
      }
      result.compactions += try await store.compactSessions(of: user.name)
      remember(Seen(version: state.version, due: next), of: user.name)
    } catch {
      result.failures.append((user.name, error))
    }
  }

  private func close(
    _ session: Session, of user: StreamName, _ result: inout SweepResult
  ) async throws(MemoirError) {
    let now = result.now
    var idleSince = now
    // Swept as at a later time, it still ends today: nothing is learned in the future.
    let closing = SessionClosing(reason: "timeout", summary: nil, time: min(now, try self.now(nil)), agent: nil)
    let ended = try await store.close(session.id, of: user, closing) { session throws(MemoirError) in
      // It may have woken up since it was seen.
      guard let due = try store.idleLimit(of: session, user), due.time <= now else { return false }
      idleSince = due.since
      return true
    }
    if let ended, !ended.hadEnded {
      result.closed.append(SweptSession(user: user, session: ended.session, idleSince: idleSince))
    }
  }

  private func remember(_ state: Seen, of user: StreamName) {
    seen.withLock { seen in
      if seen.count >= Self.memory { seen.removeAll() }
      seen[user] = state
    }
  }
}

extension MemoirStore {
  /// Closes the orphans of all users, or of one namespace, once; see ``OrphanSweeper``.
  ///
  /// - Throws: Where the store can't be read at all. What fails for one user is in the result.
  public func sweep(
    in namespace: Namespace? = nil, now: Timestamp? = nil
  ) async throws(MemoirError) -> SweepResult {
    try await OrphanSweeper(self).sweep(in: namespace, now: now)
  }

  /// Since when an open session is idle, and when that makes it an orphan; `nil` where that will never be.
  func idleLimit(
    of session: Session, _ user: StreamName
  ) throws(MemoirError) -> (since: Timestamp, time: Timestamp)? {
    let seconds = session.start?.idleTimeoutSeconds ?? sessionPolicy.idleTimeoutSeconds
    guard seconds > 0 else { return nil }
    do throws(StorageError) {
      guard let event = try log.event(at: session.latestVersion, of: user) else { return nil }
      // Longer than time goes on is never.
      let microseconds = Int64(clamping: min(seconds, UInt64(Int64.max / 1_000_000))) * 1_000_000
      let (time, isBeyond) = event.recordedAt.microseconds.addingReportingOverflow(microseconds)
      if isBeyond { return nil }
      return Timestamp(microseconds: time).map { (event.recordedAt, $0) }
    } catch {
      throw MemoirError(error)
    }
  }
}
