// Compacting: the same store in a smaller file, or the old one as it was.
import Foundation
import LMDB
import TestSupport
import Testing

@testable import EventStore

@Suite struct `Compacting a store` {
  /// A store with a file much larger than its content.
  private func spacious() throws -> TemporaryStore {
    var options = EventLog.Options()
    options.blockSize = 100
    let store = try TemporaryStore(options)
    for number in 1...600 {
      try store.append(Diary.written("key \(number % 50)", "text \(number)", id: .number(number)))
    }
    try store.log.clearSnapshots()
    return store
  }

  /// All that is told of all events, a line each.
  private func told(by store: TemporaryStore) throws -> [String] {
    try store.log.readAll(limit: 3_000).events.map { event in
      "\(event.position) \(event.version) \(event.id) \(event.recordedAt) \(event.payload)"
    }
  }

  private func size(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
  }

  @Test func `leaves everything as it was, in a smaller file`() throws {
    let store = try spacious()
    let before = try store.log.verify()
    let events = try told(by: store)
    let state = try store.log.state(of: .bob, by: NotebookProjector())?.state
    var summary: CompactionSummary?
    try store.reopen { [path = store.path] in summary = try EventLog.compact(path, schema: Diary.schema) }
    let compacted = try #require(summary)
    #expect(compacted.bytesAfter < compacted.bytesBefore)
    #expect(try size(store.dataFile) <= compacted.bytesAfter + (1 << 20))
    let after = try store.log.verify()
    #expect(after.isSound && after.chain == before.chain && after.events == before.events)
    #expect(try told(by: store) == events)
    #expect(try store.log.state(of: .bob, by: NotebookProjector())?.state == state)
    // And it goes on.
    try store.append(Diary.written("more", "text", id: .number(5_000)))
    #expect(try store.log.verify().isSound)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.path).contains("data.compacting") == false)
  }

  @Test func `while the store is open it is refused, and nothing is changed`() throws {
    let store = try spacious()
    let before = try size(store.dataFile)
    #expect {
      try EventLog.compact(store.path, schema: Diary.schema)
    } throws: { if case StorageError.inUse = $0 { true } else { false } }
    #expect(try size(store.dataFile) == before)
    #expect(try store.log.verify().isSound)
  }

  @Test func `a new file that a crash left behind is taken away, and the old one is the store`() throws {
    let store = try spacious()
    let events = try told(by: store)
    try store.reopen { [path = store.path] in
      try Data("half a file".utf8).write(to: URL(filePath: path + "/data.compacting"))
    }
    #expect(try told(by: store) == events)
    #expect(!FileManager.default.fileExists(atPath: store.path + "/data.compacting"))
    try store.reopen { [path = store.path] in
      try Data("half a file".utf8).write(to: URL(filePath: path + "/data.compacting"))
      _ = try EventLog.compact(path, schema: Diary.schema)
    }
    #expect(try told(by: store) == events)
  }

  @Test func `whichever call fails, the store is there`() throws {
    let store = try spacious()
    let events = try told(by: store)
    var failures = 0
    for call in [LMDBError.Call.environmentCopy, .fileSync, .fileRead, .fileOpen] {
      for code in [28, 5] as [Int32] {
        try store.reopen { [path = store.path] in
          let isReached = Failpoint.with(call: call, occurrence: 1, code: code) {
            if (try? EventLog.compact(path, schema: Diary.schema)) == nil { failures += 1 }
          }
          #expect(isReached)
        }
        #expect(try told(by: store) == events)
        #expect(try store.log.verify().isSound)
      }
    }
    #expect(failures > 2)
  }

  @Test func `a missing store and one that is none are named`() throws {
    let folder = TemporaryFolder()
    #expect {
      try EventLog.compact(folder.path + "/none", schema: Diary.schema)
    } throws: { if case StorageError.missing = $0 { true } else { false } }
    try Data("text".utf8).write(to: URL(filePath: folder.path + "/file"))
    #expect {
      try EventLog.compact(folder.path, schema: Diary.schema)
    } throws: { if case StorageError.notAStore = $0 { true } else { false } }
  }
}
