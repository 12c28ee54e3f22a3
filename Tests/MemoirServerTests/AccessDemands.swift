// What each call of the server demands, and how it is asked. A call that is not here fails the tests of access.
import Memoir
import Testing

/// How a call is asked, and what it demands.
struct AccessCase {
  let demand: AccessDemand
  /// Behind the method: the path with its query.
  let target: String
  var body: String?
  var type = "application/json"

  /// - Parameter target: In it and in the body `USER`, `MARK`, `RECEIPT`, `EVENT` and `KEY` stand for what they say, of
  ///   the place that is asked about. A native call says the namespace in its query besides.
  init(
    _ right: AccessDemand.Right, _ about: AccessDemand.About, _ target: String, body: String? = nil,
    found: Int = 200, unknown: Int? = nil, foreign: Int = 404
  ) {
    // A namespace begins with its first event: before, it is empty.
    let usual = if case .namespace = about { found } else { 404 }
    demand = AccessDemand(right: right, about: about, found: found, unknown: unknown ?? usual, foreign: foreign)
    self.target = target
    self.body = body
  }

  /// The same as a form with a file.
  var asForm: AccessCase {
    var copy = self
    copy.type = "multipart/form-data; boundary=b"
    copy.body = body.map {
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n\($0)\r\n--b--\r\n"
    }
    return copy
  }
}

extension AccessCase {
  private static let event = #"{"events":[{"type":"X","data":1}]}"#

  /// By operation; several of one are several ways to ask it.
  static let all: [String: [AccessCase]] = native.merging(dakera) { $0 + $1 }

  static let native: [String: [AccessCase]] = [
    "front_page": [AccessCase(.none, .nobody, "/")],
    "health": [AccessCase(.none, .nobody, "/healthz")],
    "ready": [AccessCase(.none, .nobody, "/readyz")],
    "openapi": [AccessCase(.none, .nobody, "/openapi.json")],
    "metrics": [AccessCase(.key, .nobody, "/metrics")],
    "mcp": [
      AccessCase(
        .key, .nobody, "/mcp",
        body:
          #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#
      )
    ],
    "mcp_end": [AccessCase(.key, .nobody, "/mcp", found: 404)],
    "attest": [AccessCase(.scope(.read), .nobody, "/v1/attestation")],
    "append_events": [
      AccessCase(.scope(.append), .user, "/v1/users/USER/events", body: event, found: 201, unknown: 201)
    ],
    "append_all": [
      AccessCase(
        .scope(.append), .user, "/v1/events", body: #"{"appends":[{"user":"USER","events":[{"type":"X","data":1}]}]}"#,
        found: 201, unknown: 201)
    ],
    "read_events": [
      AccessCase(.scope(.read), .user, "/v1/users/USER/events", unknown: 200, foreign: 200)
    ],
    "read_event": [AccessCase(.scope(.read), .user, "/v1/users/USER/events/EVENT")],
    "read_log": [AccessCase(.scope(.read), .namespace, "/v1/events")],
    "list_users": [AccessCase(.scope(.read), .namespace, "/v1/users")],
    "user_head": [AccessCase(.scope(.read), .user, "/v1/users/USER")],
    "erase_user": [AccessCase(.scope(.erase), .user, "/v1/users/USER")],
    "state": [
      AccessCase(.scope(.read), .user, "/v1/users/USER/state"),
      AccessCase(.scope(.read), .user, "/v1/users/USER/state?at_version=1"),
    ],
    "diff": [AccessCase(.scope(.read), .user, "/v1/users/USER/diff?from=start&to=now")],
    "explain": [AccessCase(.scope(.read), .user, "/v1/users/USER/explain?item=fact:m-1")],
    "recall": [AccessCase(.scope(.recall), .user, "/v1/users/USER/recall?query=x", unknown: 200, foreign: 200)],
    "context": [AccessCase(.scope(.recall), .user, "/v1/users/USER/context?query=x", unknown: 200)],
    "receipt": [AccessCase(.scope(.recall), .record, "/v1/receipts/RECEIPT")],
    "report": [AccessCase(.scope(.read), .user, "/v1/users/USER/report")],
    "export": [AccessCase(.scope(.read), .user, "/v1/users/USER/export")],
    "live_events": [
      AccessCase(.scope(.read), .user, "/v1/events/live?user=USER", unknown: 200),
      AccessCase(.scope(.read), .namespace, "/v1/events/live"),
    ],
    "make_subscription": [AccessCase(.scope(.read), .namespace, "/v1/subscriptions/made")],
    "subscription": [AccessCase(.scope(.read), .namespace, "/v1/subscriptions/feed", unknown: 404)],
    "subscription_events": [AccessCase(.scope(.read), .namespace, "/v1/subscriptions/feed/events", unknown: 404)],
    "acknowledge": [
      AccessCase(.scope(.read), .namespace, "/v1/subscriptions/feed/ack", body: #"{"position":1}"#, unknown: 404)
    ],
    "delete_subscription": [AccessCase(.scope(.read), .namespace, "/v1/subscriptions/made", found: 204)],
    "retention": [AccessCase(.scope(.admin), .namespace, "/v1/retention")],
    "set_retention": [AccessCase(.scope(.admin), .namespace, "/v1/retention", body: #"{"messages_days":30000}"#)],
    "remove_retention": [AccessCase(.scope(.admin), .namespace, "/v1/retention", found: 204)],
    "run_retention": [AccessCase(.scope(.admin), .namespace, "/v1/retention/run", body: #"{"dry_run":true}"#)],
  ]

  private static let upvote = #"{"agent_id":"USER","memory_id":"m-1","signal":"upvote"}"#
  private static let importance = #"{"agent_id":"USER","memory_id":"m-1","importance":0.75}"#
  private static let question = #"{"agent_id":"USER","query":"x"}"#

  static let dakera: [String: [AccessCase]] = [
    "dakera_health": [AccessCase(.none, .nobody, "/health")],
    "dakera_health_live": [AccessCase(.none, .nobody, "/health/live")],
    "dakera_health_ready": [AccessCase(.none, .nobody, "/health/ready")],
    "dakera_capabilities": [AccessCase(.key, .nobody, "/v1/capabilities")],
    "dakera_whoami": [AccessCase(.key, .nobody, "/v1/auth/whoami")],
    "dakera_start_session": [
      AccessCase(.scope(.append), .user, "/v1/sessions/start", body: #"{"agent_id":"USER"}"#, unknown: 200)
    ],
    "dakera_list_sessions": [
      AccessCase(.scope(.read), .user, "/v1/sessions?agent_id=USER", unknown: 200, foreign: 200),
      AccessCase(.scope(.read), .reached, "/v1/sessions"),
    ],
    "dakera_agent_sessions": [
      AccessCase(.scope(.read), .user, "/v1/agents/USER/sessions", unknown: 200, foreign: 200)
    ],
    "dakera_get_session": [
      AccessCase(.scope(.read), .user, "/v1/sessions/USER:1"),
      AccessCase(.scope(.read), .user, "/v1/sessions/s-1?agent_id=USER"),
    ],
    "dakera_end_session": [AccessCase(.scope(.append), .user, "/v1/sessions/USER:1/end", body: "{}")],
    "dakera_touch_session": [AccessCase(.scope(.append), .user, "/v1/sessions/USER:1/touch")],
    "dakera_session_memories": [AccessCase(.scope(.read), .user, "/v1/sessions/USER:1/memories")],
    "dakera_store_memory": [
      AccessCase(
        .scope(.append), .user, "/v1/memory/store", body: #"{"agent_id":"USER","content":"Note MARK."}"#, unknown: 200)
    ],
    "dakera_get_memory": [
      AccessCase(.scope(.read), .user, "/v1/memory/get/m-1?agent_id=USER"),
      AccessCase(.scope(.read), .reached, "/v1/memory/get/nowhere", found: 404),
    ],
    "dakera_update_memory": [
      AccessCase(
        .scope(.append), .user, "/v1/memory/update/m-1?agent_id=USER", body: #"{"tags":["a"]}"#)
    ],
    "dakera_forget": [
      AccessCase(
        .scope(.append), .user, "/v1/memory/forget", body: #"{"agent_id":"USER","memory_ids":["MARK-1"]}"#,
        unknown: 200, foreign: 200)
    ],
    "dakera_update_importance": [AccessCase(.scope(.append), .user, "/v1/memory/importance", body: importance)],
    "dakera_patch_importance": [
      AccessCase(.scope(.append), .user, "/v1/memories/m-1/importance", body: importance)
    ],
    "dakera_feedback_memory": [AccessCase(.scope(.append), .user, "/v1/memories/m-1/feedback", body: upvote)],
    "dakera_memory_feedback": [AccessCase(.scope(.append), .user, "/v1/memory/feedback", body: upvote)],
    "dakera_feedback_history": [
      AccessCase(.scope(.read), .user, "/v1/memories/m-1/feedback?agent_id=USER")
    ],
    "dakera_recall": [
      AccessCase(.scope(.recall), .user, "/v1/memory/recall", body: question, unknown: 200, foreign: 200)
    ],
    "dakera_search_memories": [
      AccessCase(.scope(.recall), .user, "/v1/memory/search", body: question, unknown: 200, foreign: 200)
    ],
    "dakera_recall_by_query": [
      AccessCase(
        .scope(.recall), .user, "/v1/memory/recall?agent_id=USER&query=x", unknown: 200, foreign: 200)
    ],
    "dakera_store_memories": [
      AccessCase(
        .scope(.append), .user, "/v1/memories/store/batch",
        body: #"{"agent_id":"USER","memories":[{"content":"Note MARK."}]}"#, unknown: 200)
    ],
    "dakera_batch_recall": [
      AccessCase(
        .scope(.recall), .user, "/v1/memories/recall/batch", body: #"{"agent_id":"USER"}"#, unknown: 200,
        foreign: 200),
      AccessCase(
        .scope(.recall), .user, "/v1/memories/recall/batch", body: #"{"queries":[\#(question)]}"#, unknown: 200,
        foreign: 200),
    ],
    "dakera_batch_forget": [
      AccessCase(
        .scope(.append), .user, "/v1/memories/forget/batch",
        body: #"{"agent_id":"USER","filter":{"tags":["MARK"]}}"#, unknown: 200, foreign: 200)
    ],
    "dakera_consolidate": [
      AccessCase(
        .scope(.append), .user, "/v1/memory/consolidate",
        body: #"{"agent_id":"USER","memory_ids":["MARK-1","MARK-2"]}"#)
    ],
    "dakera_deduplicate": [
      AccessCase(
        .scope(.append), .user, "/v1/knowledge/deduplicate", body: #"{"agent_id":"USER","dry_run":true}"#,
        unknown: 200, foreign: 200)
    ],
    "dakera_list_agents": [AccessCase(.scope(.read), .reached, "/v1/agents")],
    "dakera_create_agent": [
      AccessCase(.scope(.append), .user, "/v1/agents", body: #"{"agent_id":"USER"}"#, unknown: 201)
    ],
    "dakera_agent_memories": [
      AccessCase(.scope(.read), .user, "/v1/agents/USER/memories", unknown: 200, foreign: 200)
    ],
    "dakera_agent_stats": [AccessCase(.scope(.read), .user, "/v1/agents/USER/stats")],
    "dakera_wake_up": [
      AccessCase(.scope(.recall), .user, "/v1/agents/USER/wake-up", unknown: 200, foreign: 200)
    ],
    "dakera_list_namespaces": [AccessCase(.scope(.read), .reached, "/v1/namespaces")],
    "dakera_get_namespace": [AccessCase(.scope(.read), .user, "/v1/namespaces/_dakera_agent_USER")],
    "dakera_export": [AccessCase(.scope(.read), .user, "/v1/export?agent_id=USER", unknown: 200, foreign: 200)],
    "dakera_import": [
      AccessCase(
        .scope(.append), .user, "/v1/import?agent_id=USER", body: #"{"content":"Note MARK."}"#, unknown: 200
      ).asForm
    ],
    "dakera_list_audit_events": [
      AccessCase(.scope(.read), .user, "/v1/audit?agent_id=USER", unknown: 200, foreign: 200),
      AccessCase(.scope(.read), .reached, "/v1/audit"),
    ],
    "dakera_export_audit": [
      AccessCase(.scope(.read), .user, "/v1/audit/export?agent_id=USER", unknown: 200, foreign: 200),
      AccessCase(.scope(.read), .reached, "/v1/audit/export"),
    ],
    "dakera_stream_events": [
      AccessCase(.scope(.read), .user, "/v1/events/stream?agent_id=USER", unknown: 200),
      AccessCase(.scope(.read), .reached, "/v1/events/stream"),
    ],
    "dakera_create_key": [
      AccessCase(.scope(.admin), .nobody, "/admin/keys", body: #"{"name":"x","scope":"read"}"#, found: 201)
    ],
    "dakera_list_keys": [AccessCase(.scope(.admin), .nobody, "/admin/keys")],
    "dakera_get_key": [AccessCase(.scope(.admin), .key, "/admin/keys/KEY")],
    "dakera_update_key": [AccessCase(.scope(.admin), .key, "/admin/keys/KEY", body: #"{"name":"y"}"#)],
    "dakera_delete_key": [AccessCase(.scope(.admin), .key, "/admin/keys/KEY")],
    "dakera_deactivate_key": [AccessCase(.scope(.admin), .key, "/admin/keys/KEY/deactivate")],
    "dakera_rotate_key": [AccessCase(.scope(.admin), .key, "/admin/keys/KEY/rotate")],
  ]
}
