// Recall by meaning through a real store: vectors beside the appends, and models that fail in every way.
import EventStore
import JSON
import Memoir
import Synchronization
import TestSupport
import Testing

/// A store with an embedder, in a folder of its own.
private final class SemanticStore {
  let folder = TemporaryFolder()
  let clock = TestClock()
  let bob = StreamName.named("bob")
  let eve = StreamName.named("eve")
  let embedder: WordEmbedder
  var options = SemanticOptions(
    queryTimeLimit: .seconds(5), restAfterFailure: .zero, batchSize: 4,
    retryDelays: .milliseconds(1) ... .milliseconds(5))
  private(set) var store: MemoirStore

  init(_ embedder: WordEmbedder = WordEmbedder()) throws {
    self.embedder = embedder
    store = try Self.open(folder, embedder, options, clock)
  }

  private static func open(
    _ folder: TemporaryFolder, _ embedder: any Embedder, _ options: SemanticOptions, _ clock: TestClock,
    isReadOnly: Bool = false
  ) throws -> MemoirStore {
    var log = EventLog.Options()
    // Many are open at once, and the address space of a process holds only so many large ones.
    log.mapSize = 1 << 32
    log.clock = { clock.now }
    log.isReadOnly = isReadOnly
    var memory = MemoryOptions()
    memory.embedder = embedder
    memory.semantics = options
    return try MemoirStore(folder: folder.path + "/store", options: log, memory: memory)
  }

  func reopen(with embedder: (any Embedder)? = nil, isReadOnly: Bool = false) throws {
    try store.close()
    store = try Self.open(folder, embedder ?? self.embedder, options, clock, isReadOnly: isReadOnly)
  }

  func say(_ texts: String..., by user: StreamName? = nil) async throws {
    let events = try texts.map { MemoirEvent.messageAdded(try MessageAdded(role: .user, content: $0)) }
    try await store.append(events, to: user ?? bob, session: SessionID("s"))
  }

  func learn(_ fact: String, id: String? = nil) async throws {
    try await store.append(
      [.factLearned(try FactLearned(fact: fact, category: "c", confidence: 0.5, factID: id.map { try FactID($0) }))],
      to: bob)
  }

  func ask(
    _ query: String, of user: StreamName? = nil, through last: StreamVersion = StreamVersion(.max)
  ) async -> SemanticAnswer {
    await store.semanticScores(for: query, of: user ?? bob, through: last)
  }

  /// Waits until the embedding beside the appends has nothing more to do.
  func settle(until isSettled: (EmbeddingStatus) -> Bool = { _ in true }) async throws {
    for _ in 0..<2_000 {
      if let status = store.embeddingStatus, status.isCaughtUp, isSettled(status) { return }
      try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("it did not come to an end: \(String(describing: store.embeddingStatus))")
  }
}

extension SemanticAnswer {
  fileprivate func versions(of kind: MemoryKind, _ count: Int = 10) -> [StreamVersion] {
    nearest(count, of: kind).map(\.version)
  }
}

@Suite struct `Recall by meaning` {
  @Test func `finds the nearest texts of each kind, with their events`() async throws {
    let memory = try SemanticStore()
    try await memory.say("the cat sleeps on the sofa", "my bicycle has a flat tyre", "")
    try await memory.learn("Owns a red bicycle")
    try await memory.store.append(
      [
        .factRevised(try FactRevised(factID: FactID("unknown"), fact: "Repairs the bicycle himself")),
        .episodeRecorded(
          try EpisodeRecorded(task: "repair", actions: ["bought a tyre"], outcomes: "bicycle rides", success: true)),
        .preferenceUpdated(try PreferenceUpdated(key: "bicycle", value: .null)),
      ], to: memory.bob)
    try await memory.store.append(
      [.sessionEnded(try SessionEnded(summary: "A cat and a bicycle"))], to: memory.bob, session: SessionID("s"))
    try await memory.store.embedMissing()

    let answer = await memory.ask("bicycle tyre")
    #expect(answer.absence == nil && answer.missing == 0 && answer.model == "words")
    #expect(answer.versions(of: .message) == [2, 1])
    #expect(Set(answer.versions(of: .fact)) == [4, 5])
    #expect(answer.versions(of: .episode) == [6] && answer.versions(of: .summary) == [8])
    let nearest = try #require(answer.nearest(1, of: .message).first)
    #expect(nearest.score > 0.3 && answer.score(of: .message, at: 2) == nearest.score)
    #expect(answer.score(of: .fact, at: 2) == nil && answer.score(of: .message, at: 3) == nil)
    #expect(answer.nearest(9, of: .message) { $0 != 2 }.map(\.version) == [1])
  }

  @Test func `says in contexts what they were found without`() async throws {
    let memory = try SemanticStore()
    try await memory.say("the cat sleeps on the sofa")
    try await memory.learn("Owns a red bicycle")
    let early = try await memory.store.contextWithReceipt(ContextRequest("bicycle"), for: memory.bob)
    #expect(early.context.meaning?.absence == nil && early.context.meaning?.missing == 2)
    try await memory.store.embedMissing()
    let whole = try await memory.store.context(ContextRequest("bicycle"), for: memory.bob)
    #expect(whole.meaning?.missing == 0 && whole.meaning?.model == "words")
    #expect(try await memory.store.context(ContextRequest(""), for: memory.bob).meaning == nil)
    memory.embedder.fail { _ in .timedOut }
    let without = try await memory.store.contextWithReceipt(ContextRequest("bicycle"), for: memory.bob)
    #expect(without.context.meaning?.absence == EmbedderError.timedOut.description)
    // The receipt says so for ever.
    let kept = try memory.store.receipt(try #require(without.receipt).id)
    #expect(String(decoding: kept.answer, as: UTF8.self).contains(#""meaning":{"absence":"#))
    let started = try await memory.store.startSession(
      of: memory.bob, firstMessage: MessageAdded(role: .user, content: "bicycle"))
    #expect(started.context?.meaning?.absence != nil)
  }

  @Test func `as of a version knows nothing of later texts`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one apple", "two apples", "three apples", "apple")
    try await memory.store.embedMissing()
    #expect(await memory.ask("apple", through: 3).versions(of: .message).sorted() == [1, 2, 3])
    #expect(await memory.ask("apple", through: 3).score(of: .message, at: 4) == nil)
    #expect(await memory.ask("apple", through: 0).versions(of: .message).isEmpty)
    // The same score then and now.
    let (then, now) = (await memory.ask("apple", through: 1), await memory.ask("apple"))
    #expect(then.score(of: .message, at: 1) == now.score(of: .message, at: 1))
  }

  @Test func `never crosses users`() async throws {
    let memory = try SemanticStore()
    try await memory.say("a secret of bob")
    try await memory.say("a secret of eve", "eve again", by: memory.eve)
    try await memory.store.embedMissing()
    #expect(await memory.ask("secret").versions(of: .message) == [1])
    #expect(await memory.ask("secret", of: memory.eve).versions(of: .message).sorted() == [1, 2])
    let nobody = await memory.ask("secret", of: .named("nobody"))
    #expect(nobody.absence == nil && nobody.versions(of: .message).isEmpty && nobody.missing == 0)
  }

  @Test func `counts what has no vector yet`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one", "two")
    try await memory.store.embedMissing()
    try await memory.say("three", "", "five")
    #expect(await memory.ask("one").missing == 2)
    #expect(await memory.ask("one", through: 3).missing == 1)
    #expect(await memory.ask("one", through: 2).missing == 0)
    try await memory.store.embedMissing()
    let answer = await memory.ask("one")
    #expect(answer.missing == 0 && answer.versions(of: .message).count == 4)
  }

  @Test func `of a text that was redacted is gone at once, from memory and disk`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one apple", "two apples")
    try await memory.store.embedMissing()
    #expect(await memory.ask("apple").versions(of: .message).count == 2)
    try memory.store.log.redact(1, of: memory.bob)
    let answer = await memory.ask("apple")
    #expect(answer.versions(of: .message) == [2] && answer.missing == 0)
    try memory.reopen()
    #expect(await memory.ask("apple").versions(of: .message) == [2])
    #expect(try memory.store.log.verify().isSound)
  }

  @Test func `is there after a reopening, also of a store that can only be read`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one apple")
    try await memory.store.embedMissing()
    let asked = memory.embedder.requests.count
    try memory.reopen(isReadOnly: true)
    #expect(await memory.ask("apple").versions(of: .message) == [1])
    #expect(memory.embedder.requests.count == asked + 1)
  }

  @Test func `of a store without an embedder says that there is none`() async throws {
    let folder = TemporaryFolder()
    let store = try MemoirStore(folder: folder.path + "/store")
    let answer = await store.semanticScores(for: "x", of: .named("bob"))
    #expect(answer.absence == .notConfigured && answer.nearest(5, of: .fact).isEmpty && answer.model == nil)
    await #expect {
      try await store.embedMissing()
    } throws: {
      ($0 as? MemoirError)?.code == .unavailable
    }
    store.maintainVectors()
    #expect(store.embeddingStatus == nil)
    try store.close()
  }

  @Test func `needs no more memory than it is given`() async throws {
    let memory = try SemanticStore()
    for number in 0..<20 { try await memory.say("text \(number)", by: .named("u\(number)")) }
    memory.options.cacheBytes = 2_000
    try memory.reopen()
    try await memory.store.embedMissing()
    for _ in 0..<2 {
      for number in 0..<20 {
        #expect(await memory.ask("text", of: .named("u\(number)")).versions(of: .message) == [1])
      }
    }
  }
}

@Suite struct `A question whose embedder` {
  @Test func `fails is answered with the reason`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one")
    try await memory.store.embedMissing()
    memory.embedder.fail { _ in .unreachable(reason: "down") }
    let answer = await memory.ask("one")
    #expect(answer.absence == .embedder(.unreachable(reason: "down")) && answer.nearest(3, of: .message).isEmpty)
    memory.embedder.fail { _ in nil }
    #expect(await memory.ask("one").absence == nil)
  }

  @Test func `is slow waits no longer than it may, then not at all for a while`() async throws {
    let server = try LoopbackServer { _ in .never }
    let memory = try SemanticStore()
    memory.options.queryTimeLimit = .milliseconds(200)
    memory.options.restAfterFailure = .seconds(600)
    try memory.reopen(with: EmbeddingClient(try ModelEndpoint(baseURL: server.url, model: "words")))
    try await memory.say("one")
    for _ in 0..<3 {
      let began = ContinuousClock.now
      #expect(await memory.ask("one").absence == .embedder(.timedOut))
      #expect(ContinuousClock.now - began < .seconds(120))
    }
    #expect(server.requests.count == 1)
  }

  @Test func `fails at once is answered with that, not as one that is slow`() async throws {
    let server = try LoopbackServer { _ in .json("{}", status: 500) }
    let memory = try SemanticStore()
    memory.options.queryTimeLimit = .seconds(600)
    try memory.reopen(with: EmbeddingClient(try ModelEndpoint(baseURL: server.url, model: "words")))
    #expect(await memory.ask("one").absence == .embedder(.failed(status: 500)))
  }

  @Test func `gives another dimension than before has no scores, and all texts count as missing`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one", "two")
    try await memory.store.embedMissing()
    try memory.reopen(with: WordEmbedder(dimension: 16))
    let answer = await memory.ask("one")
    #expect(answer.absence == nil && answer.nearest(3, of: .message).isEmpty && answer.missing == 2)
  }

  @Test func `is another model begins anew, and the vectors of the old one can be dropped`() async throws {
    let memory = try SemanticStore()
    try await memory.say("one", "two")
    try await memory.store.embedMissing()
    try memory.reopen(with: WordEmbedder(model: "other", dimension: 16))
    #expect(await memory.ask("one").missing == 2)
    try await memory.store.embedMissing()
    #expect(await memory.ask("one").versions(of: .message).count == 2)
    let entries = { () throws -> Int in
      return try memory.store.log.storeStatistics(for: MessageProjector()).tables.first { $0.name == "derived" }?
        .entries ?? 0
    }
    #expect(try entries() == 4)
    try await memory.store.dropVectors(of: "words")
    #expect(try entries() == 2)
    #expect(await memory.ask("one").versions(of: .message).count == 2)
  }
}

@Suite struct `Vectors made beside the appends` {
  @Test func `come for what there was and what comes, each text once, in batches`() async throws {
    let memory = try SemanticStore()
    try await memory.say("a", "b", "c", "d", "e")
    try await memory.say("f", by: memory.eve)
    memory.store.maintainVectors()
    try await memory.settle { $0.embedded == 6 }
    for text in ["g", "h", "i"] { try await memory.say(text) }
    try await memory.settle { $0.embedded == 9 }
    #expect(memory.embedder.requests.flatMap(\.self).sorted() == ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
    #expect(memory.embedder.requests.allSatisfy { $0.count <= 4 })
    #expect(await memory.ask("a").versions(of: .message).count == 8)
    try memory.store.close()
  }

  @Test func `go on where they stopped`() async throws {
    let memory = try SemanticStore()
    try await memory.say("a", "b", "c")
    try await memory.store.embedMissing()
    try memory.reopen()
    try await memory.say("d")
    try await memory.store.embedMissing()
    #expect(memory.embedder.requests == [["a", "b", "c"], ["d"]])
  }

  @Test func `wait out an embedder that is down, and keep what they have`() async throws {
    let memory = try SemanticStore(WordEmbedder(failing: { _ in .unreachable(reason: "down") }))
    try await memory.say("a", "b")
    memory.store.maintainVectors()
    while memory.store.embeddingStatus?.problem == nil { try await Task.sleep(for: .milliseconds(2)) }
    #expect(memory.store.embeddingStatus?.isCaughtUp == false)
    try await memory.say("c")
    memory.embedder.fail { _ in nil }
    try await memory.settle { $0.embedded == 3 }
    #expect(memory.store.embeddingStatus?.problem == nil)
  }

  // Refused with its batch, one text kept all that followed from ever being found.
  @Test func `pass over a text that the model refuses, and note it`() async throws {
    let memory = try SemanticStore(
      WordEmbedder(failing: { texts in texts.contains("poison") ? .refused(status: 400, reason: "no") : nil }))
    try await memory.say("a", "b", "poison", "d", "e", "poison")
    try await memory.store.embedMissing()
    let status = try #require(memory.store.embeddingStatus)
    #expect(status.embedded == 4 && status.refused == 2)
    let answer = await memory.ask("a")
    #expect(answer.versions(of: .message).sorted() == [1, 2, 4, 5] && answer.missing == 2)
    let asked = memory.embedder.requests.count
    try await memory.store.embedMissing()
    #expect(memory.embedder.requests.count == asked, "it is not sent again")
  }

  @Test func `note nothing as refused while the model refuses everything`() async throws {
    let memory = try SemanticStore(WordEmbedder(failing: { _ in .refused(status: 400, reason: "no such model") }))
    try await memory.say("a", "b", "c")
    await #expect {
      try await memory.store.embedMissing()
    } throws: {
      "\($0)".contains("no such model")
    }
    memory.embedder.fail { _ in nil }
    try await memory.store.embedMissing()
    #expect(memory.store.embeddingStatus?.embedded == 3 && memory.store.embeddingStatus?.refused == 0)
  }

  @Test func `of another length than any stored before are not kept, also of somebody new`() async throws {
    let memory = try SemanticStore()
    try await memory.say("a", "b")
    try await memory.store.embedMissing()
    try memory.reopen(with: WordEmbedder(dimension: 16))
    try await memory.say("c", by: memory.eve)
    await #expect {
      try await memory.store.embedMissing()
    } throws: { error in
      guard let error = error as? MemoirError else { return false }
      return error.code == .unavailable && error.message.contains("32 numbers")
        && error.message.contains("'memoir embed --drop words'")
    }
    try memory.reopen()
    try await memory.store.embedMissing()
    #expect(await memory.ask("c", of: memory.eve).versions(of: .message) == [1])
    // Dropped, they may be of any length.
    try memory.reopen(with: WordEmbedder(dimension: 16))
    try await memory.store.dropVectors(of: "words")
    try await memory.store.embedMissing()
    #expect(await memory.ask("a").versions(of: .message).count == 2)
  }

  @Test func `of one namespace are made of its texts alone`() async throws {
    let memory = try SemanticStore()
    let other = StreamName.named("bob", in: "other")
    try await memory.say("here")
    try await memory.say("there", by: other)
    try await memory.store.embedMissing(in: other.namespace)
    #expect(memory.embedder.requests == [["there"]] && memory.store.embeddingStatus?.isCaughtUp == false)
    try await memory.store.embedMissing()
    #expect(memory.embedder.requests == [["there"], ["here"]])
  }

  @Test func `leave nothing of a text that is redacted while its vector is made`() async throws {
    let memory = try SemanticStore()
    try await memory.say("a", "b", "c")
    let (store, bob) = (memory.store, memory.bob)
    memory.embedder.fail { texts in
      if texts.contains("b") { try? store.log.redact(2, of: bob) }
      return nil
    }
    try await store.embedMissing()
    #expect(await memory.ask("a").versions(of: .message).sorted() == [1, 3])
  }

  @Test func `made twice at once are the same`() async throws {
    let memory = try SemanticStore()
    for number in 0..<30 { try await memory.say("text number \(number)") }
    let store = memory.store
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { _ = try await store.embedMissing() } }
      try await group.waitForAll()
    }
    let answer = await memory.ask("text")
    #expect(answer.versions(of: .message, 100).count == 30 && answer.missing == 0)
  }

  @Test func `end with the store, also while the embedder is asked`() async throws {
    let server = try LoopbackServer { _ in .never }
    let memory = try SemanticStore()
    try await memory.say("a")
    try memory.reopen(with: EmbeddingClient(try ModelEndpoint(baseURL: server.url, model: "words")))
    memory.store.maintainVectors()
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    let began = ContinuousClock.now
    try memory.store.close()
    await memory.store.stopMaintainingVectors()
    #expect(ContinuousClock.now - began < .seconds(120))
  }

  @Test func `can be stopped and begun again`() async throws {
    let memory = try SemanticStore()
    memory.store.maintainVectors()
    try await memory.say("a")
    try await memory.settle { $0.embedded == 1 }
    await memory.store.stopMaintainingVectors()
    try await memory.say("b")
    memory.store.maintainVectors()
    try await memory.settle { $0.embedded == 2 }
    #expect(await memory.ask("a").versions(of: .message).count == 2)
    try memory.store.close()
  }

  @Test(arguments: 1...6) func `cover any history, whatever happens in between`(seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let memory = try SemanticStore()
    var texts: [String?] = []
    for round in 0..<25 {
      switch Int.random(in: 0...5, using: &random) {
      case 0 where !texts.isEmpty:
        let version = Int.random(in: 1...texts.count, using: &random)
        try memory.store.log.redact(StreamVersion(UInt64(version)), of: memory.bob)
        texts[version - 1] = nil
      case 1: try memory.reopen()
      case 2: try await memory.store.embedMissing()
      case 3: _ = await memory.ask("word")
      default:
        let text = "word \(round % 7) of seed"
        texts.append(text)
        try await memory.say(text)
      }
    }
    try await memory.store.embedMissing()
    let answer = await memory.ask("word")
    let expected = texts.indices.filter { texts[$0] != nil }.map { StreamVersion(UInt64($0 + 1)) }
    #expect(answer.versions(of: .message, 100).sorted() == expected && answer.missing == 0, "seed \(seed)")
    #expect(try memory.store.log.verify().isSound)
  }
}
