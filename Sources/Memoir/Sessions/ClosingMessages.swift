// What was said in a session and reaches the log only with its end.
public import EventStore
internal import JSON

extension MemoirStore {
  /// Records what was said in an open session, as its whole rest, before it ends: ``endSession(_:of:reason:summary:agent:)``
  /// then distils it.
  ///
  /// For assistants that hand in a conversation at its end. Repeated after a failure that leaves the outcome open, it
  /// records nothing twice: the events have ids that follow from the session, and from what is said at which place.
  ///
  /// - Returns: The events of the messages; none where the session has ended already, for then they come too late.
  /// - Throws: `not_found` for a user or a session nobody has heard of; `version_conflict` where others append to the
  ///   user without a pause.
  @discardableResult
  public func recordClosingMessages(
    _ messages: [MessageAdded], of id: SessionID, of user: StreamName, agent: String? = nil
  ) async throws(MemoirError) -> [EventID] {
    guard messages.count <= Limits.eventsPerRequest else {
      throw .invalid(field: "messages", "are \(messages.count); at most \(Limits.eventsPerRequest) are allowed")
    }
    let session = try session(id, of: user)
    guard session.end == nil, !messages.isEmpty else { return [] }
    let metadata = SessionEventMetadata(agent: agent).json
    var events: [EventData] = []
    do throws(InvalidValue) {
      for (index, message) in messages.enumerated() {
        let own = session.derivedID("closing", "\(index)", message.role.description, message.content)
        // Without a time of its own, which would be another when it is repeated.
        events.append(try EventData(.messageAdded(message), session: id, id: own, metadata: metadata))
      }
    } catch {
      throw MemoirError(error)
    }
    let prepared = events
    // The session is looked at again with each attempt: another agent may have ended it meanwhile.
    let recorded = try await deciding(on: user) { state throws(MemoirError) in
      guard let state, let session = try find(id, in: state), session.end == nil else { return ([], false) }
      var missing: [EventData] = []
      for event in prepared where try !isKnown(event.id, of: user) { missing.append(event) }
      return (missing, true)
    }
    return recorded.result ? prepared.map(\.id) : []
  }

  private func isKnown(_ id: EventID, of user: StreamName) throws(MemoirError) -> Bool {
    do throws(StorageError) { return try log.event(id, of: user) != nil } catch { throw MemoirError(error) }
  }
}
