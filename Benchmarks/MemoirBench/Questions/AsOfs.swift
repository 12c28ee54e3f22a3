// States at random points of one long history, by all four axes.
import Memoir

/// A long history of one user: 96 % messages, at most 200 live facts, at most 50 preferences; one event in a hundred
/// occurred up to a day before it was told.
struct LongHistory {
  static let stream: StreamName? = (try? UserID("user-long")).map { StreamName($0) }
  private static let start: Int64 = 1_735_689_600_000_000
  private static let step: Int64 = 30_000_000

  private var random = SplitMix64(seed: 11)
  private var number: Int64 = 0
  private var live: [FactID] = []
  private var session: SessionID

  init() throws { session = try SessionID("session-0") }

  /// Words enough for a text of this length.
  private mutating func text(_ count: Int) -> String {
    let words = ["the", "garden", "moved", "tomorrow", "a", "letter", "from", "Lisbon", "train", "again"]
    var text = words[random.below(words.count)]
    while text.utf8.count < count { text += " " + words[random.below(words.count)] }
    return text
  }

  mutating func next() throws -> EventData {
    number += 1
    let id = EventID(bytes: random.uuid())
    let event: MemoirEvent
    switch random.below(1000) {
    case ..<960:
      event = .messageAdded(
        try MessageAdded(role: random.below(2) == 0 ? .user : .assistant, content: text(20 + random.below(200))))
    case ..<985:
      if live.count < 200 {
        let fact = try FactID("fact-\(number)")
        live.append(fact)
        event = .factLearned(
          try FactLearned(fact: text(60), category: "note", confidence: 0.9, factID: fact))
      } else {
        event = .factForgotten(try FactForgotten(factID: live.remove(at: random.below(live.count))))
      }
    case ..<995:
      var value = JSONWriter()
      value.string(text(12))
      event = .preferenceUpdated(
        try PreferenceUpdated(key: "key-\(random.below(50))", value: JSONText(canonical: value.finish())))
    default: event = .sessionEnded(try SessionEnded(reason: "closed"))
    }
    let late = random.below(100) == 0 ? Int64(random.below(86_400_000_000)) : 0
    let occurredAt = Timestamp(clamping: Self.start + number * Self.step - late)
    let data = try EventData(event, session: session, id: id, occurredAt: occurredAt)
    if case .sessionEnded = event { session = try SessionID("session-\(number)") }
    return data
  }

  /// A time at which something of a history of so many events occurred.
  static func time(_ part: Double, of events: Int) -> Timestamp {
    Timestamp(clamping: start + Int64(part * Double(events)) * step)
  }
}

extension Bench {
  func askAsOf() throws {
    say("a history of \(plan.historyEvents) events")
    guard let stream = LongHistory.stream else { return }
    let folder = try makeFolder() + "/memoir.store"
    defer { try? remove(folder) }
    var recorded: [Timestamp] = []
    do {
      let log = try EventLog(folder: folder, schema: .memoir)
      try log.maintainSnapshots(of: ContextProjector())
      var history = try LongHistory()
      var left = plan.historyEvents
      while left > 0 {
        let events = try (0..<min(left, Workload.batch)).map { _ in try history.next() }
        recorded.append(try log.appendAndWait([StreamAppend(events, to: stream)])[0].recordedAt)
        left -= events.count
      }
      try log.finishSnapshots()
      try log.close()
    }
    // No state is kept, so that the head too is read from its snapshot.
    var options = EventLog.Options()
    options.cacheBytes = 0
    let log = try EventLog(folder: folder, schema: .memoir, options: options)
    defer { try? log.close() }
    let head = try log.version(of: stream)
    let lastPosition = try log.lastPosition()
    var random = SplitMix64(seed: 12)

    func measure(_ point: (inout SplitMix64) -> AsOf) throws -> (latencies: Latencies, largestState: Int) {
      var microseconds: [Float] = []
      var largestState = 0
      for number in 0..<plan.asOfReads {
        let asOf = point(&random)
        let watch = Stopwatch()
        let found = try log.state(of: stream, by: ContextProjector(), at: asOf)
        microseconds.append(Float(watch.seconds * 1e6))
        largestState = max(largestState, found?.state.encodedSize ?? 0)
        // Some are compared with the plain fold.
        guard number < 3, asOf != .head else { continue }
        let plain = try log.state(of: stream, by: ContextProjector(), at: asOf, usesSnapshots: false)
        guard found?.state == plain?.state else { throw BenchError("the state at \(asOf) is not the plain fold's") }
      }
      var latencies = Latencies()
      latencies.add(microseconds)
      return (latencies, largestState)
    }

    say("as of")
    _ = try measure { _ in .head }
    let cold = try measure { _ in .head }.latencies
    results.add("head-read", .memoir, cold[0.5] / 1e3)
    let events = plan.historyEvents
    let axes: [(String, (inout SplitMix64) -> AsOf)] = [
      ("as-of-version", { .version(StreamVersion(UInt64($0.below(Int(head.number)) + 1))) }),
      ("as-of-position", { .position(LogPosition(UInt64($0.below(Int(lastPosition.number)) + 1))) }),
      ("as-of-recorded", { .recordedAt(recorded[$0.below(recorded.count)]) }),
      ("as-of-occurred", { .occurredAt(LongHistory.time($0.unit(), of: events)) }),
    ]
    var slowest = 0.0
    for (row, point) in axes {
      let (latencies, largestState) = try measure(point)
      results.add(row, .memoir, latencies[0.99] / 1e3)
      results.note(
        "\(row): median \(TableText.number(latencies[0.5])) µs, p99 \(TableText.number(latencies[0.99])) µs; "
          + "states of up to \(largestState) bytes")
      slowest = max(slowest, latencies[0.5])
    }
    results.add("as-of-ratio", .memoir, slowest / cold[0.5])
  }
}
