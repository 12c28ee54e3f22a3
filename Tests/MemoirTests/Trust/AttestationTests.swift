// Attestations: what a store signed of its history still holds, or somebody changed it.
import Bytes
import Foundation
import JSON
import Sodium
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `An attestation` {
  private static func desk(events: Int = 10) async throws -> TrustDesk {
    let desk = try TrustDesk()
    for number in 0..<events {
      try await desk.append(
        .messageAdded(MessageAdded(role: .user, content: "number \(number)")),
        to: number % 3 == 0 ? desk.ann : desk.bob,
        session: "s-\(number % 2)")
    }
    return desk
  }

  /// Changes the record of the key behind the store's back.
  private static func change(_ change: RecordChange, in store: MemoirStore) throws {
    let version = try store.log.recordVersion(of: .signing)
    try #require(try store.log.changeRecordsAndWait([change], in: .signing, expecting: version))
  }

  @Test func `says where the log ends, and reads back as it was written`() async throws {
    let desk = try await Self.desk()
    let attestation = try desk.store.attest()
    #expect(attestation.head == (try desk.store.log.head()))
    #expect(attestation.head.position == 10 && attestation.storeID == desk.store.log.storeID)
    #expect(attestation.publicKey == (try desk.store.storeKey()?.publicKey))
    #expect(try Attestation(attestation.text) == attestation)
    #expect(try desk.store.attest().text == attestation.text)
    // Canonical: sorted, on one line.
    let parsed = try JSONParser().parse(attestation.text) { node throws in JSONText(node).utf8 }
    #expect(parsed == attestation.text)
  }

  @Test func `holds as long as nothing before it is changed, whatever comes after`() async throws {
    let desk = try await Self.desk()
    var kept = [try desk.store.attest()]
    for number in 0..<20 {
      try await desk.append(.messageAdded(MessageAdded(role: .assistant, content: "later \(number)")))
      kept.append(try desk.store.attest())
    }
    try desk.store.log.redact(3, of: desk.bob)
    try desk.reopen()
    for attestation in kept { #expect(try desk.store.verify(since: attestation).isSound) }
    #expect(try desk.store.verify(since: kept[0]).redacted == 1)
  }

  @Test func `of an empty store holds, and none of another`() async throws {
    let desk = try TrustDesk()
    let empty = try desk.store.attest()
    #expect(empty.head.position == 0 && empty.head.recordedAt == nil)
    #expect(try Attestation(empty.text) == empty)
    #expect(try desk.store.verify(since: empty).isSound)
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hi")))
    #expect(try desk.store.verify(since: empty).isSound)
  }

  @Test func `with any character changed is refused`() async throws {
    let desk = try await Self.desk(events: 2)
    let text = try desk.store.attest().text
    for index in text.indices {
      for change in [UInt8(1), 0x20] {
        var changed = text
        changed[index] ^= change
        let attestation = try? Attestation(changed)
        // Hexadecimal digits in the other case say the same.
        guard let attestation else { continue }
        #expect(attestation.text == text, "byte \(index): \(String(decoding: changed, as: UTF8.self))")
      }
    }
    #expect(throws: MemoirError.self) { try Attestation(Array(text.dropLast())) }
    #expect(throws: MemoirError.self) { try Attestation(text + text) }
  }

  @Test(arguments: ["", "{}", "[]", "null", #"{"memoir_attestation":2}"#, #"{"memoir_attestation":1}"#, "hello"])
  func `is refused where it is none`(text: String) {
    #expect(
      performing: { try Attestation(Array(text.utf8)) },
      throws: { error in
        [.invalidArgument, .invalidJSON].contains((error as? MemoirError)?.code)
      })
  }

  @Test func `with a field that means nothing is refused`() async throws {
    let desk = try await Self.desk(events: 1)
    let text = String(decoding: try desk.store.attest().text, as: UTF8.self)
    let more = text.replacing(#""position""#, with: #""note":1,"position""#)
    #expect(
      performing: { try Attestation(Array(more.utf8)) },
      throws: { ($0 as? MemoirError)?.message.contains("note") == true })
  }

  @Test func `of another store is refused, also where both know the key`() async throws {
    let desk = try await Self.desk(), other = try await Self.desk()
    let attestation = try desk.store.attest()
    let refused = { (error: any Error) in
      (error as? MemoirError)?.code == .invalidArgument
        && (error as? MemoirError)?.message.contains("another store") == true
    }
    #expect(performing: { try other.store.verify(since: attestation) }, throws: refused)
    #expect(
      performing: { try other.store.verify(since: attestation, pinned: attestation.publicKey) }, throws: refused)
  }

  @Test func `signed with another key is refused, and a pinned key decides`() async throws {
    let desk = try await Self.desk()
    let own = try desk.store.attest()
    // As whoever can write the file would do it: another key, and all else the same.
    try Self.change(.remove(at: [1]), in: desk.store)
    #expect(
      performing: { try desk.store.verify(since: own) }, throws: { ($0 as? MemoirError)?.code == .invalidArgument })
    #expect(try desk.store.verify(since: own, pinned: own.publicKey).isSound)
    let forged = try desk.store.attest()
    #expect(forged.publicKey != own.publicKey)
    #expect(
      performing: { try desk.store.verify(since: own) }, throws: { ($0 as? MemoirError)?.code == .invalidArgument })
    #expect(
      performing: { try desk.store.verify(since: forged, pinned: own.publicKey) },
      throws: {
        ($0 as? MemoirError)?.code == .invalidArgument
      })
  }

  /// Another history under the same id and key: what somebody writes who has the file.
  private static func rewritten(
    _ desk: TrustDesk, _ body: (MemoirStore) async throws -> Void
  ) async throws -> MemoirStore {
    var options = EventLog.Options()
    options.clock = { [clock = desk.clock] in clock.now }
    options.mapSize = 1 << 30
    options.storeID = desk.store.log.storeID
    options.hashSeed = desk.store.log.tail.hashSeed
    let forged = try MemoirStore(folder: desk.folder.path + "/forged", options: options)
    try await body(forged)
    try forged.log.perform(MirrorRecords(source: desk.store.log, scope: .all))
    return forged
  }

  @Test func `put together from two is refused`() async throws {
    let desk = try await Self.desk()
    let first = try desk.store.attest()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hi")))
    let second = try desk.store.attest()
    func text(_ attestation: Attestation) -> String { String(decoding: attestation.text, as: UTF8.self) }
    let pairs = [
      (first.head.chain, second.head.chain), (first.signature.hexadecimal, second.signature.hexadecimal),
      (#""position":10,"#, #""position":11,"#),
      ("\(first.head.recordedAt ?? .earliest)", "\(second.head.recordedAt ?? .earliest)"),
    ]
    for (mine, theirs) in pairs {
      let spliced = text(first).replacing(mine, with: theirs)
      try #require(spliced != text(first))
      #expect(throws: MemoirError.self) { try Attestation(Array(spliced.utf8)) }
    }
  }

  @Test(arguments: ["changed", "reordered", "truncated", "left out", "put in", "as it was"])
  func `tells a history that was rewritten, though all its chains hold`(how: String) async throws {
    let desk = try await Self.desk()
    let attestation = try desk.store.attest()
    var events = try desk.store.log.readAll().events
    switch how {
    case "changed": break
    case "reordered": events.swapAt(4, 5)
    case "truncated": events.removeLast()
    case "left out": events.remove(at: 4)
    case "put in": events.insert(events[3], at: 7)
    default: break
    }
    let forged = try await Self.rewritten(desk) { store in
      for (number, event) in events.enumerated() {
        desk.wait(seconds: 1)
        let content = how == "changed" && number == 4 ? "what was never said" : nil
        try await store.append(
          [
            content.map { .messageAdded(try MessageAdded(role: .user, content: $0)) } ?? MemoirEvent(event)
              ?? .userErased(UserErased())
          ], to: event.stream, session: event.session)
      }
    }
    #expect(try forged.log.verify().isSound)
    let report = try forged.verify(since: attestation)
    #expect(!report.isSound)
    #expect(report.problems.contains { $0.kind == .log && $0.reason.contains("attested") })
    try forged.close()
  }

  @Test func `whose position is within an append, or beyond the end, is told apart from damage`() async throws {
    let desk = try await Self.desk(events: 3)
    let hi = try MessageAdded(role: .user, content: "hi")
    try await desk.append(.messageAdded(hi), .messageAdded(hi), .messageAdded(hi))
    let head = try desk.store.log.head()
    for (position, word) in [(4, "no append ends here"), (9, "not there any more")] {
      let known = LogHead(position: LogPosition(UInt64(position)), recordedAt: head.recordedAt, chain: head.chain)
      let report = try desk.store.log.verify(against: known)
      #expect(report.problemCount == 1 && report.problems[0].reason.contains(word), "\(report.problems)")
    }
  }

  @Test func `can be made by several at once, with one key`() async throws {
    let desk = try await Self.desk(events: 1)
    let store = desk.store
    let keys = try await withThrowingTaskGroup(of: PublicKey.self) { group in
      for _ in 0..<16 { group.addTask { try store.signingKey().publicKey } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(keys.count == 1)
    try desk.reopen()
    #expect(try desk.store.storeKey()?.publicKey == keys.first)
  }

  @Test func `is not made by a store that is only read, and has no key`() async throws {
    let desk = try await Self.desk(events: 1)
    try desk.store.close()
    let reading = try TrustDesk.open(desk.path, desk.clock, readOnly: true)
    #expect(performing: { try reading.attest() }, throws: { ($0 as? MemoirError)?.code == .forbidden })
    try reading.close()
    try desk.reopen()
    let key = try desk.store.attest().publicKey
    try desk.store.close()
    let again = try TrustDesk.open(desk.path, desk.clock, readOnly: true)
    #expect(try again.attest().publicKey == key)
    try again.close()
    try desk.reopen()
  }

  @Test func `has a key that a repair keeps, and a backup`() async throws {
    let desk = try await Self.desk()
    let attestation = try desk.store.attest()
    try desk.store.log.repairDerived()
    _ = try desk.store.log.backup(to: desk.folder.path + "/copy")
    try EventLog.restore(
      from: desk.folder.path + "/copy", to: desk.folder.path + "/restored", schema: .memoir)
    let restored = try TrustDesk.open(desk.folder.path + "/restored", desk.clock)
    #expect(try restored.verify(since: attestation).isSound)
    #expect(try restored.attest() == attestation)
    try restored.close()
  }

  @Test func `is refused by a store whose key is damaged, and so is signing`() async throws {
    let desk = try await Self.desk(events: 1)
    let attestation = try desk.store.attest()
    try Self.change(.keep([1, 2, 3], at: [1]), in: desk.store)
    #expect(performing: { try desk.store.attest() }, throws: { ($0 as? MemoirError)?.code == .corrupt })
    #expect(
      performing: { try desk.store.verify(since: attestation) }, throws: { ($0 as? MemoirError)?.code == .corrupt })
  }
}
