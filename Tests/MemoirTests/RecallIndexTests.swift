// The index of recall: the same however it came about, and never a trap whatever its bytes are.
import Bytes
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `The index` {
  @Test(arguments: 1...6)
  func `answers the same with snapshots, without, and after reopening`(seed: UInt64) async throws {
    var memories = RandomMemories(seed: seed)
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 200)
    let eager = try RecallStore(options)
    options.cacheBytes = 0
    let forgetful = try RecallStore(options)
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: .max)
    let plain = try RecallStore(options)
    let stores = [eager, forgetful, plain]
    for round in 1...25 {
      var batch: [EventData] = []
      for _ in 0..<memories.number(1...12) { batch.append(try memories.next(at: plain.clock.now)) }
      for store in stores {
        store.clock.advance(byMicroseconds: 3_600_000_000)
        try store.append(batch)
      }
      let query = memories.query(now: plain.clock.now)
      let expected = try await plain.recall(query).lines
      for store in [eager, forgetful] {
        try #require(try await store.recall(query).lines == expected, "seed \(seed), round \(round)")
        if memories.number(0...2) == 0 { try store.memoir.log.storeDueSnapshots() }
        if memories.number(0...4) == 0 { try store.reopen() }
      }
    }
    let index = RecallProjector()
    let folded = try #require(try plain.memoir.log.state(of: .bob, by: index, usesSnapshots: false)).state.bytes
    for store in stores { #expect(try store.memoir.log.state(of: .bob, by: index)?.state.bytes == folded) }
  }

  // Past 16,384 texts a part is closed.
  @Test func `of many texts is the same built at once or question by question`() async throws {
    var memories = RandomMemories(seed: 77)
    let asked = try RecallStore()
    let once = try RecallStore()
    var queries: [RecallQuery] = []
    var number = 0
    for _ in 0..<21 {
      var batch: [EventData] = []
      for _ in 0..<1_000 {
        number += 1
        batch.append(
          try EventData(
            .messageAdded(MessageAdded(role: .user, content: "\(memories.pick(RandomMemories.words)) \(number % 700)")),
            session: number % 3 == 0 ? nil : .named("s-\(number / 50)"), id: .number(number),
            occurredAt: asked.clock.now))
      }
      try asked.append(batch)
      try once.append(batch)
      var query = RecallQuery("\(memories.pick(RandomMemories.words)) \(memories.number(0...699))")
      query.kinds = [.message]
      queries.append(query)
      _ = try await asked.recall(query)
    }
    for (round, query) in queries.enumerated() where round % 4 == 0 {
      let answer = try await asked.recall(query).lines
      #expect(answer.count == 5)
      #expect(try await once.recall(query).lines == answer)
    }
    let index = try #require(try once.memoir.log.state(of: .bob, by: RecallProjector())).state
    #expect(index.finishedParts == 1 && index.messages.openCount == 21_000 - 16_384)
    #expect(try asked.memoir.log.state(of: .bob, by: RecallProjector())?.state.bytes == index.bytes)
    #expect(index.bytes.count == index.encodedSize)
  }

  @Test(arguments: [0, 1, 2, 255, 256, 257, 511, 512, 2_047, 2_048, 2_049, 2_304])
  func `says how large it is, and comes back from its bytes`(count: Int) throws {
    var random = RandomMemories(seed: UInt64(count))
    var history = History()
    for _ in 0..<count { try history.append(.messageAdded(MessageAdded(role: .user, content: random.text()))) }
    for _ in 0..<count / 10 { history.append(try random.next(at: History.time(count))) }
    let index = try history.fold(RecallProjector())
    let bytes = index.bytes
    #expect(bytes.count == index.encodedSize)
    let again = try RecallIndex.decode(bytes)
    #expect(again.bytes == bytes && again.encodedSize == bytes.count)
    #expect(again.messages.count == index.messages.count && again.messages.count >= count)
    #expect(throws: DamagedBytes.self) { try RecallIndex.decode(Array(bytes.dropLast())) }
  }
}

@Suite struct `A damaged index` {
  /// A little of everything.
  private static func events(_ count: Int, seed: UInt64) throws -> History {
    var random = RandomMemories(seed: seed)
    var history = History()
    for _ in 0..<count { history.append(try random.next(at: History.time(0))) }
    return history
  }

  /// Asks of an index whatever it was made of, and lets it grow.
  private static func use(_ index: RecallIndex, _ history: History) throws {
    let state = try history.fold(ContextProjector())
    for point in [AsOfText.now, .occurred(History.time(0))] {
      let at = StateAt(user: .bob, asOf: point, version: 10_000, clock: History.time(0), state: state)
      let memory = MemoryAtPoint(at, index, head: 10_000, decay: Decay())
      for text in ["coffee in Lisbon on Friday", "the"] {
        for session in [nil, UInt64(3)] {
          var query = RecallQuery(text)
          query.kinds = Set(MemoryKind.allCases)
          var ranked = RecallProjector().analyzers.withAnalyzer { memory.rank(query, session: session, nil, $0) }
          while let next = ranked.next() {
            #expect(!ranked.parts(of: next).score.isNaN)
            if next.kind == .fact { _ = memory.fact(next) }
          }
        }
      }
    }
    #expect(index.bytes.count == index.encodedSize)
  }

  @Test func `is refused or can be asked, whichever bit is wrong`() throws {
    let history = try Self.events(14, seed: 5)
    let bytes = try history.fold(RecallProjector()).bytes
    var refused = 0
    var accepted = 0
    for bit in 0..<8 * bytes.count {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      guard let index = try? RecallIndex.decode(damaged) else {
        refused += 1
        continue
      }
      accepted += 1
      try Self.use(index, history)
    }
    #expect(refused > 0 && accepted > 0)
    for length in 0..<bytes.count {
      #expect(throws: DamagedBytes.self) { try RecallIndex.decode(Array(bytes.prefix(length))) }
    }
  }

  // One with segments is too long for every bit of it.
  @Test(arguments: 1...3) func `with segments is refused or can be asked and grown`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var texts = RandomMemories(seed: seed)
    var history = History()
    for _ in 0..<600 { try history.append(.messageAdded(MessageAdded(role: .user, content: texts.text()))) }
    let bytes = try history.fold(RecallProjector()).bytes
    var accepted = 0
    for round in 0..<250 {
      var damaged = bytes
      // The counts at the front every other time.
      let place = Int.random(in: 0..<(round % 2 == 0 ? 40 : bytes.count), using: &random)
      damaged[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
      guard var index = try? RecallIndex.decode(damaged) else { continue }
      accepted += 1
      guard accepted % 8 == 1 else { continue }
      try Self.use(index, history)
      try history.forEach { number, event in
        if number < 300 { try RecallProjector().apply(event, to: &index) }
      }
      #expect(index.bytes.count == index.encodedSize)
    }
    #expect(accepted > 0)
  }
}

@Suite struct `An index of two parts` {
  // 17,000 texts, every fourth of them a fact: a part is finished, and something came since.
  @Test func `is read where it is stored, at the head and at any version, and goes with what it holds`() async throws {
    var options = EventLog.Options()
    options.cacheBytes = 0
    let store = try RecallStore(options)
    for batch in 0..<17 {
      try store.append(
        (0..<1_000).map { number in
          let text = "coffee number \(1_000 * batch + number)"
          let event: MemoirEvent =
            number % 4 == 0
            ? .factLearned(try FactLearned(fact: text, category: "home", confidence: 0.9))
            : .messageAdded(try MessageAdded(role: .user, content: text))
          return try EventData(
            event, session: number % 3 == 0 ? nil : .named("s-\(batch)"), id: .number(100_000 + 1_000 * batch + number),
            occurredAt: store.clock.now)
        })
    }
    func index(at point: AsOf = .head, usesSnapshots: Bool = true) throws -> FoldedState<RecallIndex> {
      try #require(
        try store.memoir.log.state(of: .bob, by: RecallProjector(), at: point, usesSnapshots: usesSnapshots))
    }
    let plain = try index(usesSnapshots: false)
    #expect(plain.eventsFolded == 17_000 && plain.state.finishedParts == 1)
    #expect(plain.state.bytes.count == plain.state.encodedSize)
    #expect(try RecallIndex.decode(plain.state.bytes).bytes == plain.state.bytes)
    var query = RecallQuery("coffee number 7076")
    query.kinds = [.fact]
    let answer = try await store.recall(query).lines
    #expect(answer.first?.contains("coffee number 7076 ") == true)
    try store.memoir.log.storeDueSnapshots()

    let read = try index()
    #expect(read.eventsFolded == 17_000 - RecallIndex.textsOfPart)
    #expect(read.state.bytes == plain.state.bytes)
    #expect(try await store.recall(query).lines == answer)
    for version in [1, 16_383, 16_384, 16_385] as [StreamVersion] {
      let then = try index(at: .version(version))
      #expect(then.eventsFolded == Int(version.number) % RecallIndex.textsOfPart)
      #expect(try then.state.bytes == index(at: .version(version), usesSnapshots: false).state.bytes)
    }
    try store.say("tea")
    #expect(try index().state.bytes == index(usesSnapshots: false).state.bytes)

    try store.memoir.log.redact(7_077, of: .bob)
    #expect(try index().eventsFolded == 17_001)
    #expect(try await store.recall(query).lines != answer)
  }
}
