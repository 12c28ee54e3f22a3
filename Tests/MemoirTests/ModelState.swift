// The contract's rules of folding, written a second time over plain dictionaries and without a thought for speed.
import EventStore
import JSON

@testable import Memoir

/// A state as lines of text, which is all a comparison needs.
struct ModelState {
  private struct ModelSession {
    var order: Int
    var origin: History.Entry
    var activity: (Timestamp, UInt64)
    var messages = 0
    var start: (SessionStarted, UInt64)?
    var end: (SessionEnded, UInt64, Timestamp)?
    var summary: String?
    var resummarized: UInt64?
  }

  private struct ModelFact {
    var origin: History.Entry
    var learned: FactLearned
    var revisions: [UInt64] = []
    var expirySetBy: UInt64?
  }

  private var sessions: [String: ModelSession] = [:]
  private var facts: [String: ModelFact] = [:]
  private var deadFacts: Set<String> = []
  private var preferences: [String: (JSONText, JSONText?, History.Entry)] = [:]
  private var relationships: [[String]: (Fraction?, UInt64, [UInt64])] = [:]
  private var episodes: [UInt64: String] = [:]
  private var messages: [UInt64] = []
  private var compacted: [UInt64] = []

  mutating func apply(_ entry: History.Entry, _ content: MemoirEvent?) throws {
    let version = entry.version.number
    if let name = entry.data.session?.description {
      var session =
        sessions[name]
        ?? ModelSession(order: sessions.count, origin: entry, activity: (entry.occurredAt, version))
      if session.end == nil { session.activity = max(session.activity, (entry.occurredAt, version), by: <) }
      switch content {
      case .messageAdded: session.messages += 1
      case .sessionStarted(let start): session.start = session.start ?? (start, version)
      case .sessionEnded(let end):
        if session.end == nil {
          session.end = (end, version, entry.occurredAt)
          session.summary = end.summary
        }
      case nil where entry.data.type == .sessionEnded:
        // Redacted: what it said is gone, but not that it was the end.
        if session.end == nil { session.end = (try SessionEnded(), version, entry.occurredAt) }
      case .custom(let custom) where custom.type == "SessionDistilled" && session.end != nil:
        if let summary = custom.data.text(of: "summary") {
          session.summary = summary
          session.resummarized = version
        }
      default: break
      }
      sessions[name] = session
    }
    switch content {
    case .messageAdded: messages.append(version)
    case .factLearned(let fact):
      let id = fact.factID?.description ?? entry.data.id.description
      if facts[id] == nil, !deadFacts.contains(id) {
        facts[id] = ModelFact(
          origin: entry, learned: fact, expirySetBy: fact.expiresAt == nil ? nil : version)
      }
    case .factRevised(let change):
      let id = change.factID.description
      guard var fact = facts[id] else { break }
      if change.supersededBy != nil {
        facts[id] = nil
        deadFacts.insert(id)
        break
      }
      let old = fact.learned
      fact.learned = try FactLearned(
        fact: change.fact ?? old.fact, category: change.category ?? old.category,
        confidence: change.confidence ?? old.confidence, factID: old.factID,
        importance: change.importance ?? old.importance, memoryType: old.memoryType,
        tags: change.tags ?? old.tags,
        sourceMessageID: old.sourceMessageID, expiresAt: change.expiresAt ?? old.expiresAt,
        metadata: change.metadata ?? old.metadata)
      fact.revisions.append(version)
      if change.expiresAt != nil { fact.expirySetBy = version }
      facts[id] = fact
    case .factForgotten(let change):
      let id = change.factID.description
      if facts.removeValue(forKey: id) != nil { deadFacts.insert(id) }
    case .preferenceUpdated(let change):
      preferences[change.key] = (change.value, preferences[change.key]?.0, entry)
    case .relationshipLearned(let relation):
      let key = [relation.subject, relation.predicate, relation.object]
      if let known = relationships[key] {
        relationships[key] = (relation.confidence ?? known.0, known.1, known.2 + [version])
      } else {
        relationships[key] = (relation.confidence, version, [])
      }
    case .episodeRecorded(let episode): episodes[version] = "\(episode.task) \(episode.success)"
    case .sessionsCompacted: compacted.append(version)
    default: break
    }
  }

  var lines: [String] {
    var lines = ["messages \(messages.count) \(messages.suffix(20))", "compacted \(compacted.suffix(20))"]
    for (id, fact) in facts.sorted(by: { $0.value.origin.version < $1.value.origin.version }) {
      let learned = fact.learned
      lines.append(
        "fact \(id) \(fact.origin.version) \(learned.fact) \(learned.category) \(learned.confidence) "
          + "\(text(learned.importance)) \(text(learned.memoryType)) \(text(learned.tags.map(JSONText.init(strings:)))) "
          + "\(text(learned.sourceMessageID)) \(text(learned.expiresAt)) \(text(fact.expirySetBy)) "
          + "\(text(learned.metadata)) \(fact.origin.occurredAt) \(fact.revisions.suffix(20)) ")
    }
    for (key, value) in preferences.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      lines.append("preference \(key) \(value.0) \(text(value.1)) \(value.2.version) \(value.2.occurredAt)")
    }
    for (key, value) in relationships.sorted(by: { $0.value.1 < $1.value.1 }) {
      lines.append("relationship \(key) \(text(value.0)) \(value.1) \(value.2.suffix(20))")
    }
    for (version, episode) in episodes.sorted(by: { $0.key < $1.key }) {
      lines.append("episode \(version) \(episode)")
    }
    let open = sessions.filter { $0.value.end == nil }
    let ended = sessions.compactMap { name, session in session.end.map { (name, session, $0.2, $0.1) } }
      .sorted { ($0.2, $0.3) < ($1.2, $1.3) }.suffix(20)
    lines.append("sessions \(sessions.count) \(open.count)")
    let active = open.sorted { $0.value.activity > $1.value.activity }.prefix(20)
    for (name, session) in active.sorted(by: { $0.value.origin.version < $1.value.origin.version }) {
      lines.append("open \(name) \(line(session)) \(session.activity.0)")
    }
    for (name, session, time, version) in ended {
      lines.append(
        "ended \(name) \(line(session)) \(time) \(version) \(text(session.summary)) \(text(session.resummarized))")
    }
    return lines
  }

  private func line(_ session: ModelSession) -> String {
    "\(session.origin.version) \(session.origin.occurredAt) \(session.messages) "
      + "\(text(session.start?.1)) \(text(session.start?.0.metadata)) \(text(session.start?.0.idleTimeoutSeconds))"
  }
}

extension JSONText {
  /// The text of a member of an object.
  func text(of key: StaticString) -> String? { try? JSONParser().parse(utf8.span) { $0[key]?.string } }
}

private func text<T>(_ value: T?) -> String { value.map { "\($0)" } ?? "-" }

private func max<T>(_ a: T, _ b: T, by areInOrder: (T, T) -> Bool) -> T { areInOrder(a, b) ? b : a }

extension ContextState {
  /// The state as the model writes it.
  var lines: [String] {
    var lines = [
      "messages \(messages.total) \(messages.recent.map(\.number))",
      "compacted \(sessions.compacted.map(\.origin.version.number))",
    ]
    for fact in facts.facts {
      lines.append(
        "fact \(fact.factID) \(fact.origin.version) \(fact.fact) \(fact.category) \(fact.confidence) "
          + "\(text(fact.importance)) \(text(fact.memoryType)) \(text(fact.tags)) \(text(fact.sourceMessageID)) "
          + "\(text(fact.expiresAt)) \(text(fact.expirySetBy?.version)) \(text(fact.metadata)) \(fact.learnedAt) "
          + "\(fact.revisedBy.events.map(\.version.number)) ")
    }
    for value in preferences.all {
      lines.append(
        "preference \(value.key) \(value.value) \(text(value.previousValue)) \(value.origin.version) "
          + "\(value.updatedAt)")
    }
    for value in relationships.all {
      lines.append(
        "relationship \([value.subject, value.predicate, value.object]) \(text(value.confidence)) "
          + "\(value.origin.version) \(value.revisedBy.events.map(\.version.number))")
    }
    for episode in episodes.all {
      lines.append("episode \(episode.origin.version) \(episode.task) \(episode.success)")
    }
    lines.append("sessions \(sessions.total) \(sessions.openCount)")
    for session in sessions.mostActive(20) {
      lines.append("open \(session.id) \(line(session)) \(session.lastActivityAt)")
    }
    for session in sessions.ended {
      lines.append(
        "ended \(session.id) \(line(session)) \(text(session.end?.endedAt)) \(text(session.end?.event.version)) "
          + "\(text(session.end?.summary)) \(text(session.end?.resummarized?.version))")
    }
    return lines
  }

  private func line(_ session: Session) -> String {
    "\(session.origin.version) \(session.startedAt) \(session.messageCount) \(text(session.start?.event.version)) "
      + "\(text(session.start?.metadata)) \(text(session.start?.idleTimeoutSeconds))"
  }
}
