// Recall as of an earlier point: it answers as a store that was never told of anything later.
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

/// Bob's memories in a store, and what of them came by which point.
private final class PastRecall {
  let whole: RecallStore
  private(set) var events: [EventData] = []
  private var recordedAt: [Timestamp] = []
  private var positions: [LogPosition] = []
  var memories: RandomMemories

  init(seed: UInt64) throws {
    memories = RandomMemories(seed: seed)
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: memories.number(0...4_000))
    options.cacheBytes = memories.pick([0, 64 << 20])
    options.blockSize = [7, 65_536][Int(seed % 2)]
    whole = try RecallStore(options)
    let count = memories.number(30...160)
    while events.count < count { try append() }
  }

  private func append() throws {
    whole.clock.advance(byMicroseconds: Int64(memories.number(1...40)) * 3_600_000_000)
    var batch: [EventData] = []
    for _ in 0..<memories.number(1...9) { batch.append(try memories.next(at: whole.clock.now)) }
    // What is said to others takes positions, and nothing else.
    if memories.number(0...2) == 0 { try whole.append([memories.next(at: whole.clock.now)], to: .alice) }
    let result = try whole.append(batch)
    let last = try whole.memoir.log.lastPosition().number
    for (offset, event) in batch.enumerated() {
      events.append(event)
      recordedAt.append(result.recordedAt)
      positions.append(LogPosition(last - UInt64(batch.count - 1 - offset)))
    }
    if memories.number(0...4) == 0 { try whole.memoir.log.storeDueSnapshots() }
  }

  /// A point, and the events that it includes.
  func point() throws -> (point: AsOfText, included: [EventData]) {
    let index = memories.number(0...events.count - 1)
    let step = Int64(memories.number(-1...1))
    func prefix(_ count: Int) -> [EventData] { Array(events.prefix(count)) }
    switch memories.number(0...4) {
    case 0: return (.version(StreamVersion(UInt64(index))), prefix(index))
    case 1:
      let position = LogPosition(UInt64(memories.number(0...Int(try whole.memoir.log.lastPosition().number))))
      return (.position(position), prefix(positions.count { $0 <= position }))
    case 2:
      let time = min(recordedAt[index].advanced(byMicroseconds: step), whole.clock.now)
      return (.recorded(time), prefix(recordedAt.count { $0 <= time }))
    default:
      let time = (events[index].occurredAt ?? .earliest).advanced(byMicroseconds: step)
      return (.occurred(time), events.filter { $0.occurredAt ?? .latest <= time })
    }
  }
}

@Suite struct `Recall as of an earlier point` {
  @Test(arguments: 1...12)
  func `answers as a store of the earlier events alone`(seed: UInt64) async throws {
    let past = try PastRecall(seed: seed)
    var found = 0
    for _ in 0..<14 {
      let (point, included) = try past.point()
      let earlier = try RecallStore()
      if !included.isEmpty { try earlier.append(included) }
      for _ in 0..<12 {
        let query = past.memories.query(now: past.whole.clock.now)
        let answer = try await past.whole.recall(query, at: point)
        earlier.setClock(to: answer.clock)
        // By occurrence events count in the order in which they happened, so that is asked of both.
        var same = AsOfText.now
        if case .occurred = point { same = point }
        let expected = try await earlier.recall(query, at: same)
        try #require(answer.lines == expected.lines, "seed \(seed), \(point), \(query)")
        found += answer.memories.count
      }
    }
    #expect(found > 0)
  }

  @Test(arguments: 21...26)
  func `shows nothing that came later`(seed: UInt64) async throws {
    let past = try PastRecall(seed: seed)
    for _ in 0..<40 {
      let (point, included) = try past.point()
      let ids = Set(included.map(\.id))
      var query = past.memories.query(now: past.whole.clock.now)
      query.topK = RecallQuery.largestTopK
      for memory in try await past.whole.recall(query, at: point).memories {
        #expect(ids.contains(memory.event.id), "seed \(seed), \(point)")
      }
    }
  }

  @Test func `has the words that a fact had then`() async throws {
    let store = try RecallStore()
    let id = try store.learn("Drinks tea in the morning.")
    store.clock.advance(byMicroseconds: 1_000_000)
    try store.append(.factRevised(FactRevised(factID: FactID(id), fact: "Drinks coffee in the morning.")))
    #expect(
      try await store.recall(RecallQuery("tea"), at: .version(1)).memories.map(\.content).first?.contains("tea") == true
    )
    let now = try await store.recall(RecallQuery("tea"))
    #expect(now.memories.map(\.content) == ["Drinks coffee in the morning."])
    #expect(now.memories[0].parts.words == 0)
  }

  @Test func `counts words by what had been said`() async throws {
    let store = try RecallStore()
    try store.say("The meeting is on Monday.")
    try store.say("A walk in the rain.")
    let before = try await store.recall(Self.aboutTheMeeting)
    for _ in 0..<20 { try store.say("Another meeting, another day.") }
    let after = try await store.recall(Self.aboutTheMeeting, at: .version(2))
    // With the common word everywhere, it would count for less.
    #expect(after.memories.map(\.score) == before.memories.map(\.score))
    #expect(try await store.recall(Self.aboutTheMeeting).memories.map(\.score) != before.memories.map(\.score))
  }

  private static var aboutTheMeeting: RecallQuery {
    var query = RecallQuery("the meeting in the rain")
    query.kinds = [.message]
    query.topK = 2
    return query
  }

  @Test func `takes for the message before the one that occurred before`() async throws {
    let store = try RecallStore()
    let begin = store.clock.now
    func time(_ seconds: Int64) -> Timestamp { begin.advanced(byMicroseconds: seconds * 1_000_000) }
    store.clock.advance(byMicroseconds: 60_000_000)
    try store.say("Which zebra enclosure is open?", session: "s-1", at: time(10))
    try store.say("The giraffe pavilion opens tomorrow", session: "s-1", at: time(30))
    try store.say("north gate near the lake", session: "s-1", at: time(20))
    func before(_ question: String) async throws -> [UInt64] {
      var query = RecallQuery(question)
      query.kinds = [.message]
      return try await store.recall(query, at: .occurred(time(40))).memories
        .filter { $0.parts.before > 0 }.map(\.event.version.number)
    }
    #expect(try await before("zebra") == [3])
    #expect(try await before("giraffe").isEmpty)
  }

  @Test func `is empty before the first event, and refused beyond the head`() async throws {
    let store = try RecallStore()
    try store.learn("Lives in Lisbon.")
    for point in [AsOfText.start, .version(0), .position(0), .recorded(.earliest), .occurred(.earliest)] {
      #expect(try await store.recall(RecallQuery("Lisbon"), at: point).memories.isEmpty, "\(point)")
    }
    let beyond = store.clock.now.advanced(byDays: 1)
    for (point, field) in [
      (AsOfText.version(2), "at_version"), (.position(2), "at_position"), (.recorded(beyond), "recorded_at"),
    ] {
      let error = await #expect(throws: MemoirError.self) {
        _ = try await store.recall(RecallQuery("Lisbon"), at: point)
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.details == .object("field", field))
    }
    #expect(try await store.recall(RecallQuery("Lisbon"), at: .occurred(.latest)).memories.count == 0)
    #expect(try await store.recall(RecallQuery("Lisbon"), at: .occurred(beyond)).memories.count == 1)
  }

  @Test func `knows a fact until it expires or is forgotten, and not later`() async throws {
    let store = try RecallStore()
    let start = store.clock.now
    try store.append(
      .factLearned(
        FactLearned(
          fact: "The code is 4711.", category: "door", confidence: 1, expiresAt: start.advanced(byDays: 2))))
    store.clock.advance(byMicroseconds: Timestamp.day)
    let id = try store.learn("The key is under the mat.")
    store.clock.advance(byMicroseconds: 2 * Timestamp.day)
    try store.append(.factForgotten(FactForgotten(factID: FactID(id))))
    func contents(_ point: AsOfText) async throws -> Set<String> {
      Set(try await store.recall(RecallQuery("code or key"), at: point).memories.map(\.content))
    }
    #expect(try await contents(.version(1)) == ["The code is 4711."])
    #expect(try await contents(.version(2)) == ["The code is 4711.", "The key is under the mat."])
    #expect(try await contents(.occurred(start.advanced(byDays: 2))) == ["The key is under the mat."])
    #expect(try await contents(.now) == [])
  }

  @Test func `an erased message is neither found nor counted, at any point`() async throws {
    let store = try RecallStore()
    let other = try RecallStore()
    for text in ["We talked about the garden.", "My secret is the garden gnome.", "The garden needs water."] {
      let id = try store.say(text, session: "s")
      if !text.contains("secret") {
        try other.append(store.memoir.log.event(id, of: .bob).map { [EventData($0)] } ?? [])
      }
    }
    #expect(try await store.messages("secret gnome garden").count == 3)
    try store.memoir.log.redact(2, of: .bob)
    var query = RecallQuery("secret gnome garden")
    query.kinds = [.message]
    let expected = try await other.recall(query)
    #expect(expected.memories.count == 2)
    #expect(try await store.recall(query).lines == expected.lines)
    #expect(
      try await store.recall(query, at: .version(3)).memories.map(\.event.id) == expected.memories.map(\.event.id))
    try store.reopen()
    #expect(try await store.recall(query).lines == expected.lines)
  }
}

extension EventData {
  /// An event as it was handed in.
  fileprivate init(_ event: RecordedEvent) {
    self.init(
      id: event.id, type: event.type, typeVersion: event.typeVersion, session: event.session,
      occurredAt: event.occurredAt, payload: event.payload)
  }
}
