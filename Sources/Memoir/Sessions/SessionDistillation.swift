// Distilling the sessions of a store: reading a conversation, asking the distiller, and making events of the answer.
internal import Bytes
public import EventStore
internal import JSON

extension MemoirStore {
  /// What was said in a session, with what is known of the person.
  ///
  /// - Complexity: O(events of the user since the session began)
  func transcript(of session: Session, in state: StateAt) throws(MemoirError) -> SessionTranscript {
    var messages: [SessionTranscript.Message] = []
    do {
      let filter = EventFilter(types: ["MessageAdded"], session: session.id)
      var next: StreamVersion? = session.number
      // What came after the end is no part of the conversation.
      let last = session.end?.event.version ?? state.version
      while let start = next, start <= last {
        let page = try log.readStream(state.user, from: start, to: last, filter: filter)
        for event in page.events where !event.isRedacted {
          let message = try MessageAdded(payload: event.payload.rawSpan)
          messages.append(
            SessionTranscript.Message(
              eventID: event.id, version: event.version, role: message.role, content: message.content,
              occurredAt: event.occurredAt, agent: event.agent))
        }
        next = page.next
      }
    } catch {
      throw MemoirError(error)
    }
    let facts = state.facts
    return SessionTranscript(
      user: state.user, session: session.id, messages: messages,
      knownFacts: facts.filter { $0.session != session.number },
      learnedFacts: facts.filter { $0.session == session.number }, preferences: state.state.preferences.all)
  }

  /// What the configured distiller makes of a session, or the rules where it fails.
  ///
  /// - Parameter isOutrun: The conversation has gone on again and again while it was distilled: only the rules are as fast.
  func distil(
    _ session: Session, in state: StateAt, isOutrun: Bool = false
  ) async throws(MemoirError) -> AttributedDistillation {
    let transcript = try transcript(of: session, in: state)
    let rules = RuleDistiller()
    let asked = sessionPolicy.distiller.identity
    if isOutrun, asked != rules.identity {
      return AttributedDistillation(
        distillation: rules.distilled(transcript), distiller: rules.identity, failure: (asked, .timeout))
    }
    var made = await sessionPolicy.distiller.distillOrFallBack(transcript, within: sessionPolicy.distillerTimeLimit)
    made.distillation.summary = made.distillation.summary.cut(toSize: Self.summarySize)
    do throws(MemoirError) {
      _ = try state.events(storing: made.distillation.memories, at: state.clock) { _ in .generate(at: state.clock) }
      return made
    } catch {
      // Memories that cannot be stored are as good as none; the rules' can.
      return AttributedDistillation(
        distillation: rules.distilled(transcript), distiller: rules.identity, failure: (made.distiller, .malformed))
    }
  }

  /// A summary that was distilled has at most so many bytes.
  private static var summarySize: Int { 8 << 10 }

  /// The events that store a distillation's memories, and after them `closing`, which is the event it is all about.
  ///
  /// Their ids follow from the session and the distiller, so that who does the same again makes the same events.
  func events(
    storing made: AttributedDistillation, of session: Session, in state: StateAt,
    closing: (event: MemoirEvent, id: EventID), at time: Timestamp, agent: String?
  ) throws(MemoirError) -> [EventData] {
    let metadata = SessionEventMetadata(agent: agent, distillation: made).json
    let drafts = Array(made.distillation.memories.prefix(sessionPolicy.memoryLimit))
    let memories = try state.events(storing: drafts, at: time) { session.derivedID("memory", made.distiller, "\($0)") }
    do throws(InvalidValue) {
      var events: [EventData] = []
      for (index, event) in memories.enumerated() {
        var id = session.derivedID("event", made.distiller, "\(index)")
        // A fact is known by its event, as it is where an application learns it.
        if case .factLearned(let learned) = event, case .uuid(let own)? = learned.factID?.id { id = own }
        events.append(try EventData(event, session: session.id, id: id, occurredAt: time, metadata: metadata))
      }
      events.append(
        try EventData(closing.event, session: session.id, id: closing.id, occurredAt: time, metadata: metadata))
      return events
    } catch {
      throw MemoirError(error)
    }
  }
}

/// Which sessions are to be distilled.
public enum DistillationScope: Sendable {
  /// One that has ended.
  case session(SessionID)
  /// All that ended without being distilled by anyone.
  case undistilled
  /// All that ended and were not distilled by the store's present distiller.
  case all
}

/// What came of distilling a session that had ended before.
public struct LateDistillation: Sendable {
  /// The session, as it was before.
  public let session: Session
  /// Who distilled it; the store's distiller, or the rules in its place.
  public let distiller: DistillerIdentity
  /// Why the store's distiller did not.
  public let failure: DistillerError?
  /// The events that were appended; none where it had been distilled by the same distiller before.
  public let eventIDs: [EventID]

  /// Whether nothing had to be done.
  public var wasDistilled: Bool { eventIDs.isEmpty }
}

extension MemoirStore {
  /// Distils sessions that ended without it, or anew by another distiller.
  ///
  /// Doing it again appends nothing: what a distiller made of a session has ids that follow from both. What is due of
  /// combining sessions is done, too.
  ///
  /// A session that is gone before its events can be appended, since its user was erased, stays so.
  ///
  /// - Returns: One result for each session of the scope that is still there, by end.
  /// - Throws: `not_found` for a user or a session nobody has heard of; `invalid_argument` for a session that is open.
  /// - Complexity: O(events of the user), and what the distiller takes.
  public func distill(
    _ user: StreamName, _ scope: DistillationScope = .undistilled, agent: String? = nil
  ) async throws(MemoirError) -> [LateDistillation] {
    let all = try allSessions(of: user)
    let known = try distillers(of: user)
    let mine = sessionPolicy.distiller.identity
    let wanted: [Session]
    switch scope {
    case .session(let id):
      guard let session = all.first(where: { $0.id == id }) else { throw .noSession(id, of: user) }
      guard session.end != nil else {
        throw .session(id, "is open; it is distilled when it ends")
      }
      wanted = [session]
    case .undistilled: wanted = all.filter { $0.end != nil && known[$0.number] == nil }
    case .all: wanted = all.filter { $0.end != nil && known[$0.number]?.contains(mine) != true }
    }
    var results: [LateDistillation] = []
    for session in wanted {
      if let done = try await distillEnded(session, of: user, known[session.number] ?? [], agent: agent) {
        results.append(done)
      } else if case .session(let id) = scope {
        throw .noSession(id, of: user)
      }
    }
    try await compactSessions(of: user)
    return results
  }

  /// Who distilled which session, by its number.
  private func distillers(of user: StreamName) throws(MemoirError) -> [StreamVersion: Set<DistillerIdentity>] {
    var found: [StreamVersion: Set<DistillerIdentity>] = [:]
    do {
      try log.forEachEvent(of: user, through: .head) { event throws(DamagedBytes) in
        guard let session = event.session, !event.metadata.isEmpty,
          event.type == .sessionEnded || event.isSessionDistilled
        else { return }
        let metadata = JSONText(canonical: event.metadata.array())
        if let identity = DistillerIdentity(metadata: metadata) {
          found[session.number, default: []].insert(identity)
        }
      }
    } catch {
      throw MemoirError(error)
    }
    return found
  }

  /// - Returns: `nil` where the session is gone.
  private func distillEnded(
    _ session: Session, of user: StreamName, _ known: Set<DistillerIdentity>, agent: String?
  ) async throws(MemoirError) -> LateDistillation? {
    let mine = sessionPolicy.distiller.identity
    if known.contains(mine) {
      return LateDistillation(session: session, distiller: mine, failure: nil, eventIDs: [])
    }
    let made = try await distil(session, in: state(of: user))
    func result(_ events: [EventID]) -> LateDistillation {
      LateDistillation(session: session, distiller: made.distiller, failure: made.failure?.error, eventIDs: events)
    }
    // The rules, in another's place, may have done it before.
    if known.contains(made.distiller) { return result([]) }
    // A summary that somebody gave is not replaced; one that was distilled, or is missing, is.
    let isGiven = known.isEmpty && session.end?.summary?.isEmpty == false
    let summary = made.distillation.summary
    let event: MemoirEvent
    do throws(InvalidValue) {
      event = try SessionDistilled.event(
        by: made.distiller, summary: isGiven || summary.isEmpty ? nil : summary)
    } catch {
      throw MemoirError(error)
    }
    let closing = (event: event, id: session.derivedID("distilled", made.distiller))
    // What it says was said then, and has faded since as anything that was learned then.
    let time = min(session.end?.endedAt ?? .latest, clock())
    let decided = try await deciding(on: user) { state throws(MemoirError) -> (events: [EventData], result: Bool) in
      // Whoever was erased meanwhile has no such session any more; after they came back, one of that name is another.
      guard let state, let found = try find(session.id, in: state), found.number == session.number, found.end != nil
      else { return ([], false) }
      // Another process may have been first.
      guard try eventIfKnown(closing.id, of: user) == nil else { return ([], true) }
      return (
        try events(storing: made, of: session, in: state, closing: closing, at: time, agent: agent), true
      )
    }
    return decided.result ? result(decided.eventIDs) : nil
  }

  private func eventIfKnown(_ id: EventID, of user: StreamName) throws(MemoirError) -> RecordedEvent? {
    do throws(StorageError) { return try log.event(id, of: user) } catch { throw MemoirError(error) }
  }
}

extension DistillerIdentity {
  /// Who made an event, by its metadata.
  fileprivate init?(metadata: JSONText) {
    let found = try? JSONParser().parse(metadata.utf8.span) { node in
      if let distiller = node["distiller"] { DistillerIdentity(distiller) } else { nil }
    }
    guard let found else { return nil }
    self = found
  }
}
