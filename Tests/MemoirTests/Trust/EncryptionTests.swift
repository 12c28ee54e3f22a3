// An encrypted memory: nothing of what was said can be found in its files, and every answer is that of a plain one.
import Bytes
import Foundation
import JSON
import Sodium
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

private let marker = "Zebulon"

/// A store of one user in a folder of its own, encrypted or not.
private struct EncryptionDesk {
  let folder = TemporaryFolder()
  let clock = TestClock()
  let store: MemoirStore
  let bob = StreamName.named("bob")
  var path: String { folder.path + "/store" }

  init(isEncrypted: Bool, embedder: (any Embedder)? = nil) throws {
    var options = EventLog.Options()
    options.clock = { [clock] in clock.now }
    options.mapSize = 1 << 32
    options.blockSize = 30
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 1_000)
    options.masterKey = isEncrypted ? MasterKey.random() : nil
    var memory = MemoryOptions()
    memory.embedder = embedder
    store = try MemoirStore(folder: folder.path + "/store", options: options, memory: memory)
  }

  /// The files that hold a text, as it is or in lower case, as terms are kept.
  func files(holding text: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
      let bytes = try Data(contentsOf: URL(filePath: path + "/" + name))
      return bytes.range(of: Data(text.utf8)) != nil || bytes.range(of: Data(text.lowercased().utf8)) != nil
    }
  }
}

@Suite struct `An encrypted memory` {
  @Test(arguments: [true, false])
  func `has nothing of what was said in any file, whatever is asked of it`(isEncrypted: Bool) async throws {
    let desk = try EncryptionDesk(isEncrypted: isEncrypted, embedder: WordEmbedder())
    let (store, bob) = (desk.store, desk.bob)
    try store.maintainSnapshots()
    let metadata = try JSONText(parsing: #"{"who":"\#(marker)"}"#)
    for number in 1...120 {
      desk.clock.advance(byMicroseconds: 60_000_000)
      let events: [MemoirEvent] = [
        .messageAdded(try MessageAdded(role: .user, content: "I am \(marker), for the \(number)th time.")),
        .factLearned(
          try FactLearned(
            fact: "Is called \(marker) \(number)", category: "name \(marker)", confidence: 1, tags: ["tag \(marker)"],
            metadata: metadata)),
        .preferenceUpdated(try PreferenceUpdated(key: "name of \(marker)", value: JSONText(string: marker))),
        .episodeRecorded(
          try EpisodeRecorded(task: "for \(marker)", actions: [marker], outcomes: .one(marker), success: true)),
        .custom(try CustomEvent(type: "app.Note", data: metadata)),
      ]
      try await store.append(
        [events[number % events.count]], to: bob, session: SessionID("session \(number / 10)"), metadata: metadata)
      if number % 10 == 9 {
        try await store.append(
          [.sessionEnded(try SessionEnded(summary: "\(marker) spoke"))], to: bob,
          session: SessionID("session \(number / 10)"))
      }
    }
    try await store.embedMissing()
    for number in 0..<10 {
      let (context, kept) = try await store.contextWithReceipt(
        ContextRequest("who is \(marker) \(number)"), for: bob)
      let receipt = try #require(kept)
      #expect(context.text.contains(marker))
      #expect(try store.receipt(receipt.id).answer == receipt.answer)
      #expect(try await !store.recall(RecallQuery("who is called \(marker)"), of: bob).memories.isEmpty)
      _ = try store.state(of: bob, at: .version(StreamVersion(UInt64(10 * number))))
      try store.prepareSnapshots(of: bob)
      try store.prepareRecall(of: bob)
      try store.log.storeDueSnapshots()
    }
    let key = try await store.keys.create(
      APIKeyDraft("\(marker)'s phone", namespaces: .only([.default]), scopes: [.read]))
    #expect(try store.keys.authenticate(SecretKey(key.secret.revealed)) != .unknown)
    try await store.grants.grant([.read], on: bob, to: .person(.init(unchecked: "ann")))
    let expected = isEncrypted ? [] : ["data.mdb"]
    #expect(try desk.files(holding: marker) == expected)
    try store.close()
    #expect(try desk.files(holding: marker) == expected)
  }

  // Both have the same secret, so that their chains are the same.
  @Test(arguments: 1...6) func `answers as a plain one does, at every point`(seed: UInt64) async throws {
    let (plain, encrypted) = (try EncryptionDesk(isEncrypted: false), try EncryptionDesk(isEncrypted: true))
    let desks = [plain, encrypted]
    var memories = RandomMemories(seed: seed)
    let people = [StreamName.bob, .alice, .named("bob", in: "other")]
    for _ in 0..<150 {
      let event = try memories.next(at: plain.clock.now)
      let person = people[memories.number(0...2)]
      var append = StreamAppend([event], to: person)
      append.secret = HashChain.streamDigest(person, secret: Bytes32.zero)
      let redacted = memories.number(0...30) == 0
      let wait = Int64(memories.number(1...2_000_000))
      for desk in desks {
        desk.clock.advance(byMicroseconds: wait)
        let result = try desk.store.log.appendAndWait([append])[0]
        if redacted { try desk.store.log.redact(result.lastVersion, of: person) }
      }
    }
    func same<Value: Equatable>(_ what: String, _ ask: (EncryptionDesk) async throws -> Value) async throws {
      let (a, b) = (try await ask(plain), try await ask(encrypted))
      #expect(a == b, "seed \(seed), \(what)")
    }
    for round in 0..<2 {
      let clock = plain.clock.now
      for person in people {
        try await same("chain") { try $0.store.log.proof(of: person, from: 1) }
        for point in [
          AsOfText.now, .version(3), .position(LogPosition(UInt64(memories.number(1...100)))), .recorded(clock),
          .occurred(clock.advanced(byMicroseconds: -Int64(memories.number(0...5_000_000)))),
        ] {
          try await same("state at \(point)") { desk in
            var writer = JSONWriter()
            try desk.store.write(try desk.store.state(of: person, at: point), to: &writer)
            return String(decoding: writer.finish(), as: UTF8.self)
          }
        }
        let query = memories.query(now: clock)
        try await same("recall of \(query.text)") { try await $0.store.recall(query, of: person).lines }
        try await same("export") { desk in
          var lines: [String] = []
          try desk.store.export(person) { text in
            lines += String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
          }
          // The first and the last name the store, and are signed with its key; the proof of each goes on from the first.
          return lines.dropFirst().dropLast().map { $0.replacing(#/,"proof":"[0-9a-f]+"/#, with: "") }
        }
      }
      try await same("log") { desk in
        let report = try desk.store.log.verify()
        #expect(report.isSound)
        return [report.chain, "\(report.events)", "\(report.redacted)"]
      }
      for desk in desks where round == 0 {
        try desk.store.log.storeDueSnapshots()
        try desk.store.log.repairDerived()
      }
    }
    for desk in desks { try desk.store.close() }
  }
}

@Suite struct `A master key given as text` {
  private let digits = String(repeating: "0a", count: 32)

  @Test func `is hexadecimal or Base64, and nothing else`() throws {
    let bytes = [UInt8](repeating: 10, count: 32)
    let key = try #require(MasterKey(bytes: bytes))
    for text in [digits, digits.uppercased(), " \(digits)\n", Base64.encode(bytes)] {
      #expect(try MasterKey(text) == key)
    }
    for text in ["", "0a", digits + "0a", String(digits.dropLast()), String(repeating: "g", count: 64), "ключ"] {
      let error = #expect(throws: MemoirError.self) { try MasterKey(text, field: "MEMOIR_MASTER_KEY") }
      #expect(error?.code == .invalidArgument && error?.details.member("field") == "MEMOIR_MASTER_KEY")
      #expect(text.isEmpty || error?.message.contains(text) == false)
    }
  }

  @Test func `comes from the environment, or a file that it names`() throws {
    let folder = TemporaryFolder()
    let (path, key) = (folder.path + "/key", MasterKey.random())
    try key.write(toNewFile: path)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(throws: MemoirError.self) { try MasterKey.random().write(toNewFile: path) }
    #expect(throws: MemoirError.self) { try key.write(toNewFile: folder.path + "/none/key") }
    func named(_ variables: [String: String]) throws -> MasterKey? { try .named { variables[$0] } }
    #expect(try named([:]) == nil)
    #expect(try named(["MEMOIR_MASTER_KEY": key.hexadecimal]) == key)
    #expect(try named(["MEMOIR_MASTER_KEY_FILE": path]) == key)
    for variables in [
      ["MEMOIR_MASTER_KEY": "x"], ["MEMOIR_MASTER_KEY_FILE": folder.path + "/none"],
      ["MEMOIR_MASTER_KEY_FILE": folder.path], ["MEMOIR_MASTER_KEY": key.hexadecimal, "MEMOIR_MASTER_KEY_FILE": path],
      // Of a script that could not find its key: what it makes must not be plain.
      ["MEMOIR_MASTER_KEY": ""], ["MEMOIR_MASTER_KEY_FILE": ""],
      ["MEMOIR_MASTER_KEY": "", "MEMOIR_MASTER_KEY_FILE": path],
    ] {
      let error = #expect(throws: MemoirError.self) { try named(variables) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.contains(key.hexadecimal) == false)
    }
  }
}
