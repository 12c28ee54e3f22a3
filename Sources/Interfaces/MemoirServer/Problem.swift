// Why a call may be refused, by status: what the OpenAPI document says of each route.
import Memoir

/// A status with which calls are refused.
struct Problem {
  let status: Int
  let summary: String
  private let meets: @Sendable (Route) -> Bool

  /// Whether a route can be refused so.
  func canMeet(_ route: Route) -> Bool { meets(route) }

  /// Its name among the document's responses.
  func name(on wire: Wire) -> String { (wire == .native ? "Problem" : "DakeraProblem") + String(status) }

  /// All of them, by status.
  static let all = [
    Problem(status: 400, summary: "Something is not what it must be; the message begins with its name.") { _ in true },
    Problem(status: 401, summary: "It needs a key, and there is none, or none that lets in.") { $0.access != .open },
    Problem(status: 403, summary: "The key may not do this.") { $0.isScoped || $0.refuses.contains(.forbidden) },
    Problem(status: 404, summary: "There is nothing of that name for this key.") {
      $0.namesSomething || $0.refuses.contains(.notFound)
    },
    Problem(status: 409, summary: "What is there is not what was expected, or an id is taken by something else.") {
      $0.access == .scope(.append)
    },
    Problem(status: 413, summary: "The body is too long, or something in it.") { _ in true },
    Problem(status: 429, summary: "Too many requests; Retry-After says when to come again.") { $0.access != .open },
    Problem(status: 500, summary: "The store is damaged, or the program is wrong.") { _ in true },
    Problem(status: 503, summary: "Not now; Retry-After says when to come again.") { _ in true },
    Problem(status: 507, summary: "The disk is full.") { $0.isScoped || $0.refuses.contains(.storageFull) },
  ]
}

extension Route {
  fileprivate var isScoped: Bool { if case .scope = access { true } else { false } }

  /// Whether it is about somebody or something that may not be there.
  fileprivate var namesSomething: Bool {
    path.contains("{") || parameters.contains { ["agent_id", "user"].contains($0.name) }
      || body?.has("agent_id") ?? false
  }
}

extension Schema {
  /// Whether it is an object with such a member.
  fileprivate func has(_ name: String) -> Bool {
    if case .object(let properties, _) = self { properties.contains { $0.name == name } } else { false }
  }
}
