// Who may do what through an assistant: every tool, by every key that is let in.
import HTTPServer
import JSON
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

/// A tool, what it is called with, and the scopes that it needs.
private struct ToolDemand {
  let tool: String
  let scopes: [AccessScope]
  let arguments: String

  static let all = [
    ToolDemand(tool: "recall", scopes: [.recall], arguments: #"{"query":"x"}"#),
    ToolDemand(tool: "context", scopes: [.recall], arguments: #"{"query":"x"}"#),
    ToolDemand(tool: "remember", scopes: [.append], arguments: #"{"content":"Note."}"#),
    ToolDemand(tool: "revise", scopes: [.append], arguments: #"{"fact_id":"m-1","importance":0.5}"#),
    ToolDemand(tool: "forget", scopes: [.append], arguments: #"{"fact_id":"none"}"#),
    ToolDemand(
      tool: "record_episode", scopes: [.append],
      arguments: #"{"task":"a","actions":["b"],"outcomes":["c"],"success":true}"#),
    ToolDemand(tool: "start_session", scopes: [.append, .recall], arguments: "{}"),
    ToolDemand(tool: "end_session", scopes: [.append], arguments: #"{"session":"ann:1"}"#),
    ToolDemand(tool: "state", scopes: [.read], arguments: "{}"),
    ToolDemand(tool: "changes", scopes: [.read], arguments: #"{"from":"start"}"#),
    ToolDemand(tool: "history", scopes: [.read], arguments: #"{"item":"fact:m-1"}"#),
    ToolDemand(tool: "report", scopes: [.read], arguments: "{}"),
  ]

  /// How it is answered: as the first of its scopes that is in the way says.
  func verdict(for holder: AccessHolder, about place: AccessPlace) -> AccessVerdict {
    for scope in scopes {
      let verdict = AccessVerdict(holder, AccessDemand(right: .scope(scope), about: .user), place)
      if verdict == .foreign || verdict == .forbidden { return verdict }
    }
    return .found
  }
}

@Suite struct `Every tool, by every key,` {
  @Test func `is known to the tests`() async throws {
    let world = try await AccessWorld()
    let administrator = try #require(world.holders.first { $0.has(.admin) })
    let assistant = try await world.assistant(of: administrator, "ann", "default")
    #expect(try await assistant.tools() == Set(ToolDemand.all.map(\.tool)))
  }

  @Test func `is answered as the rule says, and tells nothing of what is beyond it`() async throws {
    let world = try await AccessWorld()
    var problems: [String] = []
    for holder in world.holders where holder.isLetIn {
      for namespace in ["default", "other"] {
        let (known, first) = try await world.answers(to: holder, about: "ann", of: namespace)
        let (unknown, second) = try await world.answers(to: holder, about: "nan", of: namespace)
        problems += known + unknown
        // Beyond the reach, somebody who is there looks like somebody who is not.
        let isReached = holder.users == nil && holder.reaches(namespace)
        if !isReached { problems += first.filter { second[$0.key] != nil && second[$0.key] != $0.value }.map(\.value) }
      }
    }
    #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(20).joined(separator: "\n"))")
  }
}

/// An assistant's session.
fileprivate struct Assistant {
  let served: ServedStore
  let target: String
  let headers: [(String, String)]

  func ask(_ method: String, _ params: String) async throws -> LoopbackReply {
    try await served.ask(
      "POST", target, headers: headers, body: #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#)
  }

  func call(_ tool: String, _ arguments: String) async throws -> String {
    try await ask("tools/call", #"{"name":"\#(tool)","arguments":\#(arguments)}"#).text
  }

  func tools() async throws -> Set<String> {
    let reply = try await ask("tools/list", "{}")
    return try JSONParser().parse(reply.body.span) { node in
      var names: Set<String> = []
      guard let tools = node.member(named: "result")?.member(named: "tools") else { return [] }
      var elements = tools.elements
      while let tool = elements.next() { names.insert(tool.member(named: "name")?.string ?? "") }
      return names
    }
  }
}

extension AccessWorld {
  /// A new session of somebody's assistant, about one user.
  fileprivate func assistant(of holder: AccessHolder, _ user: String, _ namespace: String) async throws -> Assistant {
    let target = "/mcp?user=\(user)&namespace=\(namespace)"
    let headers = [("Authorization", holder.authorization ?? "")]
    let reply = try await served.ask("POST", target, headers: headers, body: AccessCase.all["mcp"]?.first?.body)
    let session = try #require(reply.headers["mcp-session-id"], "\(reply.text)")
    return Assistant(served: served, target: target, headers: headers + [("Mcp-Session-Id", session)])
  }

  /// What is not answered as the rule has it, and the answers about who is out of reach, by tool.
  fileprivate func answers(
    to holder: AccessHolder, about user: String, of namespace: String
  ) async throws -> (problems: [String], foreign: [String: String]) {
    let assistant = try await assistant(of: holder, user, namespace)
    let place = AccessPlace(namespace: namespace, user: user, isThere: user == "ann", mark: "x")
    var problems: [String] = []
    var foreign: [String: String] = [:]
    for demand in ToolDemand.all {
      let before = try served.store.log.lastPosition()
      let answer = try await assistant.call(demand.tool, demand.arguments)
      let hasAppended = try served.store.log.lastPosition() != before
      let asked = "\(demand.tool) by \(holder) about \(user) of \(namespace)"
      let verdict = demand.verdict(for: holder, about: place)
      let isForbidden = answer.contains("needs the scope")
      if isForbidden != (verdict == .forbidden) { problems.append("\(asked): \(answer)") }
      guard verdict == .forbidden || verdict == .foreign else {
        if place.isThere, answer.contains("there is no user") { problems.append("\(asked): \(answer)") }
        continue
      }
      if verdict == .foreign {
        foreign[demand.tool] = answer.replacing(user, with: "USER")
        if !answer.contains("there is no user") { problems.append("\(asked) is found: \(answer)") }
      }
      if hasAppended || answer.contains("secret") { problems.append("\(asked) has an effect: \(answer)") }
    }
    return (problems, foreign)
  }
}
