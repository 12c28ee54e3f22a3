// The context state as JSON: what every surface shows of a person. Equal states print equal bytes.
internal import Bytes
public import EventStore
public import JSON

/// Prints context states.
public struct StateJSON: Sendable {
  /// Whose state it is.
  public var stream: StreamName
  /// The highest version that is folded into it; 0 before the first event.
  public var version: StreamVersion
  /// The point it was asked for at.
  public var asOf: AsOfText
  /// The time at which expiry and decay are judged.
  public var clock: Timestamp
  /// When the person was erased, where that has happened.
  public var erasedAt: Timestamp?
  /// What the profile is made of.
  public var profile = ProfileSchema.standard
  /// When memories are archived.
  public var decay = Decay()

  /// A page of all messages, beside the latest ones.
  public var page: MessagePage?

  /// Some of the messages of a state, oldest first.
  public struct MessagePage: Sendable {
    /// The messages' events.
    public var messages: [RecordedEvent]
    /// From which version to go on; `nil` at the end.
    public var next: StreamVersion?
  }

  /// How many open sessions are shown.
  public static let openSessionLimit = 20
  /// How many bytes of a message's text are shown.
  public static let contentLimit = 4 << 10

  /// Says what the state itself does not know.
  public init(
    stream: StreamName, version: StreamVersion, asOf: AsOfText, clock: Timestamp, erasedAt: Timestamp? = nil
  ) {
    self.stream = stream
    self.version = version
    self.asOf = asOf
    self.clock = clock
    self.erasedAt = erasedAt
  }

  /// Prints a state.
  ///
  /// - Parameter event: Reads a message of the stream by its version; `nil` leaves it out.
  /// - Throws: What `event` throws.
  public func write(
    _ state: ContextState, to writer: inout JSONWriter, event: (StreamVersion) throws -> RecordedEvent?
  ) throws {
    let facts = state.facts.facts.filter { !$0.isExpired(at: clock) }
    writer.beginObject()
    writer.key("as_of")
    asOf.write(to: &writer)
    if !state.sessions.compacted.isEmpty {
      writer.key("compacted")
      writer.array(state.sessions.compacted.sorted { $0.origin < $1.origin }) { $0.write($1) }
    }
    writer.key("episodes")
    writer.array(state.episodes.all) { $0.write($1) }
    if let erasedAt {
      writer.key("erased_at")
      writer.write(erasedAt)
    }
    writer.key("facts")
    writer.array(facts) { $0.write($1, isArchived: decay.isArchived($1, at: clock)) }
    writer.key("messages")
    try write(state.messages, to: &writer, event: event)
    writer.key("namespace")
    writer.string(stream.namespace.description)
    writer.key("preferences")
    writer.beginObject()
    for preference in state.preferences.all {
      writer.key(text: preference.key)
      writer.write(preference)
    }
    writer.endObject()
    writer.key("profile")
    writeProfile(of: state.preferences, facts, to: &writer)
    writer.key("relationships")
    writer.array(state.relationships.all) { $0.write($1) }
    writer.key("sessions")
    writer.array(Self.shownSessions(of: state.sessions)) { $0.write($1) }
    writer.key("sessions_open")
    writer.integer(state.sessions.openCount)
    writer.key("sessions_total")
    writer.integer(state.sessions.total)
    writer.key("user")
    writer.string(stream.user.description)
    writer.key("version")
    writer.integer(version.number)
    writer.endObject()
  }

  /// The open sessions with the latest activity and those that ended last, in the order of the versions that began
  /// them.
  static func shownSessions(of sessions: SessionsState) -> [Session] {
    (sessions.mostActive(openSessionLimit) + sessions.ended).sorted { $0.origin < $1.origin }
  }

  private func write(
    _ messages: MessagesState, to writer: inout JSONWriter, event: (StreamVersion) throws -> RecordedEvent?
  ) throws {
    writer.beginObject()
    if let page {
      writer.key("all")
      writer.beginArray()
      for message in page.messages where !message.isRedacted { try Self.writeMessage(message, to: &writer) }
      writer.endArray()
      writer.key("next_version")
      if let next = page.next { writer.integer(next.number) } else { writer.null() }
    }
    writer.key("recent")
    writer.beginArray()
    for version in messages.recent {
      if let message = try event(version), !message.isRedacted { try Self.writeMessage(message, to: &writer) }
    }
    writer.endArray()
    writer.key("total")
    writer.integer(messages.total)
    writer.endObject()
  }

  /// Prints a message; a text over ``contentLimit`` is cut between two scalars.
  ///
  /// - Throws: `corrupt` where the event is no message.
  public static func writeMessage(_ event: RecordedEvent, to writer: inout JSONWriter) throws(MemoirError) {
    let message: MessageAdded
    do {
      message = try MessageAdded(payload: event.payload.rawSpan)
    } catch {
      throw MemoirError(.corrupt, "event \(event.position) is no message")
    }
    let content = message.content.beginning(atMost: contentLimit)
    writer.beginObject()
    writer.key("content")
    writer.string(content)
    writer.key("event_id")
    writer.write(event.id)
    writer.key("occurred_at")
    writer.write(event.occurredAt)
    writer.key("role")
    writer.string(message.role.description)
    if let session = event.session {
      writer.key("session")
      writer.string(session.description)
    }
    if content.utf8.count < message.content.utf8.count {
      writer.key("truncated")
      writer.bool(true)
    }
    writer.key("version")
    writer.integer(event.version.number)
    writer.endObject()
  }

  private func writeProfile(of preferences: PreferencesState, _ facts: [Fact], to writer: inout JSONWriter) {
    let lists = profile.factLists
    let keys = Set(profile.preferenceKeys).union(lists.keys)
    writer.beginObject()
    for key in keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      if let category = lists[key] {
        writer.key(text: key)
        writer.array(facts.filter { $0.category == category }) { $0.string($1.fact) }
      } else if let preference = preferences[key] {
        writer.key(text: key)
        writer.value(preference.value)
      }
    }
    writer.endObject()
  }
}

extension JSONWriter {
  mutating func array<Item>(_ items: [Item], _ write: (inout JSONWriter, Item) -> Void) {
    beginArray()
    for item in items { write(&self, item) }
    endArray()
  }
}
