// Asking as Dakera's clients do, for tests.
import JSON
import Memoir
import TestSupport

extension ServedStore {
  /// Sends what a client of Dakera sends: the type of a body also where there is none.
  func dakera(_ method: String, _ target: String, _ body: String? = nil) async throws -> LoopbackReply {
    try await ask(method, target, headers: [("Content-Type", "application/json")], body: body)
  }

  /// Stores a memory, and gives its id.
  @discardableResult
  func remember(_ content: String, of agent: String = "bob", _ more: String = "") async throws -> String {
    let content = JSONText(string: content)
    let reply = try await dakera(
      "POST", "/v1/memory/store", #"{"agent_id":"\#(agent)","content":\#(content)\#(more)}"#)
    return reply.json("memory", "id") ?? "\(reply.status): \(reply.text)"
  }

  /// Starts a session, and gives its id.
  func begin(of agent: String = "bob", _ more: String = "") async throws -> String {
    let reply = try await dakera("POST", "/v1/sessions/start", #"{"agent_id":"\#(agent)"\#(more)}"#)
    return reply.json("session", "id") ?? "\(reply.status): \(reply.text)"
  }
}

extension LoopbackReply {
  /// A member of each object of a list, which is found by names: the body itself where none are given.
  func each(_ member: String, of path: String...) -> [String] {
    let found = try? JSONParser().parse(body.span) { node -> [String] in
      func members(_ node: JSONNode, _ rest: ArraySlice<String>) -> [String] {
        if let name = rest.first {
          guard let next = node.member(named: name) else { return [] }
          return members(next, rest.dropFirst())
        }
        var texts: [String] = []
        var elements = node.elements
        while let element = elements.next() {
          guard let value = element.member(named: member) else { continue }
          texts.append(value.string ?? JSONText(value).description)
        }
        return texts
      }
      return members(node, path[...])
    }
    return found ?? []
  }

  /// Status and code of an error of the wire.
  var problem: String { "\(status) \(json("code") ?? "")" }
}
