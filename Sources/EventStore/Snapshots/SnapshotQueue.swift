// Snapshots on their way to disk: folds put them here, the writer stores them with a later commit.
internal import Sodium
internal import Synchronization

/// Snapshots that are due and not stored yet, bounded in bytes. One that does not fit is dropped: it comes again with
/// the next fold that passes its version.
final class SnapshotQueue: Sendable {
  private struct State {
    var waiting: [DueSnapshot] = []
    var sizeInBytes = 0
    var stored = 0
  }

  private static let limit = 64 << 20
  private let state = Mutex(State())

  func add(_ due: [DueSnapshot]) {
    guard !due.isEmpty else { return }
    state.withLock { state in
      for snapshot in due where state.sizeInBytes + snapshot.state.count <= Self.limit {
        state.waiting.append(snapshot)
        state.sizeInBytes += snapshot.state.count
      }
    }
  }

  var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }
  var count: Int { state.withLock { $0.waiting.count } }

  /// Takes snapshots of about `bytes`.
  func take(upTo bytes: Int) -> [DueSnapshot] {
    state.withLock { state in
      var taken: [DueSnapshot] = []
      var size = 0
      while size < bytes, !state.waiting.isEmpty {
        let next = state.waiting.removeFirst()
        size += next.state.count
        taken.append(next)
      }
      state.sizeInBytes -= size
      return taken
    }
  }
}

/// Stores snapshots, leaving out those that have become wrong since they were folded.
struct StoreSnapshots: WriterWork {
  let snapshots: [DueSnapshot]

  func run(in context: inout WriterContext) throws(StorageError) {
    let redactions = try Redactions.read(in: context.transaction, context.tables).count
    for snapshot in snapshots where snapshot.redactions == redactions {
      if snapshot.order == .occurred, try isOvertaken(snapshot, context) { continue }
      let key = SnapshotTable.key(snapshot)
      let sealing: SealingKey?
      do throws(StorageError) { sealing = try context.index.sealing(of: snapshot.stream, context.transaction) } catch {
        // Its keys are damaged: no concern of those whose commit this is.
        guard case .corrupt = error else { throw error }
        continue
      }
      try context.transaction.store(
        SnapshotTable.value(snapshot, key: key, sealing), at: key, in: context.tables.snapshots)
      context.hasWritten = true
    }
  }

  /// Whether an event came in since the fold that occurred at or before the snapshot's time.
  private func isOvertaken(_ snapshot: DueSnapshot, _ context: borrowing WriterContext) throws(StorageError)
    -> Bool
  {
    guard let head = try context.index.head(of: snapshot.stream, in: context.transaction) else { return true }
    guard head.version > snapshot.head else { return false }
    // Many: not worth looking at. It comes again.
    guard head.version.number - snapshot.head.number <= 4_096 else { return true }
    var isOvertaken = false
    try context.index.scanRecords(
      of: snapshot.head.next...head.version, in: snapshot.stream, context.transaction,
      while: { record in
        isOvertaken = UInt64(record.occurredAt.microseconds) <= snapshot.number
        return !isOvertaken
      })
    return isOvertaken
  }
}

extension EventLog {
  /// Stores the snapshots that are due. Folds hand them over as they pass; this waits until they are on disk.
  public func storeDueSnapshots() throws(StorageError) {
    while !snapshots.isEmpty {
      let batch = snapshots.take(upTo: 4 << 20)
      guard !batch.isEmpty else { return }
      try perform(StoreSnapshots(snapshots: batch))
    }
  }

  /// Drops all snapshots; they are made anew as states are asked for.
  public func clearSnapshots() throws(StorageError) {
    struct Clear: WriterWork {
      func run(in context: inout WriterContext) throws(StorageError) {
        try context.transaction.empty(context.tables.snapshots)
        context.hasWritten = true
      }
    }
    _ = snapshots.take(upTo: .max)
    headCache.removeAll()
    try perform(Clear())
  }
}
