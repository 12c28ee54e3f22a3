// Backups that grow with their store, and stores made of them as they were at any point.
import Bytes
import Foundation
import LMDB
import Platform
import TestSupport
import Testing

@testable import EventStore

/// A store, and a folder beside it for its backup.
private struct BackedUpStore {
  let store: TemporaryStore
  let folder = TemporaryFolder()
  var backup: String { folder.path + "/backup" }
  private var random: SeededRandom

  init(blockSize: Int = 7, seed: UInt64 = 1) throws {
    var options = EventLog.Options()
    options.blockSize = blockSize
    store = try TemporaryStore(options)
    random = SeededRandom(seed: seed)
  }

  /// Appends some requests, of one to four events, for one to three streams.
  mutating func grow(requests: Int) throws {
    for _ in 0..<requests {
      let count = Int.random(in: 1...3, using: &random)
      var appends: [StreamAppend] = []
      for _ in 0..<count {
        let user = StreamName.named("u\(Int.random(in: 0..<5, using: &random))")
        let events = (0..<Int.random(in: 1...4, using: &random)).map { _ in
          let session = Bool.random(using: &random) ? SessionID.named("s\(Int.random(in: 0..<4, using: &random))") : nil
          return Diary.written(
            "k\(Int.random(in: 0..<9, using: &random))", "text",
            id: .number(Int.random(in: 0..<1 << 40, using: &random))
          ).inSession(session)
            .occurring(at: store.clock.now.advanced(byMicroseconds: Int64.random(in: -9_000...9_000, using: &random)))
        }
        appends.append(StreamAppend(events, to: user))
      }
      store.clock.advance(byMicroseconds: 1_000)
      _ = try store.log.appendAndWait(appends)
    }
  }

  func open(_ path: String) throws -> EventLog {
    try EventLog(folder: path, schema: Diary.schema, options: store.options)
  }

  /// Restores into a new folder, and opens it.
  func restored(at point: RestorePoint? = nil, from source: String? = nil) throws -> EventLog {
    let path = folder.path + "/\(UUID().uuidString)"
    try EventLog.restore(from: source ?? backup, to: path, schema: Diary.schema, at: point, options: store.options)
    return try open(path)
  }
}

extension EventLog {
  /// All that a log says, records byte for byte.
  fileprivate func allRecords(through end: LogPosition = LogPosition(.max)) throws -> [[UInt8]] {
    var records: [[UInt8]] = []
    let view = try view()
    var next: LogPosition = 1
    let last = min(view.last, end)
    while next <= last {
      let window = try LogWindow(next...last, in: view)
      while next <= window.last {
        guard let bytes = window.bytes(at: next, in: view) else {
          throw StorageError.corrupt(reason: "the record is missing", position: next)
        }
        records.append(bytes.array())
        next = next.next
      }
    }
    return records
  }
}

@Suite struct `A backup` {
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func `grows with its store, and is the same record for record`(
    seed: UInt64
  ) throws {
    var random = SeededRandom(seed: seed)
    var backed = try BackedUpStore(blockSize: Int.random(in: 3...60, using: &random), seed: seed)
    var before: LogPosition = 0
    for round in 0..<6 {
      // Sometimes nothing came since.
      if round != 3 { try backed.grow(requests: Int.random(in: 1...40, using: &random)) }
      if round == 4 { try backed.store.reopen() }
      let summary = try backed.store.log.backup(to: backed.backup)
      let head = try backed.store.log.head()
      #expect(summary.position == head.position && summary.added == head.position.number - before.number)
      before = head.position
      let copy = try backed.open(backed.backup)
      #expect(try copy.head() == head && copy.storeID == backed.store.log.storeID)
      #expect(try copy.verify().problems == [])
      #expect(try copy.allRecords() == backed.store.log.allRecords())
      #expect(
        try copy.replay(by: NotebookProjector()).digest == backed.store.log.replay(by: NotebookProjector()).digest)
      try copy.close()
    }
  }

  @Test func `of an empty store grows, too`() throws {
    var backed = try BackedUpStore()
    #expect(try backed.store.log.backup(to: backed.backup).position == 0)
    try backed.grow(requests: 3)
    #expect(try backed.store.log.backup(to: backed.backup).added > 0)
    let restored = try backed.restored()
    #expect(try restored.head() == backed.store.log.head())
    try restored.close()
  }

  @Test func `goes on behind what it has, and knows repeats and late events`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 10)
    let event = Diary.written("k", "text", id: .number(7)).inSession(.named("s"))
    try backed.store.append(event)
    _ = try backed.store.log.backup(to: backed.backup)
    try backed.store.append(Diary.written("k", "again", id: .number(8)).inSession(.named("s")))
    _ = try backed.store.log.backup(to: backed.backup)
    // A store made of it takes appends where the other one ended.
    let restored = try backed.restored()
    #expect(try restored.appendAndWait([StreamAppend([event], to: .bob)])[0].isDuplicate)
    let late = Diary.written("k", "late", id: .number(9)).inSession(.named("s")).occurring(at: .earliest)
    #expect(try restored.appendAndWait([StreamAppend([late], to: .bob)])[0].firstVersion == 3)
    #expect(try restored.verify().problems == [])
    #expect(try restored.readStream(.bob, filter: EventFilter(session: .named("s"))).events.count == 3)
    try restored.close()
  }

  @Test func `has the records of the store as they are, also what was taken away`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 2)
    func keep(_ changes: [RecordChange]) throws {
      let version = try backed.store.log.recordVersion(of: .grants)
      #expect(try backed.store.log.changeRecordsAndWait(changes, in: .grants, expecting: version))
    }
    try keep([.keep([1], at: [1, 1]), .keep([2], at: [1, 2]), .keep([3], at: [1, 3])])
    try backed.store.log.makeSubscription(named: "mail")
    _ = try backed.store.log.backup(to: backed.backup)
    try keep([.remove(at: [1, 1]), .keep([9], at: [1, 2]), .keep([4], at: [1, 4]), .keep([0], at: [1])])
    try backed.store.log.makeSubscription(named: "a first one")
    try backed.store.log.deleteSubscription(named: "mail")
    try backed.grow(requests: 1)
    _ = try backed.store.log.backup(to: backed.backup)
    let copy = try backed.open(backed.backup)
    let (mine, theirs) = (try backed.store.log.recordSet(of: .grants), try copy.recordSet(of: .grants))
    #expect(mine.version == theirs.version && mine.records.map(\.key) == theirs.records.map(\.key))
    #expect(mine.records.map(\.value) == theirs.records.map(\.value) && mine.records.count == 4)
    #expect(try copy.subscriptions() == backed.store.log.subscriptions())
    #expect(try copy.subscriptions().map(\.name) == ["a first one"])
    try copy.close()
  }

  @Test func `forgets what was removed since`() throws {
    var backed = try BackedUpStore()
    let marker = "a secret that is to be forgotten"
    try backed.store.append(Diary.written("k", marker, id: .number(1)))
    try backed.grow(requests: 5)
    _ = try backed.store.log.backup(to: backed.backup)
    func hasMarker() throws -> Bool {
      try Data(contentsOf: URL(filePath: backed.backup + "/data.mdb")).range(of: Data(marker.utf8)) != nil
    }
    #expect(try hasMarker())
    try backed.store.log.redact(1, of: .bob)
    try backed.grow(requests: 1)
    let summary = try backed.store.log.backup(to: backed.backup)
    #expect(try !hasMarker())
    #expect(summary.position == (try backed.store.log.lastPosition()))
    let copy = try backed.open(backed.backup)
    #expect(try copy.verify().problems == [] && copy.head() == backed.store.log.head())
    try copy.close()
    // And grows on from there.
    try backed.grow(requests: 1)
    #expect(try backed.store.log.backup(to: backed.backup).added < 13)
    let restored = try backed.restored()
    #expect(try restored.allRecords() == backed.store.log.allRecords())
    try restored.close()
  }

  @Test func `of another store, or with another history, is left alone`() throws {
    var backed = try BackedUpStore(), other = try BackedUpStore(seed: 2)
    try backed.grow(requests: 3)
    try other.grow(requests: 6)
    _ = try backed.store.log.backup(to: backed.backup)
    let before = try Data(contentsOf: URL(filePath: backed.backup + "/data.mdb"))
    func isOccupied(_ word: String) -> (any Error) -> Bool {
      { if case .occupied(let reason)? = $0 as? StorageError { reason.contains(word) } else { false } }
    }
    #expect(performing: { try other.store.log.backup(to: backed.backup) }, throws: isOccupied("another store"))
    #expect(performing: { try other.store.log.backup(to: backed.store.path) }, throws: isOccupied("no backup"))
    try Data("hello".utf8).write(to: URL(filePath: other.folder.path + "/notes"))
    #expect(performing: { try other.store.log.backup(to: other.folder.path) }, throws: isOccupied("no backup"))
    #expect(try Data(contentsOf: URL(filePath: backed.backup + "/data.mdb")) == before)
    // A store that was made of it is the same store, until it goes its own way.
    let branch = try backed.restored()
    _ = try branch.appendAndWait([StreamAppend([Diary.removed("k", id: .number(1))], to: .bob)])
    #expect(try branch.backup(to: backed.backup).added == 1)
    try branch.close()
    #expect(performing: { try backed.store.log.backup(to: backed.backup) }, throws: isOccupied("ends at"))
    try backed.grow(requests: 3)
    #expect(performing: { try backed.store.log.backup(to: backed.backup) }, throws: isOccupied("another history"))
  }

  @Test func `that another process, or this one, has open is in use`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 2)
    _ = try backed.store.log.backup(to: backed.backup)
    let copy = try backed.open(backed.backup)
    #expect(
      performing: { try backed.store.log.backup(to: backed.backup) },
      throws: {
        if case .inUse? = $0 as? StorageError { true } else { false }
      })
    try copy.close()
    _ = try backed.store.log.backup(to: backed.backup)
  }

  @Test func `cut short while it was copied is copied anew`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 4)
    _ = try backed.store.log.backup(to: backed.backup)
    // What stands at each step of the first copy.
    for (removed, left) in [(["data.mdb", "MEMOIR"], true), (["data.mdb", "MEMOIR"], false), (["MEMOIR"], false)] {
      for name in removed { try FileManager.default.removeItem(atPath: backed.backup + "/" + name) }
      if left { try Data("half".utf8).write(to: URL(filePath: backed.backup + "/data.mdb.copying")) }
      #expect(try backed.store.log.backup(to: backed.backup).position == backed.store.log.lastPosition())
      let copy = try backed.open(backed.backup)
      #expect(try copy.head() == backed.store.log.head())
      try copy.close()
      #expect(!FileManager.default.fileExists(atPath: backed.backup + "/data.mdb.copying"))
    }
  }

  @Test func `cannot be read by others`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 4)
    _ = try backed.store.log.backup(to: backed.backup)
    try backed.grow(requests: 4)
    _ = try backed.store.log.backup(to: backed.backup)
    let restored = try backed.restored(at: .position(3))
    for folder in [backed.backup, restored.folder] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      for path in names.map({ folder + "/" + $0 }) + [folder] {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == (path == folder ? 0o700 : 0o600), "\(path)")
      }
    }
    try restored.close()
  }
}

@Suite struct `Restoring` {
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func `at any position or time gives that prefix, and its chain`(
    seed: UInt64
  ) throws {
    var backed = try BackedUpStore(seed: seed)
    try backed.grow(requests: 6)
    _ = try backed.store.log.backup(to: backed.backup)
    try backed.grow(requests: 6)
    _ = try backed.store.log.backup(to: backed.backup)
    let log = backed.store.log
    let events = try log.readAll().events
    let records = try log.allRecords()
    for position in 0...UInt64(events.count) {
      // Of an append that goes beyond it, nothing.
      var end = Int(position)
      if end < events.count { while end > 0, events[end].recordedAt == events[end - 1].recordedAt { end -= 1 } }
      var points = [RestorePoint.position(LogPosition(position))]
      if end > 0 { points.append(.recordedAt(events[end - 1].recordedAt)) }
      for point in points {
        let restored = try backed.restored(at: point)
        #expect(try restored.allRecords() == Array(records[..<end]), "\(point)")
        #expect(try restored.verify().problems == [])
        #expect(restored.storeID == log.storeID)
        if end > 0 {
          let state = try log.state(
            of: events[0].stream, by: NotebookProjector(), at: .position(LogPosition(UInt64(end))))
          #expect(try restored.state(of: events[0].stream, by: NotebookProjector())?.state == state?.state)
        }
        try restored.close()
      }
    }
  }

  @Test func `at an earlier point keeps what was revoked or removed since, and knows no later events`() throws {
    var backed = try BackedUpStore()
    try backed.store.append(Diary.written("k", "one", id: .number(1)))
    try backed.store.append(Diary.written("k", "two", id: .number(2)))
    try backed.grow(requests: 4)
    let log = backed.store.log
    try log.redact(1, of: .bob)
    #expect(try log.changeRecordsAndWait([.keep([7], at: [1, 1])], in: .keys, expecting: 0))
    try log.makeSubscription(named: "behind", after: 1)
    try log.makeSubscription(named: "ahead", after: try log.lastPosition())
    _ = try log.backup(to: backed.backup)
    let restored = try backed.restored(at: .position(2))
    #expect(try restored.readStream(.bob).events.map(\.isRedacted) == [true, false])
    #expect(try restored.record(at: [1, 1], in: .keys) == [7])
    #expect(try restored.subscriptions().map(\.checkpoint) == [2, 1])
    #expect(
      try restored.appendAndWait([StreamAppend([Diary.removed("k", id: .number(9))], to: .bob)])[0].firstPosition == 3)
    #expect(try restored.verify().problems == [])
    try restored.close()
  }

  @Test func `refuses a damaged backup, names the place, and leaves nothing`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 6)
    _ = try backed.store.log.backup(to: backed.backup)
    try StoredLog.change(in: backed.backup) { log in
      var bytes = try log.bytes(at: 5)
      bytes[bytes.count - 1] ^= 1
      log.put(bytes, at: 5)
    }
    let target = backed.folder.path + "/target"
    for point in [nil, RestorePoint.position(3), .position(7)] {
      #expect(
        performing: {
          try EventLog.restore(
            from: backed.backup, to: target, schema: Diary.schema, at: point, options: backed.store.options)
        },
        throws: {
          if case .corrupt(_, let position)? = $0 as? StorageError { position == 5 } else { false }
        })
      #expect(!FileManager.default.fileExists(atPath: target + "/data.mdb"))
    }
  }

  @Test func `goes into a new folder only, and over what an earlier restoring has left`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 3)
    _ = try backed.store.log.backup(to: backed.backup)
    let target = backed.folder.path + "/target"
    func restore() throws {
      try EventLog.restore(
        from: backed.backup, to: target + "/", schema: Diary.schema, at: .position(2), options: backed.store.options)
    }
    try FileManager.default.createDirectory(atPath: target + ".restoring/x", withIntermediateDirectories: true)
    try Data().write(to: URL(filePath: target + ".restoring/RESTORING"))
    try restore()
    #expect(!FileManager.default.fileExists(atPath: target + ".restoring"))
    #expect(!FileManager.default.fileExists(atPath: target + "/RESTORING"))
    #expect(performing: { try restore() }, throws: { if case .occupied? = $0 as? StorageError { true } else { false } })
  }

  // Whatever had that name was taken away.
  @Test func `leaves alone what is not its own, and what another is restoring`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 3)
    _ = try backed.store.log.backup(to: backed.backup)
    let target = backed.folder.path + "/target", beside = target + ".restoring"
    func problem() -> StorageError? {
      do throws(StorageError) {
        try EventLog.restore(
          from: backed.backup, to: target, schema: Diary.schema, at: .position(2), options: backed.store.options)
        return nil
      } catch {
        return error
      }
    }
    try FileManager.default.createDirectory(atPath: beside, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(filePath: beside + "/notes"))
    if case .occupied = problem() {} else { Issue.record("what others have there is no obstacle") }
    #expect(try Data(contentsOf: URL(filePath: beside + "/notes")) == Data("mine".utf8))
    #expect(!FileManager.default.fileExists(atPath: target))

    let lock = try FileLock(path: beside + "/RESTORING")
    #expect(try lock.tryLock(.exclusive))
    if case .inUse = problem() {} else { Issue.record("another restoring is no obstacle") }
    #expect(try Data(contentsOf: URL(filePath: beside + "/notes")) == Data("mine".utf8))
    try lock.unlock()
    #expect(problem() == nil)
    #expect(!FileManager.default.fileExists(atPath: beside))
  }

  // Who was overtaken took away what the other had made, and had said that it was there.
  @Test func `that another process begins at the time is left to it`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 3)
    try FileManager.default.createDirectory(atPath: backed.backup, withIntermediateDirectories: true)
    try Data("memoir-backup 1\n\(backed.store.log.storeID)\n".utf8).write(to: URL(filePath: backed.backup + "/BACKUP"))
    let copying = URL(filePath: backed.backup + "/data.mdb.copying")
    try Data("half".utf8).write(to: copying)
    let lock = try FileLock(path: backed.backup + "/openers.lock")
    #expect(try lock.tryLock(.exclusive))
    let isInUse = { (error: any Error) in if case .inUse? = error as? StorageError { true } else { false } }
    #expect(performing: { try backed.store.log.backup(to: backed.backup) }, throws: isInUse)
    #expect(try Data(contentsOf: copying) == Data("half".utf8))
    try lock.unlock()
    #expect(try backed.store.log.backup(to: backed.backup).position == backed.store.log.lastPosition())
  }

  @Test func `is told from the store where it is damaged`() throws {
    var backed = try BackedUpStore()
    try backed.grow(requests: 3)
    _ = try backed.store.log.backup(to: backed.backup)
    try Data().write(to: URL(filePath: backed.backup + "/data.mdb"))
    let isNamed = { (error: any Error) in
      if case .corrupt(let reason, _)? = error as? StorageError { reason.contains(backed.backup) } else { false }
    }
    #expect(performing: { try backed.store.log.backup(to: backed.backup) }, throws: isNamed)
    #expect(
      performing: {
        try EventLog.restore(from: backed.backup, to: backed.folder.path + "/target", schema: Diary.schema)
      }, throws: isNamed)
  }
}
