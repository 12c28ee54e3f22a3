// Sessions: every open one, the twenty that ended last, and counters for all.
//
// A session begins with the first event that names it, and later events refer to it by number alone. An event whose
// session is not open belongs to one that has ended, unless it is the one that begins it. In a fold by occurred-at
// events may come before the one whose version is the number: those say so, and the session they begin early is
// noted until that one comes.
public import Bytes
public import EventStore
public import JSON

/// What an event did to its session.
struct SessionChange: OptionSet {
  var rawValue: UInt8
  static let began = SessionChange(rawValue: 1), started = SessionChange(rawValue: 2)
  static let ended = SessionChange(rawValue: 4)
}

/// One summary of several sessions.
public struct CompactedSessions: Sendable {
  /// The sessions: an array of their names.
  public let sessions: JSONText
  /// What they were about, together.
  public let summary: String
  /// When they were compacted.
  public let occurredAt: Timestamp
  /// The event that put it there.
  public let origin: EventReference
}

/// Every open session, those that ended last, and how many there were in all.
public struct SessionsState: ProjectionState {
  /// How many of those that ended last are kept.
  public static let endedLimit = 20
  /// How many of the latest compacted summaries are kept.
  public static let compactedLimit = 20

  /// How many sessions there are in all.
  public private(set) var total: UInt64 = 0
  private var openByNumber: [UInt64: Session] = [:]
  /// By end, the last one last.
  private var endedLast: [Session] = []
  /// The numbers of sessions that began before the event that named them first in the log.
  private var early: Set<UInt64> = []
  /// The latest compacted summaries, in the order of the fold.
  public private(set) var compacted: [CompactedSessions] = []
  /// How many sessions all combined summaries name.
  public private(set) var compactedTotal: UInt64 = 0
  /// The encoded bytes of the sessions and of the compacted summaries.
  private var size = 0
  /// How many of those that ended last this state keeps.
  private var kept = Self.endedLimit

  init() {}

  /// Keeps every session, however many there are. Such a state is for listing and is never stored.
  init(keepingAll: Void) { kept = .max }

  /// How many sessions are open.
  public var openCount: Int { openByNumber.count }

  /// The open sessions, by number.
  ///
  /// - Complexity: O(n log n)
  public var open: [Session] { openByNumber.values.sorted { $0.number < $1.number } }

  /// The sessions that ended last, by end.
  public var ended: [Session] { endedLast }

  /// The session with this number, if it is open or among those that ended last.
  public subscript(number: StreamVersion) -> Session? {
    openByNumber[number.number] ?? endedLast.first { $0.number == number }
  }

  /// The `count` open sessions with the latest activity, in the order of the versions that began them.
  public func mostActive(_ count: Int) -> [Session] {
    openByNumber.values.sorted { Session.isLessActive($1, than: $0) }.prefix(count)
      .sorted { $0.origin < $1.origin }
  }

  /// Folds an event.
  @inline(__always)
  @discardableResult
  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) -> SessionChange {
    if event.type == .sessionsCompacted, !event.isRedacted { try compact(event) }
    guard let session = event.session else { return [] }
    let isNaming = session.number == event.version
    var mayBegin = isNaming || !session.isNamedBefore
    if mayBegin, !early.isEmpty {
      let isKnown =
        isNaming ? early.remove(session.number.number) != nil : early.contains(session.number.number)
      if isKnown { mayBegin = false }
    }
    if let index = openByNumber.index(forKey: session.number.number) {
      let isMessage = event.type == .messageAdded && !event.isRedacted
      openByNumber.values[index].noteActivity(event, isMessage: isMessage)
      if isMessage { return [] }
      // What was said at the end is gone, but not that it ended.
      if event.isRedacted { return event.type == .sessionEnded ? try change(at: index, event) : [] }
      switch event.type {
      case .sessionStarted, .sessionEnded: return try change(at: index, event)
      default: break
      }
      return []
    }
    return try mayBegin
      ? begin(session.number, isNaming: isNaming, event) : changeEnded(session.number, event)
  }

  private mutating func change(
    at index: Dictionary<UInt64, Session>.Index, _ event: borrowing EventView
  ) throws(DamagedBytes) -> SessionChange {
    if event.type == .sessionStarted {
      let growth = try openByNumber.values[index].noteStart(event)
      size += growth
      return growth > 0 ? .started : []
    }
    var session = openByNumber.remove(at: index).value
    size -= session.encodedSize
    try session.noteEnd(event)
    keepEnded(session)
    return .ended
  }

  private mutating func begin(
    _ number: StreamVersion, isNaming: Bool, _ event: borrowing EventView
  ) throws(DamagedBytes) -> SessionChange {
    // A name that was erased begins nothing.
    guard let name = event.session?.name, name.byteCount > 0 else { return [] }
    var session = try Session(number: number, name: name, begunBy: event)
    total &+= 1
    if !isNaming { early.insert(number.number) }
    var change = SessionChange.began
    if event.isRedacted {
      if event.type == .sessionEnded {
        try session.noteEnd(event)
        change.insert(.ended)
      }
    } else {
      switch event.type {
      case .messageAdded: session.countMessage()
      case .sessionStarted:
        _ = try session.noteStart(event)
        change.insert(.started)
      case .sessionEnded:
        try session.noteEnd(event)
        change.insert(.ended)
      default: break
      }
    }
    if session.end != nil {
      keepEnded(session)
    } else {
      size += session.encodedSize
      openByNumber[number.number] = session
    }
    return change
  }

  /// Messages after the end count, as do a start that came late and a summary that was distilled late.
  private mutating func changeEnded(
    _ number: StreamVersion, _ event: borrowing EventView
  ) throws(DamagedBytes) -> SessionChange {
    guard !event.isRedacted, event.type == .messageAdded || event.type == .sessionStarted || event.type == .custom,
      let index = endedLast.lastIndex(where: { $0.number == number })
    else { return [] }
    if event.type == .messageAdded {
      endedLast[index].countMessage()
      return []
    }
    if event.type == .custom {
      if let summary = try SessionDistilled.summary(in: event) {
        size += endedLast[index].resummarize(summary, event)
      }
      return []
    }
    let growth = try endedLast[index].noteStart(event)
    size += growth
    return growth > 0 ? .started : []
  }

  /// Keeps a session that has ended, while it is among the last to do so.
  private mutating func keepEnded(_ session: Session) {
    // Nearly always it is the last to end.
    let place = (endedLast.lastIndex { !Session.endedBefore(session, $0) } ?? -1) + 1
    endedLast.insert(session, at: place)
    size += session.encodedSize
    if endedLast.count > kept { size -= endedLast.removeFirst().encodedSize }
  }

  private mutating func compact(_ event: borrowing EventView) throws(DamagedBytes) {
    var fields = SessionFields()
    try fields.read(event.payload)
    guard let sessions = fields.sessions, let summary = fields.summary else { throw DamagedBytes() }
    let compaction = CompactedSessions(
      sessions: sessions, summary: summary, occurredAt: event.occurredAt, origin: EventReference(event))
    compacted.append(compaction)
    compactedTotal &+= UInt64(sessions.strings?.count ?? 0)
    size += compaction.encodedSize
    if compacted.count > Self.compactedLimit { size -= compacted.removeFirst().encodedSize }
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int {
    EncodedSize.varint(total) + EncodedSize.varint(openByNumber.count) + EncodedSize.varint(endedLast.count)
      + EncodedSize.varint(early.count) + 8 * early.count + EncodedSize.varint(compacted.count)
      + EncodedSize.varint(compactedTotal) + size
  }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    writer.writeVarint(total)
    writer.writeVarint(openByNumber.count)
    for session in open { session.encode(into: &writer) }
    writer.writeVarint(endedLast.count)
    for session in endedLast { session.encode(into: &writer) }
    writer.writeVarint(early.count)
    for number in early.sorted() { writer.write(number) }
    writer.writeVarint(compactedTotal)
    writer.writeVarint(compacted.count)
    for compaction in compacted { compaction.encode(into: &writer) }
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    total = try reader.readVarint()
    let openCount = try reader.readCount()
    openByNumber.reserveCapacity(reader.plausible(openCount, ofSize: 40))
    for _ in 0..<openCount {
      let session = try Session(decoding: &reader)
      size += session.encodedSize
      guard openByNumber.updateValue(session, forKey: session.number.number) == nil else {
        throw DamagedBytes()
      }
    }
    let endedCount = try reader.readCount(limit: Self.endedLimit)
    for _ in 0..<endedCount {
      let session = try Session(decoding: &reader)
      guard session.end != nil else { throw DamagedBytes() }
      size += session.encodedSize
      endedLast.append(session)
    }
    let earlyCount = try reader.readCount(limit: reader.remaining / 8)
    for _ in 0..<earlyCount { early.insert(try reader.readUInt64()) }
    compactedTotal = try reader.readVarint()
    let compactedCount = try reader.readCount(limit: Self.compactedLimit)
    for _ in 0..<compactedCount {
      let compaction = try CompactedSessions(decoding: &reader)
      size += compaction.encodedSize
      compacted.append(compaction)
    }
  }
}

extension CompactedSessions {
  var encodedSize: Int {
    EncodedSize.json(sessions) + EncodedSize.string(summary) + EncodedSize.time(occurredAt)
      + origin.encodedSize
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeLengthPrefixed(sessions.utf8)
    writer.writeString(summary)
    writer.write(occurredAt)
    origin.encode(into: &writer)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    sessions = try reader.readJSON()
    summary = try reader.readString()
    occurredAt = try reader.readTime()
    origin = try EventReference(decoding: &reader)
  }
}

/// Folds sessions.
public struct SessionProjector: Projector {
  /// Its name on every surface.
  public let name = "sessions"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 5

  /// Makes the projector.
  public init() {}

  /// The state before the first event.
  public func initialState() -> SessionsState { SessionsState() }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout SessionsState) throws(DamagedBytes) {
    try state.apply(event)
  }

  /// What was taken out of the log still belongs to its session, and keeps it active.
  public func applyRedacted(
    _ event: borrowing EventView, to state: inout SessionsState
  ) throws(DamagedBytes) {
    try state.apply(event)
  }
}

/// Folds every session there was, to list them.
struct AllSessionsProjector: Projector {
  let name = "all-sessions"
  let version = 5

  func initialState() -> SessionsState { SessionsState(keepingAll: ()) }

  func apply(_ event: borrowing EventView, to state: inout SessionsState) throws(DamagedBytes) {
    try state.apply(event)
  }

  func applyRedacted(_ event: borrowing EventView, to state: inout SessionsState) throws(DamagedBytes) {
    try state.apply(event)
  }
}
