// What was said in a session, and what was learned in it, a page at a time.
internal import Bytes
public import EventStore
public import JSON

/// A part of a session's messages, in the order of the log.
public struct SessionMessages: Sendable {
  /// The messages' events, in full.
  public let messages: [RecordedEvent]
  /// After which version to go on; `nil` at the end.
  public let next: StreamVersion?

  /// Prints `{"messages","next"}`, each message in the one form of events.
  ///
  /// - Throws: `corrupt` where a message cannot be read.
  public func write(to writer: inout JSONWriter) throws(MemoirError) {
    writer.beginObject()
    writer.key("messages")
    writer.beginArray()
    do throws(DamagedBytes) {
      for message in messages { try EventJSON.write(message, to: &writer) }
    } catch {
      throw MemoirError(error)
    }
    writer.endArray()
    writer.writeNext(next)
    writer.endObject()
  }
}

/// A part of what was learned in a session, in the order it was learned in.
public struct SessionMemories: Sendable {
  /// The facts, those that still hold.
  public let facts: [Fact]
  /// After which version to go on; `nil` at the end.
  public let next: StreamVersion?
  /// How many there are in all.
  public let total: Int
  let clock: Timestamp
  let decay: Decay

  /// Prints `{"memories","next","total"}`, each memory as a state shows it.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("memories")
    writer.array(facts) { $0.write($1, isArchived: decay.isArchived($1, at: clock)) }
    writer.writeNext(next)
    writer.key("total")
    writer.integer(total)
    writer.endObject()
  }
}

extension MemoirStore {
  /// The number that events refer to a session by: the version of the first that names it. `nil` where the user has no
  /// such session.
  func number(of session: SessionID, of user: StreamName) throws(MemoirError) -> StreamVersion? {
    do throws(StorageError) {
      return try log.readStream(user, limit: 1, filter: EventFilter(session: session)).events.first?.version
    } catch {
      throw MemoirError(error)
    }
  }

  /// What was said in a session, those messages included that came after its end.
  ///
  /// - Parameter version: Only messages after it.
  /// - Throws: `not_found` for a user or a session nobody had heard of at that point.
  /// - Complexity: O(events of the user since the session began), for all of its pages together.
  public func messages(
    of id: SessionID, of user: StreamName, at point: AsOfText = .now, after version: StreamVersion = 0,
    limit: Int = 1_000
  ) throws(MemoirError) -> SessionMessages {
    let state = try state(of: user, at: point)
    guard let session = try find(id, in: state) else { throw .noSession(id, of: user) }
    var filter = EventFilter(types: ["MessageAdded"], session: id)
    if case .occurred(let time) = point { filter.until = time }
    var messages: [RecordedEvent] = []
    var next: StreamVersion? = max(session.number, version.next)
    do throws(StorageError) {
      while let start = next, start <= state.version {
        let wanted = limit - messages.count
        guard wanted > 0 else { return SessionMessages(messages: messages, next: messages.last?.version) }
        let page = try log.readStream(user, from: start, to: state.version, limit: wanted, filter: filter)
        messages += page.events.filter { !$0.isRedacted }
        next = page.next
      }
    } catch {
      throw MemoirError(error)
    }
    return SessionMessages(messages: messages, next: nil)
  }

  /// What was learned in a session and still held at that point.
  ///
  /// - Parameter version: Only what was learned by events after it.
  /// - Throws: `not_found` for a user or a session nobody had heard of at that point.
  public func memories(
    of id: SessionID, of user: StreamName, at point: AsOfText = .now, after version: StreamVersion = 0,
    limit: Int = 1_000
  ) throws(MemoirError) -> SessionMemories {
    let state = try state(of: user, at: point)
    guard let session = try find(id, in: state) else { throw .noSession(id, of: user) }
    let learned = state.facts.filter { $0.session == session.number }
    let page = Page(of: learned, after: version, limit: limit, place: \.origin.version) { $0 }
    return SessionMemories(
      facts: page.items, next: page.next, total: page.total, clock: state.clock, decay: memory.decay)
  }
}
