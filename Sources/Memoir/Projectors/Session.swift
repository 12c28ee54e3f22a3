// A session as the state holds it.
internal import Bytes
public import EventStore
public import JSON

/// A conversation, with its messages counted.
public struct Session: Sendable {
  /// How events refer to it: the version of the event that named it first.
  public let number: StreamVersion
  /// Its name.
  public let id: SessionID
  /// When its first event happened.
  public let startedAt: Timestamp
  /// The event that began it: the first that names it, in the order of the fold.
  public let origin: EventReference
  /// How many messages it has, those after its end included.
  public fileprivate(set) var messageCount: UInt64 = 0
  /// When its latest event up to its end happened.
  public fileprivate(set) var lastActivityAt: Timestamp
  fileprivate var lastActivityVersion: StreamVersion
  /// The highest version of its events up to its end: when that one was recorded decides whether it is an orphan.
  public fileprivate(set) var latestVersion: StreamVersion
  /// Its first `SessionStarted`.
  public fileprivate(set) var start: Start?
  /// Its first `SessionEnded`.
  public fileprivate(set) var end: End?

  /// What a `SessionStarted` says.
  public struct Start: Sendable {
    /// The event.
    public let event: EventReference
    /// The application's own.
    public let metadata: JSONText?
    /// After so many seconds without an event the store closes the session; 0 is never.
    public let idleTimeoutSeconds: UInt64?
  }

  /// What a `SessionEnded` says.
  public struct End: Sendable {
    /// The event.
    public let event: EventReference
    /// When it happened.
    public let endedAt: Timestamp
    /// Why.
    public let reason: String?
    /// What the session was about.
    public fileprivate(set) var summary: String?
    /// The latest event that gave it another summary, by distilling it after its end.
    public fileprivate(set) var resummarized: EventReference?
  }

  /// The events that changed it after it began, by version.
  public var revisedBy: [EventReference] {
    [start?.event, end?.event, end?.resummarized].compactMap { $0 }.filter { $0 != origin }.sorted()
  }

  /// By latest activity.
  static func isLessActive(_ a: Session, than b: Session) -> Bool {
    a.lastActivityAt == b.lastActivityAt
      ? a.lastActivityVersion < b.lastActivityVersion : a.lastActivityAt < b.lastActivityAt
  }

  /// By end; one that is open ends last.
  static func endedBefore(_ a: Session, _ b: Session) -> Bool {
    guard let end = a.end else { return false }
    guard let other = b.end else { return true }
    return end.endedAt == other.endedAt ? end.event < other.event : end.endedAt < other.endedAt
  }
}

extension Session {
  /// The session that an event begins.
  init(number: StreamVersion, name: RawSpan, begunBy event: borrowing EventView) throws(DamagedBytes) {
    self.number = number
    guard let id = try? SessionID(try name.string()) else { throw DamagedBytes() }
    self.id = id
    startedAt = event.occurredAt
    origin = EventReference(event)
    lastActivityAt = event.occurredAt
    lastActivityVersion = event.version
    latestVersion = event.version
  }

  @inline(__always)
  mutating func noteActivity(_ event: borrowing EventView, isMessage: Bool) {
    if isMessage { messageCount &+= 1 }
    latestVersion = max(latestVersion, event.version)
    if event.occurredAt > lastActivityAt
      || (event.occurredAt == lastActivityAt && event.version > lastActivityVersion)
    {
      lastActivityAt = event.occurredAt
      lastActivityVersion = event.version
    }
  }

  @inline(__always)
  mutating func countMessage() { messageCount &+= 1 }

  /// - Returns: By how many bytes the encoded form grew; 0 where the session had a start before.
  mutating func noteStart(_ event: borrowing EventView) throws(DamagedBytes) -> Int {
    if start != nil { return 0 }
    let before = encodedSize
    var fields = SessionFields()
    try fields.read(event.payload)
    start = Start(
      event: EventReference(event), metadata: fields.metadata, idleTimeoutSeconds: fields.idleTimeout)
    return encodedSize - before
  }

  mutating func noteEnd(_ event: borrowing EventView) throws(DamagedBytes) {
    var fields = SessionFields()
    try fields.read(event.payload)
    end = End(
      event: EventReference(event), endedAt: event.occurredAt, reason: fields.reason, summary: fields.summary)
  }

  /// - Returns: By how many bytes the encoded form grew.
  mutating func resummarize(_ summary: String, _ event: borrowing EventView) -> Int {
    let before = encodedSize
    end?.summary = summary
    end?.resummarized = EventReference(event)
    return encodedSize - before
  }
}

extension Session {
  /// What every message changes has a fixed width, so that the size of the state stays as it is.
  var encodedSize: Int {
    var size = EncodedSize.varint(number.number) + EncodedSize.string(id.description)
    size += EncodedSize.time(startedAt) + origin.encodedSize + 32 + 1
    if let start {
      size += start.event.encodedSize + EncodedSize.optional(start.metadata)
      size += EncodedSize.varint(start.idleTimeoutSeconds ?? 0)
    }
    if let end {
      size += end.event.encodedSize + EncodedSize.time(end.endedAt) + EncodedSize.optional(end.reason)
      size += EncodedSize.optional(end.summary) + (end.resummarized?.encodedSize ?? 0)
    }
    return size
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(number.number)
    writer.writeString(id.description)
    writer.write(startedAt)
    origin.encode(into: &writer)
    writer.write(messageCount)
    writer.write(UInt64(lastActivityAt.microseconds))
    writer.write(lastActivityVersion.number)
    writer.write(latestVersion.number)
    writer.write(parts.rawValue)
    if let start {
      start.event.encode(into: &writer)
      writer.writeOptional(start.metadata)
      writer.writeVarint(start.idleTimeoutSeconds ?? 0)
    }
    if let end {
      end.event.encode(into: &writer)
      writer.write(end.endedAt)
      writer.writeOptional(end.reason)
      writer.writeOptional(end.summary)
      end.resummarized?.encode(into: &writer)
    }
  }

  /// Which of the parts that may be absent are there.
  private struct Parts: OptionSet {
    var rawValue: UInt8
    static let start = Parts(rawValue: 1), end = Parts(rawValue: 2)
    static let neverIdle = Parts(rawValue: 4), resummarized = Parts(rawValue: 8)
  }

  private var parts: Parts {
    var parts: Parts = []
    if start != nil { parts.insert(.start) }
    if end != nil { parts.insert(.end) }
    if start?.idleTimeoutSeconds == 0 { parts.insert(.neverIdle) }
    if end?.resummarized != nil { parts.insert(.resummarized) }
    return parts
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    number = StreamVersion(try reader.readVarint())
    guard let id = try? SessionID(try reader.readString()) else { throw DamagedBytes() }
    self.id = id
    startedAt = try reader.readTime()
    origin = try EventReference(decoding: &reader)
    messageCount = try reader.readUInt64()
    guard let activity = Timestamp(microseconds: Int64(clamping: try reader.readUInt64())) else {
      throw DamagedBytes()
    }
    lastActivityAt = activity
    lastActivityVersion = StreamVersion(try reader.readUInt64())
    latestVersion = StreamVersion(try reader.readUInt64())
    let parts = Parts(rawValue: try reader.readUInt8())
    if parts.contains(.start) {
      let event = try EventReference(decoding: &reader)
      let metadata = try reader.readOptionalJSON()
      let timeout = try reader.readVarint()
      let isSaid = timeout > 0 || parts.contains(.neverIdle)
      start = Start(event: event, metadata: metadata, idleTimeoutSeconds: isSaid ? timeout : nil)
    }
    if parts.contains(.end) {
      end = End(
        event: try EventReference(decoding: &reader), endedAt: try reader.readTime(),
        reason: try reader.readOptionalText(), summary: try reader.readOptionalText())
      if parts.contains(.resummarized) { end?.resummarized = try EventReference(decoding: &reader) }
    }
  }
}
