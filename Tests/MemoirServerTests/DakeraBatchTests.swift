// Many memories at a time on the Dakera wire: batches, upkeep, files, what happened, keys.
import HTTPServer
import Memoir
import TestSupport
import Testing

@Suite struct `A batch on the Dakera wire` {
  @Test func `is stored in order, or not at all`() async throws {
    let served = try ServedStore()
    let good = #"{"agent_id":"bob","memories":[{"content":"One","id":"m-1","tags":["t"]},{"content":"Two","odd":1}]}"#
    let reply = try await served.dakera("POST", "/v1/memories/store/batch", good)
    #expect(reply.each("content", of: "stored") == ["One", "Two"])
    #expect(reply.each("id", of: "stored").first == "m-1")
    #expect(reply.json("stored_count") == "2")
    #expect(reply.json("warnings") == #"["unknown field 'odd' ignored"]"#)
    // Sent twice, it is stored once.
    #expect(try await served.dakera("POST", "/v1/memories/store/batch", good).text == reply.text)
    let position = try served.store.log.lastPosition()
    for (bad, problem) in [
      (#"[{"content":"Three"},{"content":""}]"#, "400 INVALID_REQUEST"), ("[]", "400 INVALID_REQUEST"),
      (#"{"content":"Three"}"#, "400 INVALID_REQUEST"), (#"["Three"]"#, "400 INVALID_REQUEST"),
      (#"[{"content":"Three"},{"content":"Other","id":"m-1"}]"#, "409 CONFLICT"),
    ] {
      let body = #"{"agent_id":"bob","memories":\#(bad)}"#
      #expect(try await served.dakera("POST", "/v1/memories/store/batch", body).problem == problem, "\(bad)")
    }
    #expect(try served.store.log.lastPosition() == position)
    let many = Array(repeating: #"{"content":"x"}"#, count: 1_001).joined(separator: ",")
    let tooMany = #"{"agent_id":"bob","memories":[\#(many)]}"#
    #expect(try await served.dakera("POST", "/v1/memories/store/batch", tooMany).problem == "400 INVALID_REQUEST")
  }

  @Test func `gives back also what a later one of it replaced`() async throws {
    let served = try ServedStore()
    let body = #"{"agent_id":"bob","memories":[{"content":"Lives in Lisbon"},{"content":"Lives in Porto"}]}"#
    let reply = try await served.dakera("POST", "/v1/memories/store/batch", body)
    #expect(reply.each("content", of: "stored") == ["Lives in Lisbon", "Lives in Porto"])
    #expect(try await served.get("/v1/agents/bob/memories").each("content") == ["Lives in Porto"])
  }

  @Test func `does not bring a forgotten id back`() async throws {
    let served = try ServedStore()
    let body = #"{"agent_id":"bob","memories":[{"content":"One","id":"m-1"}]}"#
    _ = try await served.dakera("POST", "/v1/memories/store/batch", body)
    _ = try await served.dakera("POST", "/v1/memory/forget", #"{"agent_id":"bob","memory_ids":["m-1"]}"#)
    #expect(try await served.dakera("POST", "/v1/memories/store/batch", body).problem == "409 CONFLICT")
  }

  private func filled() async throws -> ServedStore {
    let served = try ServedStore()
    try await served.remember("One", #","importance":0.2,"tags":["a","b"]"#)
    served.clock.advance(byMicroseconds: 10_000_000)
    try await served.remember("Two", #","importance":0.5,"tags":["a"],"memory_type":"working","session_id":"s""#)
    served.clock.advance(byMicroseconds: 10_000_000)
    try await served.remember("Three", #","importance":0.8"#)
    return served
  }

  static let filters: [(String, [String])] = [
    ("", ["One", "Two", "Three"]), (#""tags":["a","b"]"#, ["One"]), (#""tags":["a"]"#, ["One", "Two"]),
    (#""min_importance":0.5"#, ["Two", "Three"]), (#""max_importance":0.5"#, ["One", "Two"]),
    (#""min_importance":0"#, ["One", "Two", "Three"]), (#""created_after":1780000010"#, ["Two", "Three"]),
    (#""created_before":1780000010"#, ["One", "Two"]), (#""memory_type":"working""#, ["Two"]),
    (#""session_id":"s""#, ["Two"]), (#""session_id":"none""#, []),
  ]

  @Test(arguments: filters) func `is chosen by all that its filter says`(filter: String, found: [String]) async throws {
    let served = try await filled()
    let body = #"{"agent_id":"bob","filter":{\#(filter)}}"#
    let reply = try await served.dakera("POST", "/v1/memories/recall/batch", body)
    #expect(reply.each("content", of: "memories") == found)
    #expect(reply.json("total") == "3")
    #expect(reply.json("filtered") == "\(found.count)")
    #expect(reply.json("truncated") == "false")
    let forgotten = try await served.dakera("DELETE", "/v1/memories/forget/batch", body)
    if filter.isEmpty {
      #expect(forgotten.problem == "400 INVALID_REQUEST")
    } else {
      #expect(forgotten.json("deleted_count") == "\(found.count)")
      #expect(try await served.dakera("DELETE", "/v1/memories/forget/batch", body).json("deleted_count") == "0")
    }
    let left = try await served.get("/v1/agents/bob/memories").each("content")
    #expect(left == ["Three", "Two", "One"].filter { filter.isEmpty || !found.contains($0) })
  }

  @Test func `is cut where it is long, and forgets nothing by a filter that is not understood`() async throws {
    let served = try await filled()
    let cut = try await served.dakera(
      "POST", "/v1/memories/recall/batch", #"{"agent_id":"bob","filter":{"odd":1},"limit":2}"#)
    #expect(cut.each("content", of: "memories") == ["One", "Two"])
    #expect(cut.json("truncated") == "true")
    #expect(cut.json("warnings") == #"["unknown field 'odd' ignored"]"#)
    for filter in [#"{"tags":["a"],"odd":1}"#, #"{"min_importance":0.6,"max_importance":0.5}"#, "[]", #"{"tags":1}"#] {
      let body = #"{"agent_id":"bob","filter":\#(filter)}"#
      #expect(try await served.dakera("DELETE", "/v1/memories/forget/batch", body).problem == "400 INVALID_REQUEST")
    }
    #expect(try await served.get("/v1/agents/bob/memories").each("id").count == 3)
  }

  @Test func `of questions answers each, and all together without doubles`() async throws {
    let served = try await filled()
    let body =
      #"{"queries":[{"agent_id":"bob","query":"One","top_k":2},{"namespace":"bob","query":"Three","top_k":1}]}"#
    let reply = try await served.dakera("POST", "/v1/memories/recall/batch", body)
    #expect(reply.each("query", of: "results") == ["One", "Three"])
    #expect(Set(reply.each("content", of: "memories")).isSuperset(of: ["One", "Three"]))
    #expect(Set(reply.each("id", of: "memories")).count == reply.each("id", of: "memories").count)
    let none = #"{"queries":[{"query":"One"}]}"#
    #expect(try await served.dakera("POST", "/v1/memories/recall/batch", none).problem == "400 INVALID_REQUEST")
  }
}

@Suite struct `Upkeep on the Dakera wire` {
  @Test func `makes one memory of several`() async throws {
    let served = try ServedStore()
    let one = try await served.remember("Likes tea", #","importance":0.3,"tags":["a"]"#)
    let two = try await served.remember("Plays chess", #","importance":0.8,"tags":["b"]"#)
    let body = #"{"agent_id":"bob","memory_ids":["\#(two)","\#(one)"],"target_type":"semantic"}"#
    let reply = try await served.dakera("POST", "/v1/memory/consolidate", body)
    #expect(reply.json("consolidated_memory", "content") == "Likes tea\nPlays chess")
    #expect(reply.json("consolidated_memory", "importance") == "0.8")
    #expect(reply.json("consolidated_memory", "tags") == #"["a","b"]"#)
    #expect(reply.json("memories_removed") == "2")
    #expect(try await served.get("/v1/memory/get/\(one)?agent_id=bob").status == 404)
    #expect(try await served.dakera("POST", "/v1/memory/consolidate", body).status == 404)
    for ids in ["[]", "[\"\(one)\"]", "[\"\(one)\",\"\(one)\"]", "1"] {
      let bad = #"{"agent_id":"bob","memory_ids":\#(ids)}"#
      #expect(try await served.dakera("POST", "/v1/memory/consolidate", bad).problem == "400 INVALID_REQUEST")
    }
  }

  @Test func `lets one stand for those that say nearly the same, never for another name or number`() async throws {
    let served = try ServedStore()
    var ids: [String] = []
    for content in [
      "the deploy of the service failed on staging because of a missing secret",
      "the deploy of the service failed on staging because of one missing secret",
      "server 1 in the rack by the window runs the old kernel still",
      "server 2 in the rack by the window runs the old kernel still", "something else",
    ] {
      ids.append(try await served.remember(content, #","tags":["t\#(ids.count)"],"importance":0.\#(ids.count + 1)"#))
    }
    func ask(_ more: String) async throws -> LoopbackReply {
      try await served.dakera("POST", "/v1/knowledge/deduplicate", #"{"agent_id":"bob"\#(more)}"#)
    }
    let position = try served.store.log.lastPosition()
    let dry = try await ask(#","dry_run":true"#)
    #expect(dry.json("groups") == "[[\"\(ids[1])\",\"\(ids[0])\"]]")
    #expect(dry.json("duplicates_found") == "1")
    #expect(dry.json("removed_count") == "0")
    #expect(try served.store.log.lastPosition() == position)
    #expect(try await ask(#","memory_type":"semantic""#).json("duplicates_found") == "0")
    #expect(try await ask(#","threshold":0.1"#).problem == "400 INVALID_REQUEST")
    let done = try await ask("")
    #expect(done.json("removed_count") == "1")
    let survivor = try await served.get("/v1/memory/get/\(ids[1])?agent_id=bob")
    #expect(survivor.json("tags") == #"["t1","t0"]"#)
    #expect(try await served.get("/v1/memory/get/\(ids[0])?agent_id=bob").status == 404)
    #expect(try await ask("").json("duplicates_found") == "0")
  }
}

@Suite struct `Files on the Dakera wire` {
  private func form(_ file: String, boundary: String = "xyz") -> String {
    "--\(boundary)\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--\(boundary)\r\n"
      + "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n"
      + "\(file)\r\n--\(boundary)--\r\n"
  }

  private func take(
    _ file: String, as format: String, by served: ServedStore, type: String = "multipart/form-data; boundary=xyz"
  ) async throws -> LoopbackReply {
    try await served.ask(
      "POST", "/v1/import?agent_id=bob&format=\(format)", headers: [("Content-Type", type)], body: form(file))
  }

  @Test func `carry memories from one agent to another`() async throws {
    let served = try ServedStore()
    try await served.remember("Said \"yes\",\nthen left", of: "ann", #","tags":["a,b"],"metadata":{"k":[1]}"#)
    for format in ["jsonl", "csv", "mem0", "zep"] {
      let other = try ServedStore()
      let file = try await served.get("/v1/export?agent_id=ann&format=\(format)")
      #expect(file.headers["x-dakera-export-skipped"] == "0")
      let taken = try await take(file.text, as: format, by: other)
      #expect(taken.json("imported") == "1", "\(format): \(taken.text)")
      #expect(try await other.get("/v1/agents/bob/memories").each("content") == ["Said \"yes\",\nthen left"])
      #expect(try await other.get("/v1/agents/bob/memories").each("metadata") == [#"{"k":[1]}"#])
    }
  }

  @Test func `store what can be stored, and tell the rest`() async throws {
    let served = try ServedStore()
    let file = """
      {"content":"One","id":"m-1"}
      {"content":""}

      nonsense
      {"content":"Two","id":"m-1"}
      {"content":"Three","tags":["x"],"importance":0.9}
      """
    let reply = try await take(file, as: "jsonl", by: served)
    #expect(reply.json("imported") == "2")
    #expect(reply.json("skipped") == "3")
    #expect(reply.json("total") == "5")
    #expect(reply.json("errors")?.contains("\"2: content") == true)
    #expect(Set(try await served.get("/v1/agents/bob/memories").each("content")) == ["One", "Three"])
  }

  @Test func `in rows need a first row that names them`() async throws {
    let served = try ServedStore()
    let reply = try await take("content,tags,importance\r\nOne,a;b,0.25\nTwo,,\n", as: "csv", by: served)
    #expect(reply.json("imported") == "2")
    #expect(try await served.get("/v1/agents/bob/memories").each("tags") == ["[]", #"["a","b"]"#])
    #expect(try await take("One,Two", as: "csv", by: served).problem == "400 INVALID_REQUEST")
    #expect(try await take("content\n\"One", as: "csv", by: served).problem == "400 INVALID_REQUEST")
  }

  @Test func `that are none are refused`() async throws {
    let served = try ServedStore()
    for type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other"] {
      #expect(try await take("x", as: "jsonl", by: served, type: type).problem == "400 INVALID_REQUEST", "\(type)")
    }
    #expect(try await take("x", as: "jsonl", by: served, type: "text/plain").problem == "415 UNSUPPORTED_MEDIA_TYPE")
    #expect(try await take("x", as: "odd", by: served).problem == "400 INVALID_REQUEST")
    #expect(try await take("[]", as: "mem0", by: served).problem == "400 INVALID_REQUEST")
    for body in ["--xyz", "--xyz--", "--xyz\r\n\r\n\r\n", "--xyzz\r\nA: b\r\n\r\nc\r\n--xyz--"] {
      let reply = try await served.ask(
        "POST", "/v1/import?agent_id=bob", headers: [("Content-Type", "multipart/form-data; boundary=xyz")],
        body: body)
      #expect(reply.problem == "400 INVALID_REQUEST", "\(body)")
    }
    #expect(try await served.get("/v1/export").problem == "400 INVALID_REQUEST")
    #expect(try served.store.log.lastPosition() == 0)
  }
}

@Suite struct `What happened, on the Dakera wire` {
  @Test func `is told newest first, in pages, without content`() async throws {
    let served = try ServedStore()
    let session = try await served.begin()
    let id = try await served.remember("Likes tea", #","session_id":"\#(session)""#)
    try await served.remember("Someone else's", of: "ann")
    _ = try await served.dakera(
      "PATCH", "/v1/memories/\(id)/importance", #"{"agent_id":"bob","importance":0.9}"#)
    _ = try await served.dakera("POST", "/v1/memory/forget", #"{"agent_id":"bob","memory_ids":["\#(id)"]}"#)
    _ = try await served.dakera("POST", "/v1/sessions/\(session)/end", "{}")
    let all = try await served.get("/v1/audit?agent_id=bob")
    let types = ["session_ended", "forgotten", "importance_updated", "stored", "session_started"]
    #expect(all.each("event_type", of: "events") == types)
    #expect(all.json("count") == "5")
    #expect(!all.text.contains("tea"))
    #expect(all.each("timestamp", of: "events").allSatisfy { $0.hasPrefix("1780000000") && $0.count == 13 })
    var paged: [String] = []
    var cursor: String? = ""
    while let at = cursor, paged.count < 10 {
      let page = try await served.get("/v1/audit?agent_id=bob&limit=2\(at.isEmpty ? "" : "&cursor=\(at)")")
      paged += page.each("event_type", of: "events")
      cursor = page.json("cursor").flatMap { $0 == "null" ? nil : $0 }
    }
    #expect(paged == types)
    #expect(try await served.get("/v1/audit").each("agent_id", of: "events").filter { $0 == "ann" }.count == 1)
    #expect(
      try await served.get("/v1/audit?event_type=stored&limit=1").each("agent_id", of: "events") == ["ann"])
    #expect(try await served.get("/v1/audit?agent_id=bob&from=1780000001000").json("count") == "0")
    #expect(try await served.get("/v1/audit?agent_id=bob&to=1779999999999").json("count") == "0")
    #expect(try await served.get("/v1/audit?cursor=x").problem == "400 INVALID_REQUEST")
    let file = try await served.get("/v1/audit/export?format=csv&agent_id=bob")
    #expect(file.text.split(separator: "\r\n").count == 6)
    #expect(file.text.hasPrefix("id,event_type,agent_id,timestamp,"))
    #expect(try await served.get("/v1/audit/export?format=odd").problem == "400 INVALID_REQUEST")
  }

  @Test func `is told at once to whoever listens`() async throws {
    let served = try ServedStore()
    try await served.remember("Before")
    let connection = try served.connect()
    await connection.send(Array("GET /v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    var heard = ""
    func hear(_ text: String) async -> Bool {
      while !heard.contains(text) {
        let some = await connection.receiveSome()
        if some.isEmpty { return false }
        heard += String(decoding: some, as: UTF8.self)
      }
      return true
    }
    #expect(await hear(#""type":"connected""#))
    #expect(heard.lowercased().contains("transfer-encoding: chunked"))
    #expect(heard.contains("text/event-stream"))
    let id = try await served.remember("After", #","tags":["x"]"#)
    #expect(await hear(#""event_type":"stored""#))
    #expect(await hear(id))
    #expect(!heard.contains("Before"))
    _ = try await served.dakera("POST", "/v1/memory/forget", #"{"agent_id":"bob","memory_ids":["\#(id)"]}"#)
    #expect(await hear(#""event_type":"forgotten""#))
  }
}

@Suite struct `Keys on the Dakera wire` {
  /// A served store, and how its administrator asks.
  private func administered() async throws -> (
    served: ServedStore, ask: @Sendable (String, String, String?) async throws -> LoopbackReply
  ) {
    let served = try ServedStore()
    let draft = APIKeyDraft("root", namespaces: .all, scopes: [.admin])
    let secret = try await served.store.keys.create(draft).secret.revealed
    return (
      served,
      { try await served.ask($0, $1, headers: [("Authorization", "Bearer \(secret)")], body: $2) }
    )
  }

  @Test func `are made for one person, shown once, changed, rotated and revoked`() async throws {
    let (served, ask) = try await administered()
    let made = try await ask(
      "POST", "/admin/keys", #"{"name":"bob","scope":"write","namespaces":["_dakera_agent_bob"],"expires_in_days":1}"#)
    #expect(made.status == 201)
    let id = try #require(made.json("key_id"))
    let secret = try #require(made.json("key"))
    #expect(made.json("expires_at") == "1780086400")
    #expect(try served.store.keys.authenticate(SecretKey(secret)).key?.person == UserID("bob"))
    #expect(try await ask("GET", "/admin/keys", nil).each("key_id", of: "keys").contains(id))
    #expect(try await !ask("GET", "/admin/keys/\(id)", nil).text.contains(secret))
    #expect(try await ask("PATCH", "/admin/keys/\(id)", #"{"name":"phone"}"#).json("name") == "phone")
    let rotated = try await ask("POST", "/admin/keys/\(id)/rotate", nil)
    let next = try #require(rotated.json("new_key"))
    #expect(try served.store.keys.authenticate(SecretKey(secret)).key == nil)
    #expect(try served.store.keys.authenticate(SecretKey(next)).key != nil)
    #expect(try await ask("DELETE", "/admin/keys/\(id)", nil).json("success") == "true")
    #expect(try served.store.keys.authenticate(SecretKey(next)).key == nil)
    #expect(try await ask("DELETE", "/admin/keys/\(id)", nil).problem == "404 API_KEY_NOT_FOUND")
    #expect(try await ask("GET", "/admin/keys/\(id)", nil).json("active") == "false")
  }

  @Test func `reach other agents from the moment on that this is said`() async throws {
    let (served, ask) = try await administered()
    let made = try await ask(
      "POST", "/admin/keys", #"{"name":"bob","scope":"write","namespaces":["_dakera_agent_bob"]}"#)
    let id = try #require(made.json("key_id"))
    let headers = [("Authorization", "Bearer \(try #require(made.json("key")))")]
    func reached() async throws -> [String] {
      var found: [String] = []
      for agent in ["ann", "bob", "ben"] {
        let body = #"{"agent_id":"\#(agent)","content":"Here."}"#
        let reply = try await served.ask("POST", "/v1/memory/store", headers: headers, body: body)
        if reply.status == 200 { found.append(agent) } else { #expect(reply.status == 404) }
      }
      return found
    }
    #expect(try await reached() == ["bob"])
    for (body, names, agents) in [
      (#"{"namespaces":["_dakera_agent_b*"]}"#, #"["_dakera_agent_b*"]"#, ["bob", "ben"]),
      (#"{"namespaces":["_dakera_agent_ann"],"name":"ann"}"#, #"["_dakera_agent_ann"]"#, ["ann"]),
      (#"{"namespaces":null}"#, "null", ["ann", "bob", "ben"]),
    ] {
      let changed = try await ask("PATCH", "/admin/keys/\(id)", body)
      #expect(changed.status == 200 && changed.json("namespaces") == names, "\(changed.text)")
      #expect(try await reached() == agents)
    }
    for body in [
      "{}", #"{"namespaces":[]}"#, #"{"namespaces":["default"]}"#, #"{"namespaces":"x"}"#, #"{"scope":"admin"}"#,
      #"{"name":7}"#,
    ] {
      #expect(try await ask("PATCH", "/admin/keys/\(id)", body).problem == "400 INVALID_REQUEST", "\(body)")
    }
    #expect(try await reached() == ["ann", "bob", "ben"])
    _ = try await ask("DELETE", "/admin/keys/\(id)", nil)
    #expect(try await ask("PATCH", "/admin/keys/\(id)", #"{"name":"x"}"#).problem == "409 CONFLICT")
    #expect(try await ask("POST", "/admin/keys/\(id)/rotate", nil).problem == "409 CONFLICT")
  }

  @Test(arguments: [
    (#"{"name":"x","scope":"read","permissions":["a"]}"#, "422 UNPROCESSABLE_CONTENT"),
    (#"{"name":"x"}"#, "400 INVALID_REQUEST"), (#"{"scope":"read"}"#, "400 INVALID_REQUEST"),
    (#"{"name":"","scope":"read"}"#, "400 INVALID_REQUEST"), (#"{"name":"x","scope":"odd"}"#, "400 INVALID_REQUEST"),
    (#"{"name":"x","scope":"read","namespaces":["default"]}"#, "400 INVALID_REQUEST"),
    (#"{"name":"x","scope":"read","namespaces":[]}"#, "400 INVALID_REQUEST"),
    (#"{"name":"x","scope":"read","expires_in_days":0}"#, "400 INVALID_REQUEST"),
  ]) func `are not made of what is wrong`(body: String, problem: String) async throws {
    let (served, ask) = try await administered()
    #expect(try await ask("POST", "/admin/keys", body).problem == problem)
    #expect(try served.store.keys.list().count == 1)
  }

  @Test(arguments: ["000000000000", "x"]) func `that are not there are not found`(id: String) async throws {
    let (_, ask) = try await administered()
    for (method, rest, body) in [
      ("GET", "", nil), ("DELETE", "", nil), ("PATCH", "", #"{"name":"x"}"#), ("POST", "/rotate", nil),
      ("POST", "/deactivate", nil),
    ] as [(String, String, String?)] {
      let reply = try await ask(method, "/admin/keys/\(id)\(rest)", body)
      #expect(reply.problem == "404 API_KEY_NOT_FOUND")
      #expect(reply.json("resource") == "key")
    }
  }
}

@Suite struct `An error of the Dakera wire` {
  @Test func `says what is wrong in its own form, with a line for people`() async throws {
    let served = try ServedStore()
    let reply = try await served.dakera("POST", "/v1/memory/store", #"{"agent_id":"bob","content":7}"#)
    #expect(reply.json("error") == "content: must be a string")
    #expect(reply.json("code") == "INVALID_REQUEST")
    #expect(reply.json("details") == "field: content")
    let other = try await served.dakera("PUT", "/v1/memory/store", "{}")
    #expect(other.problem == "405 METHOD_NOT_ALLOWED")
    #expect(other.headers["allow"] == "POST")
    let deep = String(repeating: "[", count: 80) + String(repeating: "]", count: 80)
    let bodies = [
      #"{"agent_id":"bob","content":"x","metadata":{"a":\#(deep)}}"#,
      #"{"agent_id":"bob","agent_id":"x","content":"x"}"#,
      #"{"agent_id":"bob","content":"\ud800"}"#,
    ]
    for body in bodies {
      #expect(try await served.dakera("POST", "/v1/memory/store", body).problem == "400 INVALID_REQUEST")
    }
  }

  @Test func `never comes of probes`() async throws {
    let served = try ServedStore()
    #expect(try await served.get("/health").json("status") == "healthy")
    #expect(try await served.get("/health/live").status == 200)
    #expect(try await served.get("/health/ready").status == 200)
    #expect(try await served.get("/v1/capabilities").json("naming", "agent_id_max_bytes") == "241")
    #expect(try await served.get("/v1/auth/whoami").json("scope") == "admin")
  }
}
