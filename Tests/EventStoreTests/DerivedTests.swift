// What is made of events and kept beside them: stored whole or not at all, void with its event, never more than an offer.
import Bytes
import Foundation
import LMDB
import TestSupport
import Testing

@testable import EventStore

private let vectors = DerivedKind("vectors a")
private let others = DerivedKind("vectors b")

/// A store with ten events each of bob and alice, and an entry for each of bob's.
private func derivedStore() async throws -> TemporaryStore {
  let store = try TemporaryStore()
  for number in 1...10 {
    try store.append(Diary.written("k\(number)", "text", id: .number(number)), to: .bob)
    try store.append(Diary.written("k\(number)", "text", id: .number(100 + number)), to: .alice)
  }
  let entries = (1...10).map { DerivedEntry(of: StreamVersion($0), in: .bob, bytes: [UInt8($0), 7]) }
  #expect(try await store.log.storeDerived(entries, as: vectors, redactions: 0))
  return store
}

extension TemporaryStore {
  fileprivate func derived(
    _ kind: DerivedKind = vectors, of stream: StreamName = .bob, after: StreamVersion = 0
  ) throws -> [StreamVersion: [UInt8]] {
    var found: [StreamVersion: [UInt8]] = [:]
    _ = try log.forEachDerived(kind, of: stream, after: after) { version, bytes in found[version] = bytes.array() }
    return found
  }

  /// Changes a byte of the entries' table behind the log's back.
  fileprivate func damageEntry(of version: StreamVersion) throws {
    try reopen {
      let environment = try Environment(folder: path)
      let table = try environment.openTables([DerivedTable.name])[0]
      let key = DerivedTable.Place(vectors.key, 1, version).key
      try environment.write { transaction in
        var bytes = try #require(try transaction.value(of: key.rawSpan, in: table)?.array())
        bytes[0] ^= 1
        try transaction.put(bytes.rawSpan, at: key.rawSpan, in: table)
      }
      environment.close()
    }
  }
}

@Suite struct `What is made of events` {
  @Test func `comes back by version, of its stream and kind alone`() async throws {
    let store = try await derivedStore()
    #expect(
      try store.derived() == Dictionary(uniqueKeysWithValues: (1...10).map { (StreamVersion($0), [UInt8($0), 7]) }))
    #expect(try store.derived(after: 8).keys.sorted() == [9, 10])
    #expect(
      try store.derived(of: .alice).isEmpty && store.derived(others).isEmpty && store.derived(of: .named("x")).isEmpty)
    #expect(try store.log.lastDerived(vectors, of: .bob) == 10)
    #expect(try store.log.lastDerived(vectors, of: .alice) == 0 && store.log.lastDerived(others, of: .bob) == 0)
    try store.reopen()
    #expect(try store.derived().count == 10)
  }

  @Test func `is dropped with its event, whatever the kind, and no other's is`() async throws {
    let store = try await derivedStore()
    let entry = DerivedEntry(of: 4, in: .bob, bytes: [1])
    #expect(try await store.log.storeDerived([entry], as: others, redactions: 0))
    try store.log.redact(4, of: .bob)
    #expect(try store.derived().keys.sorted() == [1, 2, 3, 5, 6, 7, 8, 9, 10])
    #expect(try store.derived(others).isEmpty)
  }

  // Made of a text that was removed while it was made, it would outlive the text.
  @Test func `is not stored where a payload was removed since its event was read`() async throws {
    let store = try await derivedStore()
    let redactions = try store.log.redactionCount()
    try store.log.redact(2, of: .alice)
    let entries = (1...10).map { DerivedEntry(of: StreamVersion($0), in: .alice, bytes: [1]) }
    #expect(try await store.log.storeDerived(entries, as: vectors, redactions: redactions) == false)
    #expect(try store.derived(of: .alice).isEmpty)
    #expect(try await store.log.storeDerived(entries, as: vectors, redactions: redactions + 1))
    #expect(try store.derived(of: .alice).count == 10)
  }

  @Test func `of events that there are not is not stored`() async throws {
    let store = try await derivedStore()
    let entries = [
      DerivedEntry(of: 11, in: .bob, bytes: [1]), DerivedEntry(of: 0, in: .bob, bytes: [1]),
      DerivedEntry(of: 1, in: .named("nobody"), bytes: [1]),
    ]
    #expect(try await store.log.storeDerived(entries, as: vectors, redactions: 0))
    #expect(try store.derived().count == 10 && store.log.lastDerived(vectors, of: .bob) == 10)
  }

  @Test func `can be dropped from a version on, or all of it`() async throws {
    let store = try await derivedStore()
    let entries = [DerivedEntry(of: 9, in: .alice, bytes: [1])]
    #expect(try await store.log.storeDerived(entries, as: vectors, redactions: 0))
    #expect(try await store.log.storeDerived(entries, as: others, redactions: 0))
    try await store.log.dropDerived(vectors, of: .bob, from: 4)
    #expect(try store.derived().keys.sorted() == [1, 2, 3] && store.derived(of: .alice).count == 1)
    try await store.log.dropDerived(vectors)
    #expect(try store.derived().isEmpty && store.derived(of: .alice).isEmpty)
    #expect(try store.derived(others, of: .alice).count == 1)
  }

  @Test func `ends before an entry that is damaged, and verify says so`() async throws {
    let store = try await derivedStore()
    #expect(try store.log.verify().isSound)
    try store.damageEntry(of: 6)
    #expect(try store.derived().keys.sorted() == [1, 2, 3, 4, 5])
    #expect(try store.log.forEachDerived(vectors, of: .bob) { _, _ in }.damaged == 6)
    let report = try store.log.verify()
    #expect(report.problemCount == 1 && report.problems.first?.kind == .derived)
    try await store.log.dropDerived(vectors, of: .bob, from: 6)
    #expect(try store.log.verify().isSound && store.log.lastDerived(vectors, of: .bob) == 5)
  }

  @Test func `goes with the repair of all that is derived, and is counted`() async throws {
    let store = try await derivedStore()
    let entries = {
      try store.log.storeStatistics(for: NotebookProjector()).tables.first { $0.name == "derived" }?.entries
    }
    #expect(try entries() == 10)
    try store.log.repairDerived()
    #expect(try entries() == 0)
    #expect(try store.derived().isEmpty && store.log.verify().isSound)
  }
}
