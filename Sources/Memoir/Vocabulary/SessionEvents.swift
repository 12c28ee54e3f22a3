// Conversations begin, end, and are condensed.
internal import Bytes
public import EventStore
public import JSON

/// The payload fields of events about sessions.
enum SessionField {
  static let metadata: UInt8 = 1, idleTimeout: UInt8 = 2
  static let reason: UInt8 = 3, summary: UInt8 = 4, sessions: UInt8 = 5
}

/// `SessionStarted`: a conversation begins.
public struct SessionStarted: JSONContent {
  static var type: EventTypeCode { .sessionStarted }
  static var needsSession: Bool { true }

  /// The application's own: an object.
  public let metadata: JSONText?
  /// After so many seconds without an event the store closes it; 0 is never.
  public let idleTimeoutSeconds: UInt64?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` that names the field, e.g. `data.metadata`.
  public init(metadata: JSONText? = nil, idleTimeoutSeconds: UInt64? = nil) throws(InvalidValue) {
    try TextRule.check(metadata: metadata, field: "data.metadata")
    self.metadata = metadata
    self.idleTimeoutSeconds = idleTimeoutSeconds
  }

  static let keys = [
    DataKey("idle_timeout_seconds", SessionField.idleTimeout), DataKey("metadata", SessionField.metadata),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(metadata, field: SessionField.metadata)
    if let idleTimeoutSeconds { writer.write(idleTimeoutSeconds, field: SessionField.idleTimeout) }
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var fields = SessionFields()
    try fields.read(payload)
    metadata = fields.metadata
    idleTimeoutSeconds = fields.idleTimeout
    otherFields = fields.otherFields
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      metadata: data.optionalMetadata("metadata"),
      idleTimeoutSeconds: data.optionalCount("idle_timeout_seconds"))
    otherFields = try data.others(besides: Self.keys)
  }
}

/// `SessionEnded`: a conversation is over.
public struct SessionEnded: JSONContent {
  static var type: EventTypeCode { .sessionEnded }
  static var needsSession: Bool { true }

  /// Why, e.g. `closed` or `timeout`.
  public let reason: String?
  /// What it was about.
  public let summary: String?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where a text is too long.
  public init(reason: String? = nil, summary: String? = nil) throws(InvalidValue) {
    try TextRule.check(reason, field: "data.reason", mayBeEmpty: true)
    try TextRule.check(summary, field: "data.summary", mayBeEmpty: true)
    self.reason = reason
    self.summary = summary
  }

  static let keys = [DataKey("reason", SessionField.reason), DataKey("summary", SessionField.summary)]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(reason, field: SessionField.reason)
    writer.write(summary, field: SessionField.summary)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var fields = SessionFields()
    try fields.read(payload)
    reason = fields.reason
    summary = fields.summary
    otherFields = fields.otherFields
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      reason: data.optionalText("reason", mayBeEmpty: true),
      summary: data.optionalText("summary", mayBeEmpty: true))
    otherFields = try data.others(besides: Self.keys)
  }
}

/// `SessionsCompacted`: several conversations have one summary. Nothing is taken out of the log by it.
public struct SessionsCompacted: JSONContent {
  static var type: EventTypeCode { .sessionsCompacted }

  /// Which conversations.
  public let sessions: [SessionID]
  /// What they were about, together.
  public let summary: String
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where there is no session, or the summary is too long.
  public init(sessions: [SessionID], summary: String) throws(InvalidValue) {
    guard !sessions.isEmpty else { throw InvalidValue(field: "data.sessions", reason: "must not be empty") }
    try TextRule.check(summary, field: "data.summary", mayBeEmpty: true)
    self.sessions = sessions
    self.summary = summary
  }

  static let keys = [DataKey("sessions", SessionField.sessions), DataKey("summary", SessionField.summary)]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(summary, field: SessionField.summary)
    writer.write(sessions.map(\.description), field: SessionField.sessions)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var fields = SessionFields()
    try fields.read(payload)
    guard let summary = fields.summary, let names = fields.sessions?.strings else { throw DamagedBytes() }
    var sessions: [SessionID] = []
    for name in names {
      guard let session = try? SessionID(name) else { throw DamagedBytes() }
      sessions.append(session)
    }
    self.sessions = sessions
    self.summary = summary
    otherFields = fields.otherFields
  }

  init(reading data: borrowing DataReader) throws {
    var sessions: [SessionID] = []
    for (index, name) in try data.texts("sessions").enumerated() {
      sessions.append(try SessionID(name, field: "data.sessions[\(index)]"))
    }
    try self.init(sessions: sessions, summary: data.text("summary", mayBeEmpty: true))
    otherFields = try data.others(besides: Self.keys)
  }
}

/// The payload fields of any event about sessions, as they stand there.
struct SessionFields {
  var metadata: JSONText?
  var idleTimeout: UInt64?
  var reason: String?
  var summary: String?
  /// An array of strings.
  var sessions: JSONText?
  var otherFields: JSONText?

  mutating func read(_ payload: RawSpan) throws(DamagedBytes) {
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      switch field.number {
      case otherFieldsNumber: otherFields = try field.json()
      case SessionField.metadata: metadata = try field.json()
      case SessionField.idleTimeout: idleTimeout = field.integer
      case SessionField.reason: reason = try field.text()
      case SessionField.summary: summary = try field.text()
      case SessionField.sessions: sessions = try field.json()
      default: break
      }
    }
  }
}
