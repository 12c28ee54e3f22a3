// Who may do what: every route by every key.
import EventStore
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

@Suite struct `A key` {
  /// What a route is asked with, so that nothing but access can refuse it.
  private static func target(of route: Route) throws -> (path: String, body: String?) {
    let values = [
      "user": "ann", "id": "01930000-0000-7000-8000-000000000001", "name": "mail",
      "receipt": "01930000-0000-7000-8000-000000000001",
    ]
    var path = ""
    for segment in route.path.split(separator: "/") {
      path += "/"
      if segment.hasPrefix("{") {
        path += try #require(values[String(segment.dropFirst().dropLast())], "\(route.path)")
      } else {
        path += segment
      }
    }
    if path.isEmpty { path = "/" }
    let query = ["query": "x", "from": "start", "to": "now", "item": "fact:x"]
    var pairs: [String] = []
    for parameter in route.parameters where parameter.isRequired {
      pairs.append("\(parameter.name)=\(try #require(query[parameter.name], "\(route.path)"))")
    }
    if !pairs.isEmpty { path += "?" + pairs.joined(separator: "&") }
    let bodies = [
      "append_events": #"{"events":[{"type":"X","data":1}]}"#,
      "append_all": #"{"appends":[{"user":"ann","events":[{"type":"X","data":1}]}]}"#,
      "acknowledge": #"{"position":0}"#, "mcp": "{}",
      "set_retention": #"{"messages_days":30}"#, "run_retention": #"{"dry_run":true}"#,
    ]
    let body: String? = route.body == nil ? nil : try #require(bodies[route.operation] as String?, "\(route.operation)")
    return (path, body)
  }

  private static let routes = MemoirServer.routes.filter { $0.wire == .native }

  private static func served() async throws -> ServedStore {
    let served = try ServedStore()
    for namespace in ["default", "other"] {
      _ = try await served.post("/v1/users/ann/events?namespace=\(namespace)", said("secret of \(namespace)"))
    }
    return served
  }

  private static func key(
    _ scopes: Set<AccessScope>, _ namespaces: [String] = ["default"], users: [String]? = nil, in served: ServedStore
  ) async throws -> String {
    try await served.store.keys.create(
      APIKeyDraft(
        "test", namespaces: .only(try namespaces.map { try Namespace($0) }), scopes: scopes,
        users: try users?.map { try UserPattern($0) })
    ).secret.revealed
  }

  @Test(arguments: routes.indices) func `does what its scopes say, and nothing else`(index: Int) async throws {
    let route = Self.routes[index]
    let served = try await Self.served()
    let (path, body) = try Self.target(of: route)
    _ = try await Self.key([.admin], in: served)
    let without = try await served.ask(route.method.rawValue, path, body: body)
    guard case .scope(let needed) = route.access else {
      #expect(route.access == .open ? without.status < 300 : without.status == 401)
      return
    }
    #expect(without.status == 401)
    #expect(without.json("error", "code") == "unauthenticated")
    for scope in AccessScope.allCases {
      let secret = try await Self.key([scope], in: served)
      let reply = try await served.ask(
        route.method.rawValue, path, headers: [("Authorization", "Bearer \(secret)")], body: body,
        headOnly: route.operation == "live_events" && (scope == needed || scope == .admin))
      if scope == needed || scope == .admin {
        #expect(reply.status != 401 && reply.status != 403, "\(scope)")
      } else {
        #expect(reply.status == 403, "\(scope)")
        #expect(reply.json("error", "code") == "forbidden")
        #expect(!reply.text.contains("secret"))
      }
    }
  }

  @Test(arguments: routes.indices) func `cannot tell what is beyond its reach from what is not there`(
    index: Int
  ) async throws {
    let route = Self.routes[index]
    guard case .scope = route.access else { return }
    let served = try await Self.served()
    let (path, body) = try Self.target(of: route)
    let secret = try await Self.key([.append, .read, .recall, .erase], users: ["bob"], in: served)
    let join = path.contains("?") ? "&" : "?"
    for (there, missing) in [
      (path, path.replacing("ann", with: "nan")),
      (path + join + "namespace=other", (path + join + "namespace=other").replacing("ann", with: "nan")),
    ] {
      let headers = [("Authorization", "Bearer \(secret)")]
      let one = try await served.ask(route.method.rawValue, there, headers: headers, body: body)
      let other = try await served.ask(
        route.method.rawValue, missing, headers: headers, body: body?.replacing("ann", with: "nan"))
      #expect(one.status == other.status)
      #expect(one.text.replacing("ann", with: "nan") == other.text)
      #expect(!one.text.contains("secret"))
    }
    #expect(try served.store.log.lastPosition() == 2)
  }

  @Test func `that was revoked, has expired or is none is refused`() async throws {
    let served = try await Self.served()
    let (key, secret) = try await served.store.keys.create(
      APIKeyDraft("a", namespaces: .only([.default]), scopes: [.read]))
    func status(_ secret: String) async throws -> Int {
      try await served.ask("GET", "/v1/users/ann", headers: [("Authorization", "Bearer \(secret)")]).status
    }
    #expect(try await status(secret.revealed) == 200)
    #expect(try await status(secret.revealed + "0") == 401)
    #expect(try await status("dk-x") == 401)
    _ = try await served.store.keys.revoke(key.id)
    #expect(try await status(secret.revealed) == 401)
    #expect(try await served.get("/v1/users/ann").status == 401)
    #expect(try await served.get("/v1/nothing").status == 401)
    #expect(try await served.get("/healthz").status == 200)
  }

  @Test func `of a person reads that person, and whoever grants it`() async throws {
    let served = try await Self.served()
    _ = try await served.store.append(
      [.messageAdded(MessageAdded(role: .user, content: "hi"))], to: StreamName(UserID("bob")), session: SessionID("s"))
    let secret = try await Self.key([.recall], users: ["bob"], in: served)
    func status(_ path: String) async throws -> Int {
      try await served.ask("GET", path, headers: [("Authorization", "Bearer \(secret)")]).status
    }
    #expect(try await status("/v1/users/bob/state") == 200)
    #expect(try await status("/v1/users/ann/state") == 404)
    #expect(try await status("/v1/users") == 403)
  }
}

@Suite struct `The access log` {
  @Test func `has every access to a person, and none of the content`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("sesame"))
    _ = try await served.get("/v1/users/bob/state")
    _ = try await served.get("/v1/users/bob/recall?query=sesame")
    try await served.store.accesses.flush()
    let page = try served.store.accesses.accesses(of: StreamName(try UserID("bob")))
    #expect(page.entries.map(\.access.operation) == ["recall", "state", "append_events"])
    #expect(page.entries.allSatisfy { $0.access.outcome == .ok && $0.access.requestID != nil })
    #expect(!served.log.contains { $0.contains("sesame") || $0.contains("bob") })
  }
}

@Suite struct `The OpenAPI document` {
  @Test func `describes every route`() async throws {
    let document = try await ServedStore().get("/openapi.json")
    for route in MemoirServer.routes {
      #expect(document.json("paths", route.path, route.method.rawValue.lowercased(), "operationId") == route.operation)
    }
  }
}
