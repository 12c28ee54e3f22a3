// Whether the memory earns its keep: what was handed out, at which cost, and how often it was right.
//
// Made of the receipts, and of what the log says of facts: nothing is counted beside them.
internal import Bytes
public import EventStore
public import JSON

/// How well the memory served, over a span of time.
public struct EffectivenessReport: Sendable {
  /// From when on.
  public let since: Timestamp
  /// Until when.
  public let until: Timestamp
  /// Contexts handed out.
  public internal(set) var contexts = 0
  /// Of those, how many held anything that met something of the question.
  public internal(set) var hits = 0
  /// Contexts that were asked for without a question, as a session began: no hits are counted for them.
  public internal(set) var openings = 0
  /// The tokens handed out.
  public internal(set) var tokens = 0
  /// The tokens that were allowed.
  public internal(set) var budgets = 0
  /// Facts handed out.
  public internal(set) var facts = 0
  /// Sessions' summaries handed out.
  public internal(set) var sessions = 0
  /// Messages handed out.
  public internal(set) var messages = 0
  /// The times that assembling took, in microseconds, ascending.
  private var latencies: [UInt64] = []
  /// Facts learned.
  public internal(set) var learned = 0
  /// Facts that turned out to be otherwise: said in other words, superseded, or forgotten.
  public internal(set) var corrections = 0
  /// Facts that were said again, and only became surer.
  public internal(set) var repeats = 0

  /// The share of the contexts with a question that held something of an answer; `nil` where there were none.
  public var hitRate: Double? { contexts > openings ? Double(hits) / Double(contexts - openings) : nil }

  /// The time within which a share of the contexts was assembled, in microseconds; `nil` where there were none.
  public func latency(of share: Double) -> UInt64? {
    latencies.isEmpty ? nil : latencies[min(latencies.count - 1, Int(share * Double(latencies.count)))]
  }

  fileprivate init(since: Timestamp, until: Timestamp) {
    self.since = since
    self.until = until
  }

  fileprivate mutating func count(_ receipt: ContextReceipt) {
    contexts += 1
    if receipt.query.isEmpty { openings += 1 }
    if receipt.figures.isHit { hits += 1 }
    tokens += receipt.figures.tokens
    budgets += receipt.budget
    facts += receipt.figures.facts
    sessions += receipt.figures.sessions
    messages += receipt.figures.messages
    latencies.append(receipt.figures.microseconds)
  }

  fileprivate mutating func add(_ counts: FactCounts) {
    learned += counts.learned
    corrections += counts.corrections
    repeats += counts.repeats
  }

  fileprivate mutating func finish() { latencies.sort() }

  /// Prints the report.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("contexts")
    writer.integer(contexts)
    writer.key("corrections")
    writer.integer(corrections)
    writer.key("facts_learned")
    writer.integer(learned)
    writer.key("facts_retrieved")
    writer.integer(facts)
    writer.key("hit_rate")
    if let hitRate { writer.rounded(hitRate) } else { writer.null() }
    writer.key("latency_microseconds")
    writer.beginObject()
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] as [(StaticString, Double)] {
      writer.key(name)
      if let latency = latency(of: share) { writer.integer(latency) } else { writer.null() }
    }
    writer.endObject()
    writer.key("messages_retrieved")
    writer.integer(messages)
    writer.key("repeats")
    writer.integer(repeats)
    writer.key("sessions_retrieved")
    writer.integer(sessions)
    writer.key("since")
    writer.write(since)
    writer.key("tokens_allowed")
    writer.integer(budgets)
    writer.key("tokens_used")
    writer.integer(tokens)
    writer.key("until")
    writer.write(until)
    writer.endObject()
  }
}

/// What events say of facts.
private struct FactCounts {
  var learned = 0
  var corrections = 0
  var repeats = 0

  mutating func count(_ event: borrowing EventView) throws(DamagedBytes) {
    switch event.type {
    case .factLearned: learned += 1
    case .factForgotten: corrections += 1
    case .factRevised:
      var fields = FactFields()
      try fields.read(event.payload)
      if fields.supersededBy != nil || fields.fact != nil {
        corrections += 1
      } else if fields.isConfirmation {
        repeats += 1
      }
    default: break
    }
  }
}

extension FactFields {
  /// Whether nothing is said but how sure it is.
  fileprivate var isConfirmation: Bool {
    category == nil && importance == nil && tags == nil && expiresAt == nil && metadata == nil
  }
}

extension EventView {
  fileprivate var isOfFact: Bool { type == .factLearned || type == .factRevised || type == .factForgotten }
}

extension MemoirStore {
  /// How well the memory served between two times, by when things were recorded; of all users, of a namespace, or of one.
  ///
  /// - Throws: `invalid_argument` where `since` comes after `until`.
  /// - Complexity: O(receipts of the time + events of the log), or of the user.
  public func effectiveness(
    of user: StreamName? = nil, in namespace: Namespace? = nil, since: Timestamp = .earliest, until: Timestamp? = nil
  ) throws(MemoirError) -> EffectivenessReport {
    let until = until ?? clock()
    guard since <= until else { throw .invalid(field: "since", "is \(since), after until at \(until)") }
    var report = EffectivenessReport(since: since, until: until)
    do {
      try forEachReceipt(from: since, through: until) { receipt in
        if let user, receipt.user != user { return }
        if let namespace, receipt.user.namespace != namespace { return }
        report.count(receipt)
      }
      let times = since...until
      if let user {
        var counts = FactCounts()
        try log.forEachEvent(of: user, through: .head) { event throws(DamagedBytes) in
          if times.contains(event.recordedAt), !event.isRedacted { try counts.count(event) }
        }
        report.add(counts)
      } else {
        // Whose they are is asked once a stream, and after the log was read.
        var corrections: [StreamKey: FactCounts] = [:]
        try log.forEachEvent { stream, event throws(DamagedBytes) in
          guard times.contains(event.recordedAt), !event.isRedacted, event.isOfFact else { return }
          try corrections[stream, default: FactCounts()].count(event)
        }
        for (stream, counts) in corrections {
          if let namespace, try log.name(of: stream).namespace != namespace { continue }
          report.add(counts)
        }
      }
    } catch {
      throw MemoirError(error)
    }
    report.finish()
    return report
  }
}
