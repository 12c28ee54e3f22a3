// What is encrypted is good for its place alone: taken elsewhere, cut or changed it does not open.
import Bytes
import Foundation
import LMDB
import Sodium
import TestSupport
import Testing

@testable import EventStore

private let vectors = DerivedKind("vectors")

/// Bob and alice, who say the same at the same times, in events of the same size.
private func twins(_ algorithm: SealingAlgorithm = .fastest) throws -> TemporaryStore {
  var options = try EventLog.Options.encrypted(1, algorithm)
  options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 100)
  let store = try TemporaryStore(options)
  for number in 1...6 {
    for stream in [StreamName.bob, .alice] {
      try store.append(Diary.written("k\(number)", "text", id: .number(number)), to: stream)
    }
  }
  return store
}

extension TemporaryStore {
  /// Puts the value at one key in the place of that at another, with a checksum that is right there.
  fileprivate func move(_ table: (Tables) -> Table?, from key: [UInt8], to other: [UInt8]) throws {
    try tamper { transaction, tables in
      let table = try #require(table(tables))
      let value = try #require(try transaction.value(of: key.rawSpan, in: table)?.array())
      let content = try IndexValue.open(value.rawSpan, at: key.rawSpan).array()
      try transaction.put(IndexValue.seal(content, at: other).rawSpan, at: other.rawSpan, in: table)
    }
  }
}

@Suite struct `What an encrypted event says` {
  // Bob's are at 1, 3, 5 …, alice's at 2, 4, 6 …
  @Test(arguments: SealingAlgorithm.allCases, [(3, 5), (3, 4), (5, 3), (12, 2)])
  func `does not open in another's place`(algorithm: SealingAlgorithm, places: (Int, Int)) throws {
    guard algorithm.isAvailable else { return }
    let store = try twins(algorithm)
    let (place, other) = (LogPosition(UInt64(places.0)), LogPosition(UInt64(places.1)))
    #expect(try store.log.readAll(after: place.back(1), limit: 1).events.count == 1)
    try store.giveRecord(at: place, whatIsSealedAt: other)
    try store.checkIsCorrupt(place)
  }

  @Test func `does not open where any of its bytes is another, or some are missing`() throws {
    let store = try twins()
    let size = try #require(try store.sealed()[3]).count
    for change in [0, 11, 12, size / 2, size - 17, size - 1] {
      let original = try #require(try store.sealed()[3])
      try store.changeSealed(at: 3) { _ in
        var bytes = original
        bytes[change] ^= 1
        return bytes
      }
      try store.checkIsCorrupt(3)
      try store.changeSealed(at: 3) { _ in original }
    }
    for count in [0, 1, 11, 12, 27, 28, size - 1] {
      let original = try #require(try store.sealed()[3])
      try store.changeSealed(at: 3) { _ in Array(original.prefix(count)) }
      try store.checkIsCorrupt(3)
      try store.changeSealed(at: 3) { _ in original }
    }
    #expect(try store.log.verify().problems == [])
  }

  // The fields around it are bound to it.
  @Test func `does not open under another id, type or time`() throws {
    for number in 0..<3 {
      let store = try twins()
      try store.reopen {
        try StoredLog.change(in: store.path) { log in
          var bytes = try log.bytes(at: 3)
          // The event's id, its type, and when it occurred: the varint that follows stream, version, link and type's version.
          bytes[[24, 11, RecordFormat.streamAt + 4][number]] ^= 2
          log.put(TemporaryStore.withChecksum(bytes, at: 3), at: 3)
        }
      }
      try store.checkIsCorrupt(3)
    }
  }

  @Test func `does not open with another stream's keys, or without`() throws {
    let store = try twins()
    try store.move(\.secrets, from: Key.stream(2), to: Key.stream(1))
    #expect(throws: StorageError.self) { try store.log.readStream(.bob) }
    #expect(throws: ReadError.self) { try store.notebook() }
    #expect(throws: AppendError.self) { try store.append(Diary.written("k", "more", id: .number(99))) }
    #expect(try store.log.readStream(.alice).events.count == 6)
    try store.append(Diary.written("k", "more", id: .number(99)), to: .alice)
    #expect(try !store.log.verify().isSound)
    try store.tamper { transaction, tables in
      let (key, table) = (Key.stream(1), try tables.secretTable())
      _ = try transaction.delete(key.rawSpan, in: table)
    }
    #expect(throws: StorageError.self) { try store.log.readStream(.bob) }
    #expect(try store.log.verify().problems.contains { $0.stream == .bob && $0.kind == .log })
    #expect(try store.log.readStream(.alice).events.count == 7)
  }

  // Nobody may put words into an encrypted store without its key: verification found them, and whoever read did not.
  @Test func `is not taken for the person's where it is not encrypted`() throws {
    let store = try twins()
    try store.reopen {
      try StoredLog.change(in: store.path) { log in
        try log.rewrite(3, payload: Array("plain".utf8)) { _ in }
      }
    }
    #expect(try store.log.verify().problems.contains { $0.position == 3 && $0.reason.contains("not encrypted") })
    try store.checkIsCorrupt(3)
    let again = Diary.written("k2", "text", id: .number(2))
    #expect(throws: AppendError.self) { try store.append(again) }
    #expect(throws: StorageError.self) { try store.log.redact(2, of: .bob) }
  }
}

extension TemporaryStore {
  /// Checks that whatever reads a record says that it is corrupt, and that others are read.
  fileprivate func checkIsCorrupt(_ position: LogPosition) throws {
    let error = #expect(throws: StorageError.self) { try log.readAll(after: position.back(1), limit: 1) }
    guard case .corrupt(_, position) = error else {
      throw Mismatch(description: "\(String(describing: error)) at \(position)")
    }
    let stream: StreamName = position.number % 2 == 1 ? .bob : .alice
    #expect(throws: StorageError.self) { try log.readStream(stream) }
    #expect(throws: ReadError.self) { try notebook(of: stream, usesSnapshots: false) }
    #expect(try log.verify().problems.contains { $0.position == position && $0.kind == .log })
    #expect(try log.readStream(stream == .bob ? .alice : .bob).events.count == 6)
  }
}

@Suite struct `What is derived in an encrypted store` {
  @Test func `is ignored and folded anew where it belongs elsewhere`() throws {
    let store = try twins()
    for stream in [StreamName.bob, .alice] { _ = try store.notebook(of: stream) }
    try store.log.storeDueSnapshots()
    let notebook = try store.notebook(usesSnapshots: false)
    let keys = try store.snapshotKeys()
    #expect(keys.count >= 4)
    for (key, other) in [(keys[0], keys[1]), (keys[0], try #require(keys.last))] {
      try store.tamper { transaction, tables in
        let value = try #require(try transaction.value(of: key.rawSpan, in: tables.snapshots)?.array())
        var writer = ByteWriter()
        writer.write(contentsOf: value)
        let covered = Array(value.dropFirst(8))
        writer.overwrite(XXH3.hash(covered.rawSpan, seed: XXH3.hash(other.rawSpan)), at: 0)
        try transaction.put(writer.bytes.rawSpan, at: other.rawSpan, in: tables.snapshots)
      }
      for point in [AsOf.head, .version(3), .version(5)] {
        let found = try store.notebook(at: point)
        #expect(try found == store.notebook(at: point, usesSnapshots: false))
      }
      #expect(try store.log.verify().problems.map(\.kind) == [.derived])
      try store.log.clearSnapshots()
      for stream in [StreamName.bob, .alice] { _ = try store.notebook(of: stream) }
      try store.log.storeDueSnapshots()
    }
    #expect(try store.notebook() == notebook)
  }

  @Test func `is not taken for what was made of another event`() async throws {
    let store = try twins()
    for stream in [StreamName.bob, .alice] {
      let entries = (1...3).map { DerivedEntry(of: StreamVersion($0), in: stream, bytes: [UInt8($0)]) }
      #expect(try await store.log.storeDerived(entries, as: vectors, redactions: 0))
    }
    try store.move(
      \.derived, from: DerivedTable.Place(vectors.key, 1, 1).key, to: DerivedTable.Place(vectors.key, 1, 2).key)
    try store.move(
      \.derived, from: DerivedTable.Place(vectors.key, 1, 3).key, to: DerivedTable.Place(vectors.key, 2, 3).key)
    for (stream, damaged) in [(StreamName.bob, 2), (.alice, 3)] as [(StreamName, UInt64)] {
      var found: [StreamVersion: [UInt8]] = [:]
      let outcome = try store.log.forEachDerived(vectors, of: stream) { version, bytes in
        found[version] = bytes.array()
      }
      #expect(outcome.damaged == StreamVersion(damaged))
      for (version, bytes) in found { #expect(bytes == [UInt8(version.number)]) }
    }
    #expect(try store.log.verify().problems.map(\.kind) == [.derived, .derived])
  }
}

extension TemporaryStore {
  /// The keys of all snapshots, in order.
  fileprivate func snapshotKeys() throws -> [[UInt8]] {
    let view = try log.view()
    var cursor = try view.transaction.scan(view.tables.snapshots)
    var keys: [[UInt8]] = []
    while let entry = try cursor.toNext() { keys.append(entry.key.array()) }
    return keys
  }
}

@Suite struct `A record of an encrypted store` {
  @Test func `is damaged at another's key, and in another table`() async throws {
    let store = try twins()
    for number in 1...2 { try await store.log.keepRecord([UInt8(number)], at: [9, UInt8(number)], in: .receipts) }
    try await store.log.keepRecord([3], at: [9, 1], in: .retention)
    try store.move({ $0.records(of: .receipts)?.table }, from: [9, 1], to: [9, 2])
    #expect(try store.log.record(at: [9, 1], in: .receipts) == [1])
    #expect(throws: StorageError.self) { try store.log.record(at: [9, 2], in: .receipts) }
    #expect(throws: StorageError.self) { try store.log.forEachRecord(in: .receipts) { _, _ in true } }
    #expect(try store.log.recordSet(of: .receipts).records.map { $0.value == nil } == [false, true])
    #expect(try store.log.verify().problems.map(\.kind) == [.records])
    try store.tamper { transaction, tables in
      let (from, to) = (
        try #require(tables.records(of: .receipts)?.table), try #require(tables.records(of: .retention)?.table)
      )
      let key: [UInt8] = [9, 1]
      let value = try #require(try transaction.value(of: key.rawSpan, in: from)?.array())
      try transaction.put(value.rawSpan, at: key.rawSpan, in: to)
    }
    #expect(throws: StorageError.self) { try store.log.record(at: [9, 1], in: .retention) }
  }
}
