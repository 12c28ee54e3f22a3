// Making everything anew that follows from the log: the index tables, the snapshots, and what else was derived.
internal import Bytes
internal import LMDB
internal import Platform
internal import Sodium
internal import Synchronization

extension EventLog {
  /// Drops all derived data and folds the index tables from the runs again; of blocks there are none. No event is
  /// changed.
  ///
  /// - Parameter progress: Told now and then how many of how many positions are done.
  /// - Throws: ``StorageError/inUse(reason:)`` while another process has the store open;
  ///   ``StorageError/corrupt(reason:position:)`` where the log itself is damaged: nothing is changed then.
  /// - Complexity: O(events); memory for the streams there are, for some 65,536 events, and 28 bytes for each of a run.
  public func repairDerived(
    progress: @escaping @Sendable (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(StorageError) {
    let isAlone = try asking(folder) { () throws(PlatformError) in try openers.tryUpgrade() }
    guard isAlone else { throw .inUse(reason: "another process has it open; repairing needs it alone") }
    defer { try? openers.lock(.shared) }
    try refuseDamagedFile()
    _ = snapshots.take(upTo: .max)
    headCache.removeAll()
    try perform(RebuildIndex(log: self, progress: progress))
  }
}

/// Folds what the runs hold into empty index tables, in one transaction: either all of them are new, or none.
///
/// Blocks need no more than to be read again. One that is being sealed begins anew, since what was folded of it is gone.
private struct RebuildIndex: WriterWork {
  let log: EventLog
  let progress: @Sendable (UInt64, UInt64) -> Void

  private struct Stream {
    var epoch: StreamEpoch
    var digests: DigestReader
    var version: StreamVersion = 0
    var chain = Bytes32.zero
  }

  func run(in context: inout WriterContext) throws(StorageError) {
    let tables = context.tables
    for table in tables.index + [tables.snapshots, tables.derived].compactMap(\.self) {
      try context.transaction.empty(table)
    }
    try dropUnfinishedSeal(&context)
    // The ids of the runs that are merged come again; those of their output are merged again.
    try context.changeCatalog { catalog in
      if catalog.merge?.progress.hasAllRecords == true { catalog.merge?.progress.pieces = 0 }
    }
    var streams: [StreamNumber: Stream] = [:]
    for index in context.catalog.runs.indices {
      try rebuild(run: index, &streams, &context)
      progress(context.catalog.runs[index].last.number, context.end.position.number)
    }
    context.isIndexRebuilt = true
    // What is in memory says the same as before, but the tables say it too now.
  }

  private func dropUnfinishedSeal(_ context: inout WriterContext) throws(StorageError) {
    guard context.catalog.sealing != nil, let last = context.catalog.lastOfFirstBlock else { return }
    let run = context.catalog.runOfFirstBlock(through: last)
    do throws(LMDBError) {
      let start = Key.chunk(run, 0, 0)
      try context.transaction.sweep(context.tables.runs[run.level], from: start.rawSpan) { _ in .remove }
    } catch {
      throw StorageError(error)
    }
    try context.changeCatalog { $0.sealing = nil }
  }

  private func rebuild(
    run index: Int, _ streams: inout [StreamNumber: Stream], _ context: inout WriterContext
  ) throws(StorageError) {
    let run = context.catalog.runs[index]
    // Runs are as they were before this commit. A window on all of one needs no index.
    let view = try LogView(ofTables: log.environment, tail: log.tail, schema: log.schema)
    let window = try LogWindow(run.first...run.last, in: view)
    var order: [StreamNumber] = []
    order.reserveCapacity(Int(run.count))
    var identities: [UInt64] = []
    identities.reserveCapacity(Int(run.count))
    var start = Checkpoint(position: LogPosition(run.first.number - 1), streams: StreamNumber(streams.count))
    while start.position < run.last {
      let generation = TailGeneration(after: start)
      try fill(generation, from: window, view, run, &streams, &order, &identities, context)
      for stream in generation.contents.withLock({ $0.streams.keys.sorted() }) {
        guard let part = generation.with(stream, { $0 }), let known = streams[stream] else { continue }
        let stored = try context.index.storedHead(of: stream, in: context.transaction)
        try context.index.fold(
          stream, part, onto: stored, StreamFold(epoch: known.epoch, chain: known.chain),
          &context.transaction)
      }
      start = generation.end
    }
    for piece in stride(from: 0, to: order.count, by: StreamOrder.piece) {
      try StreamOrder.append(
        order[piece..<min(order.count, piece + StreamOrder.piece)], at: run.first.forward(UInt64(piece)),
        &context.transaction, context.tables)
    }
    identities.sort()
    var next = identities[...]
    for piece in 0..<RunIdentities.pieceCount(run) {
      let entries = next.prefix { RunIdentities.piece(of: $0, in: run) == piece }
      next = next.dropFirst(entries.count)
      try RunIdentities.store(Array(entries), piece: piece, of: run, &context.transaction, context.tables)
    }
  }

  private static let eventsAtOnce: UInt64 = 65_536

  /// Takes in some events of a run, in the order of the log.
  private func fill(
    _ generation: TailGeneration, from window: LogWindow, _ view: borrowing LogView, _ run: Run,
    _ streams: inout [StreamNumber: Stream], _ order: inout [StreamNumber], _ identities: inout [UInt64],
    _ context: borrowing WriterContext
  ) throws(StorageError) {
    let range = generation.after.next...min(run.last, generation.after.forward(Self.eventsAtOnce))
    let seed = context.settings.hashSeed
    let found = StreamIndex(
      tables: context.tables, hashSeed: seed, generations: [generation], bound: LogPosition(.max),
      catalog: context.catalog)
    var contents = ContentReader()
    var position = range.lowerBound
    while position <= range.upperBound {
      guard let bytes = window.bytes(at: position, in: view) else {
        throw .corrupt(reason: "the record is missing", position: position)
      }
      let record = try RecordView.stored(bytes, at: position)
      var entry: IndexEntry
      do throws(RecordProblem) { entry = try IndexEntry(record, seed: seed) } catch {
        throw StorageError(error, at: position)
      }
      if let epoch = try? record.epoch() {
        let known = streams.removeValue(forKey: record.stream)
        var stream = known ?? Stream(epoch: epoch, digests: DigestReader(record.stream))
        stream.epoch = epoch
        streams[record.stream] = stream
      }
      guard var stream = streams.removeValue(forKey: record.stream), record.version == stream.version.next else {
        throw .corrupt(reason: "the record is not the next one of its stream", position: position)
      }
      generation.contents.withLock { $0.insert(entry, seed: seed) }
      let digest = try stream.digests.digest(of: record, &contents, index: found, context.transaction)
      stream.chain = HashChain.step(stream.chain, digest, record.version)
      stream.version = record.version
      streams[record.stream] = stream
      order.append(record.stream)
      identities.append(RunIdentities.entry(entry.idHash, at: position, in: run))
      if let session = entry.session {
        let hash = IdentityHash.session(session, of: record.stream, seed: seed)
        identities.append(RunIdentities.entry(hash, at: position, in: run))
      }
      position = position.next
    }
  }
}
