// Erasing a person from a memory: every field that can be about them, every record that names them.
import Foundation
import JSON
import Sodium
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

private let marker = "Zebulon"

@Suite struct `Erasing a person from a memory` {
  /// Says something about bob in every field there is.
  private func fill(_ desk: TrustDesk, _ user: StreamName) async throws {
    let metadata = try JSONText(parsing: #"{"who":"\#(marker)"}"#)
    let events: [MemoirEvent] = [
      .sessionStarted(try SessionStarted(metadata: metadata)),
      .messageAdded(try MessageAdded(role: .user, content: "I am \(marker).")),
      .factLearned(
        try FactLearned(
          fact: "Is called \(marker)", category: "name \(marker)", confidence: 1, factID: FactID("fact-\(marker)"),
          tags: ["tag-\(marker)"], metadata: metadata)),
      .factRevised(try FactRevised(factID: FactID("fact-\(marker)"), fact: "Is named \(marker)")),
      .preferenceUpdated(try PreferenceUpdated(key: "key-\(marker)", value: JSONText(string: marker))),
      .relationshipLearned(try RelationshipLearned(subject: marker, predicate: "knows \(marker)", object: marker)),
      .episodeRecorded(
        try EpisodeRecorded(
          task: "for \(marker)", actions: [marker], outcomes: [marker], success: true, lessons: [marker])),
      .factForgotten(try FactForgotten(factID: FactID("fact-\(marker)"), reason: "\(marker) said so")),
      .custom(try CustomEvent(type: "app.\(marker)", data: metadata)),
      .sessionEnded(try SessionEnded(reason: "by \(marker)", summary: "\(marker) spoke")),
      .sessionsCompacted(try SessionsCompacted(sessions: [SessionID("session \(marker)")], summary: marker)),
    ]
    for event in events {
      desk.wait(seconds: 1)
      try await desk.store.append([event], to: user, session: SessionID("session \(marker)"), metadata: metadata)
    }
  }

  private func filesWithMarker(_ desk: TrustDesk) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: desk.path).filter { name in
      let bytes = try Data(contentsOf: URL(filePath: desk.path + "/" + name))
      return bytes.range(of: Data(marker.utf8)) != nil || bytes.range(of: Data(marker.lowercased().utf8)) != nil
    }
  }

  @Test func `leaves a tombstone that the store has signed`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "I am Bob.")))
    try await desk.store.erase(desk.bob, by: "the office")
    let tombstone = try #require(try desk.store.log.lastErasure(of: desk.bob))
    let key = try #require(try desk.store.storeKey()).publicKey
    let digits = tombstone.signature.map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
    let signature = try #require(Signature(hexadecimal: digits))
    #expect(key.hasSigned(tombstone.statement, as: signature))
    #expect(!key.hasSigned(tombstone.statement + [0], as: signature))
  }

  @Test func `is noted so that nobody can say later that it was otherwise`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "I am Bob.")))
    try await desk.store.erase(desk.bob, by: "the office")
    #expect(try desk.store.verify().isSound)
    let log = desk.store.log
    var key: [UInt8] = [], value: [UInt8] = []
    try log.forEachRecord(in: .erasures) {
      (key, value) = ($0.array(), $1.array()); return $0.byteCount < 40
    }
    // Each a record as whole as the one before, by another than the store.
    let office = try #require(value.firstRange(of: "office".utf8))
    var another = value
    another.replaceSubrange(office, with: "police".utf8)
    var unsigned = value
    unsigned.removeLast(65)
    for forged in [another, unsigned + [0]] {
      try await log.keepRecord(forged, at: key, in: .erasures)
      let problems = try desk.store.verify().problems
      #expect(problems.map(\.kind) == [.records] && problems[0].reason.contains("signed"), "\(problems)")
      #expect(try log.verify().isSound)
    }
    try await log.keepRecord(value, at: key, in: .erasures)
    #expect(try desk.store.verify().isSound)
  }

  // The key was made with the first erasure, and a store that was restored from before it had another.
  @Test func `is noted under the same key in a store that is restored from before`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "I am Bob.")))
    let folder = TemporaryFolder()
    _ = try desk.store.backup(to: folder.path + "/backup")
    try await desk.store.erase(desk.bob, by: "the office")
    try EventLog.restore(
      from: folder.path + "/backup", to: folder.path + "/restored", schema: .memoir,
      tombstones: desk.path + "/TOMBSTONES")
    let restored = try MemoirStore(folder: folder.path + "/restored")
    #expect(try restored.erasedAt(desk.bob) != nil)
    _ = try restored.attest()
    #expect(try restored.verify().isSound)
    try restored.close()
  }

  @Test func `leaves nothing of them in any file, and all of the others`() async throws {
    let desk = try TrustDesk()
    let user = StreamName(try UserID("user-\(marker)"))
    try await fill(desk, user)
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "I am Ann.")), to: desk.ann, session: "s")
    let receipt = try #require(
      try await desk.store.contextWithReceipt(ContextRequest("who is \(marker)"), for: user).receipt)
    let other = try #require(try await desk.store.contextWithReceipt(ContextRequest("who"), for: desk.ann).receipt)
    _ = try await desk.store.recall(RecallQuery("who is called"), of: user)
    try desk.store.prepareSnapshots(of: user)
    try desk.store.prepareRecall(of: user)
    try desk.store.log.storeDueSnapshots()
    let own = try await desk.store.keys.create(
      APIKeyDraft("\(marker)'s phone", namespaces: .only([.default]), scopes: [.read], users: [.exactly(user.user)]))
    let shared = try await desk.store.keys.create(
      APIKeyDraft(
        "family", namespaces: .only([.default]), scopes: [.read], users: [.exactly(user.user), .exactly(desk.ann.user)])
    )
    try await desk.store.grants.grant([.read], on: user, to: .person(desk.ann.user))
    try await desk.store.grants.grant([.read], on: desk.ann, to: .person(user.user))
    try await desk.store.grants.grant([.read], on: desk.ann, to: .key(shared.key.id))
    let ann = try desk.store.state(of: desk.ann).state
    #expect(try filesWithMarker(desk) == ["data.mdb"])
    #expect(try desk.store.report(of: user).totals.events == 11)

    desk.wait(seconds: 1)
    let time = desk.clock.now
    #expect(try await desk.store.erase(user, by: "the office") == ErasureSummary(erased: 11, isScrubbed: true))
    #expect(try filesWithMarker(desk) == [])

    #expect(try desk.store.state(of: desk.ann).state == ann)
    #expect(try desk.store.keys.list().map(\.id) == [shared.key.id])
    #expect(try desk.store.keys.get(shared.key.id).users == [.exactly(desk.ann.user)])
    #expect(try desk.store.keys.authenticate(SecretKey(own.secret.revealed)) == .unknown)
    #expect(try desk.store.grants.list(of: desk.ann).map(\.grantee) == [.key(shared.key.id)])
    #expect(try desk.store.receipt(other.id).answer == other.answer)
    let gone = try desk.store.receipt(receipt.id)
    #expect(gone.answer.isEmpty && gone.query.isEmpty && gone.user.isNameless && gone.erasedAt == time)
    #expect(try desk.store.receipt(receipt.id, in: .default).erasedAt == time)
    #expect(throws: MemoirError.self) { try desk.store.receipt(receipt.id, in: Namespace("other")) }
    #expect(try desk.store.effectiveness(until: desk.clock.now).contexts == 2)

    let event = try #require(try desk.store.log.readStream(user, direction: .backward, limit: 1).events.first)
    var writer = JSONWriter()
    try EventJSON.write(event, to: &writer)
    let text = String(decoding: writer.finish(), as: UTF8.self)
    #expect(text.contains(#""data":{"by":"the office","erased_at":"\#(time)","events":11}"#), "\(text)")
    #expect(text.contains(#""type":"UserErased""#) && !text.contains(#""user""#))
    #expect(try desk.store.log.verify().problems == [])
    try desk.reopen()
    try desk.store.log.repairDerived()
    #expect(try desk.store.log.verify().problems == [])
    #expect(try filesWithMarker(desk) == [])
  }

  @Test func `leaves an empty state at every point, which says when`() async throws {
    let desk = try TrustDesk()
    try await fill(desk, desk.bob)
    let empty = ContextProjector().initialState()
    desk.wait(seconds: 1)
    let time = desk.clock.now
    try await desk.store.erase(desk.bob, by: "the office")
    for version in 0...12 {
      let state = try desk.store.state(of: desk.bob, at: .version(StreamVersion(UInt64(version))))
      #expect(state.state == empty, "\(version)")
      #expect(state.erasedAt == time && state.version.number == UInt64(version))
    }
    for point in [AsOfText.now, .occurred(desk.clock.now), .recorded(desk.clock.now), .position(5)] {
      #expect(try desk.store.state(of: desk.bob, at: point).state == empty, "\(point)")
    }
    var text = JSONWriter()
    try desk.store.write(try desk.store.state(of: desk.bob), to: &text)
    #expect(String(decoding: text.finish(), as: UTF8.self).contains(#""erased_at":"\#(time)""#))
    // Between the line that begins it and the one that ends it, nothing.
    var lines = 0
    try desk.store.export(desk.bob) { lines += $0.split(separator: 10).count }
    #expect(lines == 2)
    let report = try desk.store.report(of: desk.bob)
    #expect(
      report.memorySince == nil && report.totals.messages == 0 && report.howToErase.command == "memoir erase --yes bob")
    #expect(try await desk.store.recall(RecallQuery("who is called \(marker)"), of: desk.bob).memories.isEmpty)

    // Who comes back is known from then on, and not from before.
    try await desk.append(
      .messageAdded(MessageAdded(role: .user, content: "Hello again.")), session: "session \(marker)")
    let back = try desk.store.state(of: desk.bob)
    #expect(back.version == 13 && back.state.messages.total == 1 && back.state.sessions.total == 1)
    #expect(back.erasedAt == time)
    #expect(try desk.store.report(of: desk.bob).memorySince == desk.clock.now)
    lines = 0
    try desk.store.export(desk.bob) { lines += $0.split(separator: 10).count }
    #expect(lines == 3)
    #expect(try desk.store.state(of: desk.bob, at: .version(12)).state == empty)
  }

  // Only keys of the one namespace were looked at: others kept the person's id for good.
  @Test func `takes them out of keys to several namespaces, with the last of those that know them`() async throws {
    let desk = try TrustDesk()
    let two = try Namespace("two")
    let here = StreamName(try UserID("user-\(marker)")), there = StreamName(here.user, in: two)
    let both = KeyNamespaces.only([.default, two])
    func key(_ users: [UserID], _ namespaces: KeyNamespaces) async throws -> APIKeyID {
      let draft = APIKeyDraft(
        "a phone", namespaces: namespaces, scopes: [.read], users: users.map { .exactly($0) })
      return try await desk.store.keys.create(draft).key.id
    }
    for user in [here, there, desk.ann] {
      try await desk.append(.messageAdded(MessageAdded(role: .user, content: "Hello.")), to: user)
    }
    let own = try await key([here.user], both)
    let shared = try await key([here.user, desk.ann.user], both)
    let elsewhere = try await key([here.user, desk.ann.user], .only([.default, Namespace("three")]))

    try await desk.store.erase(here, by: "the office")
    #expect(try desk.store.keys.get(own).users == [.exactly(here.user)])
    #expect(try desk.store.keys.get(shared).users?.count == 2)
    // Nobody of that name is known there.
    #expect(try desk.store.keys.get(elsewhere).users == [.exactly(desk.ann.user)])

    #expect(try await desk.store.erase(there, by: "the office").isScrubbed)
    #expect(await code { _ = try desk.store.keys.get(own) } == .notFound)
    #expect(try desk.store.keys.get(shared).users == [.exactly(desk.ann.user)])
    #expect(try filesWithMarker(desk) == [])
    #expect(try desk.store.log.verify().isSound)
  }

  // With the last key the door was open to whoever is on the machine.
  @Test func `leaves a store that had a key as one that wants one`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "Hello.")))
    #expect(try desk.store.keys.isEmpty)
    let draft = APIKeyDraft(
      "a phone", namespaces: .only([.default]), scopes: [.read], users: [.exactly(desk.bob.user)])
    let secret = try await desk.store.keys.create(draft).secret
    try await desk.store.erase(desk.bob, by: "the office")
    for _ in 0..<2 {
      #expect(try desk.store.keys.list(includingRevoked: true) == [])
      #expect(try !desk.store.keys.isEmpty)
      #expect(try desk.store.keys.authenticate(secret) == .unknown)
      try desk.reopen()
    }
  }

  @Test func `is said by an erasure alone, whoever appends`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "Hello.")))
    #expect(await code { try await desk.append(.userErased(UserErased())) } == .invalidArgument)
    #expect(throws: AppendError.self) {
      let event = EventData(
        redacted: .zero, id: .number(1), type: .userErased, typeVersion: 1, session: nil, occurredAt: .earliest)
      _ = try desk.store.log.appendAndWait([StreamAppend([event], to: desk.bob)])
    }
    #expect(try desk.store.log.version(of: desk.bob) == 1)
    #expect(try await desk.store.erase(desk.bob, by: "the office").erased == 1)
    #expect(try desk.store.log.version(of: desk.bob) == 2)
  }

  @Test func `is refused for nobody, and by nobody`() async throws {
    let desk = try TrustDesk()
    #expect(await code { try await desk.store.erase(desk.bob, by: "the office") } == .notFound)
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "Hello.")))
    for by in ["", "a\nb", String(repeating: "x", count: 251)] {
      #expect(await code { try await desk.store.erase(desk.bob, by: by) } == .invalidArgument)
    }
    #expect(try desk.store.state(of: desk.bob).state.messages.total == 1)
    // Whoever does so themselves is not kept by name.
    #expect(try await desk.store.erase(desk.bob, by: "bob").erased == 1)
    #expect(try desk.store.log.lastErasure(of: desk.bob)?.by == "user")
    #expect(try desk.store.log.lastErasure(of: desk.bob)?.events == 1)
  }
}
