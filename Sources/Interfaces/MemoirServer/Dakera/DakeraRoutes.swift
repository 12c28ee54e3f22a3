// The routes that Dakera's clients ask, and those among them that need nobody's memory.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  /// All routes of the Dakera wire.
  static let dakeraRoutes: [Route] =
    dakeraHealthRoutes + dakeraSessionRoutes + dakeraMemoryRoutes + dakeraRecallRoutes + dakeraBatchRoutes
    + dakeraUpkeepRoutes + dakeraAgentRoutes + dakeraDescriptionRoutes + dakeraTransferRoutes + dakeraAuditRoutes
    + dakeraStreamRoutes + dakeraKeyRoutes

  private static let status = Schema.object([.required("status", .string())], isOpen: true)

  static let dakeraHealthRoutes: [Route] = [
    Route(
      .get, "/health", "dakera_health", access: .open, wire: .dakera, summary: "Whether the process is up.",
      answers: [.json(status)], .quick { _ in Reply.object { $0.member("status", "healthy") } }),
    Route(
      .get, "/health/live", "dakera_health_live", access: .open, wire: .dakera, summary: "Whether the process is up.",
      answers: [.json(status)], .quick { _ in Reply.object { $0.member("status", "alive") } }),
    Route(
      .get, "/health/ready", "dakera_health_ready", access: .open, wire: .dakera,
      summary: "Whether the store is open and recovered.", answers: [.json(status)],
      .quick { call in
        if call.service.isEnding { throw MemoirError(.unavailable, "the server is about to end") }
        _ = try call.store.log.lastPosition()
        return Reply.object { $0.member("status", "ready") }
      }),
  ]

  static let dakeraDescriptionRoutes: [Route] = [
    Route(
      .get, "/v1/capabilities", "dakera_capabilities", access: .anyKey, wire: .dakera,
      summary: "What this server can do, for clients of Dakera.", answers: [.json(.object([], isOpen: true))],
      .quick { call in
        Reply.object { writer in
          writer.member("server_version", "memoir")
          writer.key("capabilities_version")
          writer.integer(2)
          writer.key("api_versions")
          writer.strings(["v1"])
          writer.key("sessions")
          writer.beginObject()
          writer.key("idle_timeout_secs")
          writer.integer(call.store.memory.sessions.idleTimeoutSeconds)
          writer.key("max_idle_timeout_secs")
          writer.integer(DakeraLimits.longestIdleTimeout)
          writer.key("touch")
          writer.bool(true)
          writer.key("ended_reason")
          writer.bool(true)
          writer.endObject()
          writer.key("naming")
          writer.beginObject()
          writer.member("agent_id_pattern", "^[A-Za-z0-9][A-Za-z0-9_.\\-]*$")
          writer.member("agent_id_max_bytes", DakeraLimits.agentSize)
          writer.endObject()
        }
      }),
    Route(
      .get, "/v1/namespaces", "dakera_list_namespaces", access: .scope(.read), wire: .dakera,
      summary: "The namespaces in which agents' memories are said to be: one each.",
      answers: [.json(.object([.required("namespaces", .array(.string())), .required("kinds", .map(.string()))]))],
      .quick { call in
        var names: [String] = []
        try call.forEachUser { user in
          names.append(DakeraAgent.namespace(of: user.user))
          return true
        }
        return Reply.object(items: names.count) { writer in
          writer.key("namespaces")
          writer.strings(names)
          writer.key("kinds")
          writer.beginObject()
          for name in names { writer.member(text: name, "agent") }
          writer.endObject()
        }
      }),
    Route(
      .get, "/v1/namespaces/{name}", "dakera_get_namespace", access: .scope(.read), wire: .dakera,
      summary: "How many memories an agent has.",
      answers: [
        .json(
          .object([
            .required("namespace", .string()), .required("vector_count", .count), .required("kind", .words(["agent"])),
          ]))
      ],
      .quick { call in
        let name = call.path("name")
        guard let user = DakeraAgent.user(ofNamespace: name) else { throw MemoirError.noWireNamespace(name) }
        let stream = StreamName(user, in: try call.namespace())
        guard try call.reaches(stream), try call.store.log.version(of: stream) > 0 else {
          throw MemoirError.noWireNamespace(name)
        }
        let count = try call.store.state(of: stream).facts.count
        return Reply.object(items: 1) { writer in
          writer.member("namespace", name)
          writer.member("vector_count", count)
          writer.member("kind", "agent")
        }
      }),
  ]
}
