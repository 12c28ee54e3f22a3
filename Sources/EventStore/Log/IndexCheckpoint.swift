// Folding a stretch of the log into the index tables, a few streams with each commit, so that no commit waits for it.
internal import Bytes
internal import LMDB
internal import Sodium
internal import Synchronization

/// A checkpoint under way: one generation of the tail, stream by stream.
///
/// Everything it writes is a fact that stays true, so it can stop anywhere, be begun anew by another process, and be
/// seen half done by readers. The one entry that says it is complete comes last.
struct IndexCheckpoint {
  /// What is still to be written of a stream: ids first, in the order of their keys, then the rest.
  private struct Pending {
    var stream: StreamNumber
    var ids: [(hash: UInt64, version: StreamVersion)]?
    var written = 0
  }

  let generation: TailGeneration
  private var streams: [StreamNumber]
  private var next = 0
  private var pending: Pending?
  let end: Checkpoint

  init(_ generation: TailGeneration) {
    self.generation = generation
    (streams, end) = generation.contents.withLock { contents in
      (
        contents.streams.keys.sorted(),
        Checkpoint(position: contents.through, streams: contents.streamCount)
      )
    }
  }

  /// Writes index entries for about `credit` events.
  ///
  /// - Returns: Whether the checkpoint is complete.
  mutating func step(credit: Int, _ context: inout WriterContext) throws(StorageError) -> Bool {
    context.hasWritten = true
    let index = context.index
    return try step(credit: credit, &context.transaction, index)
  }

  /// The same where the tables are made anew: what the writer's own index says is left out of account, since it goes
  /// beyond the generation.
  mutating func step(
    credit: Int, rebuilding generation: TailGeneration, _ context: inout WriterContext
  ) throws(StorageError) -> Bool {
    context.hasWritten = true
    let index = StreamIndex(
      tables: context.tables, hashSeed: context.settings.hashSeed, generations: [generation],
      bound: end.position)
    return try step(credit: credit, &context.transaction, index)
  }

  private mutating func step(
    credit: Int, _ transaction: inout WriteTransaction, _ index: StreamIndex
  ) throws(StorageError) -> Bool {
    var credit = credit
    while credit > 0 {
      if pending == nil {
        guard next < streams.count else {
          try transaction.storeIndexed(end.encode(), at: Key.meta(.checkpoint), in: index.tables.meta)
          return true
        }
        pending = Pending(stream: streams[next], ids: nil)
        next += 1
      }
      credit -= try write(upTo: credit, &transaction, index)
    }
    return false
  }

  private mutating func write(
    upTo credit: Int, _ transaction: inout WriteTransaction, _ index: StreamIndex
  ) throws(StorageError) -> Int {
    guard var work = pending else { return 0 }
    let ids: [(hash: UInt64, version: StreamVersion)]
    if let known = work.ids {
      ids = known
    } else {
      ids = generation.with(work.stream) { tail in tail.identities.sorted { $0.hash < $1.hash } } ?? []
      work.ids = ids
    }
    let upper = min(ids.count, work.written + max(credit, 1))
    for (hash, version) in ids[work.written..<upper] {
      let key = Key.stream(work.stream, hash)
      var versions: [StreamVersion] = []
      if let value = try transaction.fetch(key, from: index.tables.ids) {
        versions = try decoding("ids") { () throws(DamagedBytes) in try VersionList.decode(value) }
      }
      if !versions.contains(version) {
        try transaction.store(VersionList.encode(versions + [version]), at: key, in: index.tables.ids)
      }
    }
    let cost = upper - work.written
    work.written = upper
    if upper == ids.count {
      try writeStream(work.stream, &transaction, index)
      pending = nil
      return cost + 1
    }
    pending = work
    return cost
  }

  private func writeStream(
    _ stream: StreamNumber, _ transaction: inout WriteTransaction, _ index: StreamIndex
  ) throws(StorageError) {
    guard let tail = generation.with(stream, { $0 }) else { return }
    let stored = try index.storedHead(of: stream, in: transaction)
    let name: StreamName
    if let stored { name = stored.name } else { name = try index.name(of: stream, in: transaction) }
    let tables = index.tables
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
    // Another process may have come further with this stream, up to any version.
    let known = stored?.version ?? 0
    for anchor in tail.anchors where anchor.version > known {
      guard let position = tail.position(of: anchor.version) else { continue }
      let value = Anchor(
        position: position, lastOccurredAt: max(anchor.lastOccurredAt, stored?.lastOccurredAt ?? .earliest))
      try transaction.storeIndexed(value.encode(), at: Key.stream(stream, anchor.version.number), in: tables.anchors)
    }
    guard known < tail.last, let position = tail.position(of: tail.last) else { return }
    let secret = try index.secret(of: stream, transaction)
    var chain = (version: known, value: stored?.chain ?? .zero)
    if let later = tail.chain, later.version > known { chain = (later.version, later.value) }
    let value = try index.chain(
      of: stream, name: name, secret: secret, from: chain, to: tail.last, transaction)
    let head = StreamHead(
      name: name, version: tail.last, position: position, chain: value, secret: secret,
      firstOccurredAt: stored?.firstOccurredAt ?? tail.firstOccurredAt,
      lastOccurredAt: max(tail.lastOccurredAt, stored?.lastOccurredAt ?? .earliest),
      sizeInBytes: (stored?.sizeInBytes ?? 0) + tail.sizeInBytes(after: known))
    if stored == nil { try transaction.storeIndexed(Key.stream(stream), at: Key.name(name), in: tables.names) }
    try transaction.storeIndexed(head.encode(), at: Key.stream(stream), in: tables.heads)
  }
}

extension TailGeneration.Stream {
  /// What the ids table is to hold of the stretch.
  fileprivate var identities: [(hash: UInt64, version: StreamVersion)] {
    var all: [(hash: UInt64, version: StreamVersion)] = []
    all.reserveCapacity(events.count + sessions.count)
    for (offset, event) in events.enumerated() {
      all.append((event.idHash, StreamVersion(first.number + UInt64(offset))))
    }
    for session in sessions { all.append((session.hash, session.version)) }
    return all
  }
}
