// What the engine has done in this process, counted as it goes: cheap to keep, and cheap to ask for.
internal import LMDB
internal import Platform
internal import Synchronization

/// What the engine has done since the store was opened, and how it stands.
public struct EngineMetrics: Sendable {
  /// Events appended by this process.
  public var eventsAppended: Int
  /// Requests that share a commit.
  public var commitSizes: HistogramCounts
  /// Seconds that commits took to reach the disk.
  public var commitSeconds: HistogramCounts
  /// Folds that were needed, of requests for states that no cached one could answer, and of replays.
  public var folds: Int
  /// Events that they folded.
  public var eventsFolded: Int
  /// Bytes of those events.
  public var bytesFolded: Int
  /// Head states that were kept decoded when they were asked for, and those that were not.
  public var cacheHits: Int, cacheMisses: Int
  /// Head states kept decoded, and their bytes.
  public var cacheEntries: Int, cacheBytes: Int
  /// Bytes of the pages that hold snapshots.
  public var snapshotBytes: Int
  /// Snapshots stored.
  public var snapshots: Int
  /// Snapshots that were folded and wait for a commit.
  public var snapshotsDue: Int
  /// Events that no run holds yet.
  public var tailEvents: UInt64
  /// The last position.
  public var lastPosition: LogPosition
  /// Readers at work, in all processes.
  public var readers: Int
  /// Bytes of the data file in use, those included that are free to be used again.
  public var fileBytes: Int
}

/// How much was folded.
final class FoldStatistics: Sendable {
  private let folds = Atomic<Int>(0)
  private let events = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)

  func count(_ fold: FoldCount) {
    folds.add(1, ordering: .relaxed)
    events.add(fold.events, ordering: .relaxed)
    bytes.add(fold.bytes, ordering: .relaxed)
  }

  var total: (folds: Int, events: Int, bytes: Int) {
    (folds.load(ordering: .relaxed), events.load(ordering: .relaxed), bytes.load(ordering: .relaxed))
  }
}

extension EventLog {
  /// What the engine has done since the store was opened, and how it stands.
  ///
  /// - Complexity: O(1): nothing is looked through.
  public func metrics() throws(StorageError) -> EngineMetrics {
    let view = try view()
    let found: TableStatistics
    let information: Environment.Information
    let readers: [Environment.Reader]
    do throws(LMDBError) {
      found = try view.transaction.statistics(of: tables.snapshots)
      information = try environment.information()
      readers = try environment.readers()
    } catch {
      throw StorageError(error)
    }
    let folded = folds.total, cache = headCache.statistics
    return EngineMetrics(
      eventsAppended: statistics.total.events, commitSizes: statistics.sizes.counts,
      commitSeconds: statistics.seconds.counts, folds: folded.folds, eventsFolded: folded.events,
      bytesFolded: folded.bytes, cacheHits: cache.hits, cacheMisses: cache.misses, cacheEntries: cache.entries,
      cacheBytes: cache.sizeInBytes, snapshotBytes: found.sizeInBytes, snapshots: found.entries,
      snapshotsDue: snapshots.count,
      tailEvents: view.last.number - view.index.catalog.checkpoint.position.number, lastPosition: view.last,
      readers: readers.count { $0.transaction != nil }, fileBytes: information.pages * information.pageSize)
  }
}
