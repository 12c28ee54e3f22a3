// What changed between two points: the two end states compared, each change with the event responsible.
public import EventStore
public import JSON

/// The difference of two states of a person.
public struct StateDiff: Sendable {
  /// A fact that is live at both ends, and was revised.
  public struct Revision: Sendable {
    /// As it was.
    public let before: Fact
    /// As it is.
    public let after: Fact
    /// The event that revised it last.
    public let event: EventReference
  }

  /// A fact that was live at the earlier end.
  public struct Departure: Sendable {
    /// As it was.
    public let fact: Fact
    /// The event that forgot or superseded it, or set its expiry.
    public let event: EventReference
    /// Why it was forgotten, where that was said.
    public var reason: String?
    /// What superseded it.
    public var supersededBy: FactID?
  }

  /// A preference whose value is another.
  public struct PreferenceChange: Sendable {
    /// Which.
    public let key: String
    /// The value at the earlier end; `nil` where it had none.
    public let from: JSONText?
    /// The value at the later end.
    public let to: JSONText
    /// The event that set it.
    public let event: EventReference
  }

  /// The facts that are live only at the later end.
  public private(set) var learned: [Fact] = []
  /// The facts that were revised, those that came back from expiry included.
  public private(set) var revised: [Revision] = []
  /// The facts that were forgotten or superseded.
  public private(set) var forgotten: [Departure] = []
  /// The facts that expired.
  public private(set) var expired: [Departure] = []
  /// The preferences whose value is another.
  public private(set) var preferences: [PreferenceChange] = []
  /// All sessions that began.
  public let begun: [ChangeRecorder.SessionNote]
  /// All sessions that ended.
  public let ended: [ChangeRecorder.SessionNote]
  /// How many messages were added.
  public let messagesAdded: UInt64
  /// The events responsible, by version.
  public private(set) var events: [EventReference] = []
  /// The time at which expiry and decay of what is shown are judged.
  private let clock: Timestamp

  /// Compares the states before and after what `recorder` saw.
  ///
  /// - Parameters:
  ///   - clockBefore: The time at which expiry is judged at the earlier end.
  ///   - clockAfter: The same at the later end.
  /// - Complexity: O(n log n) in the facts and preferences of both states.
  public init(_ recorder: ChangeRecorder, from clockBefore: Timestamp, to clockAfter: Timestamp) {
    let before = recorder.before
    let after = recorder.after
    clock = clockAfter
    begun = recorder.begun.sorted { $0.event < $1.event }
    ended = recorder.ended.sorted { $0.event < $1.event }
    messagesAdded = after.messages.total &- before.messages.total
    var responsible = Set(begun.map(\.event) + ended.map(\.event))

    for fact in after.facts.facts where !fact.isExpired(at: clockAfter) {
      guard let old = before.facts[key: fact.key] else {
        learned.append(fact)
        responsible.insert(fact.origin)
        responsible.formUnion(fact.revisedBy.events)
        continue
      }
      let revisions = fact.revisedBy.events.filter { !old.revisedBy.events.contains($0) }
      if let last = revisions.last ?? (old.isExpired(at: clockBefore) ? fact.expirySetBy : nil) {
        revised.append(Revision(before: old, after: fact, event: last))
        responsible.formUnion(revisions)
        responsible.insert(last)
      }
    }
    for fact in before.facts.facts where !fact.isExpired(at: clockBefore) {
      if let now = after.facts[key: fact.key] {
        guard now.isExpired(at: clockAfter), let event = now.expirySetBy else { continue }
        expired.append(Departure(fact: now, event: event))
        responsible.insert(event)
      } else if let note = recorder.gone[fact.key] {
        forgotten.append(
          Departure(fact: fact, event: note.event, reason: note.reason, supersededBy: note.supersededBy))
        responsible.insert(note.event)
      }
    }
    for preference in after.preferences.all {
      let old = before.preferences[preference.key]
      if let old, old.value.isSame(as: preference.value) { continue }
      preferences.append(
        PreferenceChange(
          key: preference.key, from: old?.value, to: preference.value, event: preference.origin))
      responsible.insert(preference.origin)
    }
    revised.sort { $0.event < $1.event }
    forgotten.sort { $0.event < $1.event }
    expired.sort { $0.event < $1.event }
    preferences.sort { $0.event < $1.event }
    events = responsible.sorted()
  }
}

extension StateDiff {
  /// Prints the difference, with the events responsible.
  ///
  /// - Parameter event: Reads an event of the stream by its version; `nil` leaves it out.
  /// - Throws: What `event` throws.
  public func write(
    to writer: inout JSONWriter, stream: StreamName, from: AsOfText, to: AsOfText, decay: Decay = Decay(),
    event: (StreamVersion) throws -> RecordedEvent?
  ) throws {
    writer.beginObject()
    writer.key("events")
    writer.beginArray()
    for reference in events {
      if let event = try event(reference.version) { try EventJSON.write(event, to: &writer) }
    }
    writer.endArray()
    writer.key("facts")
    writeFacts(to: &writer, decay)
    writer.key("from")
    writer.string(from.description)
    writer.key("messages")
    writer.beginObject()
    writer.key("added")
    writer.integer(messagesAdded)
    writer.endObject()
    writer.key("namespace")
    writer.string(stream.namespace.description)
    writer.key("preferences")
    writer.beginObject()
    writer.key("changed")
    writer.array(preferences) { $0.write($1) }
    writer.endObject()
    writer.key("sessions")
    writer.beginObject()
    writer.key("begun")
    writer.array(begun) { $0.write($1, hasEnded: false) }
    writer.key("ended")
    writer.array(ended) { $0.write($1, hasEnded: true) }
    writer.endObject()
    writer.key("to")
    writer.string(to.description)
    writer.key("user")
    writer.string(stream.user.description)
    writer.endObject()
  }

  private func writeFacts(to writer: inout JSONWriter, _ decay: Decay) {
    func archived(_ fact: Fact) -> Bool { decay.isArchived(fact, at: clock) }
    writer.beginObject()
    writer.key("expired")
    writer.array(expired) { $0.write($1.fact, isArchived: archived($1.fact), FactRemarks(event: $1.event)) }
    writer.key("forgotten")
    writer.array(forgotten) {
      let remarks = FactRemarks(event: $1.event, reason: $1.reason, supersededBy: $1.supersededBy)
      $0.write($1.fact, isArchived: archived($1.fact), remarks)
    }
    writer.key("learned")
    writer.array(learned) { $0.write($1, isArchived: archived($1)) }
    writer.key("revised")
    writer.array(revised) {
      let remarks = FactRemarks(event: $1.event, from: $1.earlierFields)
      $0.write($1.after, isArchived: archived($1.after), remarks)
    }
    writer.endObject()
  }
}

extension StateDiff.Revision {
  /// The fields that are other now, as they were: an object. One that was absent is `null`.
  var earlierFields: JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    if before.category != after.category {
      writer.key("category")
      writer.string(before.category)
    }
    if before.confidence != after.confidence {
      writer.key("confidence")
      writer.write(before.confidence)
    }
    if before.expiresAt != after.expiresAt {
      writer.key("expires_at")
      if let time = before.expiresAt { writer.write(time) } else { writer.null() }
    }
    if before.fact != after.fact {
      writer.key("fact")
      writer.string(before.fact)
    }
    if before.importance != after.importance {
      writer.key("importance")
      if let importance = before.importance { writer.write(importance) } else { writer.null() }
    }
    if before.metadata != after.metadata {
      writer.key("metadata")
      writer.value(before.metadata ?? .null)
    }
    if before.tags != after.tags {
      writer.key("tags")
      writer.value(before.tags ?? .null)
    }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ change: StateDiff.PreferenceChange) {
    beginObject()
    key("event_id")
    write(change.event.id)
    if let from = change.from {
      key("from")
      value(from)
    }
    key("key")
    string(change.key)
    key("to")
    value(change.to)
    key("version")
    integer(change.event.version.number)
    endObject()
  }

  fileprivate mutating func write(_ note: ChangeRecorder.SessionNote, hasEnded: Bool) {
    beginObject()
    if hasEnded {
      key("ended_at")
      write(note.occurredAt)
    }
    key("event_id")
    write(note.event.id)
    if let reason = note.reason {
      key("reason")
      string(reason)
    }
    key("session")
    string(note.session.description)
    if !hasEnded {
      key("started_at")
      write(note.occurredAt)
    }
    if let summary = note.summary {
      key("summary")
      string(summary)
    }
    key("version")
    integer(note.event.version.number)
    endObject()
  }
}
