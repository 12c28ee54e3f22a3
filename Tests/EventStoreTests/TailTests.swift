// What the index in memory tells while a commit is under way, and after one that failed.
import Bytes
import LMDB
import Sodium
import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A commit under way, whose events are in the tail already` {
  // Between a commit that failed and its writer's hearing of it, another process used the positions for other events:
  // readers took the tail's for them, and missed a stream, or found its session never named.
  @Test(arguments: [false, true])
  func `is not believed where another process has used its positions`(wasComplete: Bool) throws {
    let store = try TemporaryStore()
    try store.append(Diary.removed("a", id: .number(1)))
    let (tail, generation) = try tail(ofAnotherProcess: store)
    tail.commitBegins(after: 1)
    for position in 2...4 as ClosedRange<UInt64> {
      generation.insert(.carol, version: StreamVersion(position - 1), at: LogPosition(position))
    }
    if wasComplete {
      tail.commitEnds(at: LogEnd(position: 4, recordedAt: .latest, chain: Bytes32.random(), streams: 2))
    }
    // Fewer first, then more than would have been stored.
    for number in 2...6 {
      let session = SessionID.named("s\(number)")
      try store.append(Diary.removed("a", id: .number(number)).inSession(session), to: .alice)
      let view = try LogView(store.log.environment, tail: tail, schema: Diary.schema)
      #expect(try view.streamNames() == [.alice, .bob])
      let alice = try #require(try view.stream(.alice))
      #expect(try view.head(of: alice)?.version == StreamVersion(UInt64(number - 1)))
      #expect(try view.name(ofRecordAt: LogPosition(UInt64(number))) == session)
    }
    // The writer hears of it at last.
    tail.forget()
    #expect(try LogView(store.log.environment, tail: tail, schema: Diary.schema).streamNames() == [.alice, .bob])
  }

  @Test func `is believed as soon as it is done`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.removed("a", id: .number(1)))
    let (tail, generation) = try tail(ofAnotherProcess: store)
    tail.commitBegins(after: 1)
    generation.insert(.alice, version: 1, at: 2)
    #expect(try LogView(store.log.environment, tail: tail, schema: Diary.schema).streamNames() == [.bob])
    try store.append(Diary.removed("a", id: .number(2)), to: .alice)
    tail.commitEnds(at: try store.end())
    #expect(try LogView(store.log.environment, tail: tail, schema: Diary.schema).streamNames() == [.alice, .bob])
    // And what comes after it, before its writer has come to say so.
    try store.append(Diary.removed("a", id: .number(3)), to: .alice)
    let view = try LogView(store.log.environment, tail: tail, schema: Diary.schema)
    let alice = try #require(try view.stream(.alice))
    #expect(try view.head(of: alice)?.version == 2)
    #expect(view.index.generations.last === generation)
  }

  /// The tail that another process has of a store, and the part of it that grows.
  private func tail(ofAnotherProcess store: TemporaryStore) throws -> (TailIndex, TailGeneration) {
    let tail = TailIndex(tables: store.log.tables, hashSeed: store.log.tail.hashSeed)
    let view = try LogView(store.log.environment, tail: tail, schema: Diary.schema)
    return (tail, try #require(view.index.generations.last))
  }
}

extension StreamName {
  fileprivate static var carol: StreamName { named("carol") }
}

extension TailGeneration {
  /// Takes in an event of stream 2, as the writer does before it commits.
  fileprivate func insert(_ name: StreamName, version: StreamVersion, at position: LogPosition) {
    let entry = IndexEntry(
      stream: 2, version: version, position: position, previous: version == 1 ? 0 : 1, idHash: position.number,
      occurredAt: .earliest, isLate: false, sizeInBytes: 1, name: version == 1 ? name : nil)
    contents.withLock { $0.insert(entry, seed: 1) }
  }
}

extension TemporaryStore {
  /// The end of the log.
  fileprivate func end() throws -> LogEnd {
    let view = try log.view()
    let record = try view.record(at: view.last)
    return LogEnd(position: view.last, recordedAt: record.recordedAt, chain: record.chain ?? .zero, streams: 2)
  }
}

extension LogView {
  /// The session of the record at a position.
  fileprivate func name(ofRecordAt position: LogPosition) throws -> SessionID? {
    let record = try record(at: position)
    return try index.session(record.session, in: record.stream, transaction)?.name
  }
}

@Suite struct `The tail of a process that only reads` {
  // It was told of no checkpoint, and kept all that it had ever seen.
  @Test func `lets go of what another process has folded into the tables`() throws {
    var options = EventLog.Options()
    options.blockSize = 10
    let store = try TemporaryStore(options)
    let tail = TailIndex(tables: store.log.tables, hashSeed: store.log.tail.hashSeed)
    for number in 1...200 {
      try store.append(Diary.removed("a", id: .number(number)))
      let view = try LogView(store.log.environment, tail: tail, schema: Diary.schema)
      #expect(view.last == LogPosition(UInt64(number)))
    }
    #expect(tail.eventCount <= 40)
  }
}
