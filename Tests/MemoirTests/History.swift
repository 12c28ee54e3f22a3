// A stream without a log: events in memory, lent to projectors the way the log lends them.
import Bytes
import JSON
import Memoir

@testable import EventStore

/// The order a fold goes in.
enum FoldOrder: CaseIterable {
  case version, occurredAt
}

/// The events of one stream.
struct History {
  struct Entry {
    var version: StreamVersion
    var data: EventData
    var occurredAt: Timestamp
    var session: UInt64
    var isRedacted = false
  }

  private(set) var entries: [Entry] = []
  private var sessionNumbers: [String: UInt64] = [:]

  /// Ten in the morning of 20 November 2026, plus so many seconds.
  static func time(_ seconds: Int) -> Timestamp {
    Timestamp(clamping: 1_795_168_800_000_000 + Int64(seconds) * 1_000_000)
  }

  /// An id that says which event it is.
  static func id(_ number: Int) -> EventID {
    EventID(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64(number))
  }

  /// Appends an event, which happens a second after the one before unless `seconds` says otherwise.
  mutating func append(_ event: MemoirEvent, session: String? = nil, at seconds: Int? = nil) throws {
    let version = entries.count + 1
    try append(
      EventData(
        event, session: session.map { name throws in try SessionID(name) }, id: Self.id(version),
        occurredAt: Self.time(seconds ?? version)))
  }

  mutating func append(_ data: EventData) {
    let version = UInt64(entries.count + 1)
    var number: UInt64 = 0
    if let session = data.session?.description {
      number = sessionNumbers[session] ?? version
      sessionNumbers[session] = number
    }
    entries.append(
      Entry(
        version: StreamVersion(version), data: data, occurredAt: data.occurredAt ?? Self.time(Int(version)),
        session: number))
  }

  mutating func redact(_ version: Int) { entries[version - 1].isRedacted = true }

  /// The entries in the order of a fold.
  func ordered(by order: FoldOrder) -> [Entry] {
    switch order {
    case .version: entries
    case .occurredAt:
      entries.sorted {
        $0.occurredAt == $1.occurredAt ? $0.version < $1.version : $0.occurredAt < $1.occurredAt
      }
    }
  }

  /// Lends every event in order, with how many came before it.
  func forEach(
    by order: FoldOrder = .version, _ body: (Int, borrowing EventView) throws -> Void
  ) throws {
    var named: Set<UInt64> = []
    for (index, entry) in ordered(by: order).enumerated() {
      let isNaming = entry.session == entry.version.number
      if isNaming { named.insert(entry.session) }
      let isNamedBefore = named.contains(entry.session)
      let name = Array((entry.data.session?.description ?? "").utf8)
      let metadata = entry.data.metadata == .emptyObject || entry.isRedacted ? [] : entry.data.metadata.utf8
      let customType = entry.isRedacted ? [] : Array((entry.data.customType ?? "").utf8)
      let payload = entry.isRedacted ? [] : entry.data.payload
      let event = EventView(
        version: entry.version, position: LogPosition(entry.version.number * 3), id: entry.data.id,
        type: entry.data.type, isRedacted: entry.isRedacted, typeVersion: entry.data.typeVersion,
        occurredAt: entry.occurredAt, recordedAt: Self.time(1_000_000 + index),
        customType: customType.rawSpan,
        metadata: metadata.rawSpan, payload: payload.rawSpan, sessionNumber: entry.session,
        isSessionNamedBefore: isNamedBefore, hasSessionName: isNaming || !isNamedBefore,
        sessionName: name.rawSpan)
      try body(index, event)
    }
  }

  /// The state after all events.
  func fold<P: Projector>(_ projector: P, by order: FoldOrder = .version) throws -> P.State {
    var state = projector.initialState()
    try forEach(by: order) { _, event in
      if event.isRedacted {
        try projector.applyRedacted(event, to: &state)
      } else {
        try projector.apply(event, to: &state)
      }
    }
    return state
  }

  /// An event as the log gives it back.
  func recorded(_ version: StreamVersion) -> RecordedEvent {
    let entry = entries[Int(version.number) - 1]
    return RecordedEvent(
      stream: StreamName(UserID(unchecked: "bob")), version: version,
      position: LogPosition(version.number * 3), id: entry.data.id, type: entry.data.type,
      typeName: entry.data.customType ?? EventSchema.memoir.name(of: entry.data.type),
      typeVersion: entry.data.typeVersion, session: entry.data.session, occurredAt: entry.occurredAt,
      recordedAt: Self.time(1_000_000), metadata: entry.data.metadata,
      payload: entry.isRedacted ? [] : entry.data.payload, isRedacted: entry.isRedacted)
  }
}

extension ProjectionState {
  /// What the state encodes to.
  var bytes: [UInt8] {
    var writer = ByteWriter()
    encode(into: &writer)
    return writer.bytes
  }

  /// The state that these bytes encode.
  static func decode(_ bytes: [UInt8]) throws -> Self {
    var reader = ByteReader(bytes.rawSpan)
    let state = try Self(decoding: &reader)
    guard reader.isAtEnd else { throw DamagedBytes() }
    return state
  }
}
