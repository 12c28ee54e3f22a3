// Copies of a store and people who were erased, or whose messages grew too old, before, while and after it was copied.
import Foundation
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `A copied store` {
  private let day: Int64 = 86_400

  private func says(_ text: String, as user: StreamName? = nil, in desk: TrustDesk) async throws {
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: text)), to: user, session: "s")
  }

  private func back(_ desk: TrustDesk) -> String { desk.folder.path + "/backup" }

  /// A store made of the desk's backup.
  private func restored(
    _ desk: TrustDesk, at point: RestorePoint? = nil, tombstones: String? = nil
  ) throws -> MemoirStore {
    let path = desk.folder.path + "/restored-\(UUID().uuidString)"
    try EventLog.restore(
      from: back(desk), to: path, schema: desk.store.log.schema, at: point, tombstones: tombstones)
    return try TrustDesk.open(path, desk.clock)
  }

  private func bytes(of folder: String) throws -> [UInt8] {
    try FileManager.default.contentsOfDirectory(atPath: folder).flatMap { name in
      try Data(contentsOf: URL(filePath: folder + "/" + name))
    }
  }

  private func export(_ user: StreamName, from store: MemoirStore) throws -> ExportReport {
    var text: [UInt8] = []
    try store.export(user) { text += $0 }
    let lines = text.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    var verifier = try ExportVerifier(firstLine: lines[0])
    for line in lines.dropFirst() { verifier.add(line) }
    return verifier.finish()
  }

  // MARK: Backups that grow

  @Test func `is left as it is where somebody is erased while it grows`() async throws {
    let desk = try TrustDesk()
    try await says("zebra", in: desk)
    _ = try desk.store.log.backup(to: back(desk))
    try await says("more", as: desk.ann, in: desk)
    let copy = try EventLog(folder: back(desk), schema: desk.store.log.schema)
    try copy.copyRecords(of: desk.store.log)
    try await desk.store.erase(desk.bob, by: "user")
    let mirror = MirrorRecords(source: desk.store.log, scope: .copy)
    try copy.perform(mirror)
    #expect(try mirror.outcome.get() == false)
    #expect(try copy.tombstones().isEmpty)
    try copy.close()
    _ = try desk.store.log.backup(to: back(desk))
    #expect(!(try bytes(of: back(desk))).contains(Array("zebra".utf8)))
  }

  @Test func `has no records of events that it does not have`() async throws {
    let desk = try TrustDesk()
    try await says("one", in: desk)
    try desk.store.log.makeSubscription(named: "mail")
    _ = try desk.store.log.backup(to: back(desk))
    let copy = try EventLog(folder: back(desk), schema: desk.store.log.schema)
    try copy.copyRecords(of: desk.store.log)
    try await says("two", in: desk)
    try desk.store.log.acknowledge(2, of: "mail")
    try copy.perform(MirrorRecords(source: desk.store.log, scope: .copy))
    #expect(try copy.subscription(named: "mail")?.checkpoint == 1)
    try copy.close()
  }

  @Test func `is copied anew where other things were removed from it, though as many`() async throws {
    let desk = try TrustDesk()
    try await says("old ann", as: desk.ann, in: desk)
    try await says("young bob", in: desk)
    _ = try desk.store.log.backup(to: back(desk))
    let other = try restored(desk)
    try desk.store.log.redact(1, of: desk.ann)
    _ = try desk.store.log.backup(to: back(desk))
    try await other.erase(desk.bob, by: "user")
    let summary = try other.log.backup(to: back(desk))
    #expect(summary.position == 3)
    let copy = try EventLog(folder: back(desk), schema: desk.store.log.schema)
    #expect(try copy.verify().problems == [])
    #expect(try copy.head() == other.log.head())
    try copy.close()
    #expect(!(try bytes(of: back(desk))).contains(Array("young bob".utf8)))
    try other.close()
  }

  @Test func `grows on where newer tombstones were put beside it`() async throws {
    let desk = try TrustDesk()
    try await says("zebra", in: desk)
    try await says("other", as: desk.ann, in: desk)
    _ = try desk.store.log.backup(to: back(desk))
    try await desk.store.erase(desk.bob, by: "user")
    try FileManager.default.copyItem(atPath: desk.path + "/TOMBSTONES", toPath: back(desk) + "/TOMBSTONES")
    #expect(try desk.store.log.backup(to: back(desk)).position == 3)
    try await says("later", as: desk.ann, in: desk)
    #expect(try desk.store.log.backup(to: back(desk)).position == 4)
    #expect(!(try bytes(of: back(desk))).contains(Array("zebra".utf8)))
  }

  @Test func `has its tombstones again where they were lost or damaged`() async throws {
    let desk = try TrustDesk()
    try await says("zebra", in: desk)
    try await desk.store.erase(desk.bob, by: "user")
    _ = try desk.store.backup(to: back(desk))
    let written = try Data(contentsOf: URL(filePath: desk.path + "/TOMBSTONES"))
    let file = URL(filePath: back(desk) + "/TOMBSTONES")
    for bytes in [Data(), written.dropLast(3), nil] {
      if let bytes { try bytes.write(to: file) } else { try FileManager.default.removeItem(at: file) }
      _ = try desk.store.backup(to: back(desk))
      #expect(try Data(contentsOf: file) == written)
    }
  }

  // MARK: Tombstones

  // Those given took the place of the backup's own, and whom only that one named came back.
  @Test func `is told by its own tombstones, too, where it is given older ones`() async throws {
    let desk = try TrustDesk()
    try await says("zebra", in: desk)
    try await says("other", as: desk.ann, in: desk)
    _ = try desk.store.backup(to: back(desk))
    let older = desk.folder.path + "/older"
    try await desk.store.erase(desk.ann, by: "user")
    try FileManager.default.copyItem(atPath: desk.path + "/TOMBSTONES", toPath: older)
    try await desk.store.erase(desk.bob, by: "user")
    try FileManager.default.copyItem(atPath: desk.path + "/TOMBSTONES", toPath: back(desk) + "/TOMBSTONES")
    for point in [nil, RestorePoint.position(1)] {
      let store = try restored(desk, at: point, tombstones: older)
      #expect(try store.log.tombstones().map(\.events) == [1, 1])
      #expect(!(try bytes(of: store.log.folder)).contains(Array("zebra".utf8)))
      #expect(try store.verify().isSound)
      try store.close()
    }
  }

  @Test func `understands the tombstones of another, also where both have erased somebody`() async throws {
    let desk = try TrustDesk()
    try await says("of bob", in: desk)
    try await says("of ann", as: desk.ann, in: desk)
    _ = try desk.store.signingKey()
    _ = try desk.store.log.backup(to: back(desk))
    let other = try restored(desk)
    let folder = other.log.folder
    let carl = StreamName(UserID(unchecked: "carl"))
    try await says("of carl", as: carl, in: desk)
    try await desk.store.erase(carl, by: "user")
    try await other.erase(desk.bob, by: "user")
    try other.close()
    try FileManager.default.removeItem(atPath: folder + "/TOMBSTONES")
    try FileManager.default.copyItem(atPath: desk.path + "/TOMBSTONES", toPath: folder + "/TOMBSTONES")
    let again = try TrustDesk.open(folder, desk.clock)
    #expect(try again.erasedAt(desk.bob) != nil)
    #expect(try again.erasedAt(carl) != nil)
    #expect(try again.log.tombstones().count == 2)
    let back = MemoirEvent.messageAdded(try MessageAdded(role: .user, content: "back"))
    #expect(try await again.append([back], to: desk.bob).firstVersion == 3)
    #expect(try again.log.verify().problems == [])
    try again.close()
  }

  @Test func `believes no tombstone that the store has not signed`() async throws {
    let desk = try TrustDesk()
    try await says("of bob", in: desk)
    try await says("of ann", as: desk.ann, in: desk)
    try await desk.store.erase(desk.bob, by: "user")
    let path = desk.path + "/TOMBSTONES"
    let whole = try #require(try TombstoneFile.read(path))
    var forged = whole
    let hash = whole.key.hash(of: desk.ann)
    for signature in [[], whole.tombstones[0].signature] {
      forged.tombstones = [
        whole.tombstones[0],
        Tombstone(
          erasedAt: desk.clock.now, by: "nobody", events: 1, version: 1, position: 2, nameHash: hash,
          signature: signature),
      ]
      let error = try #require(throws: MemoirError.self) { try desk.reopen { try forged.write(to: path) } }
      #expect(error.code == .corrupt && error.message.contains("not signed"))
      try whole.write(to: path)
      let store = try TrustDesk.open(desk.path, desk.clock)
      #expect(try store.state(of: desk.ann).version == 1)
      try store.close()
    }
  }

  @Test func `whose tombstones cannot be written says that all else is done`() async throws {
    let desk = try TrustDesk()
    try await says("zebra", in: desk)
    let path = desk.path + "/TOMBSTONES"
    try FileManager.default.createDirectory(atPath: path + "/x", withIntermediateDirectories: true)
    let error = try await #require(throws: MemoirError.self) { try await desk.store.erase(desk.bob, by: "user") }
    #expect(error.message.contains("bob is erased") && error.message.contains("TOMBSTONES"))
    #expect(try desk.store.erasedAt(desk.bob) != nil)
    #expect(!(try desk.dataFile()).contains(Array("zebra".utf8)))
    try FileManager.default.removeItem(atPath: path)
    try desk.reopen()
    #expect(try TombstoneFile.read(path)?.tombstones.count == 1)
  }

  // MARK: What is kept of somebody without events

  @Test func `erases what was kept of somebody since they were erased, and of somebody never heard`() async throws {
    let desk = try TrustDesk()
    try await says("hello", in: desk)
    try await desk.store.erase(desk.bob, by: "user")
    let nobody = StreamName(UserID(unchecked: "nobody"))
    for user in [desk.bob, nobody] {
      _ = try await desk.store.keys.create(
        APIKeyDraft("phone", namespaces: .only([.default]), scopes: [.read], users: [.exactly(user.user)]))
      // Somebody never heard of has nothing to grant.
      if user == desk.bob { try await desk.store.grants.grant([.read], on: user, to: .person(desk.ann.user)) }
      let summary = try await desk.store.erase(user, by: "user")
      #expect(summary == ErasureSummary(erased: 0, isScrubbed: true))
      #expect(try desk.store.keys.list().isEmpty)
      #expect(try desk.store.log.recordSet(of: .grants).records.isEmpty)
      #expect(!(try desk.dataFile()).contains(Array(user.user.description.utf8)))
    }
    await #expect(throws: MemoirError.self) { try await desk.store.erase(nobody, by: "user") }
  }

  // MARK: At an earlier point

  @Test func `at an earlier point keeps for a time from there on`() async throws {
    let desk = try TrustDesk()
    for text in ["one", "two", "three"] { try await says(text, in: desk) }
    desk.wait(seconds: 100 * day)
    try await desk.store.setRetention(try RetentionPolicy(of: .default, days: [.messages: 30]))
    #expect(try await desk.store.runRetention().users.count == 1)
    let kept = try await desk.store.contextWithReceipt(ContextRequest("what"), for: desk.bob).receipt
    let receipt = try #require(kept)
    _ = try desk.store.log.backup(to: back(desk))
    let store = try restored(desk, at: .position(1))
    #expect(throws: MemoirError.self) { try store.receipt(receipt.id) }
    for text in ["newzebra", "newyak"] {
      _ = try await store.append([.messageAdded(MessageAdded(role: .user, content: text))], to: desk.bob)
    }
    desk.wait(seconds: 100 * day)
    let report = try await store.runRetention()
    #expect(report.users.first?.counts == [.messages: 2] && report.isScrubbed == true)
    #expect(!(try bytes(of: store.log.folder)).contains(Array("newzebra".utf8)))
    try store.close()
  }

  @Test func `at the point before a tombstone exports what came after it`() async throws {
    let desk = try TrustDesk()
    for text in ["one", "two", "three"] { try await says(text, in: desk) }
    try await desk.store.erase(desk.bob, by: "user")
    _ = try desk.store.log.backup(to: back(desk))
    let store = try restored(desk, at: .position(3))
    #expect(try export(desk.bob, from: store).events == 0)
    for text in ["back", "again"] {
      _ = try await store.append([.messageAdded(MessageAdded(role: .user, content: text))], to: desk.bob)
    }
    let report = try export(desk.bob, from: store)
    #expect(report.isSound && report.events == 2)
    try store.close()
  }

  @Test func `that is erased again by tombstones exports what came after`() async throws {
    let desk = try TrustDesk()
    try await says("one", in: desk)
    try await desk.store.erase(desk.bob, by: "user")
    _ = try desk.store.log.backup(to: back(desk))
    try await says("two", in: desk)
    try await desk.store.erase(desk.bob, by: "user")
    let store = try restored(desk, tombstones: desk.path + "/TOMBSTONES")
    _ = try await store.append([.messageAdded(MessageAdded(role: .user, content: "three"))], to: desk.bob)
    let report = try export(desk.bob, from: store)
    #expect(report.isSound && report.events == 1)
    try store.close()
  }

  @Test func `that cannot be made leaves nothing behind`() async throws {
    let desk = try TrustDesk()
    for text in ["one", "two"] { try await says(text, in: desk) }
    _ = try desk.store.log.backup(to: back(desk))
    let stranger = try TrustDesk()
    try await says("x", in: stranger)
    try await stranger.store.erase(stranger.bob, by: "user")
    let path = desk.folder.path + "/new"
    for point in [RestorePoint.position(1), nil] {
      #expect(throws: StorageError.self) {
        try EventLog.restore(
          from: back(desk), to: path, schema: desk.store.log.schema, at: point,
          tombstones: stranger.path + "/TOMBSTONES")
      }
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(!FileManager.default.fileExists(atPath: path + ".restoring"))
    }
  }
}
