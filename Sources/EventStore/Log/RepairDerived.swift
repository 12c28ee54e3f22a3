// Making everything anew that follows from the log: the index tables and the snapshots.
internal import LMDB
internal import Platform
internal import Synchronization

extension EventLog {
  /// Drops all derived data and folds the index tables from the log again. The log itself is not touched.
  ///
  /// - Parameter progress: Told now and then how many of how many positions are done.
  /// - Throws: ``StorageError/inUse(reason:)`` while another process has the store open;
  ///   ``StorageError/corrupt(reason:position:)`` where the log itself is damaged: nothing is changed then.
  /// - Complexity: O(events); memory for ``Options/checkpointInterval`` of them.
  public func repairDerived(
    progress: @escaping @Sendable (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(StorageError) {
    let isAlone = try asking(folder) { () throws(PlatformError) in try openers.tryUpgrade() }
    guard isAlone else { throw .inUse(reason: "another process has it open; repairing needs it alone") }
    defer { try? openers.lock(.shared) }
    try refuseDamagedFile()
    _ = snapshots.take(upTo: .max)
    headCache.removeAll()
    try removeDamagedCheckpoint()
    try perform(
      RebuildIndex(interval: max(options.checkpointInterval, 1_024), tail: tail, progress: progress))
  }
}

extension EventLog {
  /// A checkpoint that says nothing would keep the writer from beginning. Without one, all of the log is the tail.
  private func removeDamagedCheckpoint() throws(StorageError) {
    do {
      let view = try LogView(ofTables: environment, tail: tail, schema: schema)
      if (try? TailIndex.checkpoint(in: view.transaction, tables)) != nil { return }
    }
    do throws(LMDBError) {
      var transaction = try environment.beginWrite()
      _ = try transaction.delete(Key.meta(.checkpoint).rawSpan, in: tables.meta)
      try transaction.commit()
    } catch {
      throw StorageError(error)
    }
  }
}

/// Folds the whole log into empty index tables, in one transaction: either all of them are new, or none.
private struct RebuildIndex: WriterWork {
  let interval: Int
  let tail: TailIndex
  let progress: @Sendable (UInt64, UInt64) -> Void

  func run(in context: inout WriterContext) throws(StorageError) {
    let tables = context.tables
    for table in tables.index + [tables.snapshots] { try context.transaction.empty(table) }
    var done = Checkpoint()
    try context.transaction.storeIndexed(done.encode(), at: Key.meta(.checkpoint), in: tables.meta)
    let last = try TailIndex.lastPosition(in: context.transaction, tables)
    while done.position < last {
      let generation = TailGeneration(after: done)
      try fill(generation, through: last, context)
      var checkpoint = IndexCheckpoint(generation)
      while try !checkpoint.step(credit: 65_536, rebuilding: generation, &context) {}
      done = checkpoint.end
      progress(done.position.number, last.number)
    }
    // What is in memory says the same as before, but the tables say it too now.
    tail.forget()
  }

  /// Takes in about ``interval`` events, up to the end of a request.
  private func fill(
    _ generation: TailGeneration, through last: LogPosition, _ context: borrowing WriterContext
  ) throws(StorageError) {
    var cursor = try context.transaction.scan(context.tables.log)
    var position = generation.after.next
    var entry = try cursor.to(exactly: Key.position(position))
    var count = 0
    while let found = entry, position <= last {
      guard try Key.position(of: found.key) == position else {
        throw .corrupt(reason: "the record is missing", position: position)
      }
      do throws(RecordProblem) {
        let record = try RecordView(found.value, at: position)
        let index = try IndexEntry(record, seed: context.settings.hashSeed)
        generation.contents.withLock { $0.insert(index, seed: context.settings.hashSeed) }
        count += 1
        if count >= interval, record.chain != nil { return }
      } catch {
        throw StorageError(error, at: position)
      }
      position = position.next
      entry = try cursor.toNext()
    }
    guard position > last else { throw .corrupt(reason: "the record is missing", position: position) }
  }
}
