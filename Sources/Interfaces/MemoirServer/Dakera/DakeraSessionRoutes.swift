// Sessions on the Dakera wire: started, kept alive, ended, looked at.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let wrapped = Schema.object(
    [.required("session", DakeraSchemas.session), .optional("memory_count", .count)], isOpen: true)
  private static let named = [AnyParameter(DakeraParameters.agent)]

  static let dakeraSessionRoutes: [Route] = [
    Route(
      .post, "/v1/sessions/start", "dakera_start_session", access: .scope(.append), wire: .dakera,
      summary: "Start a session.",
      body: DakeraSchemas.body([
        .optional("metadata", DakeraSchemas.metadata),
        .optional("idle_timeout_secs", .integer(min: 0, max: DakeraLimits.longestIdleTimeout)),
      ]),
      answers: [.json(wrapped)],
      .later { call in
        let (stream, metadata, timeout) = try call.withWireBody { node in
          (
            try call.stream(node), try node.wireObject("metadata"),
            try node.wireInteger("idle_timeout_secs", in: 0...DakeraLimits.longestIdleTimeout)
          )
        }
        try call.allow(stream)
        let started = try await call.start(stream, metadata, timeout.map { UInt64($0) })
        let session = try DakeraSession(started, of: stream, in: call.store)
        return Reply.object(items: 1) { writer in
          writer.key("session")
          writer.session(session)
        }
      }),
    Route(
      .get, "/v1/sessions", "dakera_list_sessions", access: .scope(.read), wire: .dakera,
      summary: "Sessions, the newest first.",
      parameters: named + [
        AnyParameter(DakeraParameters.activeOnly), AnyParameter(DakeraParameters.limit),
        AnyParameter(DakeraParameters.offset),
      ],
      answers: [.json(DakeraSchemas.sessions)],
      .later { call in
        var users: [StreamName] = []
        if let agent = call[DakeraParameters.agent] {
          let stream = try call.stream(agent)
          if try call.reaches(stream) { users = [stream] }
        } else {
          try call.forEachUser { user in
            users.append(user)
            return true
          }
        }
        return try await call.sessions(of: users)
      }),
    Route(
      .get, "/v1/agents/{agent_id}/sessions", "dakera_agent_sessions", access: .scope(.read), wire: .dakera,
      summary: "Sessions of an agent, the newest first.",
      parameters: [
        AnyParameter(DakeraParameters.activeOnly), AnyParameter(DakeraParameters.limit),
        AnyParameter(DakeraParameters.offset),
      ],
      answers: [.json(DakeraSchemas.sessions)],
      .later { call in
        let stream = try call.pathStream()
        return try await call.sessions(of: try call.reaches(stream) ? [stream] : [])
      }),
    Route(
      .get, "/v1/sessions/{session_id}", "dakera_get_session", access: .scope(.read), wire: .dakera,
      summary: "A session.", parameters: named, answers: [.json(DakeraSchemas.session)],
      .later { call in
        let (stream, found) = try await call.session(call.path("session_id"))
        let session = try DakeraSession(found, of: stream, in: call.store)
        return Reply.json(items: 1) { $0.session(session) }
      }),
    Route(
      .post, "/v1/sessions/{session_id}/end", "dakera_end_session", access: .scope(.append), wire: .dakera,
      summary: "End a session. One that has ended stays as it is.", parameters: named,
      body: .object([.optional("summary", .string()), .optional("auto_summarize", .boolean)], isOpen: true),
      answers: [.json(wrapped)],
      .later { call in
        let summary = try call.withWireBody { node in
          _ = try node.wireFlag("auto_summarize")
          return try node.wireText("summary")
        }
        let (stream, found) = try await call.session(call.path("session_id"))
        var ended = found
        if found.end == nil { ended = try await call.store.endSession(found.id, of: stream, summary: summary).session }
        let session = try DakeraSession(ended, of: stream, in: call.store)
        return Reply.object(items: 1) { writer in
          writer.key("session")
          writer.session(session)
          writer.member("memory_count", session.memoryCount)
        }
      }),
    Route(
      .post, "/v1/sessions/{session_id}/touch", "dakera_touch_session", access: .scope(.append), wire: .dakera,
      summary: "Say that a session goes on. One that has ended stays so.", parameters: named,
      answers: [
        .json(
          .object([
            .required("session", DakeraSchemas.session), .required("session_state", .words(["active", "ended"])),
            .optional("idle_deadline_at", DakeraSchemas.seconds),
          ]))
      ],
      .later { call in
        let (stream, found) = try await call.session(call.path("session_id"))
        var touched = found
        if found.end == nil {
          do throws(MemoirError) { touched = try await call.store.touchSession(found.id, of: stream) } catch {
            // Somebody has ended it meanwhile.
            touched = try call.store.session(found.id, of: stream)
            if touched.end == nil { throw error }
          }
        }
        let session = try DakeraSession(touched, of: stream, in: call.store)
        let deadline = try call.store.idleDeadline(of: touched, stream)
        return Reply.object(items: 1) { writer in
          writer.key("session")
          writer.session(session)
          writer.member("session_state", touched.end == nil ? "active" : "ended")
          if let deadline { writer.member("idle_deadline_at", deadline) }
        }
      }),
    Route(
      .get, "/v1/sessions/{session_id}/memories", "dakera_session_memories", access: .scope(.read), wire: .dakera,
      summary: "What was stored in a session, the newest last.",
      parameters: named + [
        AnyParameter(DakeraParameters.limit), AnyParameter(DakeraParameters.offset),
        AnyParameter(DakeraParameters.preview),
      ],
      answers: [
        .json(
          .object([
            .required("session", DakeraSchemas.session), .required("memories", DakeraSchemas.memories),
            .required("total", .count),
          ]))
      ],
      .later { call in
        let (stream, found) = try await call.session(call.path("session_id"))
        var selection = MemorySelection()
        selection.session = found.id
        let all = try call.store.storedMemories(of: stream, selection)
        let session = try DakeraSession(found, of: stream, memoryCount: all.count, in: call.store)
        let page = all.page(call, limit: 50, atMost: 500)
        return Reply.object(items: page.count) { writer in
          writer.key("session")
          writer.session(session)
          writer.key("memories")
          writer.memories(page, of: stream.user, preview: call[DakeraParameters.preview])
          writer.member("total", all.count)
        }
      }),
  ]
}

extension Call {
  /// Starts a session under an id that nobody has.
  fileprivate func start(
    _ user: StreamName, _ metadata: JSONText?, _ timeout: UInt64?
  ) async throws(MemoirError) -> Session {
    var attempts = 0
    while true {
      attempts += 1
      do throws(MemoirError) {
        return try await store.startSession(
          try DakeraAgent.sessionID(for: user.user, at: store.clock()), of: user, metadata: metadata,
          idleTimeoutSeconds: timeout, context: nil
        ).session
      } catch {
        guard error.code == .idConflict, attempts < 10 else { throw error }
      }
    }
  }

  fileprivate func sessions(of users: [StreamName]) async throws -> Reply {
    var all: [DakeraSession] = []
    for user in users {
      do throws(MemoirError) {
        try await store.endIdleSessions(of: user)
        var counts: [StreamVersion: Int] = [:]
        for fact in try store.state(of: user).facts {
          if let session = fact.session { counts[session, default: 0] += 1 }
        }
        let filter: SessionFilter = self[DakeraParameters.activeOnly] == true ? .open : .all
        for session in try store.sessions(of: user, limit: .max, filter: filter).sessions {
          all.append(try DakeraSession(session, of: user, memoryCount: counts[session.number] ?? 0, in: store))
        }
      } catch {
        // Nobody has heard of the agent.
        if error.code != .notFound { throw error }
      }
    }
    all.sort { a, b in
      (a.session.startedAt, a.session.number, a.user) > (b.session.startedAt, b.session.number, b.user)
    }
    let page = all.page(self, limit: 100, atMost: DakeraLimits.largestPage)
    return Reply.json(items: page.count) { writer in
      writer.beginArray()
      for session in page { writer.session(session) }
      writer.endArray()
    }
  }
}
