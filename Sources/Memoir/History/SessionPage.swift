// All sessions of a user, a page at a time.
public import EventStore
public import JSON

/// Which sessions are listed.
public enum SessionFilter: String, CaseIterable, Sendable {
  /// All of them.
  case all
  /// Those that are open.
  case open
  /// Those that have ended.
  case ended

  func wants(_ session: Session) -> Bool {
    switch self {
    case .all: true
    case .open: session.end == nil
    case .ended: session.end != nil
    }
  }
}

/// A part of a user's sessions, in the order of the events that began them, or the other way round.
public struct SessionPage: Sendable {
  /// The sessions.
  public let sessions: [Session]
  /// After (or, newest first, before) which version to go on; `nil` at the end.
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

extension Session {
  /// Prints the session as a state shows it.
  public func write(to writer: inout JSONWriter) { writer.write(self) }
}

extension MemoirStore {
  /// Sessions of a user, of which a state holds only the latest.
  ///
  /// - Parameters:
  ///   - version: Only sessions that began after it; newest first, before it.
  ///   - filter: Only sessions of this kind; the page's counts are of all.
  /// - Throws: `not_found` for a user nobody has heard of.
  /// - Complexity: O(events of the user)
  public func sessions(
    of user: StreamName, after version: StreamVersion? = nil, limit: Int = 1_000, filter: SessionFilter = .all,
    newestFirst: Bool = false
  ) throws(MemoirError) -> SessionPage {
    let all = try allSessions(of: user)
    var wanted = all.filter(filter.wants).sorted { $0.origin < $1.origin }
    if newestFirst { wanted.reverse() }
    if let version {
      wanted.removeAll { newestFirst ? $0.origin.version >= version : $0.origin.version <= version }
    }
    let page = Array(wanted.prefix(limit))
    return SessionPage(
      sessions: page, next: page.count < wanted.count ? page.last?.origin.version : nil,
      total: UInt64(all.count), open: all.count { $0.end == nil })
  }
}
