// The items of a state as JSON, each with the event that put it there. Keys are sorted.
internal import EventStore
internal import JSON

/// What is said about a fact besides the fact: by a diff, or where memories are shown.
struct FactRemarks {
  /// The event responsible, in the place of the one that put the fact there.
  var event: EventReference
  /// What was revised, as it was before: an object.
  var from: JSONText?
  /// Why it was forgotten.
  var reason: String?
  /// What took its place.
  var supersededBy: FactID?
  /// What is left of its importance.
  var importanceNow: Double?
  /// The session it was learned in.
  var session: SessionID?
  /// How fresh it is.
  var staleness: Staleness?
}

extension JSONWriter {
  /// - Parameter isArchived: `nil` leaves it out, where no clock is asked.
  mutating func write(_ fact: Fact, isArchived: Bool?, _ remarks: FactRemarks? = nil) {
    let event = remarks?.event ?? fact.origin
    beginObject()
    if let isArchived {
      key("archived")
      bool(isArchived)
    }
    key("category")
    string(fact.category)
    key("confidence")
    write(fact.confidence)
    key("event_id")
    write(event.id)
    if let time = fact.expiresAt {
      key("expires_at")
      write(time)
    }
    key("fact")
    string(fact.fact)
    key("fact_id")
    string(fact.factID.description)
    if let from = remarks?.from {
      key("from")
      value(from)
    }
    if let importance = fact.importance {
      key("importance")
      write(importance)
    }
    if let importance = remarks?.importanceNow {
      key("importance_now")
      double((importance * 10_000).rounded() / 10_000)
    }
    key("learned_at")
    write(fact.learnedAt)
    if let type = fact.memoryType {
      key("memory_type")
      string(type.description)
    }
    if let metadata = fact.metadata {
      key("metadata")
      value(metadata)
    }
    if let reason = remarks?.reason {
      key("reason")
      string(reason)
    }
    writeRevisions(fact.revisedBy.events)
    if let session = remarks?.session {
      key("session")
      string(session.description)
    }
    if let source = fact.sourceMessageID {
      key("source_message_id")
      string(source.description)
    }
    if let staleness = remarks?.staleness {
      key("staleness")
      staleness.write(to: &self)
    }
    if let superseding = remarks?.supersededBy {
      key("superseded_by")
      string(superseding.description)
    }
    if let tags = fact.tags {
      key("tags")
      value(tags)
    }
    key("version")
    integer(event.version.number)
    endObject()
  }

  mutating func write(_ preference: Preference) {
    beginObject()
    key("event_id")
    write(preference.origin.id)
    if let previous = preference.previousValue {
      key("previous_value")
      value(previous)
    }
    key("updated_at")
    write(preference.updatedAt)
    key("value")
    value(preference.value)
    key("version")
    integer(preference.origin.version.number)
    endObject()
  }

  mutating func write(_ relationship: Relationship) {
    beginObject()
    if let confidence = relationship.confidence {
      key("confidence")
      write(confidence)
    }
    key("event_id")
    write(relationship.origin.id)
    key("learned_at")
    write(relationship.learnedAt)
    key("object")
    string(relationship.object)
    key("predicate")
    string(relationship.predicate)
    writeRevisions(relationship.revisedBy.events)
    key("subject")
    string(relationship.subject)
    key("version")
    integer(relationship.origin.version.number)
    endObject()
  }

  mutating func write(_ episode: Episode) {
    beginObject()
    key("actions")
    write(episode.actions)
    key("event_id")
    write(episode.origin.id)
    if let lessons = episode.lessons {
      key("lessons")
      write(lessons)
    }
    key("occurred_at")
    write(episode.occurredAt)
    key("outcomes")
    write(episode.outcomes)
    key("success")
    bool(episode.success)
    key("task")
    string(episode.task)
    key("version")
    integer(episode.origin.version.number)
    endObject()
  }

  /// - Parameter event: The event responsible, in the place of the one that began the session.
  mutating func write(_ session: Session, event: EventReference? = nil) {
    let event = event ?? session.origin
    beginObject()
    key("ended_at")
    if let end = session.end { write(end.endedAt) } else { null() }
    key("event_id")
    write(event.id)
    key("message_count")
    integer(session.messageCount)
    if let metadata = session.start?.metadata {
      key("metadata")
      value(metadata)
    }
    if let reason = session.end?.reason {
      key("reason")
      string(reason)
    }
    writeRevisions(session.revisedBy)
    key("session")
    string(session.id.description)
    key("started_at")
    write(session.startedAt)
    if let summary = session.end?.summary {
      key("summary")
      string(summary)
    }
    key("version")
    integer(event.version.number)
    endObject()
  }

  mutating func write(_ compacted: CompactedSessions) {
    beginObject()
    key("event_id")
    write(compacted.origin.id)
    key("occurred_at")
    write(compacted.occurredAt)
    key("sessions")
    value(compacted.sessions)
    key("summary")
    string(compacted.summary)
    key("version")
    integer(compacted.origin.version.number)
    endObject()
  }

  private mutating func writeRevisions(_ events: [EventReference]) {
    if events.isEmpty { return }
    key("revised_by")
    beginArray()
    for event in events {
      beginObject()
      key("event_id")
      write(event.id)
      key("version")
      integer(event.version.number)
      endObject()
    }
    endArray()
  }

  private mutating func write(_ list: TextList) {
    switch list {
    case .one(let text): string(text)
    case .many(let texts):
      beginArray()
      for text in texts { string(text) }
      endArray()
    }
  }

  mutating func write(_ fraction: Fraction) { value(canonical: fraction.description.utf8Span.span) }
}
