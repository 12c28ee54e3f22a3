// The protocol: versions, ids, errors, arrays, cancelling; all of it without a wire.
import Foundation
import Memoir
import MemoirMCP
import TestSupport
import Testing

@Suite struct `A client that begins` {
  @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
  func `gets the version it asks for`(version: String) async throws {
    let desk = try await MCPDesk(version: nil)
    let result = try await desk.initialize(version)
    #expect(result["protocolVersion"] as? String == version)
    #expect((result["serverInfo"] as? Object)?["name"] as? String == "memoir")
    let capabilities = try #require(result["capabilities"] as? Object)
    #expect(capabilities["tools"] != nil && capabilities["resources"] != nil && capabilities["prompts"] != nil)
    #expect((capabilities["completions"] != nil) == (version >= "2025-03-26"))
    #expect(try #require(result["instructions"] as? String).contains("remember"))
    #expect(desk.session.version?.rawValue == version)
  }

  @Test(arguments: ["2023-01-01", "2026-07-28", "latest", ""])
  func `gets the latest version where nobody speaks its own`(version: String) async throws {
    let desk = try await MCPDesk(version: nil)
    #expect(try await desk.initialize(version)["protocolVersion"] as? String == "2025-11-25")
  }

  @Test func `without naming a version is refused`() async throws {
    let desk = try await MCPDesk(version: nil)
    #expect(try await desk.errorCode("initialize") == -32602)
    #expect(try await desk.errorCode("initialize", ["protocolVersion": 7]) == -32602)
    #expect(try await desk.errorCode("initialize", ["protocolVersion": "2025-11-25", "clientInfo": "x"]) == -32602)
    #expect(desk.session.version == nil)
  }

  @Test func `may ping before, and nothing else`() async throws {
    let desk = try await MCPDesk(version: nil)
    #expect(try await desk.result("ping").isEmpty)
    for method in ["tools/list", "tools/call", "resources/list", "prompts/list"] {
      #expect(try await desk.errorCode(method) == -32600)
    }
  }

  @Test func `is told at once that it cannot discover`() async throws {
    let desk = try await MCPDesk(version: nil)
    #expect(try await desk.errorCode("server/discover") == -32601)
    try await desk.initialize("2025-11-25")
    #expect(try await desk.errorCode("server/discover") == -32601)
  }

  @Test func `may begin anew with another version`() async throws {
    let desk = try await MCPDesk(version: "2024-11-05")
    #expect(try await desk.initialize("2025-06-18")["protocolVersion"] as? String == "2025-06-18")
    #expect(try await desk.tools()["recall"]?["outputSchema"] != nil)
  }

  @Test func `is named by what it has remembered`() async throws {
    let desk = try await MCPDesk(user: "bob", version: nil)
    try await desk.initialize("2025-11-25", name: "Some\nHost " + String(repeating: "ü", count: 200))
    try await desk.use("remember", ["content": "Lives in Porto"])
    let event = try #require(try desk.store.log.event(at: 1, of: .bob))
    let agent = try #require(event.agent)
    #expect(agent.hasPrefix("Some Host üü") && agent.utf8.count <= 100)
  }
}

@Suite struct `A message` {
  @Test(arguments: [
    ("nonsense", -32700), ("", -32700), ("{", -32700), (#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32700),
    ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}", -32700), ("1", -32600), ("null", -32600),
    (#""ping""#, -32600), ("{}", -32600), (#"{"jsonrpc":"2.0"}"#, -32600),
    (#"{"id":1,"method":"ping"}"#, -32600), (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
    (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600), (#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32600),
    (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600), (#"{"jsonrpc":"2.0","id":1}"#, -32600),
    (#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, -32601), (#"{"jsonrpc":"2.0","id":1,"method":""}"#, -32601),
    (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, -32602),
    (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}"#, -32602),
  ]) func `that is none is refused with its number`(line: String, code: Int) async throws {
    let desk = try await MCPDesk()
    let reply = try await desk.object(line)
    #expect((reply["error"] as? Object)?["code"] as? Int == code, "\(reply)")
    #expect(reply["result"] == nil)
    // And the next one is answered all the same.
    #expect(try await desk.result("ping").isEmpty)
  }

  @Test func `that is not UTF-8 is refused`() async throws {
    let desk = try await MCPDesk()
    let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":""#.utf8) + [0xFF, 0x22, 0x7D]
    let reply = try #require(await desk.session.receive(bytes).value)
    #expect(String(decoding: reply, as: UTF8.self).contains("-32700"))
  }

  @Test func `that is too deep or too large is refused`() async throws {
    let desk = try await MCPDesk()
    let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    let reply = try await desk.object(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":\#(deep)}}"#)
    #expect((reply["error"] as? Object)?["code"] as? Int == -32600)
    let large = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""# + String(repeating: "x", count: 16 << 20)
    let other = try await desk.object(large + #""}}"#)
    #expect((other["error"] as? Object)?["code"] as? Int == -32600)
  }

  @Test(arguments: ["1", "-3", "\"a\"", "\"\"", "12345678901234567890", "1.5"])
  func `gets its id back as it was written`(id: String) async throws {
    let desk = try await MCPDesk()
    let reply = try #require(
      await desk.session.receive(Array(#"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"#.utf8)).value)
    #expect(String(decoding: reply, as: UTF8.self) == #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#)
  }

  @Test func `that is a notification or an answer is not answered`() async throws {
    let desk = try await MCPDesk()
    for line in [
      #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, #"{"jsonrpc":"2.0","method":"no/such"}"#,
      #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#,
      #"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
      #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}"#,
      #"{"jsonrpc":"2.0","id":7,"result":{}}"#, #"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}"#,
    ] { #expect(try await desk.reply(to: line) == nil, "\(line)") }
  }

  @Test func `about logging is accepted for known levels`() async throws {
    let desk = try await MCPDesk()
    #expect(try await desk.result("logging/setLevel", ["level": "debug"]).isEmpty)
    #expect(try await desk.errorCode("logging/setLevel", ["level": "loud"]) == -32602)
    #expect(try await desk.errorCode("logging/setLevel") == -32602)
  }

  @Test(arguments: ["tools/list", "resources/list", "resources/templates/list", "prompts/list"])
  func `with a cursor that nobody gave is refused`(method: String) async throws {
    let desk = try await MCPDesk()
    #expect(try await desk.errorCode(method, ["cursor": "x"]) == -32602)
    #expect(try await !desk.result(method).isEmpty)
  }
}

@Suite struct `Several messages in an array` {
  private static let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
  private static let note = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

  @Test func `are answered in an array, in their order`() async throws {
    let desk = try await MCPDesk(user: "bob", version: "2025-03-26")
    let lines = [
      try desk.line("tools/call", ["name": "remember", "arguments": ["content": "Owns a cat"]], id: "a"), Self.note,
      "7", Self.ping, try desk.line("no/such", id: "b"),
    ]
    let replies = try #require(
      try await desk.reply(to: "[" + lines.joined(separator: ",") + "]") as? [Object])
    #expect(replies.count == 4)
    #expect(replies[0]["id"] as? String == "a" && replies[0]["result"] != nil)
    #expect((replies[1]["error"] as? Object)?["code"] as? Int == -32600)
    #expect(replies[2]["id"] as? Int == 1)
    #expect((replies[3]["error"] as? Object)?["code"] as? Int == -32601)
    #expect(try desk.store.state(of: .bob).facts.map(\.fact) == ["Owns a cat"])
  }

  @Test func `that all are notifications are not answered`() async throws {
    let desk = try await MCPDesk(version: "2025-03-26")
    #expect(try await desk.reply(to: "[\(Self.note),\(Self.note)]") == nil)
  }

  @Test func `cannot be none, or too many, and do not begin a session`() async throws {
    let desk = try await MCPDesk(version: "2025-03-26")
    for line in ["[]", "[" + Array(repeating: "1", count: 1_001).joined(separator: ",") + "]"] {
      let reply = try await desk.object(line)
      #expect((reply["error"] as? Object)?["code"] as? Int == -32600)
    }
    let line = try desk.line("initialize", ["protocolVersion": "2025-11-25"])
    let replies = try #require(try await desk.reply(to: "[\(line)]") as? [Object])
    #expect((replies[0]["error"] as? Object)?["code"] as? Int == -32600)
    #expect(desk.session.version == .march2025)
  }

  @Test(arguments: ["2024-11-05", "2025-06-18", "2025-11-25"])
  func `are refused by the other versions`(version: String) async throws {
    let desk = try await MCPDesk(version: version)
    let reply = try await desk.object("[\(Self.ping)]")
    #expect((reply["error"] as? Object)?["code"] as? Int == -32600)
  }
}

@Suite struct `Calls beside one another` {
  private func desk(_ embedder: GatedEmbedder) async throws -> MCPDesk {
    var memory = MemoryOptions()
    memory.embedder = embedder
    memory.semantics.queryTimeLimit = .seconds(60)
    let desk = try await MCPDesk(user: "bob", memory: memory)
    try await desk.use("remember", ["content": "Lives in Porto"])
    return desk
  }

  private func begin(_ desk: MCPDesk, _ tool: String, _ arguments: Object, id: Int) throws -> Task<[UInt8]?, Never> {
    desk.session.receive(
      Array(try desk.line("tools/call", ["name": tool, "arguments": arguments], id: id).utf8))
  }

  /// Waits until the embedder is asked.
  private func untilAsked(_ embedder: GatedEmbedder) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while embedder.questions == 0 {
      try #require(ContinuousClock.now < deadline)
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  @Test func `do not wait for one that recalls slowly`() async throws {
    let embedder = GatedEmbedder()
    let desk = try await desk(embedder)
    let slow = try begin(desk, "recall", ["query": "where"], id: 1000)
    try await untilAsked(embedder)
    // The slow one has not been answered when these are.
    #expect(try await desk.use("state").text.contains("Porto"))
    try await desk.use("remember", ["content": "Owns a cat"])
    embedder.open()
    let reply = try #require(await slow.value)
    #expect(String(decoding: reply, as: UTF8.self).contains("Porto"))
  }

  @Test func `are not answered once they are cancelled`() async throws {
    let embedder = GatedEmbedder()
    let desk = try await desk(embedder)
    let slow = try begin(desk, "recall", ["query": "where"], id: 1000)
    try await untilAsked(embedder)
    let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1000,"reason":"late"}}"#
    #expect(try await desk.reply(to: cancel) == nil)
    embedder.open()
    #expect(await slow.value == nil)
    // What has been answered before cannot be cancelled any more, and the id is free again.
    #expect(try await desk.object(desk.line("ping", id: 1000))["result"] != nil)
  }

  @Test func `append in the order of their arrival, and read what was appended before`() async throws {
    let desk = try await MCPDesk(user: "bob")
    var calls: [Task<[UInt8]?, Never>] = []
    for number in 0..<40 {
      calls.append(
        try begin(desk, "remember", ["content": "Fact number \(number) of many", "fact_id": "f\(number)"], id: number))
    }
    let last = try begin(desk, "state", [:], id: 1000)
    #expect(String(decoding: try #require(await last.value), as: UTF8.self).contains("Fact number 39 of many"))
    for call in calls { #expect(await call.value != nil) }
    let facts = try desk.store.state(of: .bob).facts.map(\.factID.description)
    #expect(facts == (0..<40).map { "f\($0)" })
  }
}
