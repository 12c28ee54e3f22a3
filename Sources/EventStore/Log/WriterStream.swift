// What the writer knows of a stream it appends to.
internal import Bytes
internal import LMDB
internal import Sodium
internal import Synchronization

/// The end of a stream, as an append needs it. An object, since it changes with every append.
final class WriterStream {
  let stream: StreamNumber
  let secret: Bytes32
  var version: StreamVersion
  var position: LogPosition
  var chain: Bytes32
  /// The greatest occurred-at of all events.
  var lastOccurredAt: Timestamp
  /// The session named last: mostly the next event's too.
  var lastSession: (name: SessionID, number: StreamVersion)?

  init(
    stream: StreamNumber, version: StreamVersion, position: LogPosition, chain: Bytes32, secret: Bytes32,
    lastOccurredAt: Timestamp
  ) {
    self.stream = stream
    self.secret = secret
    self.version = version
    self.position = position
    self.chain = chain
    self.lastOccurredAt = lastOccurredAt
  }
}

/// Works out events' digests from their records, to compare or to go on from.
struct DigestReader {
  let stream: StreamNumber
  let secret: Bytes32
  let streamDigest: Bytes32
  private var sessions: [StreamVersion: Bytes32] = [:]

  init(_ stream: StreamNumber, name: StreamName, secret: Bytes32) {
    self.stream = stream
    self.secret = secret
    streamDigest = HashChain.streamDigest(name, secret: secret)
  }

  mutating func digest(
    of record: borrowing RecordView, index: StreamIndex, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    let payload =
      record.redactedDigest
      ?? HashChain.payloadDigest(
        typeName: record.typeName, metadata: record.metadata, payload: record.payload, secret: secret)
    var session = Bytes32.zero
    if record.session > 0 {
      if let known = sessions[record.session] {
        session = known
      } else if record.session == record.version, let name = try? record.nameOfSession() {
        session = HashChain.sessionDigest(name, secret: secret)
        sessions[record.session] = session
      } else {
        guard let entry = try index.session(record.session, in: stream, transaction) else {
          throw .corrupt(reason: "the record's session was never named", position: record.position)
        }
        session = HashChain.sessionDigest(entry.name, secret: secret)
        sessions[record.session] = session
      }
    }
    return HashChain.eventDigest(
      stream: streamDigest, session: session, payload: payload, id: record.id, occurredAt: record.occurredAt,
      type: record.type, typeVersion: record.typeVersion)
  }
}

extension StreamIndex {
  /// The secret of a stream: with the stored head, or in its first record.
  func secret(
    of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    if let head = try storedHead(of: stream, in: transaction) { return head.secret }
    let record = try record(of: 1, in: stream, transaction)
    guard let secret = record.secret else {
      throw .corrupt(reason: "the first record of its stream has no secret", position: record.position)
    }
    return secret
  }

  /// The end of an existing stream: from the tables, and on from there along the tail.
  func writerStream(
    _ stream: StreamNumber, name: StreamName, _ transaction: borrowing some Transaction & ~Copyable
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
    let secret = try secret(of: stream, transaction)
    let value = try self.chain(
      of: stream, name: name, secret: secret, from: chain, to: head.version, transaction)
    return WriterStream(
      stream: stream, version: head.version, position: head.position, chain: value, secret: secret,
      lastOccurredAt: lastOccurredAt)
  }

  /// The stream's chain after `last`, worked out from the records that follow a version where it is known.
  func chain(
    of stream: StreamNumber, name: StreamName, secret: Bytes32,
    from known: (version: StreamVersion, value: Bytes32), to last: StreamVersion,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    guard known.version < last else { return known.value }
    var value = known.value
    var version = known.version
    var digests = DigestReader(stream, name: name, secret: secret)
    try forEachRecord(of: version.next...last, in: stream, transaction) { record throws(StorageError) in
      version = version.next
      value = HashChain.step(value, try digests.digest(of: record, index: self, transaction), version)
    }
    return value
  }
}
