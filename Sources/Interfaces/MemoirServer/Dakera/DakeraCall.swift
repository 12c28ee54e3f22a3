// Whom a call of the Dakera wire is about, and whether there is such a one for the caller.
import HTTPServer
import JSON
import Memoir

extension Call {
  /// Lends the body's JSON; an empty body is an empty object, for clients name the type of what they do not send.
  func withWireBody<Result>(_ body: (JSONNode) throws -> Result) throws -> Result {
    if request.body.isEmpty { return try JSONParser().parse("{}".utf8.span) { try body($0) } }
    return try withBody(body)
  }

  /// The user of an agent id, whether this caller may ask about them or not.
  func stream(_ agent: String, field: String = "agent_id") throws(MemoirError) -> StreamName {
    StreamName(try DakeraAgent.user(agent, field: field), in: try namespace())
  }

  /// The user that a body names by `agent_id`, or by `namespace` as older tutorials do.
  func stream(_ node: JSONNode) throws(MemoirError) -> StreamName {
    let namespace = try node.wireText("namespace")
    if let agent = try node.wireText("agent_id") { return try stream(agent) }
    guard let name = namespace else { throw .invalid(field: "agent_id", "is missing") }
    if let user = DakeraAgent.user(ofNamespace: name) { return try stream(user.description) }
    return try stream(name, field: "namespace")
  }

  /// The user that the query names, or else the body; both given must agree.
  func stream(inQueryOr node: JSONNode) throws(MemoirError) -> StreamName {
    guard let agent = self[DakeraParameters.agent] else { return try stream(node) }
    let inQuery = try stream(agent)
    if node.hasMember("agent_id") || node.hasMember("namespace") {
      let inBody = try stream(node)
      guard inBody == inQuery else {
        throw .invalid(field: "agent_id", "is \(inQuery.user) in the query and \(inBody.user) in the body")
      }
    }
    return inQuery
  }

  /// The agent of the path.
  func pathStream() throws(MemoirError) -> StreamName { try stream(path("agent_id")) }

  /// Calls `body` with every user that this caller reaches, until it says that it has enough.
  ///
  /// - Throws: `forbidden` where its scopes are too few, whether there is anybody or not.
  func forEachUser(_ body: (StreamName) throws -> Bool) throws {
    try requireScopeAmongOthers()
    let namespace = try namespace()
    var last: StreamName?
    while true {
      let page = try store.log.streams(in: namespace, after: last)
      guard let end = page.last else { return }
      for user in page where try reachesAmongOthers(user.name) {
        if try !body(user.name) { return }
      }
      last = end.name
    }
  }

  /// The id of a memory.
  func factID(_ text: String, field: String = "memory_id") throws(MemoirError) -> FactID {
    do throws(InvalidValue) { return try FactID(text, field: field) } catch { throw MemoirError(error) }
  }

  /// One memory of a user: for the caller, whatever it cannot see is not there.
  func memory(_ id: FactID, of user: StreamName) throws(MemoirError) -> StoredMemory {
    guard try reaches(user) else { throw .noWireMemory(id.description) }
    do throws(MemoirError) { return try store.storedMemory(id, of: user) } catch {
      if error.code == .notFound { throw .noWireMemory(id.description) }
      throw error
    }
  }

  /// The same, in whatever memory the caller may read.
  ///
  /// - Throws: `invalid_argument` where several users have one of this id.
  func memory(_ id: FactID) throws -> (user: StreamName, memory: StoredMemory) {
    var found: [(StreamName, StoredMemory)] = []
    try forEachUser { user in
      if let state = try? store.state(of: user), state.state.facts[id] != nil,
        let memory = try? store.storedMemory(id, of: user)
      {
        found.append((user, memory))
      }
      return found.count < 2
    }
    guard found.count < 2 else {
      throw MemoirError.invalid(field: "agent_id", "is missing, and several agents have this memory")
    }
    guard let one = found.first else { throw MemoirError.noWireMemory(id.description) }
    try allow(one.0)
    return one
  }

  /// A session by its id alone, ended if it was idle for too long.
  func session(_ text: String) async throws -> (user: StreamName, session: Session) {
    let id: SessionID
    do { id = try SessionID(text, field: "session_id") } catch { throw MemoirError.noWireSession(text) }
    var users: [StreamName] = []
    if let agent = self[DakeraParameters.agent] {
      let user = try stream(agent)
      if try reaches(user) { users = [user] }
    } else if let named = DakeraAgent.user(ofSession: text) {
      let user = StreamName(named, in: try namespace())
      if try reaches(user) { users = [user] }
    } else {
      // One that an application named itself.
      try forEachUser { user in
        if try !store.log.readStream(user, limit: 1, filter: EventFilter(session: id)).events.isEmpty {
          users.append(user)
        }
        return users.count < 2
      }
      guard users.count < 2 else {
        throw MemoirError.invalid(field: "agent_id", "is missing, and several agents have a session of this id")
      }
      if let user = users.first { try allow(user) }
    }
    guard let user = users.first else { throw MemoirError.noWireSession(text) }
    return (user, try await session(id, of: user))
  }

  private func session(_ id: SessionID, of user: StreamName) async throws(MemoirError) -> Session {
    do throws(MemoirError) { return try await store.sessionEndedIfIdle(id, of: user) } catch {
      if error.code == .notFound { throw .noWireSession(id.description) }
      throw error
    }
  }

  /// The session that a memory is to be stored in: one of this user's, or one that begins with it.
  ///
  /// - Throws: `not_found` for another agent's.
  func home(_ text: String, of user: StreamName) throws(MemoirError) -> SessionID {
    if let named = DakeraAgent.user(ofSession: text), named != user.user { throw .noWireSession(text) }
    do throws(InvalidValue) { return try SessionID(text, field: "session_id") } catch { throw MemoirError(error) }
  }

  /// Whether a session has ended; `false` for one that is still to begin.
  func hasEnded(_ id: SessionID, of user: StreamName) async throws(MemoirError) -> Bool {
    do throws(MemoirError) { return try await store.sessionEndedIfIdle(id, of: user).end != nil } catch {
      if error.code == .notFound { return false }
      throw error
    }
  }
}

/// The query parameters of the Dakera wire.
enum DakeraParameters {
  static let agent = Parameter<String>.text("agent_id", "The agent: a user of the key's namespace.", maxLength: 241)
  static let limit = Parameter<Int>.integer(
    "limit", "At most so many; more than a route gives are not given.", in: 1...1_000_000)
  static let offset = Parameter<Int>.integer("offset", "Without the first so many.", in: 0...1_000_000_000)
  static let preview = Parameter<Int>.integer(
    "content_preview_chars", "Only so many characters of each content.", in: 0...1_000_000)
  static let activeOnly = Parameter<Bool>.flag("active_only", "Only sessions that go on.")
  static let type = Parameter<MemoryType>(
    "memory_type", "Only of this type.", .words(MemoryType.allCases.map(\.description))
  ) { try MemoryType(wire: $0, field: $1) }
  static let minImportance = Parameter<Double>.fraction("min_importance", "Only of at least this importance.")
}

extension Parameter where Value == Double {
  /// A number from 0 to 1.
  static func fraction(_ name: String, _ summary: String) -> Parameter {
    Parameter(name, summary, .number(min: 0, max: 1)) { text, field in try Fraction(text: text, field: field).value }
  }
}

extension Array {
  /// A page of it.
  func page(_ call: Call, limit: Int, atMost: Int) -> ArraySlice<Element> {
    dropFirst(call[DakeraParameters.offset] ?? 0).prefix(Swift.min(call[DakeraParameters.limit] ?? limit, atMost))
  }
}
