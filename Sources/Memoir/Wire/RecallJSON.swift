// What was recalled as JSON. Keys are sorted.
internal import EventStore
internal import JSON

extension JSONWriter {
  mutating func write(_ memory: RecalledMemory) {
    beginObject()
    if let fact = memory.fact {
      key("category")
      string(fact.category)
      key("confidence")
      write(fact.confidence)
    }
    key("content")
    string(memory.content)
    key("event_id")
    write(memory.event.id)
    if let expiresAt = memory.fact?.expiresAt {
      key("expires_at")
      write(expiresAt)
    }
    key("id")
    string(memory.id)
    if let importance = memory.importance {
      key("importance")
      rounded(importance)
    }
    key("kind")
    string(memory.kind.description)
    if let type = memory.fact?.memoryType {
      key("memory_type")
      string(type.description)
    }
    if let metadata = memory.fact?.metadata {
      key("metadata")
      value(metadata)
    }
    key("occurred_at")
    write(memory.occurredAt)
    if let role = memory.role {
      key("role")
      string(role.description)
    }
    key("score")
    rounded(Double(memory.score))
    key("score_parts")
    beginObject()
    for part in memory.parts.named {
      key(part.name)
      rounded(Double(part.value))
    }
    endObject()
    if let session = memory.session {
      key("session")
      string(session.description)
    }
    if let source = memory.fact?.sourceMessageID {
      key("source_message_id")
      string(source.description)
    }
    if let staleness = memory.staleness {
      key("staleness")
      staleness.write(to: &self)
    }
    if let tags = memory.fact?.tags {
      key("tags")
      value(tags)
    }
    key("version")
    integer(memory.event.version.number)
    endObject()
  }
  /// To six digits after the point: what is beyond says nothing.
  mutating func rounded(_ value: Double) { double((value * 1_000_000).rounded() / 1_000_000) }
}
