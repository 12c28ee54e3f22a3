// Keys, the access log, and the document: what the matrix of access does not ask.
import EventStore
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

@Suite struct `A key` {
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
