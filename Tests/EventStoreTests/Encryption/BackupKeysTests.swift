// Backups of an encrypted store: what is damaged in the one never takes the place of what is whole in the other.
import Bytes
import Foundation
import LMDB
import TestSupport
import Testing

@testable import EventStore

/// Bob's and alice's store, and its backup beside it.
private struct KeysDesk {
  let store: TemporaryStore
  let folder = TemporaryFolder()
  var backup: String { folder.path + "/backup" }

  init(isEncrypted: Bool = true) throws {
    store = try TemporaryStore(isEncrypted ? .encrypted() : EventLog.Options())
    for number in 1...4 {
      try store.append(Diary.written("k", "text \(number)", id: .number(number)), to: number % 2 == 0 ? .alice : .bob)
    }
    _ = try store.log.backup(to: backup)
  }

  /// What the backup has of somebody.
  func backedUp(_ stream: StreamName = .bob, key: UInt8 = 1) throws -> [KeptEvent] {
    var options = store.options
    if options.masterKey != nil { options.masterKey = try .numbered(key) }
    let log = try EventLog(folder: backup, schema: Diary.schema, options: options)
    defer { try? log.close() }
    return try log.readStream(stream).events.map { KeptEvent($0) }
  }
}

extension TemporaryStore {
  fileprivate func damage(
    _ key: [UInt8], _ table: (Tables) throws -> Table? = { try $0.secretTable() }
  ) throws {
    try tamper { transaction, tables in
      let table = try #require(try table(tables))
      var value = try #require(try transaction.value(of: key.rawSpan, in: table)?.array())
      value[value.count / 2] ^= 1
      try transaction.put(value.rawSpan, at: key.rawSpan, in: table)
    }
  }
}

@Suite struct `A backup of an encrypted store` {
  enum Loss: CaseIterable {
    case aBit, theRow, itsPlace
  }

  // A grown backup took over the row with the flipped bit, and nobody had bob's keys any more.
  @Test(arguments: Loss.allCases, [false, true])
  func `keeps somebody's keys that the store has lost`(loss: Loss, copiesAnew: Bool) throws {
    let desk = try KeysDesk()
    let (store, key) = (desk.store, Key.stream(1))
    let events = try desk.backedUp()
    switch loss {
    case .aBit: try store.damage(key)
    case .theRow:
      try store.tamper { transaction, tables in
        _ = try transaction.delete(key.rawSpan, in: try tables.secretTable())
      }
    case .itsPlace:
      try store.tamper { transaction, tables in
        let table = try tables.secretTable()
        let other = try #require(try transaction.fetchIndexed(Key.stream(2), from: table, named: "")?.array())
        try transaction.storeIndexed(other, at: key, in: table)
      }
    }
    if copiesAnew { try store.log.redact(1, of: .alice) }
    try store.append(Diary.written("k", "more", id: .number(9)), to: .alice)
    for _ in 0..<2 {
      let error = #expect(throws: StorageError.self) { try store.log.backup(to: desk.backup) }
      guard case .corrupt(let reason, _) = error else { throw Mismatch(description: "\(String(describing: error))") }
      #expect(reason.contains("bob"))
      #expect(try desk.backedUp() == events)
    }
    // Where there is nothing to be lost, what can be saved is.
    _ = try store.log.backup(to: desk.folder.path + "/other")
    // And the one that has the keys is good for a new store.
    let path = desk.folder.path + "/restored"
    try EventLog.restore(from: desk.backup, to: path, schema: Diary.schema, options: store.options)
  }

  @Test func `is given keys again that were damaged in it`() throws {
    let desk = try KeysDesk()
    let events = try desk.backedUp()
    let before = try TemporaryStore(desk.store.options)
    try before.reopen {
      try FileManager.default.removeItem(atPath: before.path)
      try FileManager.default.copyItem(atPath: desk.backup, toPath: before.path)
    }
    try before.damage(Key.stream(1))
    #expect(throws: StorageError.self) { try before.log.readStream(.bob) }
    try before.log.close()
    try FileManager.default.removeItem(atPath: desk.backup)
    try FileManager.default.copyItem(atPath: before.path, toPath: desk.backup)
    #expect(throws: StorageError.self) { try desk.backedUp() }
    _ = try desk.store.log.backup(to: desk.backup)
    #expect(try desk.backedUp() == events)
  }

  // Each store has it twice, and goes on with the other one.
  @Test(arguments: [true, false]) func `keeps what says how it is encrypted`(isGone: Bool) throws {
    let desk = try KeysDesk()
    let store = desk.store
    if isGone {
      try store.tamper { transaction, tables in
        try transaction.remove(SecretTable.storeKey, from: try tables.secretTable())
      }
    } else {
      try store.damage(SecretTable.storeKey)
    }
    #expect(try !store.log.verify().isSound)
    try store.append(Diary.written("k", "more", id: .number(9)))
    #expect(try store.log.backup(to: desk.backup).added == 1)
    let log = try EventLog(folder: desk.backup, schema: Diary.schema, options: store.options)
    #expect(try log.verify().problems == [])
    try log.close()
  }

  @Test(arguments: [true, false]) func `keeps a record that is damaged in the store`(isEncrypted: Bool) async throws {
    let desk = try KeysDesk(isEncrypted: isEncrypted)
    let store = desk.store
    try await store.log.keepRecord([7], at: [9], in: .receipts)
    _ = try store.log.backup(to: desk.backup)
    try store.damage([9]) { $0.records(of: .receipts)?.table }
    #expect(throws: StorageError.self) { try store.log.record(at: [9], in: .receipts) }
    try store.append(Diary.written("k", "more", id: .number(9)))
    #expect(try store.log.backup(to: desk.backup).added == 1)
    let log = try EventLog(folder: desk.backup, schema: Diary.schema, options: store.options)
    #expect(try log.record(at: [9], in: .receipts) == [7])
    #expect(try log.verify().problems == [])
    try log.close()
  }

  // With another master key nobody looked where the backup ended, and a store that had been restored from long ago took
  // the place of all that came since.
  @Test func `is not replaced by a store that it goes on after, whatever the master key`() throws {
    let desk = try KeysDesk()
    let store = desk.store
    let old = desk.folder.path + "/old"
    try EventLog.restore(from: desk.backup, to: old, schema: Diary.schema, options: store.options)
    let oldOptions = store.options
    try store.append(Diary.written("k", "more", id: .number(9)))
    try store.log.close()
    _ = try EventLog.rotateMasterKey(of: store.path, from: .numbered(1), to: .numbered(2), schema: Diary.schema)
    store.options.masterKey = try .numbered(2)
    try store.reopen()
    _ = try store.log.backup(to: desk.backup)
    let events = try desk.backedUp(key: 2)
    #expect(events.count == 3)
    let log = try EventLog(folder: old, schema: Diary.schema, options: oldOptions)
    for number in [10, 11] {
      // It ends before the backup, then elsewhere.
      let error = #expect(throws: StorageError.self) { try log.backup(to: desk.backup) }
      guard case .occupied = error else { throw Mismatch(description: "\(String(describing: error))") }
      #expect(try desk.backedUp(key: 2) == events)
      try log.appendAndWait([StreamAppend([Diary.written("k", "else", id: .number(number))], to: .bob)])
    }
    try log.close()
  }
}
