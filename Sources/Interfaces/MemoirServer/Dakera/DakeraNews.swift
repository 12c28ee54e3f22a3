// What an event of a user means on the Dakera wire: in its audit list, and on its stream of events.
import JSON
import Memoir

/// Something that happened to a memory or a session, as the wire tells it.
struct DakeraNews: Sendable {
  /// E.g. `stored`.
  let type: String
  let user: UserID
  let at: Timestamp
  let position: LogPosition
  var memory: String?
  var content: String?
  var importance: Fraction?
  var tags: [String]?
  var session: SessionID?
  var reason: String?

  /// The types of events that mean something.
  static let eventTypes: Set<String> = [
    "FactLearned", "FactRevised", "FactForgotten", "SessionStarted", "SessionEnded",
  ]

  /// `nil` for an event that means nothing there.
  init?(_ event: RecordedEvent) {
    guard let content = try? MemoirEvent(event) else { return nil }
    user = event.stream.user
    at = event.recordedAt
    position = event.position
    session = event.session
    let cause = MemoryCause(event)
    switch content {
    case .factLearned(let fact):
      type = cause == .consolidated ? "consolidated" : "stored"
      memory = (fact.factID ?? FactID(event.id)).description
      self.content = fact.fact
      importance = fact.importance
      tags = fact.tags
    case .factRevised(let fact):
      memory = fact.factID.description
      if let survivor = fact.supersededBy {
        switch cause {
        case .consolidated: (type, reason) = ("consolidated", "merged into \(survivor)")
        case .deduplicated: (type, reason) = ("deduplicated", "absorbed into \(survivor)")
        case nil: (type, reason) = ("forgotten", "superseded by \(survivor)")
        }
      } else if fact.fact != nil || fact.category != nil || fact.tags != nil || fact.metadata != nil
        || fact.memoryType != nil || fact.expiresAt != nil
      {
        type = "updated"
        self.content = fact.fact
        importance = fact.importance
        tags = fact.tags
      } else if let importance = fact.importance {
        type = "importance_updated"
        self.importance = importance
      } else {
        // It was of use.
        return nil
      }
    case .factForgotten(let fact):
      type = "forgotten"
      memory = fact.factID.description
      reason = fact.reason
    case .sessionStarted: type = "session_started"
    case .sessionEnded(let end):
      type = "session_ended"
      reason = end.reason == "timeout" ? "idle" : "client"
    default: return nil
    }
  }

  /// The id that the audit list gives it: where it stands in the log.
  var id: String { position.description }
  var milliseconds: Int64 { at.microseconds / 1_000 }

  /// As the audit list tells it: without content.
  func writeAudit(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", id)
    writer.member("event_type", type)
    writer.member("agent_id", user.description)
    writer.key("timestamp")
    writer.integer(milliseconds)
    if let memory { writer.member("memory_id", memory) }
    if let session { writer.member("session_id", session.description) }
    if let importance {
      writer.key("importance")
      writer.fraction(importance)
    }
    if let reason { writer.member("reason", reason) }
    writer.endObject()
  }

  /// As the stream of events tells it.
  func writeLive(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("event_type", type)
    writer.key("timestamp")
    writer.integer(milliseconds)
    writer.member("agent_id", user.description)
    if let memory { writer.member("memory_id", memory) }
    if let content { writer.member("content", content) }
    if let importance {
      writer.key("importance")
      writer.fraction(importance)
    }
    if let tags {
      writer.key("tags")
      writer.strings(tags)
    }
    if let session { writer.member("session_id", session.description) }
    if let reason { writer.member("reason", reason) }
    writer.endObject()
  }
}
