// Agents on the Dakera wire: the users of the key's namespace, and what each has.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let topN = Parameter<Int>.integer("top_n", "How many memories.", in: 1...10_000)
  private static let derived = Parameter<Bool>.flag("include_derived", "Changes nothing: nothing is derived here.")

  static let dakeraAgentRoutes: [Route] = [
    Route(
      .get, "/v1/agents", "dakera_list_agents", access: .scope(.read), wire: .dakera, summary: "The agents, by name.",
      answers: [
        .json(
          .array(
            .object([
              .required("agent_id", .string()), .required("memory_count", .count), .required("session_count", .count),
              .required("active_sessions", .count),
            ])))
      ],
      .later { call in
        var rows: [(name: String, memories: Int, sessions: UInt64, active: Int)] = []
        try call.forEachUser { user in
          let state = try call.store.state(of: user)
          let sessions = state.state.sessions
          rows.append((user.user.description, state.facts.count, sessions.total, sessions.openCount))
          return true
        }
        return Reply.json(items: rows.count) { writer in
          writer.beginArray()
          for row in rows {
            writer.beginObject()
            writer.member("agent_id", row.name)
            writer.member("memory_count", row.memories)
            writer.key("session_count")
            writer.integer(row.sessions)
            writer.member("active_sessions", row.active)
            writer.endObject()
          }
          writer.endArray()
        }
      }),
    Route(
      .post, "/v1/agents", "dakera_create_agent", access: .scope(.append), wire: .dakera,
      summary: "Make an agent known; storing does so too.", body: DakeraSchemas.body([]),
      answers: [.json(created), .json(created, status: 201, "Nobody had heard of it.")],
      .later { call in
        let stream = try call.withWireBody { try call.stream($0) }
        try call.allow(stream)
        let isNew = try await call.store.begin(stream)
        return Reply.object(status: isNew ? 201 : 200, items: 1) { writer in
          writer.member("agent_id", stream.user.description)
          writer.member("namespace", DakeraAgent.namespace(of: stream.user))
          writer.key("created")
          writer.bool(isNew)
          writer.key("dimension")
          writer.null()
          writer.key("model")
          writer.null()
        }
      }),
    Route(
      .get, "/v1/agents/{agent_id}/memories", "dakera_agent_memories", access: .scope(.read), wire: .dakera,
      summary: "An agent's memories, the newest first.",
      parameters: [
        AnyParameter(DakeraParameters.type), AnyParameter(DakeraParameters.limit),
        AnyParameter(DakeraParameters.offset), AnyParameter(derived), AnyParameter(DakeraParameters.preview),
      ],
      answers: [.json(DakeraSchemas.memories)],
      .later { call in
        let stream = try call.pathStream()
        var selection = MemorySelection()
        selection.type = call[DakeraParameters.type]
        let all = try call.reaches(stream) ? try call.store.storedMemories(of: stream, selection) : []
        let page = Array(all.reversed()).page(call, limit: 50, atMost: DakeraLimits.largestPage)
        return Reply.json(items: page.count) {
          $0.memories(page, of: stream.user, preview: call[DakeraParameters.preview])
        }
      }),
    Route(
      .get, "/v1/agents/{agent_id}/stats", "dakera_agent_stats", access: .scope(.read), wire: .dakera,
      summary: "How much an agent has.", answers: [.json(.object([], isOpen: true))],
      .later { call in
        let stream = try call.pathStream()
        try call.allow(stream)
        let state = try call.store.state(of: stream)
        let all = try call.store.storedMemories(of: stream)
        var types: [String: Int] = [:]
        for stored in all { types[(stored.fact.memoryType ?? .semantic).description, default: 0] += 1 }
        let decay = call.store.memory.decay
        let sum = all.reduce(0) { $0 + decay.statedImportance(of: $1.fact) }
        return Reply.object(items: 1) { writer in
          writer.member("agent_id", stream.user.description)
          writer.member("total_memories", all.count)
          writer.key("memories_by_type")
          writer.beginObject()
          for (type, count) in types.sorted(by: { $0.key < $1.key }) { writer.member(text: type, count) }
          writer.endObject()
          writer.key("total_sessions")
          writer.integer(state.state.sessions.total)
          writer.member("active_sessions", state.state.sessions.openCount)
          guard !all.isEmpty else { return }
          writer.key("avg_importance")
          writer.double(sum / Double(all.count))
          writer.member("oldest_memory_at", all.map(\.storedAt).min())
          writer.member("newest_memory_at", all.map(\.storedAt).max())
        }
      }),
    Route(
      .get, "/v1/agents/{agent_id}/wake-up", "dakera_wake_up", access: .scope(.recall), wire: .dakera,
      summary: "The memories with which to begin: those that matter most and are freshest.",
      parameters: [AnyParameter(topN), AnyParameter(DakeraParameters.minImportance)],
      answers: [
        .json(
          .object([
            .required("agent_id", .string()), .required("memories", DakeraSchemas.memories),
            .required("total_available", .count),
          ]))
      ],
      .later { call in
        let stream = try call.pathStream()
        let wakeUp =
          try call.reaches(stream)
          ? try call.store.wakeUp(
            stream, limit: call[topN] ?? 20, minStatedImportance: call[DakeraParameters.minImportance] ?? 0)
          : nil
        return Reply.object(items: wakeUp?.memories.count ?? 0) { writer in
          writer.member("agent_id", stream.user.description)
          writer.key("memories")
          writer.memories(wakeUp?.memories ?? [], of: stream.user)
          writer.member("total_available", wakeUp?.total ?? 0)
        }
      }),
  ]

  private static let created = Schema.object([
    .required("agent_id", .string()), .required("namespace", .string()), .required("created", .boolean),
    .required("dimension", .null), .required("model", .null),
  ])
}
