// A session's life: it starts, shows that it is alive, ends, and can be looked at.
internal import Bytes
public import EventStore
public import JSON

/// A session that was started.
public struct StartedSession: Sendable {
  /// The session.
  public let session: Session
  /// The user's version with it.
  public let version: StreamVersion
  /// The events that began it: its start, and the first message where one was given.
  public let eventIDs: [EventID]
  /// What an assistant is to know at its first word, as it was before the session; `nil` where none was asked for.
  public let context: ContextPackage?
  /// The receipt of the context; `nil` also where the person's first event was the session's start.
  public let receipt: ContextReceipt?
}

/// A session that has ended, by this call or before.
public struct EndedSession: Sendable {
  /// The session.
  public let session: Session
  /// The user's version with it.
  public let version: StreamVersion
  /// The events that ended it: its memories, then its end; none where it had ended before.
  public let eventIDs: [EventID]
  /// Who distilled it; `nil` where it had ended before.
  public let distiller: DistillerIdentity?
  /// Why the store's distiller did not.
  public let failure: DistillerError?

  /// Whether it had ended before, so that nothing was changed.
  public var hadEnded: Bool { distiller == nil }
}

extension MemoirStore {
  // MARK: Starting, touching, ending

  /// Starts a session, with its first message in the same atomic append where one is given.
  ///
  /// Any number of a user's sessions may be open at once. An id that any session of the user has, or had, is refused:
  /// a session never begins twice, and two agents that chose the same id by accident would else write into one
  /// another's conversation. An agent that does not know whether its start arrived asks for ``session(_:of:at:)``.
  ///
  /// - Parameters:
  ///   - id: Without one, a UUID of version 7.
  ///   - idleTimeoutSeconds: After so many seconds without an event the store closes it; 0 is never. Without it, as
  ///     ``SessionPolicy/idleTimeoutSeconds`` says.
  ///   - agent: Who starts it; kept in the events' metadata.
  ///   - context: What the session is to begin with; `nil`: nothing. Without a request, as
  ///     ``ContextRequest/opening(with:)`` says. A receipt is kept of it.
  /// - Throws: `id_conflict`, naming the `session`; `invalid_argument`.
  @discardableResult
  public func startSession(
    _ id: SessionID? = nil, of user: StreamName, metadata: JSONText? = nil, idleTimeoutSeconds: UInt64? = nil,
    firstMessage: MessageAdded? = nil, agent: String? = nil, context request: ContextRequest?
  ) async throws(MemoirError) -> StartedSession {
    let now = clock()
    let session: SessionID
    var events: [EventData]
    do throws(InvalidValue) {
      if let id { session = id } else { session = try SessionID(EventID.generate(at: now).description) }
      let started = try SessionStarted(metadata: metadata, idleTimeoutSeconds: idleTimeoutSeconds)
      let agent = SessionEventMetadata(agent: agent).json
      events = [
        try EventData(
          .sessionStarted(started), session: session, id: .generate(at: now), occurredAt: now, metadata: agent)
      ]
      if let firstMessage {
        events.append(
          try EventData(
            .messageAdded(firstMessage), session: session, id: .generate(at: now), occurredAt: now, metadata: agent))
      }
    } catch {
      throw MemoirError(error)
    }
    let prepared = events
    if try number(of: session, of: user) != nil { throw .sessionExists(session) }
    // Before anything is appended: a session without what it should begin with would not have begun.
    var handedOut: (context: ContextPackage, receipt: ContextReceipt?)?
    if let request { handedOut = try await contextWithReceipt(request, for: user) }
    _ = try await deciding(on: user) { _ throws(MemoirError) in
      if try number(of: session, of: user) != nil { throw .sessionExists(session) }
      return (prepared, ())
    }
    let state = try state(of: user)
    guard let begun = try find(session, in: state) else { throw .noSession(session, of: user) }
    return StartedSession(
      session: begun, version: state.version, eventIDs: prepared.map(\.id), context: handedOut?.context,
      receipt: handedOut?.receipt)
  }

  /// The same with the context that ``ContextRequest/opening(with:)`` makes of the first message.
  @discardableResult
  public func startSession(
    _ id: SessionID? = nil, of user: StreamName, metadata: JSONText? = nil, idleTimeoutSeconds: UInt64? = nil,
    firstMessage: MessageAdded? = nil, agent: String? = nil
  ) async throws(MemoirError) -> StartedSession {
    try await startSession(
      id, of: user, metadata: metadata, idleTimeoutSeconds: idleTimeoutSeconds, firstMessage: firstMessage,
      agent: agent,
      context: .opening(with: firstMessage?.content ?? ""))
  }

  /// Says that an open session is alive: it is closed for idleness only as long after this as after any event.
  ///
  /// Appends a `SessionTouched`, so that the log knows why the session was not closed.
  ///
  /// - Throws: `not_found` for a session the user does not have; `invalid_argument` for one that has ended.
  @discardableResult
  public func touchSession(
    _ id: SessionID, of user: StreamName, agent: String? = nil
  ) async throws(MemoirError) -> Session {
    let now = clock()
    let event: EventData
    do throws(InvalidValue) {
      event = try EventData(
        SessionTouched.event(), session: id, id: .generate(at: now), occurredAt: now,
        metadata: SessionEventMetadata(agent: agent).json)
    } catch {
      throw MemoirError(error)
    }
    _ = try await deciding(on: user) { state throws(MemoirError) in
      guard let state else { throw .noUser(user) }
      guard let session = try find(id, in: state) else { throw .noSession(id, of: user) }
      guard session.end == nil else { throw .session(id, "has ended") }
      return ([event], ())
    }
    return try session(id, of: user)
  }

  /// Ends a session, and distils it: its memories, its summary and its end are one atomic append.
  ///
  /// One that has ended stays as it is. Where messages come in meanwhile, they are distilled too. If enough sessions
  /// have ended, the oldest are combined afterwards.
  ///
  /// - Parameters:
  ///   - summary: Given, it stands in the place of a distilled one.
  ///   - reason: Why it ends.
  /// - Throws: `not_found` for a user or a session nobody has heard of; `version_conflict` where others append to the
  ///   user without a pause.
  @discardableResult
  public func endSession(
    _ id: SessionID, of user: StreamName, reason: String = "closed", summary: String? = nil, agent: String? = nil
  ) async throws(MemoirError) -> EndedSession {
    let closing = SessionClosing(reason: reason, summary: summary, time: clock(), agent: agent)
    guard let ended = try await close(id, of: user, closing) else { throw .noSession(id, of: user) }
    try await compactSessions(of: user)
    return ended
  }

  /// Ends a session and distils it, unless `isDue` says that it is not to be ended after all.
  func close(
    _ id: SessionID, of user: StreamName, _ closing: SessionClosing,
    isDue: (Session) throws(MemoirError) -> Bool = { _ in true }
  ) async throws(MemoirError) -> EndedSession? {
    var made: (version: StreamVersion, distillation: AttributedDistillation)? = nil
    var attempts = 0
    let closed = try await deciding(on: user) {
      state throws(MemoirError) -> (events: [EventData], result: AttributedDistillation?) in
      guard let state else { throw .noUser(user) }
      guard let session = try find(id, in: state) else { throw .noSession(id, of: user) }
      guard session.end == nil, try isDue(session) else { return ([], nil) }
      let distillation: AttributedDistillation
      // What others say meanwhile in other sessions changes nothing about this one.
      if let made, made.version == session.latestVersion {
        distillation = made.distillation
      } else {
        attempts += 1
        distillation = try await distil(session, in: state, isOutrun: attempts > 3)
        made = (session.latestVersion, distillation)
      }
      return (try events(closing: session, closing, distillation, in: state), distillation)
    }
    let state = try state(of: user)
    guard let session = try find(id, in: state) else { return nil }
    guard let distillation = closed.result, !closed.eventIDs.isEmpty, let end = session.end else {
      return session.end == nil
        ? nil
        : EndedSession(session: session, version: state.version, eventIDs: [], distiller: nil, failure: nil)
    }
    return EndedSession(
      session: session, version: end.event.version, eventIDs: closed.eventIDs,
      distiller: distillation.distiller, failure: distillation.failure?.error)
  }

  private func events(
    closing session: Session, _ closing: SessionClosing, _ made: AttributedDistillation, in state: StateAt
  ) throws(MemoirError) -> [EventData] {
    let summary = closing.summary ?? (made.distillation.summary.isEmpty ? nil : made.distillation.summary)
    let end: SessionEnded
    do throws(InvalidValue) {
      end = try SessionEnded(reason: closing.reason, summary: summary)
    } catch {
      throw MemoirError(error)
    }
    return try events(
      storing: made, of: session, in: state, closing: (.sessionEnded(end), session.derivedID("ended")),
      at: closing.time, agent: closing.agent)
  }

  // MARK: Looking

  /// A session, however long ago it was.
  ///
  /// - Throws: `not_found` for a user or a session nobody had heard of at that point, another user's among them.
  /// - Complexity: O(size of the state); for one that ended long ago, O(events of the user).
  public func session(
    _ id: SessionID, of user: StreamName, at point: AsOfText = .now
  ) throws(MemoirError) -> Session {
    guard let session = try find(id, in: state(of: user, at: point)) else { throw .noSession(id, of: user) }
    return session
  }

  /// The session of this name at the point of a state.
  func find(_ id: SessionID, in state: StateAt) throws(MemoirError) -> Session? {
    let sessions = state.state.sessions
    if let session = sessions.named(id) { return session }
    // All there are were looked at.
    if sessions.total == UInt64(sessions.openCount + sessions.ended.count) { return nil }
    let point = state.asOf == .now ? .version(state.version) : state.asOf
    return try allSessions(of: state.user, at: point).first { $0.id == id }
  }

  /// Every session of a user, by end; those that are open come last.
  func allSessions(of user: StreamName, at point: AsOfText = .now) throws(MemoirError) -> [Session] {
    let folded: FoldedState<SessionsState>?
    do throws(ReadError) {
      folded = try log.state(of: user, by: AllSessionsProjector(), at: point.asOf, usesSnapshots: false)
    } catch {
      throw MemoirError(error)
    }
    guard let state = folded?.state else { throw .noUser(user) }
    return state.ended + state.open
  }
}

/// How a session is to end.
struct SessionClosing: Sendable {
  var reason: String
  var summary: String?
  var time: Timestamp
  var agent: String?
}

extension SessionsState {
  /// The session of this name, if it is open or among those that ended last.
  func named(_ id: SessionID) -> Session? { open.first { $0.id == id } ?? ended.first { $0.id == id } }
}

extension MemoirError {
  /// `not_found`: the user has no such session.
  static func noSession(_ session: SessionID, of user: StreamName) -> MemoirError {
    MemoirError(
      .notFound, "\(user) has no session \(session)", details: .object("session", session.description))
  }

  /// `invalid_argument`: the session is not in the state that is asked for.
  static func session(_ session: SessionID, _ problem: String) -> MemoirError {
    MemoirError(.invalidArgument, "the session \(session) \(problem)", details: .object("field", "session"))
  }

  /// `id_conflict`: the id of a session is taken.
  static func sessionExists(_ session: SessionID) -> MemoirError {
    MemoirError(
      .idConflict, "session: \(session) has begun already, and a session begins once; choose another id",
      details: .object("session", session.description))
  }
}
