// What a model is told about the tools, in each version of the protocol.
import Foundation
import Memoir
import MemoirMCP
import Testing

private let names: Set<String> = [
  "remember", "recall", "forget", "revise", "context", "state", "changes", "history", "start_session", "end_session",
  "record_episode", "report",
]

@Suite struct `The list of tools` {
  @Test func `has exactly those of the contract`() async throws {
    let desk = try await MCPDesk()
    #expect(Set(try await desk.tools().keys) == names)
    #expect(Set(MCPServer.toolNames) == names && MCPServer.toolNames.count == names.count)
  }

  @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
  func `has what the version knows`(version: String) async throws {
    let desk = try await MCPDesk(version: version)
    for (name, tool) in try await desk.tools() {
      #expect(try #require(tool["description"] as? String).count > 100, "\(name)")
      #expect((tool["annotations"] != nil) == (version >= "2025-03-26"), "\(name)")
      #expect((tool["outputSchema"] != nil) == (version >= "2025-06-18"), "\(name)")
      #expect((tool["title"] != nil) == (version >= "2025-06-18"), "\(name)")
    }
    // And so do the results.
    try await desk.use("remember", ["user": "bob", "content": "Owns a cat"])
    #expect((try await desk.use("state", ["user": "bob"]).structured != nil) == (version >= "2025-06-18"))
  }

  @Test func `takes nothing that it does not name`() async throws {
    let desk = try await MCPDesk()
    for (name, tool) in try await desk.tools() {
      let schema = try #require(tool["inputSchema"] as? Object)
      #expect(schema["type"] as? String == "object")
      #expect(schema["additionalProperties"] as? Bool == false)
      let properties = try #require(schema["properties"] as? [String: Object])
      for required in schema["required"] as? [String] ?? [] { #expect(properties[required] != nil, "\(name)") }
      for (parameter, schema) in properties {
        #expect(try !#require(schema["description"] as? String).isEmpty, "\(name) \(parameter)")
        #expect(schema["type"] is String, "\(name) \(parameter)")
      }
    }
  }

  @Test func `asks for a user only where none is fixed`() async throws {
    for (_, tool) in try await MCPDesk().tools() {
      let schema = try #require(tool["inputSchema"] as? Object)
      #expect((schema["properties"] as? Object)?["user"] != nil)
      #expect((schema["required"] as? [String])?.contains("user") == true)
    }
    for (_, tool) in try await MCPDesk(user: "bob").tools() {
      let schema = try #require(tool["inputSchema"] as? Object)
      #expect((schema["properties"] as? Object)?["user"] == nil)
      #expect((schema["required"] as? [String])?.contains("user") != true)
    }
  }

  @Test func `says which of them change something`() async throws {
    let desk = try await MCPDesk()
    let reading: Set<String> = ["recall", "context", "state", "changes", "history", "report"]
    for (name, tool) in try await desk.tools() {
      let hints = try #require(tool["annotations"] as? Object)
      #expect(hints["readOnlyHint"] as? Bool == reading.contains(name), "\(name)")
      #expect(hints["destructiveHint"] as? Bool == (name == "forget"), "\(name)")
      #expect(hints["openWorldHint"] as? Bool == false, "\(name)")
    }
  }

  @Test func `offers points in time where one can look back`() async throws {
    let tools = try await MCPDesk().tools()
    for name in ["recall", "context", "state"] {
      let schema = try #require(tools[name]?["inputSchema"] as? Object)
      #expect((schema["properties"] as? Object)?["as_of"] != nil, "\(name)")
    }
    let changes = try #require(tools["changes"]?["inputSchema"] as? Object)
    #expect(Set(try #require(changes["properties"] as? Object).keys) == ["user", "from", "to"])
  }
}

@Suite struct `A call` {
  @Test func `of a tool that does not exist is an error of the protocol`() async throws {
    let desk = try await MCPDesk(user: "bob")
    #expect(try await desk.errorCode("tools/call", ["name": "erase"]) == -32602)
    #expect(try await desk.errorCode("tools/call", ["name": 7]) == -32602)
    #expect(try await desk.errorCode("tools/call") == -32602)
    #expect(try await desk.errorCode("tools/call", ["name": "state", "arguments": [1]]) == -32602)
  }

  @Test func `with a user is refused where one is fixed, and without where none is`() async throws {
    let bob = try await MCPDesk(user: "bob")
    for user in ["bob", "alice"] {
      #expect(try await bob.refusal("remember", ["user": user, "content": "x"]).contains("user: is not known here"))
    }
    let anybody = try await MCPDesk()
    #expect(try await anybody.refusal("remember", ["content": "x"]).contains("user: is missing"))
    #expect(try await anybody.refusal("remember", ["user": "a\u{200B}", "content": "x"]).contains("user: "))
    #expect(try await anybody.refusal("remember", ["user": "", "content": "x"]).contains("user: "))
    #expect(try anybody.store.log.lastPosition() == 0)
  }

  @Test func `keeps to its namespace and its user`() async throws {
    let desk = try await MCPDesk(namespace: try Namespace("work"))
    try await desk.use("remember", ["user": "bob", "content": "Owns a cat"])
    #expect(try desk.store.log.version(of: StreamName(try UserID("bob"), in: try Namespace("work"))) == 1)
    #expect(try desk.store.log.version(of: StreamName(try UserID("bob"))) == 0)
    #expect(try await desk.use("recall", ["user": "alice", "query": "cat"]).text.contains("Nothing is remembered"))
  }

  @Test func `takes null for nothing`() async throws {
    let desk = try await MCPDesk(user: "bob")
    try await desk.use("remember", ["content": "Owns a cat", "tags": NSNull(), "ttl": NSNull()])
    #expect(try await desk.refusal("remember", ["content": NSNull()]).contains("content: is missing"))
  }

  @Test(arguments: [
    ("remember", #"{}"#, "content"), ("remember", #"{"content":""}"#, "content"),
    ("remember", #"{"content":7}"#, "content"),
    ("remember", #"{"content":"x","importance":2}"#, "importance"),
    ("remember", #"{"content":"x","importance":"high"}"#, "importance"),
    ("remember", #"{"content":"x","confidence":-0.1}"#, "confidence"),
    ("remember", #"{"content":"x","memory_type":"poetic"}"#, "memory_type"),
    ("remember", #"{"content":"x","tags":"a"}"#, "tags"), ("remember", #"{"content":"x","tags":["a",1]}"#, "tags[1]"),
    ("remember", #"{"content":"x","category":""}"#, "category"), ("remember", #"{"content":"x","ttl":0}"#, "ttl"),
    ("remember", #"{"content":"x","ttl":1.5}"#, "ttl"), ("remember", #"{"content":"x","metadata":[]}"#, "metadata"),
    ("remember", #"{"content":"x","session":""}"#, "session"), ("remember", #"{"content":"x","more":1}"#, "more"),
    ("revise", #"{}"#, "fact_id"), ("revise", #"{"fact_id":""}"#, "fact_id"),
    ("revise", #"{"fact_id":"f","content":" "}"#, "content"), ("forget", #"{}"#, "fact_id"),
    ("forget", #"{"fact_id":["f"]}"#, "fact_id"), ("recall", #"{}"#, "query"), ("recall", #"{"query":" "}"#, "query"),
    ("recall", #"{"query":"x","top_k":0}"#, "top_k"), ("recall", #"{"query":"x","top_k":10001}"#, "top_k"),
    ("recall", #"{"query":"x","kinds":["dream"]}"#, "kinds[0]"), ("recall", #"{"query":"x","kinds":"fact"}"#, "kinds"),
    ("recall", #"{"query":"x","since":"yesterday"}"#, "since"),
    ("recall", #"{"query":"x","since":"2026-02-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}"#, "since"),
    ("recall", #"{"query":"x","as_of":"2026-01-01T00:00:00Z"}"#, "as_of"),
    ("recall", #"{"query":"x","as_of":"v999"}"#, "as_of"), ("context", #"{"budget":0}"#, "budget"),
    ("context", #"{"query":true}"#, "query"), ("state", #"{"as_of":"last week"}"#, "as_of"),
    ("state", #"{"as_of":12}"#, "as_of"), ("changes", #"{}"#, "from"), ("changes", #"{"from":"v-1"}"#, "from"),
    ("changes", #"{"from":"now","to":"start"}"#, "from"),
    ("changes", #"{"from":"occurred:2026-01-01T00:00:00Z","to":"v1"}"#, "to"), ("history", #"{}"#, "item"),
    ("history", #"{"item":""}"#, "item"), ("start_session", #"{"first_message":7}"#, "first_message"),
    ("start_session", #"{"idle_timeout":-1}"#, "idle_timeout"), ("start_session", #"{"session":"a\nb"}"#, "session"),
    ("start_session", #"{"metadata":"x"}"#, "metadata"), ("end_session", #"{}"#, "session"),
    ("end_session", #"{"session":"s-0","messages":{}}"#, "messages"),
    ("end_session", #"{"session":"s-0","messages":["hello"]}"#, "messages[0]"),
    (
      "end_session", #"{"session":"s-0","messages":[{"role":"user","content":"a"},{"role":"robot","content":"b"}]}"#,
      "messages[1].role"
    ),
    ("end_session", #"{"session":"s-0","messages":[{"role":"user"}]}"#, "messages[0].content"),
    ("end_session", #"{"session":"s-0","messages":[{"role":"user","content":"a","name":"b"}]}"#, "messages[0].name"),
    ("end_session", #"{"session":"s-0","summary":7}"#, "summary"),
    ("record_episode", #"{"task":"x","actions":[],"outcomes":[]}"#, "success"),
    ("record_episode", #"{"task":"","actions":[],"outcomes":[],"success":true}"#, "task"),
    ("record_episode", #"{"task":"x","actions":"a","outcomes":[],"success":true}"#, "actions"),
    ("record_episode", #"{"task":"x","actions":[],"outcomes":[],"success":"yes"}"#, "success"),
    ("report", #"{"as_of":"now"}"#, "as_of"),
  ]) func `with an argument that cannot be is refused, named, and changes nothing`(
    tool: String, arguments: String, field: String
  ) async throws {
    let desk = try await MCPDesk(user: "bob")
    try await desk.use("start_session", ["session": "s-0"])
    let before = try desk.store.log.lastPosition()
    let given = try #require(try JSONSerialization.jsonObject(with: Data(arguments.utf8)) as? Object)
    let text = try await desk.refusal(tool, given)
    #expect(text.contains(field + ": "), "\(text)")
    #expect(text.hasPrefix("invalid_argument: ") && text.contains("call again"), "\(text)")
    #expect(try desk.store.log.lastPosition() == before)
  }

  @Test(arguments: [
    ("revise", #"{"fact_id":"nobody"}"#, "recall"), ("forget", #"{"fact_id":"nobody"}"#, "recall"),
    ("history", #"{"item":"fact:nobody"}"#, "state"), ("end_session", #"{"session":"nowhere"}"#, "start_session"),
    ("end_session", #"{"session":"nowhere","messages":[{"role":"user","content":"a"}]}"#, "start_session"),
  ]) func `about what is not there says what to do`(tool: String, arguments: String, advice: String) async throws {
    let desk = try await MCPDesk(user: "bob")
    try await desk.use("remember", ["content": "Owns a cat"])
    let given = try #require(try JSONSerialization.jsonObject(with: Data(arguments.utf8)) as? Object)
    let text = try await desk.refusal(tool, given)
    #expect(text.hasPrefix("not_found: ") && text.contains("'\(advice)'"), "\(text)")
    #expect(try desk.store.log.lastPosition() == 1)
  }

  @Test(arguments: ["state", "changes", "history", "report", "forget", "revise", "end_session"])
  func `about somebody nobody has heard of says so`(tool: String) async throws {
    let desk = try await MCPDesk()
    var arguments: Object = ["user": "nobody"]
    switch tool {
    case "changes": arguments["from"] = "start"
    case "history": arguments["item"] = "fact:x"
    case "forget", "revise": arguments["fact_id"] = "x"
    case "end_session": arguments["session"] = "x"
    default: break
    }
    let text = try await desk.refusal(tool, arguments)
    #expect(text.hasPrefix("not_found: ") && text.contains("nobody") && text.contains("'remember'"), "\(text)")
  }
}
