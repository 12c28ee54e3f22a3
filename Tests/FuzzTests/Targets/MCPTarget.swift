// What a client of the Model Context Protocol sends: lines, each a message or an array of them.
import JSON
import Memoir
import MemoirMCP
import TestSupport

final class MCPTarget: FuzzTarget {
  static let name = "mcp"
  private static let lifetime = 2_000

  private struct Desk {
    let store: FuzzStore
    let session: MCPSession

    init() throws {
      store = try FuzzStore()
      session = MCPServer(store.store, programVersion: "1").session()
      let session = session
      // The version in which arrays are allowed.
      let first = #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}"#
      _ = waiting { await session.receive(Array(first.utf8)).value }
    }
  }

  private var desk: Desk
  private var count = 0
  private let parser = JSONParser()

  init() throws { desk = try Desk() }

  func check(_ bytes: [UInt8]) throws -> Bool {
    count += 1
    if count % Self.lifetime == 0 { desk = try Desk() }
    let session = desk.session
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 8).map { Array($0) }
    let replies = waiting {
      // All at once, as a transport hands them in.
      let tasks = lines.map { session.receive($0) }
      var replies: [[UInt8]?] = []
      for task in tasks { replies.append(await task.value) }
      return replies
    }
    var isAnswered = false
    for (line, reply) in zip(lines, replies) {
      guard let reply else { continue }
      try hold(!reply.contains(UInt8(ascii: "\n")), "a reply is one line")
      let isArray = line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d } == UInt8(ascii: "[")
      isAnswered = try parser.parse(reply.span) { try Self.check($0, isArray: isArray) } || isAnswered
    }
    return isAnswered
  }

  /// - Returns: Whether it is a result, or has one.
  private static func check(_ reply: JSONNode, isArray: Bool) throws -> Bool {
    if reply.kind == .array {
      try hold(isArray && reply.count > 0, "an array answers an array")
      var isAnswered = false
      var elements = reply.elements
      while let element = elements.next() { isAnswered = try check(element, isArray: false) || isAnswered }
      return isAnswered
    }
    try hold(reply["jsonrpc"]?.isString("2.0") == true && reply["id"] != nil, "a reply has version and id")
    try hold((reply["result"] == nil) != (reply["error"] == nil), "a reply is a result or an error")
    if let error = reply["error"] {
      try hold(error["code"]?.int64 != -32603, "a fault of the server: \(JSONText(reply))")
      return false
    }
    if reply["result"]?["isError"]?.bool == true {
      try hold(!JSONText(reply).utf8.contains("\"internal: "), "a fault of the server: \(JSONText(reply))")
    }
    return true
  }

  static let words =
    JSONTarget.words + MCPServer.toolNames.map { "\"\($0)\"" } + [
      "\"jsonrpc\":\"2.0\"", "\"id\":1", "\"method\"", "\"params\"", "\"arguments\"", "\"name\"", "\"user\":\"bob\"",
      "tools/list", "tools/call", "resources/list", "resources/templates/list", "resources/read", "prompts/list",
      "prompts/get", "completion/complete", "logging/setLevel", "notifications/cancelled", "server/discover", "ping",
      "memoir://users/bob/state", "begin_session", "\"as_of\"", "\"cursor\"", "\"session\"", "\n",
    ]

  static func seeds() throws -> [[UInt8]] {
    func call(_ tool: String, _ arguments: String) -> String {
      #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)","arguments":{"user":"bob",\#(arguments)}}}"#
    }
    return [
      call("remember", #""content":"Lives in Porto","importance":0.5,"tags":["a"],"ttl":60"#),
      call("recall", #""query":"where","top_k":3,"as_of":"v1","since":"2026-01-01T00:00:00Z""#),
      call("context", #""query":"home","budget":200"#), call("changes", #""from":"start","to":"now""#),
      call("history", #""id":"home""#), call("revise", #""id":"home","content":"Lives in Porto""#),
      call("forget", #""id":"home","reason":"asked""#), call("state", #""as_of":"v2""#), call("report", #""x":1"#),
      call("start_session", #""budget":10,"idle_timeout":5,"first_message":"Hi""#),
      call("end_session", #""session":"s-1","messages":[{"role":"user","content":"x"}]"#),
      call("record_episode", #""task":"move","actions":["pack"],"outcomes":["moved"],"success":true"#),
      #"{"jsonrpc":"2.0","id":6,"method":"resources/read","params":{"uri":"memoir://users/b%6Fb/state"}}"#,
      #"{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"begin_session"},"argument":{"name":"user","value":"b"}}}"#,
      #"{"jsonrpc":"2.0","id":8,"method":"prompts/get","params":{"name":"begin_session","arguments":{"user":"bob"}}}"#,
      #"{"jsonrpc":"2.0","id":"a","method":"tools/list"}"#,
      #"[{"jsonrpc":"2.0","id":9,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}]"#,
      #"{"jsonrpc":"2.0","id":8,"method":"initialize","params":{"protocolVersion":"2025-03-26","clientInfo":{"name":"x"}}}"#,
    ].map { Array($0.utf8) }
  }
}

extension [UInt8] {
  fileprivate func contains(_ text: String) -> Bool { firstRange(of: Array(text.utf8)) != nil }
}
