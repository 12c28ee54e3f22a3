// Folding a stretch of the log into the index tables, stream by stream.
internal import Bytes
internal import LMDB
internal import Sodium
internal import Synchronization

extension StreamIndex {
  /// Has the tables take over what a generation of the tail knows of a stream.
  ///
  /// Everything written is a fact that stays true, so it may be seen before the generation is complete, and written again.
  func fold(
    _ stream: StreamNumber, of generation: TailGeneration, _ transaction: inout WriteTransaction
  ) throws(StorageError) {
    guard let tail = generation.with(stream, { $0 }) else { return }
    let stored = try storedHead(of: stream, in: transaction)
    let epoch = try storedEpoch(of: stream, at: tail.last, transaction)
    let damaged = generation.contents.withLock { $0.damaged[stream] } ?? stored?.damaged
    var chain = (version: stored?.version ?? 0, value: stored?.chain ?? .zero)
    if damaged != nil {
      // It cannot be gone on from, and nobody may append.
      chain = (max(chain.version, tail.last), .zero)
    } else if let later = tail.chain, later.version > chain.version {
      chain = (later.version, later.value)
    }
    let value = try self.chain(of: stream, from: chain, to: tail.last, transaction)
    try fold(
      stream, tail, onto: stored, StreamFold(epoch: epoch, chain: value, damaged: damaged), &transaction)
  }

  /// The same where what the log says of the stream is known.
  func fold(
    _ stream: StreamNumber, _ tail: TailGeneration.Stream, onto stored: StreamHead?, _ fold: StreamFold,
    _ transaction: inout WriteTransaction
  ) throws(StorageError) {
    for session in tail.sessions {
      try transaction.storeIndexed(
        session.entry.encode(), at: Key.stream(stream, session.version.number), in: tables.sessions)
    }
    for event in tail.late {
      var value = ByteWriter(capacity: 8)
      value.writeVarint(event.position.number)
      try transaction.storeIndexed(
        value.bytes,
        at: Key.stream(stream, UInt64(event.occurredAt.microseconds), event.version.number), in: tables.late)
    }
    let known = stored?.version ?? 0
    for anchor in tail.anchors where anchor.version > known {
      guard let position = tail.position(of: anchor.version) else { continue }
      let value = Anchor(
        position: position, lastOccurredAt: max(anchor.lastOccurredAt, stored?.lastOccurredAt ?? .earliest))
      try transaction.storeIndexed(value.encode(), at: Key.stream(stream, anchor.version.number), in: tables.anchors)
    }
    guard known < tail.last, let position = tail.position(of: tail.last) else { return }
    let head = StreamHead(
      name: fold.epoch.name, version: tail.last, position: position, chain: fold.chain, secret: fold.epoch.secret,
      firstOccurredAt: stored?.firstOccurredAt ?? tail.firstOccurredAt,
      lastOccurredAt: max(tail.lastOccurredAt, stored?.lastOccurredAt ?? .earliest),
      sizeInBytes: (stored?.sizeInBytes ?? 0) + tail.sizeInBytes(after: known), damaged: fold.damaged,
      erased: fold.epoch.erased)
    if stored?.epoch != fold.epoch {
      try transaction.storeIndexed(Key.stream(stream), at: Key.name(of: fold.epoch), in: tables.names)
    }
    try transaction.storeIndexed(head.encode(), at: Key.stream(stream), in: tables.heads)
  }
}

/// What a stream's head holds besides what the tail knows.
struct StreamFold {
  /// The last one, as the log has it.
  var epoch: StreamEpoch
  /// The stream's chain after the last event.
  var chain: Bytes32
  var damaged: LogPosition?
}
