// What no call takes: made for every call of the route table from what the table says of it.
import HTTPServer
import JSON
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

@Suite struct `Every call` {
  @Test(arguments: [Wire.native, .dakera]) func `refuses what it does not take, and names it`(wire: Wire) async throws {
    let world = try await AccessWorld()
    var problems: [String] = []
    for route in MemoirServer.routes where route.wire == wire && route.operation != "erase_user" {
      let one = try #require(AccessCase.all[route.operation]?.first, "\(route.operation)")
      problems += try await world.wrongMethods(one, route)
      problems += try await world.wrongParameters(one, route)
      if route.body != nil, one.type == "application/json", route.operation != "mcp" {
        problems += try await world.wrongBodies(one, route)
        problems += try await world.wrongMembers(one, route)
      }
    }
    #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(30).joined(separator: "\n"))")
  }
}

extension AccessWorld {
  /// Asks as an administrator about ann.
  private func ask(
    _ one: AccessCase, _ method: String, body: String?, and query: String = "", headOnly: Bool = false
  ) async throws -> LoopbackReply {
    let administrator = try #require(holders.first { $0.description == "a admin key" })
    let place = AccessPlace(namespace: "default", user: "ann", isThere: true, mark: "000001")
    let key = one.target.contains("KEY") ? try await makeKey(place) : ""
    var target = filled(one.target, place, key: key)
    if !query.isEmpty { target += (target.contains("?") ? "&" : "?") + query }
    return try await served.ask(
      method, target, headers: [("Content-Type", one.type), ("Authorization", administrator.authorization ?? "")],
      body: body.map { filled($0, place, key: key) }, headOnly: headOnly)
  }

  /// What is wrong with a refusal, where that is anything.
  private func problem(
    _ reply: LoopbackReply, _ route: Route, _ what: String, status: Int = 400, naming field: String? = nil
  ) -> [String] {
    let message = route.wire == .native ? reply.json("error", "message") : reply.json("error")
    let code = route.wire == .native ? reply.json("error", "code") : reply.json("code")
    // A method that a path has not is no call of its own.
    if status != 405, !isDescribed(route, reply.status) {
      return ["\(route.operation), \(what): \(reply.status) is not in the document"]
    }
    if reply.status == status, reply.headers["content-type"] == "application/json", code != nil,
      field.map({ message?.contains($0) == true }) ?? true
    {
      return []
    }
    return ["\(route.operation), \(what): \(reply.status), not \(status): \(reply.text.prefix(200))"]
  }

  fileprivate func wrongMethods(_ one: AccessCase, _ route: Route) async throws -> [String] {
    let taken = MemoirServer.routes.filter { $0.path == route.path }.map(\.method.rawValue)
    // Another route may have this path among many.
    let like = MemoirServer.routes.filter {
      $0.path.split(separator: "/").count == route.path.split(separator: "/").count
    }
    var problems: [String] = []
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] where !taken.contains(method) {
      if like.contains(where: { $0.method.rawValue == method && $0.path.contains("{") }) { continue }
      let reply = try await ask(one, method, body: nil)
      problems += problem(reply, route, method, status: 405, naming: method)
      if reply.headers["allow"]?.contains(route.method.rawValue) != true {
        problems.append("\(route.operation), \(method): allows \(reply.headers["allow"] ?? "nothing")")
      }
    }
    return problems
  }

  fileprivate func wrongParameters(_ one: AccessCase, _ route: Route) async throws -> [String] {
    var problems: [String] = []
    func refused(_ query: String, naming name: String) async throws {
      let reply = try await ask(one, route.method.rawValue, body: one.body, and: query)
      problems += problem(reply, route, query, naming: name)
    }
    if route.wire == .native { try await refused("unheard_of=1", naming: "unheard_of") }
    try await refused("%zz=1", naming: "query")
    try await refused("%ff=1", naming: "query")
    for parameter in route.parameters where !one.target.contains("\(parameter.name)=") {
      let name = parameter.name
      try await refused("\(name)=%zz", naming: name)
      if let wrong = parameter.schema.wrongText { try await refused("\(name)=\(wrong)", naming: name) }
      if !parameter.isRepeatable { try await refused("\(name)=1&\(name)=1", naming: name) }
    }
    return problems
  }

  fileprivate func wrongBodies(_ one: AccessCase, _ route: Route) async throws -> [String] {
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    var problems: [String] = []
    for (what, body) in [
      ("no JSON", "{"), ("text behind", "{} {}"), ("a list", "[]"), ("a text", #""x""#), ("null", "null"),
      ("twice the same key", #"{"x":1,"x":2}"#), ("too deep", #"{"x":\#(deep)}"#), ("half a pair", #"{"x":"\ud800"}"#),
      ("a control character", "{\"x\":\"\u{1}\"}"),
    ] {
      let reply = try await ask(one, route.method.rawValue, body: body)
      problems += problem(reply, route, what)
    }
    return problems
  }

  /// A body with one member of another type, or without it.
  fileprivate func wrongMembers(_ one: AccessCase, _ route: Route) async throws -> [String] {
    guard case .object(let properties, let isOpen)? = route.body, let good = one.body else { return [] }
    var problems: [String] = []
    func refused(_ body: String, _ what: String, naming name: String) async throws {
      let reply = try await ask(one, route.method.rawValue, body: body)
      problems += problem(reply, route, what, naming: name)
    }
    if !isOpen {
      let reply = try await ask(one, route.method.rawValue, body: Self.changed(good, "unheard_of", to: "1"))
      // Keys are made of what is known alone, as the other wire says it.
      let status = route.operation == "dakera_create_key" ? 422 : 400
      problems += problem(reply, route, "an unknown member", status: status, naming: "unheard_of")
    }
    for property in properties {
      for wrong in property.schema.wrongValues {
        try await refused(
          try Self.changed(good, property.name, to: wrong), "\(property.name): \(wrong)", naming: property.name)
      }
      if property.isRequired {
        try await refused(
          try Self.changed(good, property.name, to: nil), "no \(property.name)", naming: property.name)
      }
    }
    return problems
  }

  /// An object with another value of a member, or without it.
  private static func changed(_ body: String, _ name: String, to value: String?) throws -> String {
    try JSONParser().parse(Array(body.utf8).span) { node in
      var parts: [String] = []
      var members = node.members
      while let member = members.next() {
        if member.key.string == name { continue }
        parts.append("\(JSONText(string: member.key.string ?? "")):\(JSONText(member.value))")
      }
      if let value { parts.append("\(JSONText(string: name)):\(value)") }
      return "{\(parts.joined(separator: ","))}"
    }
  }
}

extension Schema {
  /// A text that a parameter of this kind is not.
  fileprivate var wrongText: String? {
    switch self {
    case .integer, .number, .boolean, .words: "wrong"
    case .string(let format, _, _, _): format == nil ? nil : "wrong"
    case .described(let schema, _), .nullable(let schema): schema.wrongText
    default: nil
    }
  }

  /// Values that are not of this kind.
  fileprivate var wrongValues: [String] {
    switch self {
    case .string: ["7", "[]"]
    case .words: ["7", #""no such word""#]
    case .integer: [#""x""#, "1.5", "-1", "1e400"]
    case .number: [#""x""#, "{}", "1e400"]
    case .boolean: [#""x""#, "1"]
    case .array: ["7", #""x""#, "[[]]"]
    case .object, .map: ["7", #""x""#, "[]"]
    case .named, .either: ["{}", "true"]
    case .nullable(let schema), .described(let schema, _): schema.wrongValues
    case .null, .any: []
    }
  }
}
