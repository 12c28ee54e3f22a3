// What the tests of recall share: a store whose clock goes as the test says, random memories, random questions.
import JSON
import TestSupport

@testable import EventStore
@testable import Memoir

/// A store of memories in a folder of its own.
final class RecallStore {
  let clock = TestClock()
  private(set) var memoir: MemoirStore
  private let folder = TemporaryFolder(inMemory: true)
  private let options: EventLog.Options
  private var lastID = 0

  init(_ options: EventLog.Options = EventLog.Options()) throws {
    var options = options
    // Many are open at once, and the address space of a process holds only so many large ones.
    options.mapSize = 1 << 32
    options.clock = { [clock] in clock.now }
    self.options = options
    memoir = try MemoirStore(folder: folder.path + "/store", options: options)
  }

  func reopen() throws {
    try memoir.close()
    memoir = try MemoirStore(folder: folder.path + "/store", options: options)
  }

  func setClock(to time: Timestamp) {
    clock.advance(byMicroseconds: time.microseconds - clock.now.microseconds)
  }

  @discardableResult
  func append(_ events: [EventData], to user: StreamName = .bob) throws -> AppendResult {
    try memoir.log.appendAndWait([StreamAppend(events, to: user)])[0]
  }

  /// Appends one event that happens now, or at `time`.
  @discardableResult
  func append(
    _ event: MemoirEvent, to user: StreamName = .bob, session: String? = nil, at time: Timestamp? = nil
  ) throws -> EventID {
    lastID += 1
    try append(
      [
        EventData(
          event, session: session.map { SessionID.named($0) }, id: .number(lastID), occurredAt: time ?? clock.now)
      ], to: user)
    return .number(lastID)
  }

  /// Something said.
  @discardableResult
  func say(
    _ text: String, to user: StreamName = .bob, session: String? = nil, at time: Timestamp? = nil
  ) throws -> EventID {
    try append(.messageAdded(MessageAdded(role: .user, content: text)), to: user, session: session, at: time)
  }

  /// Something known.
  @discardableResult
  func learn(_ fact: String, to user: StreamName = .bob, importance: Fraction? = nil, tags: [String]? = nil) throws
    -> EventID
  {
    try append(
      .factLearned(
        FactLearned(fact: fact, category: "home", confidence: 0.9, importance: importance, tags: tags)), to: user)
  }

  func recall(_ query: RecallQuery, of user: StreamName = .bob, at point: AsOfText = .now) async throws -> RecallAnswer
  {
    try await memoir.recall(query, of: user, at: point)
  }

  /// Of the messages alone.
  func messages(_ question: String, of user: StreamName = .bob, topK: Int = 10) async throws -> [RecalledMemory] {
    var query = RecallQuery(question)
    query.kinds = [.message]
    query.topK = topK
    return try await recall(query, of: user).memories
  }
}

extension RecallAnswer {
  /// What was answered, score by score. Not the versions: the same event has another one where others are missing.
  var lines: [String] {
    memories.map { memory in
      "\(memory.kind) \(memory.id) \(memory.event.id) \(memory.score) \(memory.parts) \(memory.content) "
        + "\(memory.occurredAt) \(memory.session?.description ?? "-") \(memory.importance ?? -1)"
    }
  }
}

extension Timestamp {
  static let day: Int64 = 86_400_000_000

  func advanced(byDays days: Double) -> Timestamp { advanced(byMicroseconds: Int64(days * Double(Self.day))) }
}

/// Memories of every kind as they might come: late ones, sessions that end twice, facts revised, forgotten, superseded,
/// expired.
struct RandomMemories {
  var random: SeededRandom
  private var number = 0
  private var facts: [FactID] = []

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  static let words = [
    "coffee", "coffees", "Lisbon", "flight", "flights", "the", "we", "book", "booked", "table", "1984", "PROJ-17",
    "café", "東京", "hotel", "dentist", "Friday", "May", "blue", "car", "cars", "rain", "yes", "no", "cheap", "music",
  ]
  static let tags = ["a", "b", "c"]

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  mutating func pick<T>(_ values: [T]) -> T { values[number(0...values.count - 1)] }

  mutating func maybe<T>(_ value: (inout Self) throws -> T) rethrows -> T? {
    number(0...1) == 0 ? try value(&self) : nil
  }

  mutating func text() -> String { (0..<number(1...8)).map { _ in pick(Self.words) }.joined(separator: " ") }

  mutating func fraction() -> Fraction { pick([0, 1, 0.3, 0.5, 0.75, 0.9]) }

  mutating func time(around now: Timestamp) -> Timestamp { now.advanced(byDays: Double(number(-200...100)) / 20) }

  /// The next event, which happens now or comes in late.
  mutating func next(at now: Timestamp) throws -> EventData {
    number += 1
    let session = number(0...3) == 0 ? nil : SessionID.named("s-\(number / 20 + number(0...2))")
    let isLate = number(0...5) == 0
    return try EventData(
      event(at: now, hasSession: session != nil), session: session, id: .number(number),
      occurredAt: isLate ? time(around: now) : now.advanced(byMicroseconds: Int64(number(-2...2))))
  }

  private mutating func event(at now: Timestamp, hasSession: Bool) throws -> MemoirEvent {
    switch number(0...19) {
    case 0...8:
      return .messageAdded(
        try MessageAdded(role: pick(MessageRole.allCases), content: number(0...9) == 0 ? "" : text()))
    case 9...12:
      let id = try maybe { try FactID("fact-\($0.number)") }
      facts.append(id ?? FactID(.number(number)))
      return .factLearned(
        try FactLearned(
          fact: text(), category: pick(["home", "work"]), confidence: 0.9, factID: id,
          importance: maybe { $0.fraction() }, memoryType: maybe { $0.pick(MemoryType.allCases) },
          tags: maybe { [$0.pick(Self.tags), $0.pick(Self.tags)] },
          expiresAt: number(0...3) == 0 ? time(around: now.advanced(byDays: 5)) : nil))
    case 13...14 where !facts.isEmpty:
      return .factRevised(
        try FactRevised(
          factID: pick(facts), fact: maybe { $0.text() }, importance: maybe { $0.fraction() },
          tags: maybe { [$0.pick(Self.tags)] },
          expiresAt: number(0...3) == 0 ? time(around: now.advanced(byDays: 5)) : nil,
          supersededBy: number(0...4) == 0 ? FactID("another") : nil))
    case 15 where !facts.isEmpty: return .factForgotten(try FactForgotten(factID: pick(facts)))
    case 16:
      return .episodeRecorded(
        try EpisodeRecorded(
          task: text(), actions: ["x", "y"], outcomes: .one(text()), success: number(0...1) == 0,
          lessons: maybe { [$0.text()] }))
    case 17...18 where hasSession:
      return .sessionEnded(try SessionEnded(summary: maybe { $0.text() }))
    default: return .preferenceUpdated(try PreferenceUpdated(key: "theme", value: JSONText(string: text())))
    }
  }

  /// A question, with any of the filters.
  mutating func query(now: Timestamp) -> RecallQuery {
    var query = RecallQuery(text() + pick(["", "", " last week", " in May", " yesterday", " two days ago"]))
    query.topK = pick([1, 3, 5, 30, 1_000])
    query.kinds = Set(MemoryKind.allCases.filter { _ in number(0...2) > 0 })
    if query.kinds.isEmpty { query.kinds = [pick(MemoryKind.allCases)] }
    guard number(0...1) == 0 else { return query }
    query.minImportance = number(0...2) == 0 ? pick([0, 0.1, 0.5, 0.75, 0.9, 1]) : nil
    if number(0...2) == 0 { query.tags = [pick(Self.tags)] + (maybe { [$0.pick(Self.tags)] } ?? []) }
    if number(0...2) == 0 { query.memoryTypes = Set(MemoryType.allCases.filter { _ in number(0...1) == 0 }) }
    if number(0...2) == 0 { query.session = .named("s-\(number(0...number / 20 + 2))") }
    let times = [time(around: now), time(around: now)].sorted()
    query.since = number(0...2) == 0 ? times[0] : nil
    query.until = number(0...2) == 0 ? times[1] : nil
    return query
  }
}
