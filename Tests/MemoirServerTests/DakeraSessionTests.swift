// Sessions and agents on the Dakera wire.
import HTTPServer
import Memoir
import TestSupport
import Testing

@Suite struct `A session on the Dakera wire` {
  @Test func `begins under an id that says whose it is`() async throws {
    let served = try ServedStore()
    let reply = try await served.dakera(
      "POST", "/v1/sessions/start", #"{"agent_id":"bob","metadata":{"k":[1]},"idle_timeout_secs":0}"#)
    let id = try #require(reply.json("session", "id"))
    #expect(id.hasPrefix("bob:"))
    #expect(reply.json("session", "session_id") == id)
    #expect(reply.json("session", "metadata") == #"{"k":[1]}"#)
    #expect(reply.json("session", "started_at") == "1780000000")
    #expect(reply.json("session", "ended_at") == "null")
    #expect(reply.json("session", "idle_timeout_secs") == "0")
    let found = try await served.get("/v1/sessions/\(id)")
    #expect(found.json("id") == id)
    #expect(found.json("agent_id") == "bob")
  }

  @Test(arguments: [
    #"{}"#, #"{"agent_id":"bob","metadata":1}"#, #"{"agent_id":"bob","idle_timeout_secs":-1}"#,
    #"{"agent_id":"bob","idle_timeout_secs":2592001}"#, "{",
  ]) func `does not begin where it is asked for wrongly`(body: String) async throws {
    let served = try ServedStore()
    #expect(try await served.dakera("POST", "/v1/sessions/start", body).problem == "400 INVALID_REQUEST")
    #expect(try served.store.log.lastPosition() == 0)
  }

  @Test func `ends once, and keeps the summary it was given`() async throws {
    let served = try ServedStore()
    let id = try await served.begin()
    let first = try await served.dakera("POST", "/v1/sessions/\(id)/end", #"{"summary":"Tea."}"#)
    #expect(first.json("session", "summary") == "Tea.")
    #expect(first.json("session", "ended_reason") == "client")
    #expect(first.json("memory_count") == "0")
    served.clock.advance(byMicroseconds: 5_000_000)
    let second = try await served.dakera("POST", "/v1/sessions/\(id)/end", #"{"summary":"Other."}"#)
    #expect(second.text == first.text)
  }

  @Test func `that has ended takes memories and stays ended`() async throws {
    let served = try ServedStore()
    let id = try await served.begin()
    _ = try await served.dakera("POST", "/v1/sessions/\(id)/end", "{}")
    let reply = try await served.dakera(
      "POST", "/v1/memory/store", #"{"agent_id":"bob","content":"Late","session_id":"\#(id)"}"#)
    #expect(reply.json("session_state") == "ended")
    #expect(try await served.get("/v1/sessions/\(id)/memories").each("content", of: "memories") == ["Late"])
    #expect(try await served.dakera("POST", "/v1/sessions/\(id)/touch").json("session_state") == "ended")
    let batch = #"{"agent_id":"bob","memories":[{"content":"Later","session_id":"\#(id)"}]}"#
    #expect(
      try await served.dakera("POST", "/v1/memories/store/batch", batch).json("ended_sessions") == "[\"\(id)\"]")
  }

  @Test func `ends by itself when nobody is there, unless it is touched`() async throws {
    let served = try ServedStore()
    let id = try await served.begin()
    served.clock.advance(byMicroseconds: 14_399 * 1_000_000)
    let touched = try await served.dakera("POST", "/v1/sessions/\(id)/touch")
    #expect(touched.json("session_state") == "active")
    #expect(touched.json("idle_deadline_at") == "1780028799")
    served.clock.advance(byMicroseconds: 14_399 * 1_000_000)
    #expect(try await served.get("/v1/sessions/\(id)").json("ended_at") == "null")
    served.clock.advance(byMicroseconds: 1_000_000)
    let ended = try await served.get("/v1/sessions/\(id)")
    #expect(ended.json("ended_reason") == "idle")
    #expect(ended.json("ended_at") == "1780028799")
    #expect(ended.json("idle_since") == "1780014399")
    #expect(try await served.get("/v1/sessions?agent_id=bob&active_only=true").text == "[]")
    #expect(try await served.dakera("POST", "/v1/sessions/\(id)/touch").json("session_state") == "ended")
  }

  @Test func `is kept awake by recall within it, with an event a minute at most`() async throws {
    let served = try ServedStore()
    let id = try await served.begin()
    let question = #"{"agent_id":"bob","query":"tea","session_id":"\#(id)"}"#
    for (path, body) in [
      ("/v1/memory/recall", question), ("/v1/memory/search", question),
      ("/v1/memories/recall/batch", #"{"queries":[\#(question)]}"#),
    ] {
      served.clock.advance(byMicroseconds: 14_399 * 1_000_000)
      let before = try served.store.log.lastPosition()
      for _ in 1...3 { #expect(try await served.dakera("POST", path, body).status == 200) }
      #expect(try served.store.log.lastPosition().number == before.number + 1)
      #expect(try await served.get("/v1/sessions/\(id)").json("ended_at") == "null")
    }
    #expect(try await served.get("/v1/sessions/\(id)").json("last_activity_at") == "1780043197")
    _ = try await served.dakera("POST", "/v1/memory/recall", #"{"agent_id":"bob","query":"tea"}"#)
    served.clock.advance(byMicroseconds: 14_400 * 1_000_000)
    // Too late: it has ended, and stays so.
    #expect(try await served.dakera("POST", "/v1/memory/recall", question).status == 200)
    #expect(try await served.get("/v1/sessions/\(id)").json("ended_reason") == "idle")
  }

  @Test func `that is not there is none to recall within`() async throws {
    let served = try ServedStore()
    try await served.remember("Likes tea")
    let before = try served.store.log.lastPosition()
    let reply = try await served.dakera(
      "POST", "/v1/memory/recall", #"{"agent_id":"bob","query":"tea","session_id":"bob:none"}"#)
    #expect(reply.status == 200 && reply.json("memories") == "[]")
    #expect(try served.store.log.lastPosition() == before)
  }

  @Test(arguments: ["bob:none", "bobby:none", "none", "a%20b", ":"])
  func `nobody has heard of is not found`(id: String) async throws {
    let served = try ServedStore()
    _ = try await served.begin()
    for (method, target) in [
      ("GET", "/v1/sessions/\(id)"), ("GET", "/v1/sessions/\(id)/memories"), ("POST", "/v1/sessions/\(id)/end"),
      ("POST", "/v1/sessions/\(id)/touch"),
    ] {
      let reply = try await served.dakera(method, target)
      #expect(reply.problem == "404 VECTOR_NOT_FOUND", "\(target)")
      #expect(reply.json("resource") == "session")
    }
  }

  @Test func `of another agent takes nothing of this one`() async throws {
    let served = try ServedStore()
    let id = try await served.begin(of: "ann")
    #expect(try await served.remember("Mine", #","session_id":"\#(id)""#).hasPrefix("404"))
    #expect(try await served.get("/v1/sessions/\(id)?agent_id=bob").status == 404)
    let batch = #"{"agent_id":"bob","memories":[{"content":"Fine"},{"content":"Mine","session_id":"\#(id)"}]}"#
    #expect(try await served.dakera("POST", "/v1/memories/store/batch", batch).status == 404)
    #expect(try await served.get("/v1/agents/bob/memories").text == "[]")
  }

  @Test func `that an application named is found, unless several did`() async throws {
    let served = try ServedStore()
    try await served.remember("Tea", #","session_id":"s-1""#)
    #expect(try await served.get("/v1/sessions/s-1").json("agent_id") == "bob")
    try await served.remember("Tea", of: "ann", #","session_id":"s-1""#)
    #expect(try await served.get("/v1/sessions/s-1").problem == "400 INVALID_REQUEST")
    #expect(try await served.get("/v1/sessions/s-1?agent_id=ann").json("agent_id") == "ann")
  }

  @Test func `is listed newest first, in pages`() async throws {
    let served = try ServedStore()
    var ids: [String] = []
    for agent in ["bob", "bob", "ann", "bob"] {
      ids.append(try await served.begin(of: agent))
      served.clock.advance(byMicroseconds: 1_000_000)
    }
    _ = try await served.dakera("POST", "/v1/sessions/\(ids[1])/end", "{}")
    #expect(try await served.get("/v1/sessions").each("id") == ids.reversed())
    #expect(try await served.get("/v1/sessions?agent_id=bob").each("id") == [ids[3], ids[1], ids[0]])
    #expect(try await served.get("/v1/sessions?agent_id=bob&active_only=true").each("id") == [ids[3], ids[0]])
    #expect(try await served.get("/v1/sessions?limit=2&offset=1").each("id") == [ids[2], ids[1]])
    #expect(try await served.get("/v1/agents/ann/sessions").each("id") == [ids[2]])
    #expect(try await served.get("/v1/agents/nobody/sessions").text == "[]")
    #expect(try await served.get("/v1/sessions?active_only=yes").problem == "400 INVALID_REQUEST")
    #expect(try await served.get("/v1/sessions?limit=0").problem == "400 INVALID_REQUEST")
  }

  @Test func `shows its memories in pages, cut where that is asked for`() async throws {
    let served = try ServedStore()
    let id = try await served.begin()
    for content in ["Première", "Two", "Three"] { try await served.remember(content, #","session_id":"\#(id)""#) }
    try await served.remember("Elsewhere")
    let page = try await served.get("/v1/sessions/\(id)/memories?limit=2&content_preview_chars=5")
    #expect(page.each("content", of: "memories") == ["Premi", "Two"])
    #expect(page.each("content_len", of: "memories") == ["8", "3"])
    #expect(page.each("content_truncated", of: "memories") == ["true", "false"])
    #expect(page.json("total") == "3")
    #expect(page.json("session", "memory_count") == "3")
    #expect(
      try await served.get("/v1/sessions/\(id)/memories?offset=2").each("content", of: "memories") == ["Three"])
  }
}

@Suite struct `Agents on the Dakera wire` {
  @Test func `are the users of the namespace`() async throws {
    let served = try ServedStore()
    try await served.remember("One", of: "x-918")
    try await served.remember("Two", of: "x-9182")
    _ = try await served.begin(of: "x-9182")
    let reply = try await served.get("/v1/agents")
    #expect(reply.each("agent_id") == ["x-918", "x-9182"])
    #expect(reply.each("memory_count") == ["1", "1"])
    #expect(reply.each("active_sessions") == ["0", "1"])
    #expect(try await served.get("/v1/agents/x-918/memories").each("content") == ["One"])
    #expect(
      try await served.get("/v1/namespaces").json("namespaces")
        == #"["_dakera_agent_x-918","_dakera_agent_x-9182"]"#)
    #expect(try await served.get("/v1/namespaces/_dakera_agent_x-918").json("vector_count") == "1")
    for name in ["_dakera_agent_x", "x-918", "default"] {
      #expect(try await served.get("/v1/namespaces/\(name)").problem == "404 NAMESPACE_NOT_FOUND")
    }
  }

  @Test func `can be made known before there is anything of them`() async throws {
    let served = try ServedStore()
    let first = try await served.dakera("POST", "/v1/agents", #"{"agent_id":"bob"}"#)
    #expect(first.status == 201)
    #expect(first.json("namespace") == "_dakera_agent_bob")
    let second = try await served.dakera("POST", "/v1/agents", #"{"agent_id":"bob"}"#)
    #expect(second.status == 200)
    #expect(second.json("created") == "false")
    #expect(try await served.get("/v1/agents").each("agent_id") == ["bob"])
    #expect(try await served.dakera("POST", "/v1/agents", "{}").problem == "400 INVALID_REQUEST")
  }

  @Test func `are counted`() async throws {
    let served = try ServedStore()
    try await served.remember("One", #","importance":0.25"#)
    served.clock.advance(byMicroseconds: 7_000_000)
    try await served.remember("Two", #","importance":0.75,"memory_type":"semantic""#)
    let stats = try await served.get("/v1/agents/bob/stats")
    #expect(stats.json("total_memories") == "2")
    #expect(stats.json("memories_by_type") == #"{"episodic":1,"semantic":1}"#)
    #expect(stats.json("avg_importance") == "0.5")
    #expect(stats.json("oldest_memory_at") == "1780000000")
    #expect(stats.json("newest_memory_at") == "1780000007")
    #expect(try await served.get("/v1/agents/nobody/stats").status == 404)
    #expect(try await served.get("/v1/agents/a%20b/stats").problem == "400 INVALID_REQUEST")
    #expect(try await served.get("/v1/agents/bob/memories?memory_type=odd").problem == "400 INVALID_REQUEST")
  }
}
