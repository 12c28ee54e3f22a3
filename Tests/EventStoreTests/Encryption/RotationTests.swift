// Another master key for a store: all of its keys under the new one, none under the old, and no event touched.
import Foundation
import LMDB
import TestSupport
import Testing

@testable import EventStore

/// Some users' events, a snapshot, a record; bob was erased and is back.
private func filledStore() async throws -> TemporaryStore {
  var options = try EventLog.Options.encrypted(1)
  options.blockSize = 16
  let store = try TemporaryStore(options)
  for number in 1...60 {
    try store.append(Diary.written("k", "text \(number)", id: .number(number)), to: .named("user-\(number % 7)"))
  }
  try store.append(Diary.written("k", "text", id: .number(99)))
  _ = try await store.log.erase(.bob, by: "the office")
  try store.append(Diary.written("k", "back", id: .number(100)))
  try store.append(Diary.written("k", "gone", id: .number(101)), to: .alice)
  _ = try await store.log.erase(.alice, by: "the office")
  try await store.log.keepRecord([1, 2, 3], at: [9], in: .receipts)
  return store
}

extension TemporaryStore {
  /// The wrapped keys, as they are in the file.
  fileprivate func wrappedKeys() throws -> [[UInt8]] {
    let view = try log.view()
    var cursor = try view.transaction.scan(try log.tables.secretTable())
    var rows: [[UInt8]] = []
    while let entry = try cursor.toNext() { rows.append(entry.value.array()) }
    return rows
  }
}

@Suite struct `Changing the master key` {
  @Test func `wraps every key anew, and leaves the events as they are`() async throws {
    let store = try await filledStore()
    let folder = TemporaryFolder()
    _ = try store.log.backup(to: folder.path + "/backup")
    let (sealed, keys) = (try store.sealed(), try store.wrappedKeys())
    let events = try store.log.keptEvents()
    let chain = try store.log.verify().chain
    #expect(keys.count == 9)
    try store.log.close()

    let rotation = try EventLog.rotateMasterKey(
      of: store.path, from: .numbered(1), to: .numbered(2), schema: Diary.schema)
    #expect(rotation.streams == 8 && rotation.isScrubbed)
    #expect(try rotation.encryption.masterKeyID == MasterKey.numbered(2).id)
    #expect(throws: StorageError.self) { try store.reopen() }
    let oldOptions = store.options
    store.options.masterKey = try .numbered(2)
    try store.reopen()
    #expect(try store.sealed() == sealed && store.log.keptEvents() == events)
    #expect(try store.log.record(at: [9], in: .receipts) == [1, 2, 3])
    #expect(try store.log.verify().problems == [] && store.log.verify().chain == chain)
    // Nothing of what was wrapped before is in any file.
    for row in keys { #expect(try store.files(holding: Array(row.dropLast(4))) == []) }
    #expect(try store.wrappedKeys().count == 9)
    // And it goes on.
    try store.append(Diary.written("k", "more", id: .number(200)), to: .named("user-1"))
    try store.append(Diary.written("k", "new", id: .number(201)), to: .named("user-new"))
    try store.append(Diary.written("k", "back", id: .number(202)), to: .alice)
    #expect(try store.log.verify().problems == [])

    // A backup from before takes the key from before, and is made anew by the next one.
    #expect(throws: StorageError.self) {
      try EventLog(folder: folder.path + "/backup", schema: Diary.schema, options: store.options)
    }
    let old = try EventLog(folder: folder.path + "/backup", schema: Diary.schema, options: oldOptions)
    #expect(try old.keptEvents() == events)
    try old.close()
    _ = try store.log.backup(to: folder.path + "/backup")
    let new = try EventLog(folder: folder.path + "/backup", schema: Diary.schema, options: store.options)
    #expect(try new.keptEvents() == store.log.keptEvents())
    try new.close()
  }

  @Test func `is refused with the wrong key, to the same key, of a plain store, and while it is open`() async throws {
    let store = try await filledStore()
    let events = try store.log.keptEvents()
    func rotate(_ old: UInt8, _ new: UInt8, _ path: String? = nil) throws -> StorageError? {
      #expect(throws: StorageError.self) {
        try EventLog.rotateMasterKey(
          of: path ?? store.path, from: .numbered(old), to: .numbered(new), schema: Diary.schema)
      }
    }
    guard case .inUse = try rotate(1, 2) else { throw Mismatch(description: "it was not in use") }
    try store.log.close()
    for (old, new) in [(2, 3), (1, 1)] as [(UInt8, UInt8)] {
      guard case .wrongKey = try rotate(old, new) else { throw Mismatch(description: "\(old) to \(new)") }
    }
    let plain = try TemporaryStore()
    try plain.log.close()
    guard case .wrongKey = try rotate(1, 2, plain.path) else { throw Mismatch(description: "of a plain store") }
    try store.reopen()
    #expect(try store.log.keptEvents() == events)
  }

  // A backup that was cut short has keys of streams whose events it has not got yet.
  @Test func `leaves none under the old one, also of streams that are not in the log`() async throws {
    let store = try await filledStore()
    let unused = [UInt8](repeating: 0x5a, count: 100)
    try store.tamper { transaction, tables in
      try transaction.storeIndexed(unused, at: Key.stream(99), in: try tables.secretTable())
    }
    try store.log.close()
    _ = try EventLog.rotateMasterKey(of: store.path, from: .numbered(1), to: .numbered(2), schema: Diary.schema)
    store.options.masterKey = try .numbered(2)
    try store.reopen()
    #expect(try store.files(holding: unused) == [])
    #expect(try store.wrappedKeys().count == 9 && store.log.verify().problems == [])
  }

  @Test func `changes nothing where a stream's keys are damaged`() async throws {
    let store = try await filledStore()
    try store.tamper { transaction, tables in
      let (key, table) = (Key.stream(3), try tables.secretTable())
      var value = try #require(try transaction.value(of: key.rawSpan, in: table)?.array())
      value[30] ^= 1
      try transaction.put(value.rawSpan, at: key.rawSpan, in: table)
    }
    let keys = try store.wrappedKeys()
    try store.log.close()
    let error = #expect(throws: StorageError.self) {
      try EventLog.rotateMasterKey(of: store.path, from: .numbered(1), to: .numbered(2), schema: Diary.schema)
    }
    guard case .corrupt = error else { throw Mismatch(description: "\(String(describing: error))") }
    try store.reopen()
    #expect(try store.wrappedKeys() == keys)
  }
}

@Suite struct `A master key` {
  @Test func `is never printed`() throws {
    let key = try MasterKey.numbered(0xab)
    let secret = String(repeating: "ab", count: 32)
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), String(describing: Optional(key)), dumped] {
      #expect(!text.contains(secret) && !text.contains("171"), "\(text)")
      #expect(text.contains(key.id))
    }
    #expect(key.id.count == 16 && key.hexadecimal == secret)
    #expect(try key.id != MasterKey.numbered(0xac).id)
    #expect(MasterKey(bytes: []) == nil && MasterKey(bytes: Array(repeating: 1, count: 33)) == nil)
    #expect(MasterKey.random() != MasterKey.random())
  }
}
