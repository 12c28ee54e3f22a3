// What snapshots promise: short reads, and little space.
import Bytes
import LMDB
import TestSupport
import Testing

@testable import EventStore

@Suite struct `Snapshots of a long stream` {
  #if DEBUG
  private static let events = 30_000
  private static let keys = 300
  #else
  private static let events = 200_000
  private static let keys = 2_000
  #endif

  /// A state that grows, shrinks to nearly nothing, and grows again.
  private static func event(_ number: Int, _ random: inout SeededRandom) -> EventData {
    let third = events / 3
    let key = "k\(Int.random(in: 0..<keys, using: &random))"
    let removes = number / third == 1 ? 95 : 10
    return Int.random(in: 0..<100, using: &random) < removes
      ? Diary.removed(key, id: .number(number))
      : Diary.sized(key, Int.random(in: 0...600, using: &random), id: .number(number))
  }

  /// The stream, by an application that now and then asks for the state while it appends.
  private func store(_ options: EventLog.Options, seed: UInt64, asksMeanwhile: Bool) throws -> TemporaryStore {
    let store = try TemporaryStore(options)
    var random = SeededRandom(seed: seed)
    var number = 0
    while number < Self.events {
      let batch = (0..<min(2_000, Self.events - number)).map { offset -> EventData in
        // One in a hundred is late.
        let late =
          Int.random(in: 0..<100, using: &random) == 0 ? Int64.random(in: 1...50_000, using: &random) : 0
        let time = store.clock.now.advanced(byMicroseconds: Int64(number + offset) * 100 - late)
        return Self.event(number + offset, &random).occurring(at: time)
      }
      try store.log.appendAndWait([StreamAppend(batch, to: .bob)])
      number += batch.count
      if asksMeanwhile {
        let version = StreamVersion(UInt64.random(in: 1...UInt64(number), using: &random))
        _ = try store.notebook(at: Bool.random(using: &random) ? .version(version) : .head)
        try store.log.storeDueSnapshots()
      }
    }
    return store
  }

  private struct Sizes {
    var records: [Int] = []
    var byVersion = 0
    var byTime = 0
    var count = 0
  }

  /// What lies in the tables: the records, and the states that are stored.
  private func sizes(of store: TemporaryStore) throws -> Sizes {
    var sizes = Sizes()
    try store.reopen {
      let environment = try Environment(folder: store.path)
      defer { environment.close() }
      let tables = Tables(try environment.openTables(Tables.tableNames))
      let reader = try environment.beginRead()
      sizes.records = try StoredLog(reader, tables).records.values.map(\.count)
      var snapshots = try reader.cursor(in: tables.snapshots)
      while let entry = try snapshots.next() {
        // Without checksum, format, projector and version, which stand before the state.
        let state = entry.value.byteCount - 18
        if entry.key.byte(at: 4) == 0 { sizes.byVersion += state } else { sizes.byTime += state }
        sizes.count += 1
      }
    }
    return sizes
  }

  @Test(arguments: [(1, 64 << 20), (2, 0)] as [(UInt64, Int)])
  func `keep reads near the size of the state, and take a fraction of the log`(seed: UInt64, cacheBytes: Int)
    throws
  {
    var options = EventLog.Options()
    options.cacheBytes = cacheBytes
    let policy = options.snapshotPolicy
    let store = try store(options, seed: seed, asksMeanwhile: cacheBytes > 0)
    _ = try store.notebook()
    _ = try store.notebook(at: .occurredAt(.latest))
    try store.log.storeDueSnapshots()
    let sizes = try sizes(of: store)
    let largest = try #require(sizes.records.max())
    #expect(sizes.records.count == Self.events && sizes.count > 20)

    var random = SeededRandom(seed: seed)
    var isBoundedByState = false
    for _ in 1...40 {
      let version = UInt64.random(in: 1...UInt64(Self.events), using: &random)
      let folded = try #require(
        try store.log.state(of: .bob, by: NotebookProjector(), at: .version(StreamVersion(version))))
      let bound = max(policy.minimumBytes, policy.factor * folded.state.encodedSize)
      #expect(folded.bytesFolded < bound + largest, "at version \(version)")
      #expect(folded.state.events == version)
      isBoundedByState = isBoundedByState || bound > policy.minimumBytes

      let time = try #require(try store.log.event(at: StreamVersion(version), of: .bob)).occurredAt
      let atTime = try #require(try store.log.state(of: .bob, by: NotebookProjector(), at: .occurredAt(time)))
      let boundAtTime = max(policy.minimumBytes, policy.factor * atTime.state.encodedSize)
      // A few events may share a time, and a snapshot stands only between two times.
      #expect(atTime.bytesFolded < boundAtTime + 4 * largest, "at the time of version \(version)")
    }
    #expect(isBoundedByState, "the states were too small to matter")
    let total = sizes.records.reduce(0, +)
    #expect(sizes.byVersion * policy.factor <= total)
    #expect(sizes.byTime * policy.factor <= total)
    #expect(sizes.byVersion > 0 && sizes.byTime > 0)
  }
}
