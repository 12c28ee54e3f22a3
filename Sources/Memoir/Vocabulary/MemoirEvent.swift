// Any event of the vocabulary, and its way into the log's events and out of them.
public import Bytes
public import EventStore
public import JSON

/// What an event says.
///
/// ```swift
/// let event = MemoirEvent.messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon."))
/// let data = try EventData(event, session: SessionID("s-1"), id: .generate(at: now))
/// ```
public enum MemoirEvent: Sendable {
  /// A conversation begins.
  case sessionStarted(SessionStarted)
  /// Something was said.
  case messageAdded(MessageAdded)
  /// Something became known.
  case factLearned(FactLearned)
  /// Something is known otherwise.
  case factRevised(FactRevised)
  /// Something is to be known no more.
  case factForgotten(FactForgotten)
  /// A preference has a value.
  case preferenceUpdated(PreferenceUpdated)
  /// Something stands in a relation.
  case relationshipLearned(RelationshipLearned)
  /// Something was tried.
  case episodeRecorded(EpisodeRecorded)
  /// A conversation is over.
  case sessionEnded(SessionEnded)
  /// Conversations have one summary.
  case sessionsCompacted(SessionsCompacted)
  /// Everything before was taken out of the log.
  case userErased(UserErased)
  /// An application's own event.
  case custom(CustomEvent)

  /// The content, unless it is an application's own.
  var content: (any EventContent)? {
    switch self {
    case .sessionStarted(let content): content
    case .messageAdded(let content): content
    case .factLearned(let content): content
    case .factRevised(let content): content
    case .factForgotten(let content): content
    case .preferenceUpdated(let content): content
    case .relationshipLearned(let content): content
    case .episodeRecorded(let content): content
    case .sessionEnded(let content): content
    case .sessionsCompacted(let content): content
    case .userErased(let content): content
    case .custom: nil
    }
  }

  /// What an event of the log says; `nil` where its payload is gone, or its type is not of this vocabulary.
  ///
  /// - Throws: ``DamagedBytes`` where the payload is not what its type says.
  public init?(_ event: RecordedEvent) throws(DamagedBytes) {
    if event.isRedacted { return nil }
    let payload = event.payload
    switch event.type {
    case .sessionStarted: self = .sessionStarted(try SessionStarted(payload: payload.rawSpan))
    case .messageAdded: self = .messageAdded(try MessageAdded(payload: payload.rawSpan))
    case .factLearned: self = .factLearned(try FactLearned(payload: payload.rawSpan))
    case .factRevised: self = .factRevised(try FactRevised(payload: payload.rawSpan))
    case .factForgotten: self = .factForgotten(try FactForgotten(payload: payload.rawSpan))
    case .preferenceUpdated: self = .preferenceUpdated(try PreferenceUpdated(payload: payload.rawSpan))
    case .relationshipLearned: self = .relationshipLearned(try RelationshipLearned(payload: payload.rawSpan))
    case .episodeRecorded: self = .episodeRecorded(try EpisodeRecorded(payload: payload.rawSpan))
    case .sessionEnded: self = .sessionEnded(try SessionEnded(payload: payload.rawSpan))
    case .sessionsCompacted: self = .sessionsCompacted(try SessionsCompacted(payload: payload.rawSpan))
    case .userErased: self = .userErased(try UserErased(payload: payload.rawSpan))
    case .custom:
      guard let data = try CustomEvent.data(of: payload.rawSpan) else { return nil }
      self = .custom(CustomEvent(uncheckedType: event.typeName, data: data))
    default: return nil
    }
  }
}

extension EventData {
  /// An event of the vocabulary.
  ///
  /// - Throws: ``InvalidValue`` where it needs a session and has none, or is larger than an event may be.
  public init(
    _ event: MemoirEvent, session: SessionID? = nil, id: EventID, occurredAt: Timestamp? = nil,
    metadata: JSONText = .emptyObject
  ) throws(InvalidValue) {
    var writer = PayloadWriter()
    switch event {
    case .custom(let custom):
      custom.write(into: &writer)
      try self.init(
        type: .custom, customType: custom.type, typeVersion: 1, needsSession: false, payload: writer.bytes,
        session: session, id: id, occurredAt: occurredAt, metadata: metadata)
    default:
      guard let content = event.content else { preconditionFailure("every other case has a content") }
      let kind = Swift.type(of: content)
      content.write(into: &writer)
      try self.init(
        type: kind.type, customType: nil, typeVersion: kind.version, needsSession: kind.needsSession,
        payload: writer.bytes, session: session, id: id, occurredAt: occurredAt, metadata: metadata)
    }
  }

  /// Checks what an event's JSON was checked for already.
  private init(
    type: EventTypeCode, customType: String?, typeVersion: UInt16, needsSession: Bool, payload: [UInt8],
    session: SessionID?, id: EventID, occurredAt: Timestamp?, metadata: JSONText
  ) throws(InvalidValue) {
    if needsSession, session == nil { throw InvalidValue(field: "session", reason: "is missing") }
    try TextRule.check(metadata: metadata, field: "metadata")
    guard payload.count <= Limits.eventSize else {
      throw InvalidValue(
        field: "data", reason: "is \(payload.count) bytes long; at most \(Limits.eventSize) are allowed")
    }
    self.init(
      id: id, type: type, customType: customType, typeVersion: typeVersion, session: session,
      occurredAt: occurredAt, metadata: metadata, payload: payload)
  }
}
