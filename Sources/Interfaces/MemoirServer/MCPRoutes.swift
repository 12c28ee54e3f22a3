// The Model Context Protocol over HTTP: each message is a request, each reply its answer; a session is known by a header.
import HTTPServer
import JSON
import Memoir
import MemoirMCP
import Platform
import Synchronization

extension MemoirServer {
  static let mcpRoutes: [Route] = [
    Route(
      .post, "/mcp", "mcp", access: .anyKey, summary: "A message of the Model Context Protocol.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(Parameters.user)], body: .any,
      answers: [
        .json(.any, "The reply."), Answer(status: 202, summary: "No reply is due."),
      ],
      refuses: [.forbidden, .notFound, .storageFull],
      .later { call in try await call.service.assistants.reply(to: call) }),
    Route(
      .delete, "/mcp", "mcp_end", access: .anyKey, summary: "Ends a session of the Model Context Protocol.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(Parameters.user)],
      answers: [Answer(status: 204, summary: "It has ended.")], refuses: [.forbidden, .notFound],
      .quick { call in try call.service.assistants.end(call) }),
  ]
}

/// The sessions of assistants.
final class AssistantSessions: Sendable {
  private struct Session: Sendable {
    let session: MCPSession
    /// Who began it: nobody else comes in by its id.
    let owner: Accessor
    let user: UserID?
    let namespace: Namespace
    var lastUsed: UInt64
  }

  /// So many may be open; those that were not used for the longest time end first.
  private static let limit = 4_096
  private static let header = "mcp-session-id"
  private let sessions = Mutex<[String: Session]>([:])

  func reply(to call: Call) async throws -> Reply {
    try refuseForeignPages(call)
    let namespace = try call.namespace()
    let user = call[Parameters.user] ?? call.caller.key?.person
    let given = call.request.head.headers[Self.header]
    let session: MCPSession
    if let given {
      session = try find(given, call, user, namespace).session
    } else {
      session = MCPServer(call.store, user: user, in: namespace, programVersion: Release.version).session()
    }
    let reply = await MCPAccess.$current.withValue(access(of: call)) {
      await session.receive(call.request.body).value
    }
    guard let reply else { return Reply(status: 202, body: .none) }
    var answer = Reply(body: .json(reply))
    if given == nil, session.version != nil {
      let id = EventID.generate(at: Timestamp(clamping: WallClock.microseconds)).description
      keep(
        Session(
          session: session, owner: call.caller.accessor, user: user, namespace: namespace,
          lastUsed: MonotonicClock.nanoseconds), as: id)
      answer.headers.append((name: "Mcp-Session-Id", value: id))
    }
    return answer
  }

  func end(_ call: Call) throws -> Reply {
    try refuseForeignPages(call)
    let id = call.request.head.headers[Self.header] ?? ""
    _ = try find(id, call, call[Parameters.user] ?? call.caller.key?.person, try call.namespace())
    sessions.withLock { $0[id] = nil }
    return Reply(status: 204, body: .none)
  }

  /// A page of another site in the person's own browser must not speak for the person.
  private func refuseForeignPages(_ call: Call) throws(MemoirError) {
    guard let origin = call.request.head.headers["origin"] else { return }
    let host = call.request.head.headers["host"] ?? ""
    guard origin == "http://\(host)" || origin == "https://\(host)" else {
      throw MemoirError(.forbidden, "origin: is another site than the server")
    }
  }

  private func find(
    _ id: String, _ call: Call, _ user: UserID?, _ namespace: Namespace
  ) throws(MemoirError) -> Session {
    let found = sessions.withLock { sessions -> Session? in
      guard var session = sessions[id], session.owner == call.caller.accessor, session.user == user,
        session.namespace == namespace
      else { return nil }
      session.lastUsed = MonotonicClock.nanoseconds
      sessions[id] = session
      return session
    }
    guard let found else {
      throw MemoirError(.notFound, "there is no such session; begin one with 'initialize'")
    }
    return found
  }

  private func keep(_ session: Session, as id: String) {
    sessions.withLock { sessions in
      if sessions.count >= Self.limit, let oldest = sessions.min(by: { $0.value.lastUsed < $1.value.lastUsed }) {
        sessions[oldest.key] = nil
      }
      sessions[id] = session
    }
  }

  private func access(of call: Call) -> MCPAccess {
    let caller = call.caller
    let store = call.store
    let id = call.id
    return MCPAccess(
      allow: { scope, stream throws(MemoirError) in
        switch try caller.decide(scope, in: stream.namespace, user: stream.user) {
        case .allowed: return
        case .denied(.namespace), .denied(.user): throw .noUser(stream)
        case .denied(.key), .denied(.scope):
          throw MemoirError(.forbidden, "the key may not do this: it needs the scope \(scope)")
        }
      },
      note: { operation, stream, bytes throws(MemoirError) in
        try await store.accesses.note(
          Access(
            "mcp_" + operation, by: caller.accessor, in: stream.namespace, user: stream.user, at: store.clock(),
            items: 1, bytes: bytes, requestID: id))
      },
      listsUsers: { namespace in
        (try? caller.decide(.read, in: namespace, user: nil).isAllowed) ?? false
      })
  }
}
