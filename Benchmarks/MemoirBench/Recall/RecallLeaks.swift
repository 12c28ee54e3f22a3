// Whether an answer as of an earlier point shows anything that came after it.
import Memoir

/// Asks every question as of just before its first evidence, by occurrence and by version.
///
/// Nothing later may come back, and the whole answer, with its scores, must be the one of a store that was given the
/// earlier events alone.
struct RecallLeaks {
  private let questions: [RecallQuestion]
  private let store: MemoirStore
  private let sample: Int
  private let folder: String
  private let tell: (String) -> Void

  init(_ quality: RecallQuality, sample: Int, folder: String, tell: @escaping (String) -> Void) {
    questions = quality.questions
    store = quality.store
    self.sample = sample
    self.folder = folder
    self.tell = tell
  }

  func measure() async throws -> [String] {
    tell("asking as of before the evidence")
    var leaks = 0
    var compared = 0
    // Spread over all questions.
    let step = max(1, questions.count / max(1, sample))
    for (number, question) in questions.enumerated() {
      var query = RecallQuality.query(question)
      query.kinds = Set(MemoryKind.allCases)
      let isSampled = sample > 0 && number % step == 0 && number / step < sample
      for point in try points(before: question.evidence, of: question.user) {
        let answer = try await store.recall(query, of: question.user, at: point.asOf)
        leaks += answer.memories.count { !point.includes($0) }
        guard isSampled else { continue }
        let path = folder + "/earlier-\(number)-\(compared)"
        let earlier = try await answerOfEarlierStore(query, question.user, point, clock: answer.clock, path)
        guard answer.lines == earlier.lines else {
          throw BenchError("\(question.text) as of \(point.asOf): another answer than of the earlier events alone")
        }
        compared += 1
      }
    }
    guard leaks == 0 else { throw BenchError("\(leaks) memories of after the point asked at") }
    return [
      "as of before the evidence, by occurrence and by version: \(2 * questions.count) answers, \(leaks) leaks; "
        + "\(compared) equal to those of a store of the earlier events alone", "",
    ]
  }

  /// A point, and what it includes.
  private enum Point {
    case occurred(Timestamp)
    case version(StreamVersion)

    var asOf: AsOfText {
      switch self {
      case .occurred(let time): .occurred(time)
      case .version(let version): .version(version)
      }
    }

    func includes(_ event: RecordedEvent) -> Bool {
      switch self {
      case .occurred(let time): event.occurredAt <= time
      case .version(let version): event.version <= version
      }
    }

    func includes(_ memory: RecalledMemory) -> Bool {
      switch self {
      case .occurred(let time): max(memory.occurredAt, memory.fact?.updatedAt ?? .earliest) <= time
      case .version(let version): max(memory.event.version, memory.fact?.wordedAt ?? 0) <= version
      }
    }
  }

  private func points(before evidence: [EventID], of user: StreamName) throws -> [Point] {
    var time = Timestamp.latest
    var version = StreamVersion(.max)
    for id in evidence {
      guard let event = try store.log.event(id, of: user) else { throw BenchError("no event \(id) of \(user)") }
      time = min(time, event.occurredAt)
      version = min(version, event.version)
    }
    return [.occurred(time.advanced(byMicroseconds: -1_000_000)), .version(StreamVersion(version.number - 1))]
  }

  private func answerOfEarlierStore(
    _ query: RecallQuery, _ user: StreamName, _ point: Point, clock: Timestamp, _ path: String
  ) async throws -> RecallAnswer {
    var options = EventLog.Options()
    options.clock = { clock }
    let earlier = try MemoirStore(folder: path, options: options, memory: store.memory)
    try store.events(of: user) { events in
      let included = events.filter(point.includes).map { EventData(again: $0) }
      if !included.isEmpty { try earlier.log.appendAndWait([StreamAppend(included, to: user)]) }
    }
    if store.memory.embedder != nil { _ = try await earlier.embedMissing() }
    // By occurrence, events count in the order in which they happened.
    var same = AsOfText.now
    if case .occurred = point { same = point.asOf }
    let answer = try await earlier.recall(query, of: user, at: same)
    try earlier.close()
    return answer
  }
}

extension EventData {
  /// An event as it was handed in.
  init(again event: RecordedEvent) {
    self.init(
      id: event.id, type: event.type, customType: event.type == .custom ? event.typeName : nil,
      typeVersion: event.typeVersion, session: event.session, occurredAt: event.occurredAt,
      metadata: event.metadata, payload: event.payload)
  }
}

extension RecallAnswer {
  /// What was answered, to be compared: not the versions, which are others in another store.
  var lines: [String] {
    memories.map { "\($0.kind) \($0.id) \($0.event.id) \($0.score) \($0.parts.text) \($0.content)" }
  }
}

extension ScoreParts {
  /// What adds up to the score, in full precision.
  fileprivate var text: String {
    "ScoreParts(words: \(words), before: \(before), session: \(session), time: \(time), meaning: \(meaning), "
      + "substance: \(substance), recency: \(recency), importance: \(importance))"
  }
}
