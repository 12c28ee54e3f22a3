// All sessions of a user, a page at a time.
public import EventStore
public import JSON

/// A part of a user's sessions, in the order of the events that began them.
public struct SessionPage: Sendable {
  /// The sessions.
  public let sessions: [Session]
  /// After which version to go on; `nil` at the end.
  public let next: StreamVersion?
  /// How many sessions there are in all.
  public let total: UInt64
  /// How many of them are open.
  public let open: Int

  /// Prints `{"next","open","sessions","total"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("next")
    if let next { writer.integer(next.number) } else { writer.null() }
    writer.key("open")
    writer.integer(open)
    writer.key("sessions")
    writer.array(sessions) { $0.write($1) }
    writer.key("total")
    writer.integer(total)
    writer.endObject()
  }
}

extension MemoirStore {
  /// Sessions of a user, of which a state holds only the latest.
  ///
  /// - Parameter version: Only sessions that began after it.
  /// - Throws: `not_found` for a user nobody has heard of.
  /// - Complexity: O(events of the user)
  public func sessions(
    of user: StreamName, after version: StreamVersion = 0, limit: Int = 1_000
  ) throws(MemoirError) -> SessionPage {
    let folded: FoldedState<SessionsState>?
    do {
      folded = try log.state(of: user, by: AllSessionsProjector(), usesSnapshots: false)
    } catch {
      throw MemoirError(error)
    }
    guard let state = folded?.state else { throw .noUser(user) }
    let all = (state.open + state.ended).filter { $0.origin.version > version }.sorted {
      $0.origin < $1.origin
    }
    let page = Array(all.prefix(limit))
    return SessionPage(
      sessions: page, next: page.count < all.count ? page.last?.origin.version : nil, total: state.total,
      open: state.openCount)
  }
}
