// One commit in the making: requests are applied one after the other, each accepted or refused on its own.
internal import Bytes
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
  /// After so many events another block begins.
  let blockSize: Int
}

/// A write transaction with all that applying a request needs. Reads no clock and no random number.
///
/// What it appends goes into the last generation of the tail at once: later requests of the commit find it there, and
/// readers leave out what their transactions do not see. Where the commit fails, the tail is to be forgotten.
struct WriterContext: ~Copyable {
  var transaction: WriteTransaction
  /// The sequencer's time of this commit.
  var time: Timestamp = .earliest
  let settings: WriterSettings
  /// Sees the log, and what this commit has appended so far.
  private(set) var index: StreamIndex
  private let tail: TailIndex
  private var generation: TailGeneration
  /// Where the events of the block that is appended to go.
  private var table: Table
  private(set) var end: LogEnd
  /// The streams appended to lately, kept from commit to commit.
  var streams: [HashedName: WriterStream]
  /// What runs certainly do not have, kept from commit to commit.
  var filters: RunFilters
  /// The events appended so far: their streams, and the bytes of their records.
  private(set) var appended: [AppendedEvent] = []
  /// Whether there is anything to commit.
  var hasWritten = false
  /// Whether the index was made anew: once that is committed, the tail is to be read again, and what had to stop since
  /// something of it was damaged can go on.
  var isIndexRebuilt = false
  /// Whether what was erased is to be overwritten once everything is committed.
  var wantsScrub = false
  /// Whether names were taken out of the log: once that is committed, the tail is to be read again.
  private(set) var hasErased = false
  /// Whether the first block cannot be sealed, since something of it is damaged.
  var isSealingStopped = false
  private var buffer = ByteWriter(capacity: 512)
  private var sealer = RecordSealer()

  var tables: Tables { settings.tables }

  init(
    _ transaction: consuming WriteTransaction, _ settings: WriterSettings, _ tail: TailIndex, _ view: TailView,
    end: LogEnd, streams: [HashedName: WriterStream] = [:], filters: RunFilters = RunFilters()
  ) {
    self.transaction = transaction
    self.settings = settings
    self.tail = tail
    generation = view.generations[view.generations.count - 1]
    index = StreamIndex(
      tables: settings.tables, hashSeed: settings.hashSeed, generations: view.generations, bound: LogPosition(.max),
      catalog: view.catalog)
    table = view.catalog.table(ofBlock: view.catalog.blocks.count - 1, settings.tables)
    self.end = end
    self.streams = streams
    self.filters = filters
  }

  /// What the log consists of. A change is stored at once.
  var catalog: RunCatalog { index.catalog }

  mutating func changeCatalog(_ change: (inout RunCatalog) -> Void) throws(StorageError) {
    change(&index.catalog)
    try index.catalog.store(in: &transaction, tables)
    hasWritten = true
  }

  /// The generation of the first block.
  var firstGeneration: TailGeneration { index.generations[0] }

  /// Lets the block end with the last event, and begins another. One without events goes on.
  mutating func beginBlock() throws(StorageError) {
    guard let begun = catalog.blocks.last, begun <= end.position else { return }
    // Every table of the ring is taken: seldom, since blocks are sealed faster than they fill.
    while catalog.blocks.count == RunCatalog.largestBlockCount {
      // What is damaged is its owner's. For everybody else the block grows, as long as it can be one run.
      let isTooLong = end.position.number - begun.number > RunIdentities.largestRun / 2
      if isSealingStopped, !isTooLong { return }
      var credit = Int.max
      do throws(StorageError) { try Sealing.step(credit: &credit, &self) } catch .corrupt(let reason, let position) {
        isSealingStopped = true
        if isTooLong { throw .corrupt(reason: reason, position: position) }
      }
    }
    let first = end.position.next
    try changeCatalog { $0.blocks.append(first) }
    generation = TailGeneration(after: generation.end)
    index.generations.append(generation)
    tail.append(generation)
    table = catalog.table(ofBlock: catalog.blocks.count - 1, tables)
  }

  /// The first block is a run now.
  mutating func finishSealing(_ run: Run) throws(StorageError) {
    let sealed = index.generations.removeFirst()
    try transaction.empty(catalog.table(ofBlock: 0, tables))
    try changeCatalog { $0.finishSealing(run, streams: sealed.end.streams) }
  }

  /// Applies a request: decides first, then writes.
  ///
  /// - Throws: ``StorageError`` where the whole commit must be given up.
  mutating func append(
    _ request: borrowing AppendRequest
  ) throws(StorageError) -> Result<[AppendResult], AppendError> {
    var streams: [WriterStream?] = []
    streams.reserveCapacity(request.streams.count)
    let repeats: Repeats
    let lookups: Lookups
    do throws(StorageError) {
      for stream in request.streams { streams.append(try writerStream(stream.stream)) }
      switch try findRepeats(in: request, streams) {
      case .failure(let error): return .failure(error)
      case .success(let found): repeats = found
      }
      filters.count(lookUps: repeats.places.count)
      if request.repeats == .request, repeats.count > 0 {
        return .success(try firstResults(of: request, repeats))
      }
      if let conflict = Self.versionConflict(in: request, repeats, streams) { return .failure(conflict) }
      lookups = try lookUp(request, repeats, streams)
    } catch .corrupt(let reason, let position) {
      // Nothing is written yet, and a damaged stream is nobody else's.
      return .failure(.storage(.corrupt(reason: reason, position: position)))
    }
    return .success(try write(request, repeats, lookups, streams))
  }

  /// What writing a request needs of the log, looked up as long as the request can be refused by itself.
  private struct Lookups {
    /// By append that adds nothing: when its stream's last event was recorded.
    var times: [Int: Timestamp] = [:]
    /// By stream of the request: the sessions' numbers; 0 where there is none yet.
    var sessions: [Int: [SessionID: StreamVersion]] = [:]
  }

  private func lookUp(
    _ request: borrowing AppendRequest, _ repeats: Repeats, _ streams: [WriterStream?]
  ) throws(StorageError) -> Lookups {
    var lookups = Lookups()
    for (number, append) in request.appends.enumerated() {
      guard let stream = streams[append.stream] else { continue }
      var addsNothing = true
      for event in append.events where repeats.places[event] == nil {
        addsNothing = false
        guard let session = request.session(of: request.events[event]), stream.lastSession?.name != session,
          lookups.sessions[append.stream]?[session] == nil
        else { continue }
        // It may be the last one no more when its next event comes.
        if let last = stream.lastSession, request.events.count > 1 {
          lookups.sessions[append.stream, default: [:]][last.name] = last.number
        }
        lookups.sessions[append.stream, default: [:]][session] =
          try index.session(session, in: stream.stream, transaction, unlessExcludedBy: filters) ?? 0
      }
      if addsNothing {
        lookups.times[number] = try index.record(at: stream.position, of: stream.stream, transaction).recordedAt
      }
    }
    return lookups
  }

  /// The results of a request that was done before.
  private func firstResults(
    of request: borrowing AppendRequest, _ repeats: Repeats
  ) throws(StorageError) -> [AppendResult] {
    var results: [AppendResult] = []
    for append in request.appends {
      let places = repeats.places[append.events]
      guard let first = places.first ?? nil, let last = places.last ?? nil else { continue }
      let record = try index.record(at: last.position, transaction)
      results.append(
        AppendResult(
          stream: request.streams[append.stream].name, firstVersion: first.version, lastVersion: last.version,
          firstPosition: first.position, lastPosition: last.position, recordedAt: record.recordedAt,
          duplicates: places.count, appended: 0))
    }
    return results
  }

  private static func versionConflict(
    in request: borrowing AppendRequest, _ repeats: Repeats, _ streams: [WriterStream?]
  ) -> AppendError? {
    // Of one append, nobody asks for the others'.
    let isOne = request.appends.count == 1
    var appended = [UInt64](repeating: 0, count: isOne ? 0 : request.streams.count)
    for append in request.appends {
      let new = append.events.count { repeats.places[$0] == nil }
      if new == 0 { continue }
      let version = StreamVersion(
        (streams[append.stream]?.version.number ?? 0) + (isOne ? 0 : appended[append.stream]))
      guard append.expected.isMet(by: version) else {
        return .versionConflict(
          stream: request.streams[append.stream].name, expected: append.expected, actual: version)
      }
      if !isOne { appended[append.stream] += UInt64(new) }
    }
    return nil
  }

  private mutating func write(
    _ request: borrowing AppendRequest, _ repeats: Repeats, _ lookups: Lookups, _ streams: [WriterStream?]
  ) throws(StorageError) -> [AppendResult] {
    let recordedAt = nextRecordedAt
    var streams = streams
    var sessions = lookups.sessions
    var left = repeats.places.count { $0 == nil }
    let requestStart = end.position.next
    var digests: [Bytes32] = []
    digests.reserveCapacity(left)
    var results: [AppendResult] = []
    results.reserveCapacity(request.appends.count)
    for (number, append) in request.appends.enumerated() {
      let prepared = request.streams[append.stream]
      let stream = streams[append.stream] ?? newStream(prepared)
      let first = (version: stream.version.next, position: end.position.next)
      let addsSomething = append.events.contains { repeats.places[$0] == nil }
      if addsSomething { comeBack(stream, as: prepared) }
      // Callers of a new stream may have made secrets at the same time; the first one's counts.
      let hasher = stream.secret == prepared.secret ? nil : StreamHasher(prepared.name, secret: stream.secret)
      for index in append.events where repeats.places[index] == nil {
        var event = request.events[index]
        if let hasher { event.digest = request.digest(of: event, by: hasher) }
        digests.append(event.digest)
        left -= 1
        if left == 0 {
          end.chain = HashChain.step(end.chain, first: requestStart, recordedAt: recordedAt, digests: digests)
        }
        let named = try write(
          event, of: request, to: stream, sessions.isEmpty ? nil : sessions[append.stream], recordedAt: recordedAt,
          endsRequest: left == 0)
        if let named, request.events.count > 1 { sessions[append.stream, default: [:]][named.name] = named.number }
      }
      let count = Int(end.position.number + 1 - first.position.number)
      if count > 0, streams[append.stream] == nil {
        streams[append.stream] = stream
        self.streams[prepared.stream] = stream
      }
      // Where nothing was new, the stream's last event tells the time; it may be one of this request.
      let time = stream.position >= requestStart ? recordedAt : lookups.times[number] ?? recordedAt
      results.append(
        AppendResult(
          stream: prepared.name, firstVersion: count > 0 ? first.version : stream.version,
          lastVersion: stream.version,
          firstPosition: count > 0 ? first.position : stream.position, lastPosition: stream.position,
          recordedAt: time, duplicates: append.events.count - count, appended: count))
    }
    return results
  }

  private func newStream(_ stream: StreamHasher) -> WriterStream {
    var epoch = StreamEpoch(name: stream.name, secret: stream.secret)
    epoch.dataKey = tables.cipher.map { DataKey(key: stream.dataKey, algorithm: $0.algorithm) }
    let made = WriterStream(
      stream: end.streams + 1, version: 0, position: 0, chain: .zero, epoch: epoch, lastOccurredAt: .earliest)
    made.begin(epoch)
    return made
  }

  /// Lets the stream of somebody who was erased be named again.
  ///
  /// The caller may have made the request with the secret of before. So that this is nobody's any more, it becomes
  /// another one, from which it cannot be found. The same of the key: it may have been used before.
  private func comeBack(_ stream: WriterStream, as prepared: StreamHasher) {
    guard stream.epoch.erased != nil else { return }
    var writer = ByteWriter(capacity: 40)
    stream.chain.write(into: &writer)
    writer.write(stream.version.number)
    let bytes = writer.bytes
    var epoch = StreamEpoch(name: prepared.name, secret: BLAKE2b.digest(bytes.rawSpan, key: prepared.secret))
    epoch.dataKey = tables.cipher.map { cipher in
      DataKey(key: BLAKE2b.digest(bytes.rawSpan, key: prepared.dataKey), algorithm: cipher.algorithm)
    }
    stream.begin(epoch)
  }

  /// When the next request is recorded.
  var nextRecordedAt: Timestamp { max(end.recordedAt.advanced(byMicroseconds: 1), time) }

  /// Writes an event, and tells which session it named.
  private mutating func write(
    _ event: PreparedEvent, of request: borrowing AppendRequest, to stream: WriterStream,
    _ sessions: [SessionID: StreamVersion]?, recordedAt: Timestamp, endsRequest: Bool
  ) throws(StorageError) -> (name: SessionID, number: StreamVersion)? {
    let position = end.position.next
    let version = stream.version.next
    var fields = RecordFields(
      type: event.type, typeVersion: event.typeVersion, tag: event.digest.prefix32, recordedAt: recordedAt,
      occurredAt: event.occurredAt, id: event.id, stream: stream.stream, version: version, position: position,
      previous: stream.position)
    if stream.beginsEpoch {
      fields.name = stream.epoch.name
      fields.secret = stream.epoch.stored.secret
      fields.erasedName = stream.epoch.erased
      if let dataKey = stream.epoch.dataKey, let cipher = tables.cipher {
        try cipher.keep(
          StreamSecrets(dataKey: dataKey, secret: stream.epoch.secret), of: stream.stream, named: stream.epoch.name,
          in: &transaction, tables)
      }
      stream.beginsEpoch = false
    }
    if version == 1 { end.streams = stream.stream }
    if let session = request.session(of: event) {
      if let last = stream.lastSession, last.name == session {
        fields.session = last.number
      } else {
        if let number = sessions?[session], number > 0 {
          fields.session = number
        } else {
          fields.session = version
          fields.sessionName = session
        }
        stream.lastSession = (session, fields.session)
      }
    }
    let isLate = version > 1 && event.occurredAt < stream.lastOccurredAt
    if isLate { fields.flags.insert(.isLate) }
    if version > 1, event.occurredAt <= stream.lastOccurredAt {
      try SnapshotTable.removeOccurred(from: event.occurredAt, of: stream.stream, &transaction, tables)
    }
    if endsRequest { fields.chain = end.chain }
    buffer.bytes.removeAll(keepingCapacity: true)
    fields.redactedDigest = request.redactedDigest(of: event)
    stream.chain = HashChain.step(stream.chain, event.digest, version)
    if let dataKey = stream.epoch.dataKey, !event.isRedacted {
      // Metadata and payload lie there with their lengths before them.
      let content = request.span(event.typeName.upperBound..<event.payload.upperBound)
      fields.encode(
        typeName: request.span(event.typeName), sealing: content, with: dataKey, chain: stream.chain, by: &sealer,
        into: &buffer)
    } else {
      let content = event.isRedacted ? event.payload.upperBound..<event.payload.upperBound : event.payload
      fields.encode(
        typeName: request.span(event.typeName), metadata: request.span(event.metadata), payload: request.span(content),
        into: &buffer)
    }
    try transaction.append(buffer.bytes, at: BigEndianKey(position.number), to: table)

    let entry = IndexEntry(
      stream: stream.stream, version: version, position: position, previous: stream.position,
      idHash: IdentityHash.event(event.id, of: stream.stream, seed: settings.hashSeed), occurredAt: event.occurredAt,
      isLate: isLate, sizeInBytes: buffer.count, chain: stream.chain, name: fields.name,
      erasedName: fields.erasedName, session: fields.sessionName)
    let count = generation.contents.withLock { contents in
      contents.insert(entry, seed: settings.hashSeed)
      return contents.eventCount
    }
    appended.append(AppendedEvent(stream: stream.stream, sizeInBytes: buffer.count))
    stream.version = version
    stream.position = position
    stream.lastOccurredAt = max(stream.lastOccurredAt, event.occurredAt)
    end.position = position
    end.recordedAt = recordedAt
    hasWritten = true
    // Where a request ends, so that its events lie in one block.
    if endsRequest, count >= settings.blockSize { try beginBlock() }
    return fields.sessionName.map { ($0, version) }
  }

  /// Appends a record of a store with the same history, byte for byte.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where it is not what was written, or not what comes next: then
  ///   the whole commit must be given up.
  mutating func copy(_ bytes: [UInt8], by copier: inout RecordCopier) throws(StorageError) {
    let position = end.position.next
    let record = try RecordView.stored(bytes.rawSpan, at: position)
    var entry: IndexEntry
    do throws(RecordProblem) { entry = try IndexEntry(record, seed: settings.hashSeed) } catch {
      throw StorageError(error, at: position)
    }
    let stream = try copiedStream(record, by: &copier)
    let digest = try copier.check(record, behind: end, index: index, transaction)
    if record.version > 1, record.occurredAt <= stream.lastOccurredAt {
      try SnapshotTable.removeOccurred(from: record.occurredAt, of: stream.stream, &transaction, tables)
    }
    try transaction.append(bytes, at: BigEndianKey(position.number), to: table)
    stream.chain = HashChain.step(stream.chain, digest, record.version)
    entry.chain = stream.chain
    let count = generation.contents.withLock { contents in
      contents.insert(entry, seed: settings.hashSeed)
      return contents.eventCount
    }
    appended.append(AppendedEvent(stream: stream.stream, sizeInBytes: bytes.count))
    stream.version = record.version
    stream.position = position
    stream.lastOccurredAt = max(stream.lastOccurredAt, record.occurredAt)
    stream.lastSession = nil
    end.position = position
    end.recordedAt = record.recordedAt
    end.streams = max(end.streams, record.stream)
    hasWritten = true
    guard let chain = record.chain else { return }
    end.chain = chain
    if count >= settings.blockSize { try beginBlock() }
  }

  /// The end of the stream that a copied record belongs to, which must be the one that it was written behind.
  private mutating func copiedStream(
    _ record: borrowing RecordView, by copier: inout RecordCopier
  ) throws(StorageError) -> WriterStream {
    let stream: WriterStream
    var epoch: StreamEpoch?
    do throws(DamagedBytes) { epoch = try record.epoch() } catch {
      throw .corrupt(reason: "the record's names are no text", position: record.position)
    }
    if let known = copier.streams[record.stream] {
      stream = known
    } else if let epoch, record.stream == end.streams + 1 {
      stream = WriterStream(
        stream: record.stream, version: 0, position: 0, chain: .zero,
        epoch: try index.unlocked(epoch, of: record.stream, transaction), lastOccurredAt: .earliest)
      copier.add(stream)
    } else {
      guard let found = try index.writerStream(record.stream, transaction) else { throw .damagedIndex("heads") }
      stream = found
      copier.add(stream)
    }
    if let epoch {
      stream.begin(try index.unlocked(epoch, of: record.stream, transaction))
      // The record does so.
      stream.beginsEpoch = false
    }
    guard record.version == stream.version.next, record.previous == stream.position else {
      throw .corrupt(reason: "the record is not the next one of its stream", position: record.position)
    }
    return stream
  }

  /// Appends the event that says what was erased: a request of its own, in an epoch of its own.
  ///
  /// - Parameter stream: The stream's end, which is no use afterwards.
  mutating func append(
    tombstone request: borrowing AppendRequest, in epoch: StreamEpoch, to stream: WriterStream, recordedAt: Timestamp
  ) throws(StorageError) {
    stream.begin(epoch)
    let event = request.events[0]
    end.chain = HashChain.step(
      end.chain, first: end.position.next, recordedAt: recordedAt, digests: [event.digest])
    _ = try write(event, of: request, to: stream, nil, recordedAt: recordedAt, endsRequest: true)
  }

  /// Goes on with a tail that a stream's names are gone from. Readers go on with the one there is, since what they see
  /// has the names; whoever comes after the commit reads another.
  mutating func eraseNames(of stream: StreamNumber, _ name: StreamName, leaving epoch: StreamEpoch) {
    index.generations = index.generations.map { TailGeneration($0, erasing: epoch, of: stream) }
    generation = index.generations[index.generations.count - 1]
    streams[HashedName(name)] = nil
    hasErased = true
    wantsScrub = true
  }

  /// The end of a stream; `nil` where it has no event yet.
  mutating func writerStream(_ name: HashedName) throws(StorageError) -> WriterStream? {
    if let known = streams[name] { return known }
    guard let number = try index.stream(name.name, in: transaction),
      let stream = try index.writerStream(number, transaction)
    else { return nil }
    streams[name] = stream
    return stream
  }
}
