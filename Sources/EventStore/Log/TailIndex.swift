// The index of what came after the last checkpoint, in memory. The tables that fold the log are complete up to the
// checkpoint; a look-up asks the tail first, then the tables. Every process builds its own, from the log alone.
//
// What makes it safe to share with readers of any age: every entry is a fact about an event ("this stream's version 7
// is at position 123"), true for ever. So a reader takes whatever it finds and leaves out what its own transaction
// does not see, and finding a fact twice, in tail and table, does no harm.
internal import Bytes
internal import LMDB
internal import Sodium
internal import Synchronization

/// What an index needs to know of an event.
struct IndexEntry {
  var stream: StreamNumber
  var version: StreamVersion
  var position: LogPosition
  var previous: LogPosition
  /// The keyed hash of the event id.
  var idHash: UInt64
  var occurredAt: Timestamp
  var isLate: Bool
  var sizeInBytes: Int
  /// The stream's chain after the event, where it was worked out.
  var chain: Bytes32?
  /// At a stream's first event.
  var name: StreamName?
  /// At a session's first event.
  var session: SessionID?
}

/// What of an appended event matters to those who wait for appends.
struct AppendedEvent {
  var stream: StreamNumber
  /// The bytes of its record.
  var sizeInBytes: Int
}

/// A stretch of the log, indexed: the events after one checkpoint and up to the next.
///
/// It only grows, and at some time no more; readers that began while it was needed keep it alive.
final class TailGeneration: Sendable {
  /// A stream's events in the stretch.
  struct Stream {
    struct Event {
      var position: UInt64
      var idHash: UInt64
      var sizeInBytes: UInt32
    }

    /// The version of the first of them.
    var first: StreamVersion
    /// The position of the event before that one; 0 where there is none.
    var previous: LogPosition
    var events: [Event] = []
    /// Hash of event id or session name to version; made when first asked for.
    var lookup: [UInt64: [StreamVersion]]?
    var sessions: [(version: StreamVersion, hash: UInt64, entry: SessionEntry)] = []
    var late: [(occurredAt: Timestamp, version: StreamVersion, position: LogPosition)] = []
    /// At every ``Anchor/interval``: the greatest occurred-at within the stretch so far.
    var anchors: [(version: StreamVersion, lastOccurredAt: Timestamp)] = []
    var firstOccurredAt: Timestamp
    var lastOccurredAt: Timestamp
    /// The stream's chain after a version, where this process has worked it out.
    var chain: (version: StreamVersion, value: Bytes32)?

    var last: StreamVersion { StreamVersion(first.number + UInt64(events.count) - 1) }

    func position(of version: StreamVersion) -> LogPosition? {
      guard version >= first, version <= last else { return nil }
      return LogPosition(events[Int(version.number - first.number)].position)
    }

    /// The last version at or before a position.
    func last(atOrBefore bound: LogPosition) -> StreamVersion? {
      if let last = events.last, last.position <= bound.number { return self.last }
      var low = 0
      var high = events.count
      while low < high {
        let middle = (low + high) / 2
        if events[middle].position <= bound.number { low = middle + 1 } else { high = middle }
      }
      return low == 0 ? nil : StreamVersion(first.number + UInt64(low) - 1)
    }
  }

  struct Contents {
    var through: LogPosition
    var streams: [StreamNumber: Stream] = [:]
    var names: [StreamName: StreamNumber] = [:]
    var newStreams: [StreamNumber: StreamName] = [:]
    var streamCount: StreamNumber
    var eventCount = 0
    /// Streams with a damaged record, and where it is: of those, nothing is known from there on.
    var damaged: [StreamNumber: LogPosition] = [:]

    mutating func insert(_ entry: IndexEntry, seed: UInt64) {
      through = max(through, entry.position)
      eventCount += 1
      if !damaged.isEmpty, damaged[entry.stream] != nil { return }
      if let name = entry.name {
        names[name] = entry.stream
        newStreams[entry.stream] = name
        streamCount = max(streamCount, entry.stream)
      }
      streams[
        entry.stream,
        default: Stream(
          first: entry.version, previous: entry.previous, firstOccurredAt: entry.occurredAt,
          lastOccurredAt: entry.occurredAt)
      ].append(entry, seed: seed)
    }

    /// Takes note of a record that cannot be used.
    mutating func insertDamaged(of stream: StreamNumber, at position: LogPosition) {
      through = max(through, position)
      eventCount += 1
      damaged[stream] = damaged[stream] ?? position
    }
  }

  /// The generation holds what comes after this position.
  let after: LogPosition
  let contents: Mutex<Contents>

  init(after: Checkpoint) {
    self.after = after.position
    contents = Mutex(Contents(through: after.position, streamCount: after.streams))
  }

  /// Reads something of `stream`, if the generation holds any of its events.
  func with<Result>(_ stream: StreamNumber, _ body: (inout Stream) -> Result?) -> Result? {
    contents.withLock { contents in
      guard let index = contents.streams.index(forKey: stream) else { return nil }
      return body(&contents.streams.values[index])
    }
  }
}

extension TailGeneration.Stream {
  mutating func append(_ entry: IndexEntry, seed: UInt64) {
    events.append(
      Event(
        position: entry.position.number, idHash: entry.idHash, sizeInBytes: UInt32(clamping: entry.sizeInBytes)))
    if lookup != nil { lookup?[entry.idHash, default: []].append(entry.version) }
    if let session = entry.session {
      let hash = IdentityHash.session(session, seed: seed)
      sessions.append((entry.version, hash, SessionEntry(firstOccurredAt: entry.occurredAt, name: session)))
      if lookup != nil { lookup?[hash, default: []].append(entry.version) }
    }
    if entry.isLate { late.append((entry.occurredAt, entry.version, entry.position)) }
    lastOccurredAt = max(lastOccurredAt, entry.occurredAt)
    if entry.version.number % Anchor.interval == 0 { anchors.append((entry.version, lastOccurredAt)) }
    if let chain = entry.chain { self.chain = (entry.version, chain) }
  }

  /// The bytes of the records that come after `version`.
  func sizeInBytes(after version: StreamVersion) -> UInt64 {
    let skipped = version < first ? 0 : Int(version.number - first.number) + 1
    return events.dropFirst(skipped).reduce(0) { $0 + UInt64($1.sizeInBytes) }
  }

  private static let fewEvents = 32

  /// The versions whose event id or session name has this hash.
  mutating func versions(ofHash hash: UInt64) -> [StreamVersion] {
    if lookup == nil, events.count <= Self.fewEvents {
      // Most streams get few events between checkpoints: looking at all of them costs less than a dictionary.
      var found: [StreamVersion] = []
      for (index, event) in events.enumerated() where event.idHash == hash {
        found.append(StreamVersion(first.number + UInt64(index)))
      }
      for session in sessions where session.hash == hash { found.append(session.version) }
      return found
    }
    if lookup == nil {
      var made: [UInt64: [StreamVersion]] = [:]
      made.reserveCapacity(events.count)
      for (index, event) in events.enumerated() {
        made[event.idHash, default: []].append(StreamVersion(first.number + UInt64(index)))
      }
      for session in sessions { made[session.hash, default: []].append(session.version) }
      lookup = made
    }
    return lookup?[hash] ?? []
  }
}

/// The hashes under which the ids table finds events and sessions: keyed, so that collisions cannot be prepared.
enum IdentityHash {
  static func event(_ id: EventID, seed: UInt64) -> UInt64 {
    XXH3.hash(BigEndianKey(id.high, id.low).rawSpan, seed: seed)
  }

  static func session(_ session: SessionID, seed: UInt64) -> UInt64 {
    // Another seed: an id and a name that share bytes need not share a hash.
    XXH3.hash(session.description.utf8.rawSpan, seed: ~seed)
  }
}

/// The tail of a store, as one process has it.
final class TailIndex: Sendable {
  private struct State {
    /// Oldest first; the last one grows.
    var generations: [TailGeneration] = []
    /// A commit of this process, of which nobody has said yet how it ended.
    var commit: OpenCommit?
  }

  /// What the last generation has of the log beyond `start` may never be committed.
  private struct OpenCommit {
    var start: LogPosition
    /// The log's end once it is done; `nil` while it still grows.
    var end: LogEnd?

    /// Whether `transaction`, which sees the log grown since, sees it grown by this commit: the log's chain tells.
    func isSeen(
      through last: LogPosition, by transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
    ) throws(StorageError) -> Bool {
      guard let end, end.position <= last else { return false }
      // Without an event of its own it has put nothing into the tail.
      if end.position == start { return true }
      return try transaction.record(at: end.position, in: tables).chain == end.chain
    }
  }

  private let state: Mutex<State>
  let tables: Tables
  let hashSeed: UInt64
  /// After so many events a new generation begins, and the one before can be folded into the tables.
  let checkpointInterval: Int

  init(tables: Tables, hashSeed: UInt64, checkpointInterval: Int) {
    self.tables = tables
    self.hashSeed = hashSeed
    self.checkpointInterval = checkpointInterval
    state = Mutex(State())
  }

  /// The generations that `transaction` needs beside the tables it sees; what other processes appended is folded in.
  ///
  /// - Returns: `nil` where the tail has moved on past `transaction`'s checkpoint: begin another one.
  /// - Complexity: O(events that this process has not seen yet).
  func generations(
    for transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> (generations: [TailGeneration], last: LogPosition)? {
    let checkpoint = try Self.checkpoint(in: transaction, tables)
    let last = try Self.lastPosition(in: transaction, tables)
    guard last >= checkpoint.position else {
      throw .corrupt(reason: "the log ends before its checkpoint", position: last)
    }
    return try state.withLock { (state) throws(StorageError) in
      // A failed commit lets others write before its writer hears of it: the positions may have other events by now.
      if let commit = state.commit, last > commit.start, try !commit.isSeen(through: last, by: transaction, tables) {
        state = State()
      }
      try catchUp(&state, from: checkpoint, through: last, in: transaction)
      // Whoever only reads is not told what the tables have taken over.
      Self.drop(&state, through: checkpoint.position)
      // A transaction of before a checkpoint needs generations that may be gone by now.
      guard let oldest = state.generations.first, oldest.after <= checkpoint.position else { return nil }
      return (state.generations, last)
    }
  }

  private func catchUp(
    _ state: inout State, from checkpoint: Checkpoint, through last: LogPosition,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) {
    // Another process may have checkpointed beyond all we have: then nothing of ours is needed any more.
    let seen = state.generations.last.map { $0.contents.withLock { $0.through } }
    if seen == nil || (seen.map { $0 < checkpoint.position } ?? false) {
      state.generations = [TailGeneration(after: checkpoint)]
    }
    guard let current = state.generations.last else { return }
    let through = current.contents.withLock { $0.through }
    guard through < last else { return }
    var cursor = try transaction.scan(tables.log)
    var entry = try cursor.to(exactly: Key.position(through.next))
    var position = through.next
    while position <= last {
      guard let found = entry else {
        throw .corrupt(reason: "the record is missing", position: position)
      }
      guard try Key.position(of: found.key) == position else {
        throw .corrupt(reason: "the record is missing", position: position)
      }
      do throws(RecordProblem) {
        let record = try RecordView(found.value, at: position)
        let entry = try IndexEntry(record, seed: hashSeed)
        insert(&state, entry, endsRequest: record.chain != nil)
      } catch {
        guard case .damaged = error, position < last,
          let owner = try owner(ofDamaged: found.value, at: position, state, transaction)
        else { throw StorageError(error, at: position) }
        state.generations.last?.contents.withLock { $0.insertDamaged(of: owner, at: position) }
      }
      position = position.next
      entry = try cursor.toNext()
    }
  }

  /// Whose a damaged record is: then nobody else's events are in doubt. Only where it goes on from the stream's last
  /// event in version and position is what it says of them not what is damaged.
  private func owner(
    ofDamaged record: RawSpan, at position: LogPosition, _ state: borrowing State,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamNumber? {
    guard let link = try? RecordLink(record, at: position) else { return nil }
    let index = StreamIndex(
      tables: tables, hashSeed: hashSeed, generations: state.generations, bound: LogPosition(.max))
    for generation in state.generations where generation.contents.withLock({ $0.damaged[link.stream] != nil }) {
      return link.stream
    }
    guard let before = try index.head(of: link.stream, in: transaction),
      before.version.next == link.version, before.position == link.previous
    else { return nil }
    return link.stream
  }

  private func insert(_ state: inout State, _ entry: IndexEntry, endsRequest: Bool) {
    state.generations.last?.contents.withLock { $0.insert(entry, seed: hashSeed) }
    // A checkpoint is where a request ends: there the record has the value of the log's chain.
    if endsRequest { Self.endGeneration(&state, ofAtLeast: checkpointInterval) }
  }

  /// Begins a new generation where the last one has so many events.
  private static func endGeneration(_ state: inout State, ofAtLeast count: Int) {
    let end = state.generations.last?.contents.withLock { contents in
      contents.eventCount >= count
        ? Checkpoint(position: contents.through, streams: contents.streamCount) : nil
    }
    if let end = end ?? nil { state.generations.append(TailGeneration(after: end)) }
  }

  /// Says that the last generation is about to take in events which are not committed yet.
  ///
  /// - Parameter start: The end of the log as it is.
  func commitBegins(after start: LogPosition) {
    state.withLock { $0.commit = OpenCommit(start: start) }
  }

  /// Says that it has taken in all of them, and where the log ends with them.
  func commitEnds(at end: LogEnd) {
    state.withLock { $0.commit?.end = end }
  }

  /// Says that they are committed, and begins a new generation where the last one is full. Where they are not, the tail
  /// is to be forgotten.
  func committed() {
    state.withLock { state in
      state.commit = nil
      Self.endGeneration(&state, ofAtLeast: checkpointInterval)
    }
  }

  /// The oldest generation, once another has begun after it: it no longer grows, and can be folded into the tables. Not
  /// one with a damaged record: the tables could not say that it is there.
  func generationToCheckpoint() -> TailGeneration? {
    state.withLock { state in
      guard state.generations.count > 1, let oldest = state.generations.first,
        oldest.contents.withLock({ $0.damaged.isEmpty })
      else { return nil }
      return oldest
    }
  }

  /// Whether another generation is full before the oldest is in the tables.
  var isBehind: Bool { state.withLock { $0.generations.count > 2 } }

  /// Ends the current generation, so that it can be checkpointed too.
  func seal() {
    state.withLock { Self.endGeneration(&$0, ofAtLeast: 1) }
  }

  /// Lets go of generations that the tables have taken over, up to `checkpoint`.
  func checkpointed(through checkpoint: LogPosition) {
    state.withLock { Self.drop(&$0, through: checkpoint) }
  }

  private static func drop(_ state: inout State, through checkpoint: LogPosition) {
    while state.generations.count > 1, state.generations[1].after <= checkpoint { state.generations.removeFirst() }
  }

  /// Forgets everything: the next transaction begins anew at its checkpoint. What readers hold stays as it is; it may
  /// tell of events that were never committed, beyond all that those readers see.
  func forget() {
    state.withLock { $0 = State() }
  }

  /// How many events the tail holds.
  var eventCount: Int {
    state.withLock { state in state.generations.reduce(0) { $0 + $1.contents.withLock { $0.eventCount } } }
  }

  static func checkpoint(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> Checkpoint {
    guard let value = try transaction.fetchIndexed(Key.meta(.checkpoint), from: tables.meta, named: "meta") else {
      return Checkpoint()
    }
    return try decoding("meta") { () throws(DamagedBytes) in try Checkpoint(decoding: value) }
  }

  static func lastPosition(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> LogPosition {
    var cursor = try transaction.scan(tables.log)
    guard let entry = try cursor.toLast() else { return 0 }
    return try Key.position(of: entry.key)
  }
}

extension IndexEntry {
  init(_ record: borrowing RecordView, seed: UInt64) throws(RecordProblem) {
    do throws(DamagedBytes) {
      self.init(
        stream: record.stream, version: record.version, position: record.position, previous: record.previous,
        idHash: IdentityHash.event(record.id, seed: seed), occurredAt: record.occurredAt,
        isLate: record.flags.contains(.isLate), sizeInBytes: record.sizeInBytes, chain: nil,
        name: try record.name(),
        session: try record.nameOfSession())
    } catch {
      throw .damaged("names its stream or session in bytes that are no text")
    }
  }
}

extension RecordView {
  /// The stream's name, at its first event.
  func name() throws(DamagedBytes) -> StreamName? {
    guard flags.contains(.namesStream) else { return nil }
    return StreamName(UserID(unchecked: try user.string()), in: Namespace(unchecked: try namespace.string()))
  }

  /// The session's name, at its first event.
  func nameOfSession() throws(DamagedBytes) -> SessionID? {
    flags.contains(.namesSession) ? SessionID(unchecked: try sessionName.string()) : nil
  }
}
