// An encrypted store: nothing is readable without its key, and with it everything is as in any other.
import Bytes
import Foundation
import LMDB
import Sodium
import TestSupport
import Testing

@testable import EventStore

private let marker = "Zebulon"
private let vectors = DerivedKind("vectors")

extension TemporaryStore {
  /// Has somebody say something in every form there is, and makes something of it in every way there is.
  fileprivate func fill(_ numbers: ClosedRange<Int>) async throws {
    for number in numbers {
      let first = 10 * number
      try append(
        Diary.written("key of \(marker) \(number)", "text of \(marker)", id: .number(first))
          .inSession(.named("session \(number % 3)")),
        Diary.custom("feeling \(marker)", id: .number(first + 1)),
        Diary.custom("other \(marker)", named: "app.other", id: .number(first + 2)),
        Diary.valued("json", #"{"a":"\#(marker)"}"#, id: .number(first + 3)).with(metadata: #"{"by":"\#(marker)"}"#))
      try append(Diary.written("a\(number % 5)", "\(marker) said so", id: .number(number)), to: .alice)
      if number % 10 == 0 {
        for point in [AsOf.head, .occurredAt(.latest)] { _ = try notebook(at: point) }
        try log.storeDueSnapshots()
        let entry = DerivedEntry(of: StreamVersion(UInt64(number)), in: .bob, bytes: Array("vector \(marker)".utf8))
        #expect(try await log.storeDerived([entry], as: vectors, redactions: log.redactionCount()))
      }
    }
    for kind in StoreRecords.allCases where kind != .access && kind != .erasures {
      try await log.keepRecord(Array("record of \(marker)".utf8), at: [1, 2, 3], in: kind)
    }
    try log.appendToJournal([JournalDraft(subject: [1], content: Array("asked for \(marker)".utf8))], in: .access)
    #expect(
      try await log.changeRecords(
        [.keep(Array("\(marker)'s grant".utf8), at: [7])], in: .grants,
        expecting: log.recordVersion(of: .grants)))
  }
}

@Suite struct `An encrypted store` {
  @Test(arguments: [1, 3, 65_536], SealingAlgorithm.allCases)
  func `has nothing of what people said in any file`(blockSize: Int, algorithm: SealingAlgorithm) async throws {
    guard algorithm.isAvailable else { return }
    for isEncrypted in [true, false] {
      var options = isEncrypted ? try EventLog.Options.encrypted(1, algorithm) : EventLog.Options()
      options.blockSize = blockSize
      options.stepLimit = blockSize == 3 ? 2 : nil
      options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 100)
      let store = try TemporaryStore(options)
      try await store.fill(1...40)
      // The control: without encryption it is there.
      let expected = isEncrypted ? [] : ["data.mdb"]
      #expect(try store.files(holding: marker) == expected)
      try store.reopen()
      try await store.fill(41...50)
      #expect(try store.files(holding: marker) == expected)
      #expect(try store.log.verify().problems == [])
      #expect(try store.log.verify().snapshots > 0)

      // All of it is there for whoever has the key.
      #expect(try store.notebook()?.events == 200)
      #expect(try store.notebook() == store.notebook(usesSnapshots: false))
      let event = try #require(try store.log.event(.number(103), of: .bob))
      #expect(event.metadata.description == #"{"by":"\#(marker)"}"#)
      #expect(try store.log.record(at: [1, 2, 3], in: .receipts) == Array("record of \(marker)".utf8))
      var found = 0
      _ = try store.log.forEachDerived(vectors, of: .bob) { _, bytes in
        #expect(bytes.array() == Array("vector \(marker)".utf8))
        found += 1
      }
      #expect(found == 5)
      #expect(store.log.encryption?.algorithm == (isEncrypted ? algorithm.name : nil))
      let statistics = try store.log.storeStatistics(for: NotebookProjector())
      #expect(statistics.encryption == store.log.encryption && statistics.format == (isEncrypted ? 2 : 1))
    }
  }

  @Test func `has no secret in its log or index`() throws {
    let store = try TemporaryStore(.encrypted())
    try store.append(Diary.written("k", "text", id: .number(1)))
    let view = try store.log.view()
    let epoch = try view.index.epoch(of: 1, view.transaction)
    #expect(epoch.secret != .zero && epoch.dataKey != nil)
    let secret = try view.record(at: 1).secret
    #expect(secret == .zero)
    for bytes in [epoch.secret, try #require(epoch.dataKey).key] {
      var writer = ByteWriter()
      bytes.write(into: &writer)
      #expect(try store.files(holding: writer.bytes) == [])
    }
    #expect(try store.files(holding: Array(repeating: 1, count: MasterKey.size)) == [])
  }

  @Test(arguments: [false, true]) func `opens with its master key alone`(isReadOnly: Bool) throws {
    let store = try TemporaryStore(.encrypted())
    try store.append(Diary.written("k", "text", id: .number(1)))
    try store.log.close()
    let before = try Data(contentsOf: URL(filePath: store.dataFile))
    var options = store.options
    options.isReadOnly = isReadOnly
    for wrong in [nil, try MasterKey.numbered(2)] {
      options.masterKey = wrong
      let error = #expect(throws: StorageError.self) {
        try EventLog(folder: store.path, schema: Diary.schema, options: options)
      }
      guard case .wrongKey(let reason) = error else { throw Mismatch(description: "\(String(describing: error))") }
      #expect(reason.contains(try MasterKey.numbered(1).id))
    }
    #expect(try Data(contentsOf: URL(filePath: store.dataFile)) == before)
    options.masterKey = store.options.masterKey
    let log = try EventLog(folder: store.path, schema: Diary.schema, options: options)
    #expect(try log.readStream(.bob).events.count == 1)
    try log.close()
  }

  @Test func `is only made so: another is not opened with a key`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.written("k", "text", id: .number(1)))
    try store.log.close()
    var options = store.options
    options.masterKey = try .numbered(1)
    let error = #expect(throws: StorageError.self) {
      try EventLog(folder: store.path, schema: Diary.schema, options: options)
    }
    guard case .wrongKey = error else { throw Mismatch(description: "\(String(describing: error))") }
    try store.reopen()
    #expect(store.log.encryption == nil)
  }

  // The whole store hangs on this row, so that it stands there twice.
  @Test(arguments: [true, false], [true, false])
  func `opens where one of the two rows that say how it is encrypted is damaged`(isFirst: Bool, isGone: Bool) throws {
    let store = try TemporaryStore(.encrypted())
    try store.append(Diary.written("k", "text", id: .number(1)))
    try store.tamper { transaction, tables in
      let key = isFirst ? SecretTable.storeKey : Key.meta(.encryption)
      let table = isFirst ? try tables.secretTable() : tables.meta
      if isGone {
        _ = try transaction.delete(key.rawSpan, in: table)
      } else {
        var value = try #require(try transaction.value(of: key.rawSpan, in: table)?.array())
        value[5] ^= 1
        try transaction.put(value.rawSpan, at: key.rawSpan, in: table)
      }
    }
    #expect(try store.log.readStream(.bob).events.count == 1)
    let problems = try store.log.verify().problems
    #expect(problems.map(\.kind) == [.records] && problems.first?.reason.contains("one of the two rows") == true)
    try store.log.close()
    _ = try EventLog.rotateMasterKey(of: store.path, from: .numbered(1), to: .numbered(2), schema: Diary.schema)
    store.options.masterKey = try .numbered(2)
    try store.reopen()
    #expect(try store.log.verify().problems == [])
    #expect(try store.log.readStream(.bob).events.count == 1)
  }

  @Test func `says that it is damaged where both rows that say how it is encrypted are gone`() throws {
    let store = try TemporaryStore(.encrypted())
    try store.append(Diary.written("k", "text", id: .number(1)))
    #expect(throws: StorageError.self) {
      try store.tamper { transaction, tables in
        let (key, table) = (SecretTable.storeKey, try tables.secretTable())
        _ = try transaction.delete(key.rawSpan, in: table)
        _ = try transaction.delete(Key.meta(.encryption).rawSpan, in: tables.meta)
      }
    }
    var options = store.options
    options.masterKey = nil
    for options in [options, store.options] {
      #expect(throws: StorageError.self) { try EventLog(folder: store.path, schema: Diary.schema, options: options) }
    }
  }

  // The chain of the access log follows from what it says.
  @Test func `does not show where its access log ends`() throws {
    for isEncrypted in [true, false] {
      let store = try TemporaryStore(isEncrypted ? .encrypted() : EventLog.Options())
      try store.log.appendToJournal([JournalDraft(subject: [1], content: [2])], in: .access)
      let chain = try #require([UInt8](hexadecimal: try store.log.verify().accessChain))
      #expect(try store.files(holding: chain) == (isEncrypted ? [] : ["data.mdb"]))
    }
  }

  // Their nonces are random, and there is no end of them: twelve bytes would repeat one day.
  @Test(arguments: SealingAlgorithm.allCases) func `has long nonces for its records`(algorithm: SealingAlgorithm) throws
  {
    guard algorithm.isAvailable else { return }
    let store = try TemporaryStore(.encrypted(1, algorithm))
    let cipher = try #require(store.log.tables.cipher)
    let (value, key) = ([1, 2, 3] as [UInt8], [9] as [UInt8])
    let sealed = cipher.seal(value.rawSpan, at: key.rawSpan, in: "records_receipts")
    #expect(sealed.count == value.count + SealingAlgorithm.xChaCha20Poly1305.overhead)
    let opened = cipher.open(sealed.rawSpan, at: key.rawSpan, in: "records_receipts")
    #expect(opened == value)
  }

  // What an event is sealed with follows from its history, so that no two have one nonce; also not in a store that was
  // restored at an earlier point and went on otherwise.
  @Test(arguments: SealingAlgorithm.allCases)
  func `never seals two things with one nonce`(algorithm: SealingAlgorithm) async throws {
    guard algorithm.isAvailable else { return }
    var options = try EventLog.Options.encrypted(1, algorithm)
    options.blockSize = 8
    let store = try TemporaryStore(options)
    for number in 1...60 {
      try store.append(
        Diary.written("k\(number % 3)", "text \(number % 4)", id: .number(number)),
        to: number % 2 == 0 ? .bob : .alice)
    }
    let folder = TemporaryFolder()
    _ = try store.log.backup(to: folder.path + "/backup")
    var sealed = Array(try store.sealed().values)
    #expect(sealed.count == 60)
    for branch in 0..<3 {
      let path = folder.path + "/\(branch)"
      try EventLog.restore(
        from: folder.path + "/backup", to: path, schema: Diary.schema, at: .position(30), options: store.options)
      let restored = try TemporaryStore(store.options)
      try restored.log.close()
      try FileManager.default.removeItem(atPath: restored.path)
      try FileManager.default.moveItem(atPath: path, toPath: restored.path)
      try restored.reopen()
      // The same ids and texts as in the other histories, later.
      restored.clock.advance(byMicroseconds: Int64(branch) * 1_000)
      for number in 31...60 {
        try restored.append(
          Diary.written("k\(number % 3)", "text \(number % 4)", id: .number(number)),
          to: number % 2 == 0 ? .bob : .alice)
      }
      #expect(try restored.log.verify().problems == [])
      sealed += try restored.sealed().values
    }
    var byNonce: [[UInt8]: Set<[UInt8]>] = [:]
    for bytes in sealed { byNonce[Array(bytes.prefix(algorithm.nonceSize)), default: []].insert(bytes) }
    #expect(byNonce.values.allSatisfy { $0.count == 1 })
    #expect(byNonce.count >= 60 + 2 * 30)
  }

  @Test func `is the same record for record in a backup, which takes the same key`() throws {
    var options = try EventLog.Options.encrypted()
    options.blockSize = 8
    let store = try TemporaryStore(options)
    let folder = TemporaryFolder()
    let backup = folder.path + "/backup"
    for part in 0..<4 {
      for number in 1...15 {
        try store.append(
          Diary.written("k\(number % 3)", "\(marker) \(number)", id: .number(100 * part + number)),
          to: .named("user-\(part)-\(number % 4)"))
      }
      #expect(try store.log.backup(to: backup).added == 15)
    }
    for name in try FileManager.default.contentsOfDirectory(atPath: backup) {
      #expect(try Data(contentsOf: URL(filePath: backup + "/" + name)).range(of: Data(marker.utf8)) == nil)
    }
    #expect(throws: StorageError.self) { try EventLog(folder: backup, schema: Diary.schema) }
    #expect(throws: StorageError.self) {
      try EventLog.restore(from: backup, to: folder.path + "/without", schema: Diary.schema)
    }
    for point in [nil, RestorePoint.position(22)] {
      let path = folder.path + "/restored-\(point == nil)"
      try EventLog.restore(from: backup, to: path, schema: Diary.schema, at: point, options: store.options)
      let log = try EventLog(folder: path, schema: Diary.schema, options: store.options)
      let found = try log.keptEvents(), all = try store.log.keptEvents()
      #expect(found == Array(all.prefix(point == nil ? 60 : 22)))
      #expect(try log.verify().problems == [])
      #expect(log.encryption == store.log.encryption)
      // It goes on, also with somebody new.
      try log.appendAndWait([StreamAppend([Diary.written("k", "new", id: .number(9_999))], to: .named("somebody"))])
      try log.appendAndWait([StreamAppend([Diary.written("k", "new", id: .number(9_999))], to: .named("user-0-1"))])
      #expect(try log.verify().problems == [])
      try log.close()
    }
  }

  @Test func `can be compacted, with its key`() throws {
    let store = try TemporaryStore(.encrypted())
    for number in 1...50 { try store.append(Diary.written("k", "text \(number)", id: .number(number))) }
    let events = try store.log.keptEvents()
    try store.log.close()
    #expect(throws: StorageError.self) { try EventLog.compact(store.path, schema: Diary.schema) }
    _ = try EventLog.compact(store.path, schema: Diary.schema, masterKey: store.options.masterKey)
    try store.reopen()
    #expect(try store.log.keptEvents() == events)
  }

  // All places that records can be in, read in all ways, erased and redacted there.
  @Test(arguments: RunStage.allCases) func `reads as any other, also while its records are moved`(
    stage: RunStage
  ) async throws {
    let store = try RunStore(blockSize: 8, stepLimit: 3, seed: 11, isEncrypted: true)
    try store.append(until: { RunStage.all(of: $0).contains(stage) })
    try store.checkAll()
    try store.redact(5)
    for stream in store.kept.streams.prefix(2) {
      #expect(try await store.erase(stream)?.isScrubbed == true)
      try store.checkAll()
    }
    for _ in 0..<30 { try store.append() }
    try store.checkAll()
    try store.checkRepeats(store.log)
    try store.settle()
    try store.store.reopen()
    try store.checkAll()
    try store.log.repairDerived()
    try store.checkAll()
  }
}

@Suite struct `Erasing a person from an encrypted store` {
  @Test func `destroys their key, and who comes back has another`() async throws {
    let store = try TemporaryStore(.encrypted())
    func row() throws -> [UInt8]? {
      let view = try store.log.view()
      let table = try store.log.tables.secretTable()
      return try view.transaction.fetch(Key.stream(1), from: table)?.array()
    }
    func key() throws -> DataKey? {
      let view = try store.log.view()
      return try view.index.epoch(of: 1, view.transaction).dataKey
    }
    for number in 1...3 { try store.append(Diary.written("k", "text", id: .number(number))) }
    try store.append(Diary.written("k", "text", id: .number(1)), to: .alice)
    let folder = TemporaryFolder()
    _ = try store.log.backup(to: folder.path + "/before")
    let (oldRow, oldKey) = (try #require(try row()), try #require(try key()))

    #expect(try await store.log.erase(.bob, by: "the office") == ErasureSummary(erased: 3, isScrubbed: true))
    #expect(try row() == nil)
    #expect(try store.files(holding: oldRow) == [])
    #expect(try store.log.verify().problems == [])
    // What is known of the erasure is in the clear; what else is kept is not.
    #expect(try store.log.readStream(.bob).events.map(\.isRedacted) == [true, true, true, false])
    #expect(try store.notebook(of: .alice)?.notes == ["k": Array("text".utf8)])

    try store.append(Diary.written("k", "back", id: .number(10)))
    #expect(try key() != nil && key() != oldKey && row() != oldRow)
    #expect(try store.notebook()?.notes == ["k": Array("back".utf8)])
    try store.reopen()
    try store.append(Diary.written("l", "again", id: .number(11)))
    #expect(try store.log.verify().problems == [])

    // A copy from before has key and text still: it is erased when it is restored.
    let old = try EventLog(folder: folder.path + "/before", schema: Diary.schema, options: store.options)
    #expect(try old.readStream(.bob).events.count == 3)
    try old.close()
    let path = folder.path + "/restored"
    try EventLog.restore(
      from: folder.path + "/before", to: path, schema: Diary.schema,
      tombstones: store.path + "/" + TombstoneFile.name, options: store.options)
    let restored = try EventLog(folder: path, schema: Diary.schema, options: store.options)
    #expect(try restored.readStream(.bob).events.map(\.isRedacted) == [true, true, true, false])
    #expect(try restored.verify().problems == [])
    try restored.close()
    #expect(try Data(contentsOf: URL(filePath: path + "/data.mdb")).range(of: Data(oldRow)) == nil)
  }

  @Test func `leaves no keys of theirs, or verification says so`() async throws {
    let store = try TemporaryStore(.encrypted())
    for stream in [StreamName.bob, .alice] { try store.append(Diary.written("k", "text", id: .number(1)), to: stream) }
    var row: [UInt8]?
    do {
      let view = try store.log.view()
      row = try view.transaction.fetch(Key.stream(1), from: try store.log.tables.secretTable())?.array()
    }
    _ = try await store.log.erase(.bob, by: "the office")
    #expect(try store.log.verify().problems == [])
    try store.tamper { transaction, tables in
      let row = try #require(row)
      try transaction.put(row.rawSpan, at: Key.stream(1).rawSpan, in: try tables.secretTable())
    }
    #expect(try store.log.verify().problems.map(\.kind) == [.records])
    // Who comes back gets other keys in their place.
    try store.append(Diary.written("k", "back", id: .number(2)))
    #expect(try store.log.verify().problems == [])
  }

  // Whoever had made a request ready when the person was erased has it sealed with a key that nobody knew before.
  @Test func `gives a request that was made before another key`() async throws {
    let store = try TemporaryStore(.encrypted())
    try store.append(Diary.written("k", "text", id: .number(1)))
    let ready = try store.log.prepareAppend(
      [StreamAppend([Diary.written("k", "late", id: .number(2))], to: .bob)], repeats: .request)
    let prepared = ready.request.streams[0]
    _ = try await store.log.erase(.bob, by: "the office")
    let result = await withCheckedContinuation { continuation in
      store.log.beginAppend(ready) { continuation.resume(returning: $0) }
    }
    #expect(try result.get()[0].firstVersion == 3)
    let view = try store.log.view()
    let epoch = try view.index.epoch(of: 1, view.transaction)
    #expect(epoch.secret != prepared.secret && epoch.dataKey?.key != prepared.dataKey && epoch.dataKey?.key != .zero)
    #expect(prepared.dataKey != .zero)
    #expect(try store.notebook()?.notes == ["k": Array("late".utf8)])
  }
}
