// The fold: events one after the other into a state. What every other way to a state must equal.
internal import Bytes
internal import LMDB

/// A snapshot that became due in the course of a fold.
struct DueSnapshot: Sendable {
  var stream: StreamNumber
  var order: SnapshotTable.Order
  /// The version, of a part that of its last event; or the greatest occurred-at in microseconds.
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

/// What a fold has taken in.
struct FoldCount {
  /// The highest version folded; by occurred-at it need not be the last one.
  var highest: StreamVersion = 0
  /// Since the snapshot before.
  var bytesSinceSnapshot = 0
  var events = 0
  var bytes = 0
}

/// A state on its way through a stream.
struct Fold<P: Projector> {
  let projector: P
  let key: ProjectorKey
  let schema: EventSchema
  let policy: SnapshotPolicy
  var state: P.State
  var count = FoldCount()
  private(set) var due: [DueSnapshot] = []
  private var finished: [(part: Int, version: StreamVersion)] = []

  init(_ projector: P, key: ProjectorKey, schema: EventSchema, policy: SnapshotPolicy) {
    self.projector = projector
    self.key = key
    self.schema = schema
    self.policy = policy
    state = projector.initialState()
  }

  /// Has `body` fold events into variables of its own. Where the projector is another module's, what is in a generic
  /// structure is found by asking the runtime for its layout, for each event: a quarter of the time.
  private mutating func withState(
    _ body: (inout P.State, inout FoldCount) throws(StorageError) -> Void
  ) throws(StorageError) {
    // Not a copy, which the first change would make a deep one.
    var state = projector.initialState()
    swap(&state, &self.state)
    var count = self.count
    try body(&state, &count)
    self.state = state
    self.count = count
  }

  /// Folds one event.
  ///
  /// - Parameter session: The session's entry, where the fold goes by occurred-at.
  @inline(__always)
  private static func apply(
    _ record: borrowing RecordView, session: SessionEntry? = nil, by projector: P, _ schema: EventSchema,
    to state: inout P.State, _ count: inout FoldCount, _ contents: inout ContentReader, _ view: borrowing LogView
  ) throws(StorageError) {
    try schema.withView(of: record, session: session, &contents, view) { event throws(DamagedBytes) in
      if event.isRedacted {
        try projector.applyRedacted(event, to: &state)
      } else {
        try projector.apply(event, to: &state)
      }
    }
    count.highest = max(count.highest, record.version)
    count.events &+= 1
    count.bytes &+= record.sizeInBytes
    count.bytesSinceSnapshot &+= record.sizeInBytes
  }

  /// Makes a snapshot of a state.
  private static func snapshot(
    of stream: StreamNumber, _ order: SnapshotTable.Order, at number: UInt64, _ state: P.State,
    _ count: inout FoldCount,
    projector: ProjectorIdentity, head: StreamVersion, redactions: UInt64
  ) -> DueSnapshot {
    var writer = ByteWriter(capacity: state.encodedSize)
    state.encode(into: &writer)
    count.bytesSinceSnapshot = 0
    return DueSnapshot(
      stream: stream, order: order, number: number, highest: count.highest, projector: projector, head: head,
      redactions: redactions, state: writer.bytes)
  }
}

extension EventSchema {
  /// Lends an event, in today's form, to `body`.
  ///
  /// - Parameters:
  ///   - session: The session's entry, where events go by occurred-at.
  ///   - contents: Used with this view alone.
  @inline(__always)
  func withView(
    of record: borrowing RecordView, session: SessionEntry? = nil, _ contents: inout ContentReader,
    _ view: borrowing LogView, _ body: (borrowing EventView) throws(DamagedBytes) -> Void
  ) throws(StorageError) {
    try contents.open(record, view)
    let content = try contents.content(of: record)
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
            record, typeVersion: record.typeVersion, metadata: content.metadata, payload: content.payload,
            isNamedBefore: true,
            sessionName: record.flags.contains(.namesErased) ? RawSpan() : record.sessionName))
      }
    } catch {
      throw .corrupt(reason: "the payload is not what its type says", position: record.position)
    }
    // Seldom: an older form, or an event before the one that named its session.
    let name = isNamedBefore ? record.sessionName.array() : Array((session?.name.description ?? "").utf8)
    var payload = content.payload.array()
    var version = record.typeVersion
    if isOutdated {
      (payload, version) = try upcast(
        payload, of: record.type, named: try? record.typeName.string(), from: version, at: record.position)
    }
    do throws(DamagedBytes) {
      try body(
        EventView(
          record, typeVersion: version, metadata: content.metadata, payload: payload.rawSpan,
          isNamedBefore: isNamedBefore, sessionName: name.rawSpan))
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
  @inline(__always) @_lifetime(copy record, copy metadata, copy payload, copy sessionName)
  init(
    _ record: borrowing RecordView, typeVersion: UInt16, metadata: RawSpan, payload: RawSpan, isNamedBefore: Bool,
    sessionName: RawSpan
  ) {
    self.init(
      version: record.version, position: record.position, id: record.id, type: record.type,
      isRedacted: record.flags.contains(.redacted), typeVersion: typeVersion, occurredAt: record.occurredAt,
      recordedAt: record.recordedAt, customType: record.typeName, metadata: metadata, payload: payload,
      sessionNumber: record.session.number, isSessionNamedBefore: isNamedBefore,
      hasSessionName: sessionName.byteCount > 0 && (record.flags.contains(.namesSession) || !isNamedBefore),
      sessionName: sessionName)
  }
}

extension Fold {
  /// Folds all events of a stream up to `last`. No snapshot is made.
  mutating func run(
    _ stream: StreamNumber, through last: StreamVersion, _ view: borrowing LogView
  ) throws(StorageError) {
    let (projector, schema) = (projector, schema)
    var contents = ContentReader()
    try withState { (state, count) throws(StorageError) in
      try view.forEachRecord(of: stream, after: 0, through: last) { record throws(StorageError) in
        try Self.apply(record, by: projector, schema, to: &state, &count, &contents, view)
      }
    }
  }

  /// Folds the versions after `from` up to `through`, in their order.
  mutating func run(
    _ stream: StreamNumber, after from: StreamVersion, through last: StreamVersion, head: StreamVersion,
    _ view: borrowing LogView
  ) throws(StorageError) {
    let (projector, schema, policy, redactions) = (projector, schema, policy, view.redactions)
    var due: [DueSnapshot] = []
    var finished: [(part: Int, version: StreamVersion)] = []
    var contents = ContentReader()
    try withState { (state, count) throws(StorageError) in
      try view.forEachRecord(of: stream, after: from, through: last) { record throws(StorageError) in
        try Self.apply(record, by: projector, schema, to: &state, &count, &contents, view)
        if P.State.isStoredInParts {
          if let part = state.takeFinishedPart() { finished.append((part, record.version)) }
          return
        }
        guard policy.isDue(eventBytes: count.bytesSinceSnapshot, stateBytes: state.encodedSize) else { return }
        due.append(
          Self.snapshot(
            of: stream, .version, at: record.version.number, state, &count,
            projector: ProjectorIdentity(projector, schema: schema), head: head, redactions: redactions))
      }
    }
    self.due += due
    self.finished += finished
  }

  /// The parts that were finished on the way, to be stored. They change no more, so the state has them still.
  func parts(of stream: StreamNumber, head: StreamVersion, redactions: UInt64) -> [DueSnapshot] {
    finished.map { part, version in
      var writer = ByteWriter()
      writer.writeVarint(part)
      state.encode(part: part, into: &writer)
      return DueSnapshot(
        stream: stream, order: .part, number: version.number, highest: version,
        projector: ProjectorIdentity(projector, schema: schema), head: head, redactions: redactions,
        state: writer.bytes)
    }
  }

  /// Folds what occurred after `from` (`nil`: all) up to `through`, by occurred-at, then by version.
  mutating func run(
    _ stream: StreamNumber, occurredAfter from: Timestamp?, through last: Timestamp, head: StreamVersion,
    _ view: borrowing LogView
  ) throws(StorageError) {
    let (projector, schema, policy, redactions) = (projector, schema, policy, view.redactions)
    var due: [DueSnapshot] = []
    var contents = ContentReader()
    try withState { (state, count) throws(StorageError) in
      func note(_ time: Timestamp?, _ state: P.State, _ count: inout FoldCount) {
        guard !P.State.isStoredInParts, let time,
          policy.isDue(eventBytes: count.bytesSinceSnapshot, stateBytes: state.encodedSize)
        else { return }
        due.append(
          Self.snapshot(
            of: stream, .occurred, at: UInt64(time.microseconds), state, &count,
            projector: ProjectorIdentity(projector, schema: schema), head: head, redactions: redactions))
      }
      var latest: Timestamp?
      try view.forEachRecord(of: stream, occurredAfter: from, through: last, head: head) {
        (record, session) throws(StorageError) in
        // A snapshot holds all that occurred by its time, so it can stand only between two times.
        if let latest, record.occurredAt > latest { note(latest, state, &count) }
        latest = record.occurredAt
        try Self.apply(record, session: session, by: projector, schema, to: &state, &count, &contents, view)
      }
      note(latest, state, &count)
    }
    self.due += due
  }
}
