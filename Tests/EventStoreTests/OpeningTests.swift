// Opening a folder: a store, none, something else, or what is left of one.
import Bytes
import EventStore
import Foundation
import LMDB
import TestSupport
import Testing

private func note(_ number: Int) -> EventData { Diary.written("k", "text", id: .number(number)) }

private func open(_ path: String, creates: Bool = true, isReadOnly: Bool = false) throws(StorageError)
  -> EventLog
{
  var options = EventLog.Options()
  options.creates = creates
  options.isReadOnly = isReadOnly
  return try EventLog(folder: path, schema: Diary.schema, options: options)
}

private func isCorrupt(_ error: any Error) -> Bool {
  if case StorageError.corrupt = error { true } else { false }
}

private func isNoStore(_ error: any Error) -> Bool {
  if case StorageError.notAStore = error { true } else { false }
}

private func content(of path: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: path).sorted()
}

@Suite struct `Opening a folder without a store` {
  @Test func `makes one only where that is asked for`() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/new"
    #expect(throws: StorageError.missing(folder: path)) { try open(path, creates: false) }
    #expect(throws: StorageError.missing(folder: path)) { try open(path, isReadOnly: true) }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(throws: StorageError.missing(folder: folder.path)) { try open(folder.path, creates: false) }
    #expect(throws: StorageError.missing(folder: folder.path)) { try open(folder.path, isReadOnly: true) }
    #expect(try content(of: folder.path) == [])

    #expect(try open(path).lastPosition() == 0)
    #expect(try open(path, creates: false).lastPosition() == 0)
    #expect(try open(folder.path + "/a/b/c").lastPosition() == 0)
  }

  // Our lock was left behind among the files of others.
  @Test func `leaves other files alone`() throws {
    let folder = TemporaryFolder()
    try Data("mine".utf8).write(to: URL(filePath: folder.path + "/notes.txt"))
    for creates in [true, false] {
      #expect(performing: { try open(folder.path, creates: creates) }, throws: isNoStore)
    }
    #expect(try content(of: folder.path) == ["notes.txt"])
    #expect(performing: { try open(folder.path + "/notes.txt") }, throws: isNoStore)
  }

  @Test func `leaves another program's database alone`() throws {
    let folder = TemporaryFolder()
    do {
      let environment = try Environment(folder: folder.path)
      let table = try environment.openTables(["theirs"])[0]
      var transaction = try environment.beginWrite()
      try transaction.put([1].rawSpan, at: [2].rawSpan, in: table)
      try transaction.commit()
    }
    let before = try Data(contentsOf: URL(filePath: folder.path + "/data.mdb"))
    #expect(performing: { try open(folder.path) }, throws: isNoStore)
    #expect(try Data(contentsOf: URL(filePath: folder.path + "/data.mdb")) == before)
    #expect(try !content(of: folder.path).contains("MEMOIR"))
  }
}

@Suite struct `Opening what is left of a store` {
  private func damaged(_ damage: (TemporaryStore) throws -> Void) throws -> TemporaryStore {
    let store = try TemporaryStore()
    for number in 1...300 { try store.append(note(number)) }
    try store.log.close()
    try damage(store)
    return store
  }

  @Test func `without its data is corrupt, never a new store`() throws {
    let gone = try damaged { try FileManager.default.removeItem(atPath: $0.dataFile) }
    #expect(performing: { try open(gone.path) }, throws: isCorrupt)
    let empty = try damaged { try Data().write(to: URL(filePath: $0.dataFile)) }
    #expect(performing: { try open(empty.path) }, throws: isCorrupt)
    #expect(try Data(contentsOf: URL(filePath: empty.dataFile)).isEmpty)
  }

  @Test(arguments: [0.99, 0.5, 0.1]) func `with its data cut short is corrupt`(share: Double) throws {
    let store = try damaged { store in
      let handle = try FileHandle(forWritingTo: URL(filePath: store.dataFile))
      let size = try handle.seekToEnd()
      try handle.truncate(atOffset: UInt64(Double(size) * share))
      try handle.close()
    }
    for isReadOnly in [true, false] {
      do throws(StorageError) {
        // Where only free pages were cut off, nothing is lost.
        let log = try open(store.path, isReadOnly: isReadOnly)
        #expect(share > 0.9)
        #expect(try log.readAll().events.count == 300)
        #expect(try log.verify().problems.allSatisfy { $0.kind == .file })
      } catch {
        #expect(isCorrupt(error), "\(error)")
      }
    }
  }

  @Test func `with another's data is corrupt`() throws {
    let other = try TemporaryStore()
    try other.append(note(1))
    try other.log.close()
    let store = try damaged { store in
      try FileManager.default.removeItem(atPath: store.dataFile)
      try FileManager.default.copyItem(atPath: other.dataFile, toPath: store.dataFile)
    }
    #expect(performing: { try open(store.path) }, throws: isCorrupt)
  }

  // The marker is written last, so a making that was cut short lacks it.
  @Test func `without its marker is a store still, and gets it again`() throws {
    let store = try damaged { try FileManager.default.removeItem(atPath: $0.path + "/MEMOIR") }
    #expect(try open(store.path, isReadOnly: true).lastPosition() == 300)
    #expect(try !content(of: store.path).contains("MEMOIR"))
    #expect(try open(store.path).storeID == store.log.storeID)
    #expect(try content(of: store.path).contains("MEMOIR"))
  }

  @Test func `with a marker that says something else is no store`() throws {
    let store = try damaged { try Data("hello\n".utf8).write(to: URL(filePath: $0.path + "/MEMOIR")) }
    #expect(performing: { try open(store.path) }, throws: isNoStore)
  }

  // Opening waited for ever for somebody to write to the pipe, and said of the large file that the disk was full.
  @Test(arguments: ["pipe", "folder", "large"]) func `with a marker of another kind is no store`(kind: String) throws {
    let store = try damaged { store in
      let marker = store.path + "/MEMOIR"
      try FileManager.default.removeItem(atPath: marker)
      switch kind {
      case "pipe": #expect(unsafe mkfifo(marker, 0o600) == 0)
      case "folder": try FileManager.default.createDirectory(atPath: marker, withIntermediateDirectories: false)
      default: try Data(count: 100_000).write(to: URL(filePath: marker))
      }
    }
    #expect(performing: { try open(store.path) }, throws: isNoStore)
  }

  @Test(arguments: ["openers.lock", "replay.log"]) func `with a pipe in place of another file does not wait`(
    name: String
  ) throws {
    let store = try damaged { store in
      _ = try? FileManager.default.removeItem(atPath: store.path + "/" + name)
      #expect(unsafe mkfifo(store.path + "/" + name, 0o600) == 0)
    }
    if name == "openers.lock" {
      #expect(throws: StorageError.self) { try open(store.path) }
    } else {
      #expect(try open(store.path).replay(by: NotebookProjector()).streams == 1)
    }
  }

  // A crash between LMDB's making of the file and our first commit left a folder that was nobody's for ever.
  @Test(arguments: [[], ["log0"], ["log0", "heads", "meta"]])
  func `with a making cut short before its first commit is made anew`(
    tables: [String]
  ) throws {
    let folder = TemporaryFolder()
    try Data().write(to: URL(filePath: folder.path + "/MEMOIR.making"))
    do {
      let environment = try Environment(folder: folder.path)
      _ = try environment.openTables(tables)
    }
    #expect(throws: StorageError.missing(folder: folder.path)) { try open(folder.path, creates: false) }
    #expect(throws: StorageError.missing(folder: folder.path)) { try open(folder.path, isReadOnly: true) }
    let log = try open(folder.path)
    try log.appendAndWait([StreamAppend([note(1)], to: .bob)])
    try log.close()
    #expect(try open(folder.path, creates: false).lastPosition() == 1)
  }

  @Test func `with a making cut short before its data is made anew`() throws {
    let folder = TemporaryFolder()
    try Data().write(to: URL(filePath: folder.path + "/data.mdb"))
    try Data().write(to: URL(filePath: folder.path + "/openers.lock"))
    #expect(throws: StorageError.missing(folder: folder.path)) { try open(folder.path, creates: false) }
    #expect(try open(folder.path).lastPosition() == 0)
  }
}

@Suite struct `A store of a newer format` {
  @Test func `is refused by what its marker says`() throws {
    let store = try TemporaryStore()
    try store.log.close()
    try Data("memoir 9\n\(store.log.storeID)\n".utf8).write(to: URL(filePath: store.path + "/MEMOIR"))
    #expect(throws: StorageError.newerFormat(found: 9, supported: 2)) { try open(store.path) }
    #expect(throws: StorageError.newerFormat(found: 9, supported: 2)) {
      try open(store.path, isReadOnly: true)
    }
  }

  @Test func `is refused by what its data says`() throws {
    let store = try TemporaryStore()
    try store.log.close()
    do {
      let environment = try Environment(folder: store.path)
      let table = try environment.openTables(["meta"])[0]
      var transaction = try environment.beginWrite()
      try transaction.put([9, 0, 0, 0].rawSpan, at: Array("format".utf8).rawSpan, in: table)
      try transaction.commit()
    }
    #expect(throws: StorageError.newerFormat(found: 9, supported: 2)) { try open(store.path) }
  }
}

@Suite struct `A store opened for reading only` {
  @Test func `is read in full, and never written to`() throws {
    let store = try TemporaryStore()
    for number in 1...20 { try store.append(note(number)) }
    try store.log.close()
    let before = try Data(contentsOf: URL(filePath: store.dataFile))
    do {
      var options = EventLog.Options()
      options.isReadOnly = true
      options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
      let log = try EventLog(folder: store.path, schema: Diary.schema, options: options)
      #expect(try log.readAll().events.count == 20)
      #expect(try log.state(of: .bob, by: NotebookProjector())?.state.events == 20)
      #expect(try log.verify().isSound)
      func isDenied(_ error: any Error) -> Bool {
        switch error {
        case StorageError.denied, AppendError.storage(.denied): true
        default: false
        }
      }
      #expect(performing: { try log.appendAndWait([StreamAppend([note(21)], to: .bob)]) }, throws: isDenied)
      #expect(performing: { try log.redact(1, of: .bob) }, throws: isDenied)
      #expect(performing: { try log.clearSnapshots() }, throws: isDenied)
      try log.storeDueSnapshots()
      try log.close()
    }
    #expect(try Data(contentsOf: URL(filePath: store.dataFile)) == before)
  }
}

@Suite struct `A store that is open` {
  @Test func `is not opened a second time in the process`() throws {
    let store = try TemporaryStore()
    #expect(
      performing: { try open(store.path) },
      throws: { if case StorageError.inUse = $0 { true } else { false } })
    try store.append(note(1))
    #expect(try store.log.lastPosition() == 1)
  }

  @Test func `has nothing to do with one of another folder`() throws {
    let first = try TemporaryStore()
    let second = try TemporaryStore()
    #expect(first.log.storeID != second.log.storeID)
    try first.append(note(1))
    try second.append(note(1), note(2), to: .alice)
    try first.log.close()
    #expect(try second.log.lastPosition() == 2)
    try second.append(note(3))
    #expect(try second.log.streams().map(\.name) == [.alice, .bob])
  }
}
