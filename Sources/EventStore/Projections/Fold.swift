// The fold: events one after the other into a state. What every other way to a state must equal.
internal import Bytes
internal import LMDB

/// A snapshot that became due in the course of a fold.
struct DueSnapshot: Sendable {
  var stream: StreamNumber
  var order: SnapshotTable.Order
  /// The version, or the greatest occurred-at in microseconds.
  var number: UInt64
  /// The highest version folded.
  var highest: StreamVersion
  var projector: ProjectorIdentity
  /// The stream's head as the fold saw it.
  var head: StreamVersion
  /// Redactions before the fold.
  var redactions: UInt64
  var state: [UInt8]
}

/// A state on its way through a stream.
struct Fold<P: Projector> {
  let projector: P
  let key: ProjectorKey
  let schema: EventSchema
  let policy: SnapshotPolicy
  var state: P.State
  /// The highest version folded; by occurred-at it need not be the last one.
  var highest: StreamVersion = 0
  /// Since the snapshot before.
  var bytesSinceSnapshot = 0
  var eventsFolded = 0
  var bytesFolded = 0
  private(set) var due: [DueSnapshot] = []

  init(_ projector: P, key: ProjectorKey, schema: EventSchema, policy: SnapshotPolicy) {
    self.projector = projector
    self.key = key
    self.schema = schema
    self.policy = policy
    state = projector.initialState()
  }

  /// Folds one event.
  ///
  /// - Parameter session: The session's entry, where the fold goes by occurred-at.
  mutating func apply(
    _ record: borrowing RecordView, session: SessionEntry? = nil
  ) throws(StorageError) {
    try schema.withView(of: record, session: session) { event throws(DamagedBytes) in
      if event.isRedacted {
        try projector.applyRedacted(event, to: &state)
      } else {
        try projector.apply(event, to: &state)
      }
    }
    highest = max(highest, record.version)
    eventsFolded &+= 1
    bytesFolded &+= record.sizeInBytes
    bytesSinceSnapshot &+= record.sizeInBytes
  }

  /// Notes a snapshot where one is due at this place.
  mutating func noteSnapshot(
    of stream: StreamNumber, _ order: SnapshotTable.Order, at number: UInt64, head: StreamVersion,
    redactions: UInt64
  ) {
    guard policy.isDue(eventBytes: bytesSinceSnapshot, stateBytes: state.encodedSize) else { return }
    var writer = ByteWriter(capacity: state.encodedSize)
    state.encode(into: &writer)
    due.append(
      DueSnapshot(
        stream: stream, order: order, number: number, highest: highest,
        projector: ProjectorIdentity(projector, schema: schema), head: head, redactions: redactions,
        state: writer.bytes))
    bytesSinceSnapshot = 0
  }
}

extension EventSchema {
  /// Lends an event, in today's form, to `body`.
  ///
  /// - Parameter session: The session's entry, where events go by occurred-at.
  @inline(__always)
  func withView(
    of record: borrowing RecordView, session: SessionEntry? = nil,
    _ body: (borrowing EventView) throws(DamagedBytes) -> Void
  ) throws(StorageError) {
    let isNamedBefore =
      if let session, record.session != record.version {
        (session.firstOccurredAt, record.session) < (record.occurredAt, record.version)
      } else {
        true
      }
    let isOutdated = try needsUpcast(record)
    do throws(DamagedBytes) {
      if !isOutdated, isNamedBefore {
        return try body(
          EventView(
            record, typeVersion: record.typeVersion, payload: record.payload, isNamedBefore: true,
            sessionName: record.sessionName))
      }
    } catch {
      throw .corrupt(reason: "the payload is not what its type says", position: record.position)
    }
    // Seldom: an older form, or an event before the one that named its session.
    let name = isNamedBefore ? record.sessionName.array() : Array((session?.name.description ?? "").utf8)
    var payload = record.payload.array()
    var version = record.typeVersion
    if isOutdated {
      (payload, version) = try upcast(
        payload, of: record.type, named: try? record.typeName.string(), from: version, at: record.position)
    }
    do throws(DamagedBytes) {
      try body(
        EventView(
          record, typeVersion: version, payload: payload.rawSpan, isNamedBefore: isNamedBefore,
          sessionName: name.rawSpan))
    } catch {
      throw .corrupt(reason: "the payload is not what its type says", position: record.position)
    }
  }

  /// Whether the payload is of an older form than today's. A newer one is refused: folding it would be guessing.
  @inline(__always)
  private func needsUpcast(_ record: borrowing RecordView) throws(StorageError) -> Bool {
    if record.flags.contains(.redacted) { return false }
    let known: EventTypeDefinition?
    if record.type == .custom {
      guard hasCustomTypes, let name = try? record.typeName.string() else { return false }
      known = definition(ofCustom: name)
    } else {
      if version(of: record.type) == record.typeVersion { return false }
      known = definition(of: record.type)
    }
    guard let known, known.version != record.typeVersion else { return false }
    guard known.version > record.typeVersion else {
      throw .unsupportedVersion(type: known.name, version: record.typeVersion, position: record.position)
    }
    return true
  }
}

extension EventView {
  /// The view of a record.
  @_lifetime(copy record, copy payload, copy sessionName)
  init(
    _ record: borrowing RecordView, typeVersion: UInt16, payload: RawSpan, isNamedBefore: Bool,
    sessionName: RawSpan
  ) {
    self.init(
      version: record.version, position: record.position, id: record.id, type: record.type,
      isRedacted: record.flags.contains(.redacted), typeVersion: typeVersion, occurredAt: record.occurredAt,
      recordedAt: record.recordedAt, customType: record.typeName, metadata: record.metadata, payload: payload,
      sessionNumber: record.session.number, isSessionNamedBefore: isNamedBefore,
      hasSessionName: record.flags.contains(.namesSession) || !isNamedBefore, sessionName: sessionName)
  }
}

extension Fold {
  /// Folds all events of a stream up to `last`. No snapshot is noted.
  mutating func run(
    _ stream: StreamNumber, through last: StreamVersion, _ view: borrowing LogView
  ) throws(StorageError) {
    try view.forEachRecord(of: stream, after: 0, through: last) { record throws(StorageError) in try apply(record) }
  }

  /// Folds the versions after `from` up to `through`, in their order.
  mutating func run(
    _ stream: StreamNumber, after from: StreamVersion, through last: StreamVersion, head: StreamVersion,
    _ view: borrowing LogView
  ) throws(StorageError) {
    let redactions = view.redactions
    try view.forEachRecord(of: stream, after: from, through: last) { record throws(StorageError) in
      try apply(record)
      noteSnapshot(of: stream, .version, at: record.version.number, head: head, redactions: redactions)
    }
  }

  /// Folds what occurred after `from` (`nil`: all) up to `through`, by occurred-at, then by version.
  mutating func run(
    _ stream: StreamNumber, occurredAfter from: Timestamp?, through last: Timestamp, head: StreamVersion,
    _ view: borrowing LogView
  ) throws(StorageError) {
    var latest: Timestamp?
    let redactions = view.redactions
    try view.forEachRecord(of: stream, occurredAfter: from, through: last, head: head) {
      (record, session) throws(StorageError) in
      // A snapshot holds all that occurred by its time, so it can stand only between two times.
      if let latest, record.occurredAt > latest {
        noteSnapshot(
          of: stream, .occurred, at: UInt64(latest.microseconds), head: head, redactions: redactions)
      }
      latest = record.occurredAt
      try apply(record, session: session)
    }
    if let latest {
      noteSnapshot(of: stream, .occurred, at: UInt64(latest.microseconds), head: head, redactions: redactions)
    }
  }
}
