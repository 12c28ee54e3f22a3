// Memories and sessions in the form of the Dakera wire.
import JSON
import Memoir

extension JSONWriter {
  /// Prints the members of a memory.
  ///
  /// - Parameter preview: Only so many characters of the content.
  mutating func members(_ stored: StoredMemory, of user: UserID, preview: Int? = nil) {
    let fact = stored.fact
    member("id", fact.factID.description)
    if let preview {
      let scalars = fact.fact.unicodeScalars
      let count = scalars.count
      member("content", count > preview ? String(scalars.prefix(preview)) : fact.fact)
      member("content_len", count)
      key("content_truncated")
      bool(count > preview)
    } else {
      member("content", fact.fact)
    }
    member("agent_id", user.description)
    member("memory_type", (fact.memoryType ?? .semantic).description)
    key("importance")
    fraction(fact.importance ?? 0.5)
    key("tags")
    value(fact.tags ?? JSONText(canonical: Array("[]".utf8)))
    key("metadata")
    value(fact.metadata ?? .emptyObject)
    if let session = stored.session { member("session_id", session.description) }
    key("created_at")
    integer(stored.storedAt.wireSeconds)
    key("updated_at")
    integer(stored.updatedAt.wireSeconds)
    // What was set to hold for ever has an end in the log that nobody will see.
    if let end = fact.expiresAt, end < .latest {
      key("expires_at")
      integer(end.wireSeconds)
    }
  }

  mutating func memory(_ stored: StoredMemory, of user: UserID, preview: Int? = nil) {
    beginObject()
    members(stored, of: user, preview: preview)
    endObject()
  }

  mutating func memories(_ all: some Sequence<StoredMemory>, of user: UserID, preview: Int? = nil) {
    beginArray()
    for stored in all { memory(stored, of: user, preview: preview) }
    endArray()
  }

  mutating func fraction(_ fraction: Fraction) { value(canonical: fraction.description.utf8Span.span) }

  mutating func member(_ name: String, _ time: Timestamp?) {
    key(text: name)
    if let time { integer(time.wireSeconds) } else { null() }
  }

  mutating func session(_ session: DakeraSession) {
    beginObject()
    member("id", session.session.id.description)
    member("session_id", session.session.id.description)
    member("agent_id", session.user.user.description)
    member("started_at", session.session.startedAt)
    member("ended_at", session.session.end?.endedAt)
    key("metadata")
    value(session.session.start?.metadata ?? .emptyObject)
    key("summary")
    if let summary = session.session.end?.summary { string(summary) } else { null() }
    member("memory_count", session.memoryCount)
    member("last_activity_at", session.lastActivity)
    key("ended_reason")
    if let reason = session.endedReason { string(reason) } else { null() }
    if session.endedReason == "idle" { member("idle_since", session.lastActivity) }
    key("idle_timeout_secs")
    integer(session.idleTimeout)
    endObject()
  }
}

/// A session, and what the wire says of it beside.
struct DakeraSession {
  let user: StreamName
  let session: Session
  let memoryCount: Int
  let lastActivity: Timestamp
  let idleTimeout: UInt64

  init(_ session: Session, of user: StreamName, memoryCount: Int, in store: MemoirStore) throws(MemoirError) {
    self.user = user
    self.session = session
    self.memoryCount = memoryCount
    lastActivity = try store.lastActivity(of: session, user)
    idleTimeout = store.idleTimeoutSeconds(of: session)
  }

  init(_ session: Session, of user: StreamName, in store: MemoirStore) throws(MemoirError) {
    let count = try store.state(of: user).facts.count { $0.session == session.number }
    try self.init(session, of: user, memoryCount: count, in: store)
  }

  /// `idle` where nobody ended it.
  var endedReason: String? {
    session.end.map { $0.reason == "timeout" ? "idle" : "client" }
  }
}
