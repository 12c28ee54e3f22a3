// What the writer knows of a stream it appends to.
internal import Bytes
internal import LMDB
internal import Sodium
internal import Synchronization

/// The end of a stream, as an append needs it. An object, since it changes with every append.
final class WriterStream {
  let stream: StreamNumber
  /// Under which its next event is written.
  private(set) var epoch: StreamEpoch
  /// Whether that event begins the epoch.
  var beginsEpoch = false
  var version: StreamVersion
  var position: LogPosition
  var chain: Bytes32
  /// The greatest occurred-at of all events.
  var lastOccurredAt: Timestamp
  /// The session named last: mostly the next event's too.
  var lastSession: (name: SessionID, number: StreamVersion)?

  var secret: Bytes32 { epoch.secret }

  init(
    stream: StreamNumber, version: StreamVersion, position: LogPosition, chain: Bytes32, epoch: StreamEpoch,
    lastOccurredAt: Timestamp
  ) {
    self.stream = stream
    self.epoch = epoch
    self.version = version
    self.position = position
    self.chain = chain
    self.lastOccurredAt = lastOccurredAt
  }

  /// Lets another epoch begin with the next event.
  func begin(_ epoch: StreamEpoch) {
    self.epoch = epoch
    beginsEpoch = true
    lastSession = nil
  }
}

/// Works out events' digests from their records, one after the other, to compare or to go on from.
struct DigestReader {
  let stream: StreamNumber
  private var epoch: StreamEpoch?
  private var streamDigest = Bytes32.zero
  private var sessions: [StreamVersion: Bytes32] = [:]

  /// - Parameter epoch: That of the first record, with its keys, unless that record begins one.
  init(_ stream: StreamNumber, in epoch: StreamEpoch? = nil) {
    self.stream = stream
    if let epoch { enter(epoch) }
  }

  private mutating func enter(_ epoch: StreamEpoch) {
    self.epoch = epoch
    streamDigest = epoch.digest
  }

  private var secret: Bytes32 { epoch?.secret ?? .zero }

  mutating func digest(
    of record: borrowing RecordView, _ contents: inout ContentReader, index: StreamIndex,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    let begun: StreamEpoch?
    do throws(DamagedBytes) { begun = try record.epoch() } catch {
      throw .corrupt(reason: "the record's names are no text", position: record.position)
    }
    if let begun { enter(try index.unlocked(begun, of: stream, transaction)) }
    if let epoch { try contents.open(record, in: epoch) }
    let payload = try contents.payloadDigest(of: record, secret: secret)
    var session = Bytes32.zero
    if record.session > 0 {
      if let known = sessions[record.session] {
        session = known
      } else if record.session == record.version, let name = try? record.nameOfSession() {
        session = HashChain.sessionDigest(name, secret: secret)
        sessions[record.session] = session
      } else {
        session = try digest(ofSession: record, index, transaction)
        sessions[record.session] = session
      }
    }
    return HashChain.eventDigest(
      stream: streamDigest, session: session, payload: payload, id: record.id, occurredAt: record.occurredAt,
      type: record.type, typeVersion: record.typeVersion)
  }

  private func digest(
    ofSession record: borrowing RecordView, _ index: StreamIndex,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    if let digest = try? record.digestOfSession() { return digest }
    if let entry = try index.session(record.session, in: stream, transaction) {
      return HashChain.sessionDigest(entry.name, secret: secret)
    }
    // The name was erased: its digest stands where it was.
    if record.session < record.version {
      let first = try index.record(of: record.session, in: stream, transaction)
      if let digest = try? first.digestOfSession() { return digest }
    }
    throw .corrupt(reason: "the record's session was never named", position: record.position)
  }
}

extension StreamIndex {
  /// The end of an existing stream: from the tables, and on from there along the tail.
  func writerStream(
    _ stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> WriterStream? {
    guard let head = try head(of: stream, in: transaction) else { return nil }
    let stored = try storedHead(of: stream, in: transaction)
    var chain = (version: stored?.version ?? 0, value: stored?.chain ?? .zero)
    var lastOccurredAt = stored?.lastOccurredAt ?? .earliest
    for generation in generations {
      let tail = generation.with(stream) { ($0.chain, $0.lastOccurredAt) }
      guard let tail else { continue }
      if let known = tail.0, known.version > chain.version { chain = (known.version, known.value) }
      lastOccurredAt = max(lastOccurredAt, tail.1)
    }
    let value = try self.chain(of: stream, from: chain, to: head.version, transaction)
    return WriterStream(
      stream: stream, version: head.version, position: head.position, chain: value,
      epoch: try epoch(of: stream, transaction), lastOccurredAt: lastOccurredAt)
  }

  /// The stream's chain after `last`, worked out from the records that follow a version where it is known.
  func chain(
    of stream: StreamNumber, from known: (version: StreamVersion, value: Bytes32), to last: StreamVersion,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    guard known.version < last else { return known.value }
    var value = known.value
    var version = known.version
    var digests = DigestReader(
      stream, in: version == 0 ? nil : try epoch(of: stream, at: version, transaction))
    var contents = ContentReader()
    try forEachRecord(of: version.next...last, in: stream, transaction) { record throws(StorageError) in
      version = version.next
      value = HashChain.step(value, try digests.digest(of: record, &contents, index: self, transaction), version)
    }
    return value
  }
}
