// One commit in the making: requests are applied one after the other, each accepted or refused on its own.
internal import Bytes
internal import JSON
internal import LMDB
internal import Sodium
internal import Synchronization

/// The end of the log.
struct LogEnd: Equatable {
  var position: LogPosition = 0
  var recordedAt: Timestamp = .earliest
  var chain: Bytes32 = .zero
  /// How many streams there are.
  var streams: StreamNumber = 0
}

/// What is the same for every commit of a store.
struct WriterSettings: Sendable {
  let tables: Tables
  let hashSeed: UInt64
  let schema: EventSchema
}

/// A write transaction with all that applying a request needs. Reads no clock and no random number.
struct WriterContext: ~Copyable {
  var transaction: WriteTransaction
  let settings: WriterSettings
  /// Sees the log, and what this commit has appended so far.
  let index: StreamIndex
  /// What this commit has appended so far.
  private let group: TailGeneration
  private(set) var end: LogEnd
  /// The streams appended to lately, kept from commit to commit.
  var streams: [StreamName: WriterStream]
  private(set) var appended: [(entry: IndexEntry, endsRequest: Bool)] = []
  /// Whether there is anything to commit.
  var hasWritten = false
  private var buffer = ByteWriter(capacity: 512)

  var tables: Tables { settings.tables }

  init(
    _ transaction: consuming WriteTransaction, _ settings: WriterSettings, generations: [TailGeneration],
    end: LogEnd, streams: [StreamName: WriterStream]
  ) {
    self.transaction = transaction
    self.settings = settings
    group = TailGeneration(after: Checkpoint(position: end.position, streams: end.streams))
    index = StreamIndex(
      tables: settings.tables, hashSeed: settings.hashSeed, generations: generations + [group],
      bound: LogPosition(.max))
    self.end = end
    self.streams = streams
  }

  // MARK: Appending

  /// Applies a request: decides first, then writes.
  ///
  /// - Throws: ``StorageError`` where the whole commit must be given up.
  mutating func append(
    _ request: AppendRequest, time: Timestamp
  ) throws(StorageError) -> Result<[AppendResult], AppendError> {
    let repeats: Repeats
    switch try findRepeats(in: request) {
    case .failure(let error): return .failure(error)
    case .success(let found): repeats = found
    }
    if request.repeats == .request, repeats.count > 0 {
      return .success(try firstResults(of: request, repeats))
    }
    if let conflict = try versionConflict(in: request, repeats) { return .failure(conflict) }
    return .success(try write(request, repeats, time: time))
  }

  /// Which events of a request the log has already.
  fileprivate struct Repeats {
    /// For each append, for each event: where it is; `nil` where it is new. A place with version 0 is earlier in the
    /// same request.
    var places: [[StreamPlace?]] = []
    var count = 0
  }

  private mutating func findRepeats(
    in request: AppendRequest
  ) throws(StorageError) -> Result<Repeats, AppendError> {
    var repeats = Repeats()
    var conflicts: [EventID] = []
    var conflictStream: StreamName?
    var isErased = false
    var total = 0
    // What is handed in again was handed in in this order before: the next one is likely the next of the log.
    var lastFound: LogPosition?
    // Where each id of the request stands: an append, and an event in it.
    var inRequest: [StreamName: [EventID: (append: Int, event: Int)]] = [:]
    let checksRequest = request.appends.count > 1 || (request.appends.first?.events.count ?? 0) > 1
    for (appendIndex, append) in request.appends.enumerated() {
      let stream = try writerStream(append.stream)
      var places: [StreamPlace?] = []
      places.reserveCapacity(append.events.count)
      // Taken out and put back once for all of its events.
      var ofStream = checksRequest ? inRequest.removeValue(forKey: append.stream) ?? [:] : [:]
      defer { if checksRequest { inRequest[append.stream] = ofStream } }
      for (eventIndex, event) in append.events.enumerated() {
        total += 1
        if checksRequest {
          if let earlier = ofStream[event.event.id] {
            if request.repeats == .event,
              event.isRepeat(of: request.appends[earlier.append].events[earlier.event], settings.schema)
            {
              places.append(StreamPlace(version: 0, position: 0))
              repeats.count += 1
            } else {
              conflicts.append(event.event.id)
              conflictStream = conflictStream ?? append.stream
              places.append(nil)
            }
            continue
          }
          ofStream[event.event.id] = (appendIndex, eventIndex)
        }
        guard let stream, let place = try place(of: event.event.id, in: stream.stream, after: lastFound) else {
          places.append(nil)
          continue
        }
        lastFound = place.position
        let record = try transaction.record(at: place.position, in: tables)
        if record.flags.contains(.redacted) {
          isErased = true
          conflicts.append(event.event.id)
          conflictStream = conflictStream ?? append.stream
        } else if try event.isRepeat(of: record, in: stream.stream, settings.schema, index, transaction) {
          repeats.count += 1
        } else {
          conflicts.append(event.event.id)
          conflictStream = conflictStream ?? append.stream
        }
        places.append(place)
      }
      repeats.places.append(places)
    }
    if let conflictStream {
      return .failure(.idConflict(stream: conflictStream, ids: conflicts, isErased: isErased))
    }
    if request.repeats == .request, repeats.count > 0, !(repeats.count == total && repeats.areNeighbours) {
      var known: [EventID] = []
      for (append, places) in zip(request.appends, repeats.places) {
        for (event, place) in zip(append.events, places) where place != nil {
          known.append(event.event.id)
          conflictStream = conflictStream ?? append.stream
        }
      }
      let stream = conflictStream ?? request.appends[0].stream
      return .failure(.idConflict(stream: stream, ids: known, isErased: false))
    }
    return .success(repeats)
  }

  private func place(
    of id: EventID, in stream: StreamNumber, after lastFound: LogPosition?
  ) throws(StorageError) -> StreamPlace? {
    if let lastFound, lastFound < end.position {
      let record = try transaction.record(at: lastFound.next, in: tables)
      if record.stream == stream, record.id == id {
        return StreamPlace(version: record.version, position: record.position)
      }
    }
    return try index.place(of: id, in: stream, transaction)
  }

  private func firstResults(
    of request: AppendRequest, _ repeats: Repeats
  ) throws(StorageError) -> [AppendResult] {
    var results: [AppendResult] = []
    for (append, places) in zip(request.appends, repeats.places) {
      guard let first = places.first ?? nil, let last = places.last ?? nil else { continue }
      let record = try transaction.record(at: last.position, in: tables)
      results.append(
        AppendResult(
          stream: append.stream, firstVersion: first.version, lastVersion: last.version,
          firstPosition: first.position, lastPosition: last.position, recordedAt: record.recordedAt,
          duplicates: places.count, appended: 0))
    }
    return results
  }

  private mutating func versionConflict(
    in request: AppendRequest, _ repeats: Repeats
  ) throws(StorageError) -> AppendError? {
    var versions: [StreamName: StreamVersion] = [:]
    for (append, places) in zip(request.appends, repeats.places) {
      let new = places.count { $0 == nil }
      if new == 0 { continue }
      var actual = versions[append.stream]
      if actual == nil { actual = try writerStream(append.stream)?.version }
      let version = actual ?? 0
      guard append.expected.isMet(by: version) else {
        return .versionConflict(stream: append.stream, expected: append.expected, actual: version)
      }
      versions[append.stream] = StreamVersion(version.number + UInt64(new))
    }
    return nil
  }

  private mutating func write(
    _ request: AppendRequest, _ repeats: Repeats, time: Timestamp
  ) throws(StorageError) -> [AppendResult] {
    let recordedAt = max(end.recordedAt.advanced(byMicroseconds: 1), time)
    var left = repeats.places.reduce(0) { $0 + $1.count { $0 == nil } }
    let requestStart = end.position.next
    var digests: [Bytes32] = []
    digests.reserveCapacity(left)
    var results: [AppendResult] = []
    results.reserveCapacity(request.appends.count)
    for (append, places) in zip(request.appends, repeats.places) {
      let known = try writerStream(append.stream)
      var stream = known ?? newStream(append)
      let first = (stream.version.next, end.position.next)
      // Callers of a new stream may have made secrets at the same time; the first one's counts.
      let streamDigest =
        stream.secret == append.secret ? nil : HashChain.streamDigest(append.stream, secret: stream.secret)
      for (event, place) in zip(append.events, places) where place == nil {
        let digest =
          streamDigest.map { event.makeDigest(streamDigest: $0, secret: stream.secret) } ?? event.digest
        digests.append(digest)
        left -= 1
        if left == 0 {
          end.chain = HashChain.step(end.chain, first: requestStart, recordedAt: recordedAt, digests: digests)
        }
        try write(
          event, digest: digest, to: &stream, name: append.stream, recordedAt: recordedAt,
          endsRequest: left == 0)
      }
      let count = places.count { $0 == nil }
      if count > 0 { streams[append.stream] = stream }
      // Where nothing was new, the stream's last event tells the time.
      let time = count > 0 ? recordedAt : try transaction.record(at: stream.position, in: tables).recordedAt
      results.append(
        AppendResult(
          stream: append.stream, firstVersion: count > 0 ? first.0 : stream.version,
          lastVersion: stream.version,
          firstPosition: count > 0 ? first.1 : stream.position, lastPosition: stream.position,
          recordedAt: time, duplicates: places.count - count, appended: count))
    }
    return results
  }

  private func newStream(_ append: PreparedAppend) -> WriterStream {
    WriterStream(
      stream: end.streams + 1, version: 0, position: 0, chain: .zero, secret: append.secret,
      lastOccurredAt: .earliest)
  }

  private mutating func write(
    _ prepared: PreparedEvent, digest: Bytes32, to stream: inout WriterStream, name: StreamName,
    recordedAt: Timestamp, endsRequest: Bool
  ) throws(StorageError) {
    let event = prepared.event
    let position = end.position.next
    let version = stream.version.next
    var fields = RecordFields(
      type: event.type, typeName: event.customType, typeVersion: event.typeVersion, tag: digest.prefix32,
      recordedAt: recordedAt, occurredAt: prepared.occurredAt, id: event.id, stream: stream.stream,
      version: version, position: position, previous: stream.position)
    if version == 1 {
      fields.name = name
      fields.secret = stream.secret
      end.streams = stream.stream
    }
    if let session = event.session {
      if let last = stream.lastSession, last.name == session {
        fields.session = last.number
      } else if version > 1, let number = try index.session(session, in: stream.stream, transaction) {
        fields.session = number
      } else {
        fields.session = version
        fields.sessionName = session
      }
      stream.lastSession = (session, fields.session)
    }
    let isLate = version > 1 && prepared.occurredAt < stream.lastOccurredAt
    if isLate { fields.flags.insert(.isLate) }
    if version > 1, prepared.occurredAt <= stream.lastOccurredAt {
      try SnapshotTable.removeOccurred(from: prepared.occurredAt, of: stream.stream, &transaction, tables)
    }
    if endsRequest { fields.chain = end.chain }
    buffer.bytes.removeAll(keepingCapacity: true)
    fields.encode(metadata: prepared.metadata.rawSpan, payload: event.payload.rawSpan, into: &buffer)
    try transaction.append(buffer.bytes, at: Key.position(position), to: tables.log)

    stream.chain = HashChain.step(stream.chain, digest, version)
    let entry = IndexEntry(
      stream: stream.stream, version: version, position: position, previous: stream.position,
      idHash: IdentityHash.event(event.id, seed: settings.hashSeed), occurredAt: prepared.occurredAt,
      isLate: isLate, sizeInBytes: buffer.count, chain: stream.chain, name: version == 1 ? name : nil,
      session: fields.sessionName)
    group.contents.withLock { $0.insert(entry, seed: settings.hashSeed) }
    appended.append((entry, endsRequest))
    stream.version = version
    stream.position = position
    stream.lastOccurredAt = max(stream.lastOccurredAt, prepared.occurredAt)
    end.position = position
    end.recordedAt = recordedAt
    hasWritten = true
  }

  /// The end of a stream; `nil` where it has no event yet.
  mutating func writerStream(_ name: StreamName) throws(StorageError) -> WriterStream? {
    if let known = streams[name] { return known }
    guard let number = try index.stream(name, in: transaction),
      let stream = try index.writerStream(number, name: name, transaction)
    else { return nil }
    streams[name] = stream
    return stream
  }
}

extension WriterContext.Repeats {
  /// Whether the events follow each other in the log as they do in the request.
  fileprivate var areNeighbours: Bool {
    var previous: LogPosition?
    for place in places.joined() {
      guard let place else { return false }
      if let previous, place.position != previous.next { return false }
      previous = place.position
    }
    return true
  }
}

extension PreparedEvent {
  /// Whether this is `other` handed in again.
  fileprivate func isRepeat(of other: PreparedEvent, _ schema: EventSchema) -> Bool {
    event.type == other.event.type && event.customType == other.event.customType
      && event.session == other.event.session
      && (event.occurredAt == nil || event.occurredAt == other.occurredAt)
      && Self.isSameJSON(metadata, other.metadata)
      && isSamePayload(other.event.payload, version: other.event.typeVersion, schema)
  }

  /// Whether this is the recorded event handed in again.
  fileprivate func isRepeat(
    of record: borrowing RecordView, in stream: StreamNumber, _ schema: EventSchema, _ index: StreamIndex,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bool {
    let typeName = Array((event.customType ?? "").utf8)
    guard event.type == record.type, record.typeName.isSame(as: typeName.rawSpan),
      event.occurredAt == nil || event.occurredAt == record.occurredAt,
      Self.isSameJSON(metadata, record.metadata.array())
    else { return false }
    let session = record.session == 0 ? nil : try index.session(record.session, in: stream, transaction)?.name
    guard event.session == session else { return false }
    return isSamePayload(record.payload.array(), version: record.typeVersion, schema)
  }

  /// Whether a payload of the same type says the same. Older forms are compared in today's; one that cannot be brought
  /// there, because it is newer or not what its type says, is the same only as it is.
  private func isSamePayload(_ other: [UInt8], version: UInt16, _ schema: EventSchema) -> Bool {
    if event.typeVersion == version, Payload.isSame(event.payload.rawSpan, other.rawSpan) { return true }
    guard
      let mine = try? schema.upcast(
        event.payload, of: event.type, named: event.customType, from: event.typeVersion, at: 0),
      let theirs = try? schema.upcast(other, of: event.type, named: event.customType, from: version, at: 0)
    else { return false }
    return mine.version == theirs.version && Payload.isSame(mine.payload.rawSpan, theirs.payload.rawSpan)
  }

  private static func isSameJSON(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a == b || canonicalJSONEqual(a.span, b.span)
  }
}
