// Memories on the Dakera wire.
import HTTPServer
import Memoir
import TestSupport
import Testing

@Suite struct `Storing on the Dakera wire` {
  @Test func `keeps content, tags, metadata and importance as they were given`() async throws {
    let served = try ServedStore()
    let reply = try await served.dakera(
      "POST", "/v1/memory/store",
      #"{"agent_id":"bob","content":" Likes tea \u2728","importance":0,"tags":["b","a"],"metadata":{"k":[1,null]},"#
        + #""memory_type":"procedural","ttl_seconds":60}"#)
    #expect(reply.status == 200)
    #expect(reply.json("memory", "content") == " Likes tea ✨")
    #expect(reply.json("memory", "importance") == "0")
    #expect(reply.json("memory", "tags") == #"["b","a"]"#)
    #expect(reply.json("memory", "metadata") == #"{"k":[1,null]}"#)
    #expect(reply.json("memory", "memory_type") == "procedural")
    #expect(reply.json("memory", "created_at") == "1780000000")
    #expect(reply.json("memory", "expires_at") == "1780000060")
    #expect(reply.json("memory", "agent_id") == "bob")
  }

  @Test func `gives what is not said its default`() async throws {
    let reply = try await ServedStore().dakera("POST", "/v1/memory/store", #"{"agent_id":"bob","content":"Tea"}"#)
    #expect(reply.json("memory", "memory_type") == "episodic")
    #expect(reply.json("memory", "importance") == "0.5")
    #expect(reply.json("memory", "tags") == "[]")
  }

  @Test func `the same again answers the memory that is there`() async throws {
    let served = try ServedStore()
    let first = try await served.remember("Likes tea")
    #expect(try await served.remember("likes tea.") == first)
    let reply = try await served.dakera("GET", "/v1/memory/get/\(first)?agent_id=bob")
    #expect(reply.json("content") == "likes tea.")
    #expect(try await served.get("/v1/agents/bob/memories").each("id") == [first])
  }

  @Test func `the same of another type, session or tag is another memory`() async throws {
    let served = try ServedStore()
    let session = try await served.begin()
    for more in ["", #","memory_type":"semantic""#, #","tags":["x"]"#, #","session_id":"\#(session)""#] {
      try await served.remember("Likes tea", more)
      try await served.remember("Likes tea", more)
    }
    #expect(try await served.get("/v1/agents/bob/memories").each("id").count == 4)
  }

  @Test func `what says otherwise takes the place of what was said`() async throws {
    let served = try ServedStore()
    try await served.remember("Lives in Lisbon")
    try await served.remember("Lives in Porto")
    #expect(try await served.get("/v1/agents/bob/memories").each("content") == ["Lives in Porto"])
  }

  @Test func `the importance may be in the metadata, and the agent called a namespace`() async throws {
    let reply = try await ServedStore().dakera(
      "POST", "/v1/memory/store", #"{"namespace":"bob","content":"Tea","metadata":{"importance":0.25}}"#)
    #expect(reply.json("memory", "importance") == "0.25")
    #expect(reply.json("memory", "metadata") == #"{"importance":0.25}"#)
    #expect(reply.json("memory", "agent_id") == "bob")
  }

  @Test func `what is unknown is ignored and named`() async throws {
    let reply = try await ServedStore().dakera(
      "POST", "/v1/memory/store", #"{"agent_id":"bob","content":"Tea","when":1,"lang":"de"}"#)
    #expect(
      reply.json("warnings") == #"["unknown field 'when' ignored","field 'lang' is not supported and was ignored"]"#)
  }

  @Test func `an event of the past is recalled today, and found by its time`() async throws {
    let served = try ServedStore()
    let id = try await served.remember("Moved to Porto", #","event_time":1500000000"#)
    let ask = #"{"agent_id":"bob","query":"Porto","until":"2018-01-01"}"#
    #expect(try await served.dakera("POST", "/v1/memory/recall", ask).each("id", of: "memories") == [id])
    let later = #"{"agent_id":"bob","query":"Porto","since":1600000000}"#
    #expect(try await served.dakera("POST", "/v1/memory/recall", later).each("id", of: "memories") == [])
    let reply = try await served.dakera("GET", "/v1/memory/get/\(id)?agent_id=bob")
    #expect(reply.json("created_at") == "1780000000")
  }

  @Test(arguments: [
    #"{}"#, #"{"agent_id":"bob"}"#, #"{"agent_id":"bob","content":""}"#, #"{"agent_id":"bob","content":1}"#,
    #"{"agent_id":"","content":"x"}"#, #"{"agent_id":"_dakera_x","content":"x"}"#, #"{"agent_id":"a b","content":"x"}"#,
    #"{"agent_id":"-a","content":"x"}"#, #"{"agent_id":"bob","content":"x","importance":1.1}"#,
    #"{"agent_id":"bob","content":"x","importance":"0.5"}"#, #"{"agent_id":"bob","content":"x","memory_type":"odd"}"#,
    #"{"agent_id":"bob","content":"x","tags":"a"}"#, #"{"agent_id":"bob","content":"x","tags":[1]}"#,
    #"{"agent_id":"bob","content":"x","metadata":[]}"#, #"{"agent_id":"bob","content":"x","ttl_seconds":0}"#,
    #"{"agent_id":"bob","content":"x","ttl_seconds":9999999999}"#, #"{"agent_id":"bob","content":"x","expires_at":1}"#,
    #"{"agent_id":"bob","content":"x","event_time":-1}"#, #"{"agent_id":"bob","content":"x","event_time":10000000001}"#,
    #"{"agent_id":"bob","content":"x","event_time":"1969-12-31T00:00:00Z"}"#, #"{"agent_id":"bob","content":"x""#,
    "[]", "\u{22}x\u{22}",
  ]) func `what cannot be stored is refused, and nothing is stored`(body: String) async throws {
    let served = try ServedStore()
    let reply = try await served.dakera("POST", "/v1/memory/store", body)
    #expect(reply.problem == "400 INVALID_REQUEST")
    #expect(reply.json("error") != nil)
    #expect(try served.store.log.lastPosition() == 0)
  }

  @Test func `too much of it is refused`() async throws {
    let served = try ServedStore()
    let long = String(repeating: "a", count: 100_001)
    #expect(try await served.remember(long).hasPrefix("400"))
    #expect(try await !served.remember(String(long.dropLast())).hasPrefix("400"))
    let fields = (0..<101).map { "\"f\($0)\":1" }.joined(separator: ",")
    #expect(try await served.remember("x", #","metadata":{\#(fields)}"#).hasPrefix("400"))
    let agent = String(repeating: "a", count: 241)
    #expect(try await !served.remember("x", of: agent).hasPrefix("400"))
    #expect(try await served.remember("x", of: agent + "a").hasPrefix("400"))
    #expect(try await served.begin(of: agent).hasPrefix(agent + ":"))
  }
}

@Suite struct `One memory on the Dakera wire` {
  @Test func `is found without its agent, unless several have it`() async throws {
    let served = try ServedStore()
    let body = #"{"agent_id":"bob","content":"Tea","id":"m-1"}"#
    _ = try await served.dakera("POST", "/v1/memory/store", body)
    #expect(try await served.get("/v1/memory/get/m-1").json("agent_id") == "bob")
    _ = try await served.dakera(
      "POST", "/v1/memory/store", body.replacing("bob", with: "ann"))
    #expect(try await served.get("/v1/memory/get/m-1").problem == "400 INVALID_REQUEST")
    #expect(try await served.get("/v1/memory/get/m-1?agent_id=ann").json("agent_id") == "ann")
  }

  @Test(arguments: ["/v1/memory/get/x?agent_id=bob", "/v1/memory/get/x?agent_id=nobody", "/v1/memory/get/x"])
  func `that is not there is not found`(target: String) async throws {
    let served = try ServedStore()
    try await served.remember("Tea")
    let reply = try await served.get(target)
    #expect(reply.problem == "404 VECTOR_NOT_FOUND")
    #expect(reply.json("resource") == "memory")
  }

  @Test func `of another agent is not found`() async throws {
    let served = try ServedStore()
    let id = try await served.remember("Tea")
    try await served.remember("Tea", of: "bobby")
    for (method, target, body) in [
      ("GET", "/v1/memory/get/\(id)?agent_id=bobby", nil),
      ("PUT", "/v1/memory/update/\(id)?agent_id=bobby", #"{"content":"x"}"#),
      ("PATCH", "/v1/memories/\(id)/importance", #"{"agent_id":"bobby","importance":1}"#),
      ("POST", "/v1/memory/importance", #"{"agent_id":"bobby","memory_id":"\#(id)","importance":1}"#),
      ("POST", "/v1/memories/\(id)/feedback", #"{"agent_id":"bobby","signal":"upvote"}"#),
    ] as [(String, String, String?)] {
      #expect(try await served.dakera(method, target, body).problem == "404 VECTOR_NOT_FOUND", "\(target)")
    }
    let forget = #"{"agent_id":"bobby","memory_ids":["\#(id)"]}"#
    #expect(try await served.dakera("POST", "/v1/memory/forget", forget).json("deleted_count") == "0")
    #expect(try await served.get("/v1/memory/get/\(id)?agent_id=bob").status == 200)
  }

  @Test func `that has expired is gone everywhere`() async throws {
    let served = try ServedStore()
    let session = try await served.begin()
    let id = try await served.remember("Tea", #","ttl_seconds":60,"session_id":"\#(session)""#)
    served.clock.advance(byMicroseconds: 60_000_000)
    #expect(try await served.get("/v1/memory/get/\(id)?agent_id=bob").status == 404)
    #expect(try await served.get("/v1/memory/recall?agent_id=bob&query=tea").each("id", of: "memories") == [])
    #expect(try await served.get("/v1/sessions/\(session)/memories").json("total") == "0")
    #expect(try await served.get("/v1/agents/bob/stats").json("total_memories") == "0")
    #expect(try await served.get("/v1/export?agent_id=bob").text == "")
    let filter = #"{"agent_id":"bob","filter":{}}"#
    #expect(try await served.dakera("POST", "/v1/memories/recall/batch", filter).json("total") == "0")
  }

  @Test func `is changed where something is said, and answers in both forms`() async throws {
    let served = try ServedStore()
    let id = try await served.remember("Likes tea", #","tags":["a"],"metadata":{"k":1},"importance":0.7"#)
    let reply = try await served.dakera(
      "PUT", "/v1/memory/update/\(id)?agent_id=bob", #"{"content":"Likes coffee","tags":[],"memory_type":"semantic"}"#)
    #expect(reply.json("id") == id)
    #expect(reply.json("memory", "id") == id)
    #expect(reply.json("content") == "Likes coffee")
    #expect(reply.json("tags") == "[]")
    #expect(reply.json("memory_type") == "semantic")
    #expect(reply.json("metadata") == #"{"k":1}"#)
    #expect(reply.json("importance") == "0.7")
  }

  @Test func `is forgotten by id, tag, session or time; without any of them nothing is`() async throws {
    let served = try ServedStore()
    let session = try await served.begin()
    try await served.remember("One", #","tags":["a","b"]"#)
    try await served.remember("Two", #","session_id":"\#(session)""#)
    served.clock.advance(byMicroseconds: 10_000_000)
    try await served.remember("Three")
    func forget(_ what: String) async throws -> String? {
      try await served.dakera("POST", "/v1/memory/forget", #"{"agent_id":"bob"\#(what)}"#).json("deleted_count")
    }
    #expect(try await forget("") == "0")
    #expect(try await forget(#","memory_ids":[],"tags":[]"#) == "0")
    #expect(try await forget(#","tags":["a","c"]"#) == "0")
    #expect(try await forget(#","tags":["b"]"#) == "1")
    #expect(try await forget(#","memory_ids":[],"session_id":"\#(session)""#) == "1")
    #expect(try await forget(#","before_timestamp":1780000000"#) == "0")
    #expect(try await forget(#","before_timestamp":1780000011"#) == "1")
  }

  @Test func `that was forgotten is still there as of before`() async throws {
    let served = try ServedStore()
    let id = try await served.remember("Likes tea")
    _ = try await served.dakera("POST", "/v1/memory/forget", #"{"agent_id":"bob","memory_ids":["\#(id)"]}"#)
    let state = try await served.get("/v1/users/bob/state?at_version=1")
    #expect(state.each("fact_id", of: "facts") == [id])
  }

  @Test func `grows and shrinks in importance by feedback`() async throws {
    let served = try ServedStore()
    let id = try await served.remember("Tea", #","importance":0.9"#)
    func give(_ signal: String) async throws -> String? {
      try await served.dakera(
        "POST", "/v1/memories/\(id)/feedback", #"{"agent_id":"bob","signal":"\#(signal)"}"#
      ).json("new_importance")
    }
    #expect(try await give("upvote") == "1.0")
    #expect(try await give("downvote") == "0.85")
    #expect(try await give("flag") == "0.85")
    #expect(try await give("nonsense") == nil)
    let history = try await served.get("/v1/memories/\(id)/feedback?agent_id=bob")
    #expect(history.each("signal", of: "entries") == ["upvote", "downvote", "flag"])
    #expect(history.each("old_importance", of: "entries") == ["0.9", "1.0", "0.85"])
    #expect(try await served.get("/v1/memories/\(id)/feedback").problem == "400 INVALID_REQUEST")
  }
}

@Suite struct `Recall on the Dakera wire` {
  private func filled() async throws -> ServedStore {
    let served = try ServedStore()
    try await served.remember("Alice likes green tea", #","importance":0.9,"tags":["drink"],"memory_type":"semantic""#)
    try await served.remember("Meetings are on Thursdays", #","importance":0.4,"tags":["work"]"#)
    try await served.remember("The car is red", #","importance":0.2"#)
    return served
  }

  @Test func `ranks all there is, and answers under both names`() async throws {
    let served = try await filled()
    let reply = try await served.dakera("POST", "/v1/memory/recall", #"{"agent_id":"bob","query":"What tea?"}"#)
    #expect(reply.each("content", of: "memories").first == "Alice likes green tea")
    #expect(reply.each("id", of: "memories").count == 3)
    #expect(reply.each("id", of: "results") == reply.each("id", of: "memories"))
    let scores = reply.each("score", of: "memories").compactMap { Double($0) }
    #expect(scores == scores.sorted(by: >))
    let one = try await served.dakera("POST", "/v1/memory/recall", #"{"agent_id":"bob","query":"What tea?","top_k":1}"#)
    #expect(one.each("id", of: "memories") == Array(reply.each("id", of: "memories").prefix(1)))
  }

  @Test(arguments: [
    (#""min_importance":0.4"#, 2), (#""min_importance":0"#, 3), (#""tags":["work","x"]"#, 1),
    (#""memory_type":"semantic""#, 1), (#""session_id":"none""#, 0), (#""since":"2030-01-01""#, 0),
    (#""until":1790000000"#, 3), (#""neighborhood_mode":"separate""#, 3),
  ]) func `filters first`(filter: String, count: Int) async throws {
    let served = try await filled()
    // Importance as it was stated, however it has faded.
    served.clock.advance(byMicroseconds: 86_400_000_000)
    let body = #"{"agent_id":"bob","query":"Thursday",\#(filter)}"#
    #expect(try await served.dakera("POST", "/v1/memory/recall", body).each("id", of: "memories").count == count)
  }

  @Test func `names what it does not do`() async throws {
    let served = try await filled()
    let reply = try await served.dakera(
      "POST", "/v1/memory/recall",
      #"{"agent_id":"bob","query":"tea","rerank":true,"include_associated":false,"what":1}"#)
    #expect(
      reply.json("warnings") == #"["field 'rerank' is not supported and was ignored","unknown field 'what' ignored"]"#)
  }

  @Test(arguments: [
    #"{"agent_id":"bob"}"#, #"{"agent_id":"bob","query":" "}"#, #"{"query":"x"}"#,
    #"{"agent_id":"bob","query":"x","top_k":0}"#, #"{"agent_id":"bob","query":"x","top_k":"5"}"#,
    #"{"agent_id":"bob","query":"x","since":"yesterday"}"#, #"{"agent_id":"bob","query":"x","min_importance":2}"#,
  ]) func `refuses what is no question`(body: String) async throws {
    let served = try await filled()
    #expect(try await served.dakera("POST", "/v1/memory/recall", body).problem == "400 INVALID_REQUEST")
    #expect(try await served.dakera("POST", "/v1/memory/search", body).problem == "400 INVALID_REQUEST")
  }

  @Test func `of an agent nobody has heard of is empty`() async throws {
    let served = try ServedStore()
    let reply = try await served.dakera("POST", "/v1/memory/search", #"{"agent_id":"bob","query":"x"}"#)
    #expect(reply.status == 200)
    #expect(reply.json("memories") == "[]")
  }

  @Test func `wakes up with what matters most and is freshest`() async throws {
    let served = try await filled()
    served.clock.advance(byMicroseconds: 14 * 86_400_000_000)
    // Half of 0.9 is less than this.
    try await served.remember("The bus is late", #","importance":0.5"#)
    let reply = try await served.get("/v1/agents/bob/wake-up?top_n=2&min_importance=0.4")
    #expect(reply.each("content", of: "memories") == ["The bus is late", "Alice likes green tea"])
    #expect(reply.json("total_available") == "3")
  }
}
