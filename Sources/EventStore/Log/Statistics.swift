// What a store takes up and what its process has done, for people who look after it.
internal import LMDB
internal import Platform

/// A table's size.
public struct TableSize: Sendable, Hashable {
  /// The table's name.
  public var name: String
  /// Keys in it.
  public var entries: Int
  /// Bytes of its pages.
  public var sizeInBytes: Int
}

/// What a store takes up.
public struct StoreStatistics: Sendable {
  /// Tells this store from all others.
  public var storeID: EventID
  /// The form of its data.
  public var format: Int
  /// How it is encrypted; `nil` where it is not.
  public var encryption: EncryptionStatus?
  /// The last position.
  public var position: LogPosition
  /// Streams there are, save those whose user was erased.
  public var streams: Int
  /// Streams whose user was erased, and has not come back.
  public var erasedStreams: Int
  /// Whether nothing of what was erased can be found in the files any more.
  public var isScrubbed: Bool
  /// The last position that a run holds: up to there the index tables are complete.
  public var checkpoint: LogPosition
  /// Events after it: they are in blocks, and in the index in memory.
  public var tailEvents: UInt64
  /// Every table.
  public var tables: [TableSize]
  /// Bytes of the data file.
  public var fileBytes: Int
  /// Bytes in it that are free to be used again.
  public var freeBytes: Int
  /// Streams of which a snapshot is due and not stored.
  public var dueSnapshots: Int
  /// Readers at work, in all processes.
  public var readers: Int
}

extension EventLog {
  /// What the store takes up.
  ///
  /// - Parameter projector: Whose snapshots are meant by those that are due.
  /// - Complexity: O(streams), for the snapshots that are due.
  public func storeStatistics(for projector: some Projector) throws(StorageError) -> StoreStatistics {
    let view = try view()
    let checkpoint = view.index.catalog.checkpoint
    let information: Environment.Information
    let readers: [Environment.Reader]
    do throws(LMDBError) {
      information = try environment.information()
      readers = try environment.readers()
    } catch { throw StorageError(error) }
    var sizes: [TableSize] = []
    for (name, table) in tables.named {
      let found: TableStatistics
      do throws(LMDBError) { found = try view.transaction.statistics(of: table) } catch {
        throw StorageError(error)
      }
      sizes.append(TableSize(name: name, entries: found.entries, sizeInBytes: found.sizeInBytes))
    }
    let fileBytes = try asking(folder) { () throws(PlatformError) in
      try Files.status("\(folder)/\(StoreFolder.dataName)")?.sizeInBytes ?? 0
    }
    let names = try view.streamNames()
    var due = 0
    for name in names {
      if let stream = try view.stream(name), try isSnapshotDue(stream, named: name, projector, view) { due += 1 }
    }
    let used = sizes.reduce(0) { $0 + $1.sizeInBytes }
    return StoreStatistics(
      storeID: storeID, format: format, encryption: encryption, position: view.last, streams: names.count,
      erasedStreams: max(0, view.streamCount - names.count),
      isScrubbed: try ScrubDue.read(in: view.transaction, tables) == nil,
      checkpoint: checkpoint.position, tailEvents: view.last.number - checkpoint.position.number,
      tables: sizes,
      fileBytes: fileBytes, freeBytes: max(0, max(fileBytes, information.pages * information.pageSize) - used),
      dueSnapshots: due, readers: readers.count { $0.transaction != nil })
  }

  /// Whether a fold to the head of a stream passes a version where a snapshot is due.
  private func isSnapshotDue(
    _ stream: StreamNumber, named name: StreamName, _ projector: some Projector, _ view: borrowing LogView
  ) throws(StorageError) -> Bool {
    guard let head = try view.head(of: stream) else { return false }
    var bytes = 0
    let latest = try SnapshotTable.latest(of: stream, .version, view)
    let minimum = max(
      options.snapshotPolicy.minimumBytes, options.snapshotPolicy.factor * (latest?.stateBytes ?? 0))
    var version = latest.map { StreamVersion($0.number) } ?? 0
    while version < head.version {
      let upper = StreamVersion(min(head.version.number, version.number + Anchor.interval))
      try view.index.forEachRecord(of: version.next...upper, in: stream, view.transaction) { bytes += $0.sizeInBytes }
      // Enough for the state as it was: whether also for the state as it is, only folding can tell.
      if bytes >= minimum {
        let target = AsOfTarget(stop: .version(head.version))
        let folded = try state(
          of: stream, named: name, head: head.version, by: projector, at: target, true, view)
        return folded.snapshotsDue > 0
      }
      version = upper
    }
    return false
  }
}
