// The index of the blocks, in memory: of what no run holds yet. The tables that fold the log are complete up to there; a
// look-up asks the tail first, then the tables. Every process builds its own, from the log alone.
//
// What makes it safe to share with readers of any age: every entry is a fact about an event ("this stream's version 7
// is at position 123"), true for ever. So a reader takes whatever it finds and leaves out what its own transaction
// does not see, and finding a fact twice, in tail and table, does no harm. Only an erasure takes facts back: then a new
// tail is read, and the old one is left to those who began before.
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
  /// Where an epoch of a stream begins: at its first event, and behind an erasure.
  var name: StreamName?
  /// Where that name was erased.
  var erasedName: ErasedName?
  /// At a session's first event.
  var session: SessionID?
}

/// What of an appended event matters to those who wait for appends.
struct AppendedEvent {
  var stream: StreamNumber
  /// The bytes of its record.
  var sizeInBytes: Int
}

/// A block of the log, indexed.
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

  /// Where an epoch begins.
  struct Epoch {
    var version: StreamVersion
    var position: LogPosition
    /// Without a user where that was erased.
    var name: StreamName
  }

  struct Contents {
    var through: LogPosition
    var streams: [StreamNumber: Stream] = [:]
    var names: [StreamName: StreamNumber] = [:]
    var newStreams: [StreamNumber: StreamName] = [:]
    /// Epochs that begin behind an erasure, and first ones whose name was erased, in order.
    var epochs: [StreamNumber: [Epoch]] = [:]
    /// By the hashes of names that were erased.
    var erasedNames: [Bytes32: StreamNumber] = [:]
    var streamCount: StreamNumber
    var eventCount = 0
    /// The ids and session names that are not in it, nearly all.
    var filter = IdentityFilter(capacity: 1_024)
    /// How many are in it.
    var identityCount = 0
    /// Streams with a damaged record, and where the first of them is: nobody reads or appends to them.
    var damaged: [StreamNumber: LogPosition] = [:]
    /// Where a stream begins whose first record is damaged. Its name is lost, so nobody who is not known can be told to be
    /// new: another stream might begin under that name.
    var unnamed: LogPosition?

    mutating func insert(_ entry: IndexEntry, seed: UInt64) {
      through = max(through, entry.position)
      eventCount += 1
      if let name = entry.name {
        if let erased = entry.erasedName { erasedNames[erased.hash] = entry.stream } else { names[name] = entry.stream }
        if entry.version == 1, entry.erasedName == nil {
          newStreams[entry.stream] = name
        } else {
          epochs[entry.stream, default: []].append(
            Epoch(version: entry.version, position: entry.position, name: name))
        }
        streamCount = max(streamCount, entry.stream)
      }
      let sessionHash = entry.session.map { IdentityHash.session($0, of: entry.stream, seed: seed) }
      streams[
        entry.stream,
        default: Stream(
          first: entry.version, previous: entry.previous, firstOccurredAt: entry.occurredAt,
          lastOccurredAt: entry.occurredAt)
      ].append(entry, sessionHash: sessionHash)
      note(entry.idHash)
      if let sessionHash { note(sessionHash) }
    }

    /// Has the filter say that an identity, which is among the streams' already, may be here.
    private mutating func note(_ hash: UInt64) {
      identityCount += 1
      guard identityCount > filter.capacity else { return filter.insert(hash) }
      filter = IdentityFilter(capacity: 4 * filter.capacity)
      for stream in streams.values {
        for event in stream.events { filter.insert(event.idHash) }
        for session in stream.sessions { filter.insert(session.hash) }
      }
    }

    fileprivate mutating func erase(_ epoch: StreamEpoch, of stream: StreamNumber) {
      guard let index = streams.index(forKey: stream) else { return }
      names = names.filter { $0.value != stream }
      if newStreams.removeValue(forKey: stream) != nil {
        let first = streams.values[index].events.first?.position ?? 0
        epochs[stream, default: []].insert(Epoch(version: 1, position: LogPosition(first), name: epoch.name), at: 0)
      }
      if var known = epochs[stream] {
        for place in known.indices { known[place].name = epoch.name }
        epochs[stream] = known
        if let erased = epoch.erased { erasedNames[erased.hash] = stream }
      }
      streams.values[index].sessions = []
      streams.values[index].lookup = nil
    }

    /// Takes note of a record that cannot be used: of what it says, only its place is known.
    mutating func insertDamaged(_ link: RecordLink, at position: LogPosition, sizeInBytes: Int) {
      through = max(through, position)
      eventCount += 1
      damaged[link.stream] = damaged[link.stream] ?? position
      if link.version == 1 {
        unnamed = unnamed ?? position
        streamCount = max(streamCount, link.stream)
      }
      streams[
        link.stream,
        default: Stream(
          first: link.version, previous: link.previous, firstOccurredAt: .earliest, lastOccurredAt: .earliest)
      ].appendDamaged(at: position, sizeInBytes: sizeInBytes)
    }
  }

  /// The generation holds what comes after this position.
  let after: LogPosition
  let contents: Mutex<Contents>

  init(after: Checkpoint) {
    self.after = after.position
    contents = Mutex(Contents(through: after.position, streamCount: after.streams))
  }

  /// A copy, from which a stream's names are gone.
  init(_ other: TailGeneration, erasing epoch: StreamEpoch, of stream: StreamNumber) {
    after = other.after
    let copy = other.contents.withLock { $0 }
    contents = Mutex(copy)
    contents.withLock { $0.erase(epoch, of: stream) }
  }

  /// Where it ends so far, for the next one.
  var end: Checkpoint {
    contents.withLock { Checkpoint(position: $0.through, streams: $0.streamCount) }
  }

  /// Reads something of `stream`, if the generation may hold an event of it with such an id or session name.
  func with<Result>(
    _ stream: StreamNumber, ofIdentity hash: UInt64, _ body: (inout Stream) -> Result?
  ) -> Result? {
    contents.withLock { contents in
      guard contents.filter.mayContain(hash), let index = contents.streams.index(forKey: stream) else { return nil }
      return body(&contents.streams.values[index])
    }
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
  mutating func append(_ entry: IndexEntry, sessionHash: UInt64?) {
    events.append(
      Event(
        position: entry.position.number, idHash: entry.idHash, sizeInBytes: UInt32(clamping: entry.sizeInBytes)))
    if lookup != nil { lookup?[entry.idHash, default: []].append(entry.version) }
    if let session = entry.session, let sessionHash {
      sessions.append((entry.version, sessionHash, SessionEntry(firstOccurredAt: entry.occurredAt, name: session)))
      if lookup != nil { lookup?[sessionHash, default: []].append(entry.version) }
    }
    if entry.isLate { late.append((entry.occurredAt, entry.version, entry.position)) }
    lastOccurredAt = max(lastOccurredAt, entry.occurredAt)
    if entry.version.number % Anchor.interval == 0 { anchors.append((entry.version, lastOccurredAt)) }
    if let chain = entry.chain { self.chain = (entry.version, chain) }
  }

  mutating func appendDamaged(at position: LogPosition, sizeInBytes: Int) {
    events.append(
      Event(position: position.number, idHash: IdentityHash.none, sizeInBytes: UInt32(clamping: sizeInBytes)))
    lookup = nil
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
      // Most streams get few events in a block: looking at all of them costs less than a dictionary.
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

/// The hashes by which events and sessions are found: keyed, so that collisions cannot be prepared, and another for each
/// stream.
enum IdentityHash {
  /// No event's.
  static let none: UInt64 = 0

  static func event(_ id: EventID, of stream: StreamNumber, seed: UInt64) -> UInt64 {
    max(1, XXH3.hash(BigEndianKey(id.high, id.low).rawSpan, seed: seed &+ salt(stream)))
  }

  static func session(_ session: SessionID, of stream: StreamNumber, seed: UInt64) -> UInt64 {
    // Another seed: an id and a name that share bytes need not share a hash.
    max(1, XXH3.hash(session.description.utf8.rawSpan, seed: ~(seed &+ salt(stream))))
  }

  /// Streams beside each other get seeds that have nothing in common: the multiplier is the golden ratio's.
  private static func salt(_ stream: StreamNumber) -> UInt64 { UInt64(stream) &* 0x9e37_79b9_7f4a_7c15 }
}

/// What a transaction needs to find its way.
struct TailView {
  /// Oldest first; the first one begins where the runs end.
  var generations: [TailGeneration]
  /// The last position.
  var last: LogPosition
  var catalog: RunCatalog
}

/// The tail of a store, as one process has it.
final class TailIndex: Sendable {
  private struct State {
    /// Oldest first; the last one grows.
    var generations: [TailGeneration] = []
    /// How often names had been erased when they were read.
    var erasures: UInt64 = 0
    /// A commit of this process, of which nobody has said yet how it ended.
    var commit: OpenCommit?
  }

  /// What the tail has of the log beyond `start` may never be committed.
  private struct OpenCommit {
    var start: LogPosition
    /// The log's end once it is done; `nil` while it still grows.
    var end: LogEnd?

    /// Whether `transaction`, which sees the log grown since, sees it grown by this commit: the log's chain tells.
    func isSeen(
      through last: LogPosition, by transaction: borrowing some Transaction & ~Copyable, _ catalog: RunCatalog,
      _ tables: Tables
    ) throws(StorageError) -> Bool {
      guard let end, end.position <= last else { return false }
      // Without an event of its own it has put nothing into the tail.
      if end.position == start { return true }
      let index = StreamIndex(tables: tables, hashSeed: 0, generations: [], bound: last, catalog: catalog)
      return try index.record(at: end.position, transaction).chain == end.chain
    }
  }

  /// The catalog that was read last, and its bytes: it seldom changes.
  private let known = Mutex<(bytes: [UInt8], catalog: RunCatalog)?>(nil)
  private let state: Mutex<State>
  let tables: Tables
  let hashSeed: UInt64

  init(tables: Tables, hashSeed: UInt64) {
    self.tables = tables
    self.hashSeed = hashSeed
    state = Mutex(State())
  }

  /// What `transaction` needs beside the tables it sees; what other processes appended is folded in.
  ///
  /// - Returns: `nil` where the tail has moved on past `transaction`: begin another one.
  /// - Complexity: O(events that this process has not seen yet).
  func view(for transaction: borrowing some Transaction & ~Copyable) throws(StorageError) -> TailView? {
    let catalog = try catalog(in: transaction)
    let last = try catalog.lastPosition(in: transaction, tables)
    return try state.withLock { (state) throws(StorageError) in
      // A failed commit lets others write before its writer hears of it: the positions may have other events by now.
      if let commit = state.commit, last > commit.start,
        try !commit.isSeen(through: last, by: transaction, catalog, tables)
      {
        state = State(erasures: state.erasures)
      }
      // What a transaction of before an erasure sees, only the tail of before knows.
      if state.erasures > catalog.erasures { return nil }
      if state.erasures < catalog.erasures {
        state = State(erasures: catalog.erasures)
      }
      // Whoever only reads is not told what the runs have taken over.
      Self.drop(&state, through: catalog.end)
      if let oldest = state.generations.first {
        // A transaction of before a sealing needs a generation that may be gone by now.
        if oldest.after > catalog.end { return nil }
        // Blocks that another process has ended earlier than we thought.
        if oldest.after < catalog.end { state = State(erasures: state.erasures) }
      }
      try catchUp(&state, catalog, through: last, in: transaction)
      return TailView(generations: state.generations, last: last, catalog: catalog)
    }
  }

  private func catalog(in transaction: borrowing some Transaction & ~Copyable) throws(StorageError) -> RunCatalog {
    let value = try transaction.fetch(Key.meta(.catalog), from: tables.meta)
    if let value {
      let same = known.withLock { known in known.flatMap { value.isSame(as: $0.bytes.rawSpan) ? $0.catalog : nil } }
      if let same { return same }
    }
    let catalog = try RunCatalog.read(in: transaction, tables)
    if let value { known.withLock { $0 = (value.array(), catalog) } }
    return catalog
  }

  private func catchUp(
    _ state: inout State, _ catalog: RunCatalog, through last: LogPosition,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) {
    if state.generations.isEmpty { state.generations = [TailGeneration(after: catalog.checkpoint)] }
    var through = state.generations.last.map { $0.contents.withLock { $0.through } } ?? catalog.end
    for (number, first) in catalog.blocks.enumerated() {
      let end = number + 1 < catalog.blocks.count ? LogPosition(catalog.blocks[number + 1].number - 1) : last
      if end < first || end <= through { continue }
      if through < first, let current = state.generations.last, current.after.next != first {
        state.generations.append(TailGeneration(after: current.end))
      }
      try read(catalog.table(ofBlock: number, tables), through.next...end, &state, catalog, transaction)
      through = end
    }
    // A block may have been begun without an event.
    if let first = catalog.blocks.last, first > last, let current = state.generations.last, current.after.next < first {
      state.generations.append(TailGeneration(after: current.end))
    }
  }

  private func read(
    _ table: Table, _ range: ClosedRange<LogPosition>, _ state: inout State, _ catalog: RunCatalog,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) {
    var cursor = try transaction.scan(table)
    var position = range.lowerBound
    var entry = try cursor.to(exactly: Key.position(position))
    while true {
      guard let found = entry, try Key.position(of: found.key) == position else {
        throw .corrupt(reason: "the record is missing", position: position)
      }
      do throws(RecordProblem) {
        let record = try RecordView(found.value, at: position)
        let entry = try IndexEntry(record, seed: hashSeed)
        state.generations.last?.contents.withLock { $0.insert(entry, seed: hashSeed) }
      } catch {
        guard case .damaged = error,
          let link = try link(ofDamaged: found.value, at: position, state, catalog, transaction)
        else { throw StorageError(error, at: position) }
        state.generations.last?.contents.withLock {
          $0.insertDamaged(link, at: position, sizeInBytes: found.value.byteCount)
        }
      }
      if position == range.upperBound { return }
      position = position.next
      entry = try cursor.toNext()
    }
  }

  /// Where a damaged record belongs: then nobody else's events are in doubt. Only where it goes on from the stream's last
  /// event in version and position, or begins the stream that is due, is what it says of them not what is damaged.
  private func link(
    ofDamaged record: RawSpan, at position: LogPosition, _ state: borrowing State, _ catalog: RunCatalog,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RecordLink? {
    guard let link = try? RecordLink(record, at: position) else { return nil }
    let index = StreamIndex(
      tables: tables, hashSeed: hashSeed, generations: state.generations, bound: LogPosition(.max), catalog: catalog)
    guard let before = try index.lastPlace(of: link.stream, in: transaction) else {
      // Its first: streams are numbered in the order in which they begin.
      let count = state.generations.last?.end.streams ?? 0
      return link.version == 1 && link.previous == 0 && link.stream == count + 1 ? link : nil
    }
    if before.version.next == link.version, before.position == link.previous { return link }
    // The tables are further than the runs where the block is being sealed.
    guard before.position >= position, link.previous <= catalog.end,
      let sealed = try? index.sealedEntry(at: link.previous, of: link.stream, transaction),
      sealed.link.version.next == link.version
    else { return nil }
    return link
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

  /// Says that they are committed. Where they are not, the tail is to be forgotten.
  func committed() { state.withLock { $0.commit = nil } }

  /// Takes in the generation of a block that the writer has begun.
  func append(_ generation: TailGeneration) { state.withLock { $0.generations.append(generation) } }

  /// Lets go of generations that runs have taken over.
  func sealed(through end: LogPosition) { state.withLock { Self.drop(&$0, through: end) } }

  private static func drop(_ state: inout State, through end: LogPosition) {
    while state.generations.count > 1, state.generations[1].after <= end { state.generations.removeFirst() }
  }

  /// Forgets everything: the next transaction begins anew where its runs end. What readers hold stays as it is; it may
  /// tell of events that were never committed, beyond all that those readers see.
  func forget() {
    state.withLock { $0 = State(erasures: $0.erasures) }
  }

  /// How often names had been erased when the log was last looked at.
  var erasures: UInt64 { state.withLock { $0.erasures } }

  /// How many events the tail holds.
  var eventCount: Int {
    state.withLock { state in state.generations.reduce(0) { $0 + $1.contents.withLock { $0.eventCount } } }
  }
}

extension RunCatalog {
  /// The last position of the log.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where it is further away than a block can be long.
  func lastPosition(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> LogPosition {
    for index in blocks.indices.reversed() {
      var cursor = try transaction.scan(table(ofBlock: index, tables))
      guard let entry = try cursor.toLast() else { continue }
      let last = try Key.position(of: entry.key)
      guard last >= blocks[index], last.number - blocks[index].number < RunIdentities.largestRun else {
        throw .corrupt(reason: "the last key of the log's last block is damaged", position: nil)
      }
      return last
    }
    return end
  }

  /// The last position that has a key which can be right.
  func lastPlausiblePosition(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> LogPosition {
    for index in blocks.indices.reversed() {
      var cursor = try transaction.scan(table(ofBlock: index, tables))
      let largest = blocks[index].forward(RunIdentities.largestRun)
      if let entry = try cursor.to(atOrBefore: BigEndianKey(largest.number)) { return try Key.position(of: entry.key) }
    }
    return end
  }
}

extension IndexEntry {
  init(_ record: borrowing RecordView, seed: UInt64) throws(RecordProblem) {
    do throws(DamagedBytes) {
      self.init(
        stream: record.stream, version: record.version, position: record.position, previous: record.previous,
        idHash: IdentityHash.event(record.id, of: record.stream, seed: seed), occurredAt: record.occurredAt,
        isLate: record.flags.contains(.isLate), sizeInBytes: record.sizeInBytes, chain: nil,
        name: try record.name(), erasedName: try record.nameErased(), session: try record.nameOfSession())
    } catch {
      throw .damaged("names its stream or session in bytes that are no text")
    }
  }
}

extension RecordView {
  /// The stream's name, where an epoch begins; without a user where that was erased.
  func name() throws(DamagedBytes) -> StreamName? {
    guard flags.contains(.namesStream) else { return nil }
    return StreamName(UserID(unchecked: try user.string()), in: Namespace(unchecked: try namespace.string()))
  }

  /// The session's name, at its first event; `nil` also where it was erased.
  func nameOfSession() throws(DamagedBytes) -> SessionID? {
    guard flags.contains(.namesSession), !flags.contains(.namesErased) else { return nil }
    return SessionID(unchecked: try sessionName.string())
  }
}
