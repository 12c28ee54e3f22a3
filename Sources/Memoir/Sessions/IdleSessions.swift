// Sessions looked at by somebody who wants to know whether they still go on.
public import EventStore

extension MemoirStore {
  /// A session, ended if it has been idle for too long: as a sweep would have done it.
  ///
  /// - Throws: `not_found` for a user or a session nobody has heard of.
  @discardableResult
  public func sessionEndedIfIdle(_ id: SessionID, of user: StreamName) async throws(MemoirError) -> Session {
    let session = try session(id, of: user)
    let now = try now()
    guard session.end == nil, let due = try idleLimit(of: session, user), due.time <= now else { return session }
    let closing = SessionClosing(reason: "timeout", summary: nil, time: now, agent: nil)
    let ended = try await close(id, of: user, closing) { session throws(MemoirError) in
      // It may have woken up since it was seen.
      guard let due = try idleLimit(of: session, user) else { return false }
      return due.time <= now
    }
    if let ended { return ended.session }
    return try self.session(id, of: user)
  }

  /// Ends all sessions of a user that have been idle for too long.
  ///
  /// - Throws: `not_found` for a user nobody has heard of.
  public func endIdleSessions(of user: StreamName) async throws(MemoirError) {
    let now = try now()
    for session in try state(of: user).state.sessions.open {
      guard let due = try idleLimit(of: session, user), due.time <= now else { continue }
      try await sessionEndedIfIdle(session.id, of: user)
    }
  }

  /// Keeps a session awake that is used without an event, as by recall within it.
  ///
  /// Touches it as ``touchSession(_:of:agent:)`` does, unless its last event is no older than a minute, or than a tenth of
  /// its time limit where that is less: so that looking often writes seldom. One that was idle for too long is ended, as
  /// ``sessionEndedIfIdle(_:of:)`` does, and one that has ended stays so.
  ///
  /// - Throws: `not_found` for a user or a session nobody has heard of.
  public func keepSessionAwake(_ id: SessionID, of user: StreamName) async throws(MemoirError) {
    let session = try await sessionEndedIfIdle(id, of: user)
    guard session.end == nil else { return }
    let limit = idleTimeoutSeconds(of: session)
    let pause = limit == 0 ? 60_000_000 : Int64(min(limit, 600)) * 100_000
    guard try lastActivity(of: session, user).advanced(byMicroseconds: pause) < now() else { return }
    do throws(MemoirError) { try await touchSession(id, of: user) } catch {
      // Somebody has ended it meanwhile.
      guard error.code == .invalidArgument else { throw error }
    }
  }

  /// When an open session will have been idle for too long; `nil` where that will never be, and for one that has ended.
  public func idleDeadline(of session: Session, _ user: StreamName) throws(MemoirError) -> Timestamp? {
    session.end == nil ? try idleLimit(of: session, user)?.time : nil
  }

  /// When the store took the last event of a session that was none of its end.
  public func lastActivity(of session: Session, _ user: StreamName) throws(MemoirError) -> Timestamp {
    do throws(StorageError) {
      guard let last = try log.event(at: session.latestVersion, of: user) else { return session.lastActivityAt }
      guard let end = session.end, let ended = try log.event(at: end.event.version, of: user) else {
        return last.recordedAt
      }
      // What was distilled at the end was recorded with it.
      var next: StreamVersion? = end.event.version
      while let start = next {
        let page = try log.readStream(
          user, from: start, direction: .backward, limit: 32, filter: EventFilter(session: session.id))
        if let event = page.events.first(where: { $0.recordedAt < ended.recordedAt }) { return event.recordedAt }
        next = page.next
      }
      return ended.recordedAt
    } catch {
      throw MemoirError(error)
    }
  }

  /// After how many seconds without an event a session is closed; 0 is never.
  public func idleTimeoutSeconds(of session: Session) -> UInt64 {
    session.start?.idleTimeoutSeconds ?? sessionPolicy.idleTimeoutSeconds
  }

  /// Idleness is judged no earlier than the last event was recorded.
  private func now() throws(MemoirError) -> Timestamp {
    do throws(StorageError) { return max(clock(), try log.lastRecorded().recordedAt ?? .earliest) } catch {
      throw MemoirError(error)
    }
  }
}
