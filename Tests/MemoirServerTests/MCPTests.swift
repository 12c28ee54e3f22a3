// Assistants over HTTP.
import HTTPServer
import Memoir
import MemoirServer
import TestSupport
import Testing

@Suite struct `An assistant over HTTP` {
  private static let initialize =
    #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#

  private func call(_ tool: String, _ arguments: String) -> String {
    #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)}}"#
  }

  private func begin(_ served: ServedStore, _ target: String = "/mcp", key: String? = nil) async throws -> [(
    String, String
  )] {
    let authorization = key.map { [("Authorization", "Bearer \($0)")] } ?? []
    let reply = try await served.ask("POST", target, headers: authorization, body: Self.initialize)
    #expect(reply.status == 200)
    return authorization + [("Mcp-Session-Id", try #require(reply.headers["mcp-session-id"]))]
  }

  @Test func `uses everything, as the SDK for Python does`() async throws {
    let served = try ServedStore()
    let (lines, end) = try await PythonClients.run(
      "mcp_client.py", ["http", "http://127.0.0.1:\(served.server.address.port)/mcp"])
    #expect(end == .exit(0))
    #expect(lines == ["one person, auto", "one person, legacy", "many people"])
  }

  @Test func `has a session of its own until it ends it`() async throws {
    let served = try ServedStore()
    let session = try await begin(served)
    let note = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
    #expect(try await served.ask("POST", "/mcp", headers: session, body: note).status == 202)
    let body = call("remember", #"{"user":"bob","content":"Likes tea"}"#)
    #expect(try await served.ask("POST", "/mcp", headers: session, body: body).text.contains(#""isError":false"#))
    #expect(try await served.ask("GET", "/mcp", headers: session).status == 405)
    #expect(try await served.ask("DELETE", "/mcp", headers: session).status == 204)
    #expect(try await served.ask("POST", "/mcp", headers: session, body: body).status == 404)
    #expect(try await served.ask("POST", "/mcp", body: body).text.contains("before initialize"))
  }

  @Test func `of another site's page is refused`() async throws {
    let served = try ServedStore()
    let reply = try await served.ask(
      "POST", "/mcp", headers: [("Origin", "https://elsewhere.example")], body: Self.initialize)
    #expect(reply.status == 403)
  }

  @Test func `reaches what its key reaches, and every access is noted`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/ann/events", said("secret"))
    let mine = try await served.store.keys.create(
      APIKeyDraft(
        "bob's", namespaces: .only([.default]), scopes: [.append, .recall, .read], users: [UserPattern("bob")]))
    let session = try await begin(served, key: mine.secret.revealed)
    let state = try await served.ask("POST", "/mcp", headers: session, body: call("state", "{}"))
    #expect(state.text.contains("not_found"))
    let remembered = try await served.ask(
      "POST", "/mcp", headers: session, body: call("remember", #"{"content":"Likes tea"}"#))
    #expect(remembered.text.contains(#""isError":false"#))
    let foreign = try await served.ask(
      "POST", "/mcp?user=ann", headers: [session[0]], body: Self.initialize)
    let hers = [session[0], ("Mcp-Session-Id", try #require(foreign.headers["mcp-session-id"]))]
    let refused = try await served.ask("POST", "/mcp?user=ann", headers: hers, body: call("state", "{}"))
    #expect(refused.text.contains("not_found") && !refused.text.contains("secret"))

    let other = try await served.store.keys.create(APIKeyDraft("other", namespaces: .only([.default]), scopes: [.read]))
    let taken = [("Authorization", "Bearer \(other.secret.revealed)"), session[1]]
    #expect(try await served.ask("POST", "/mcp", headers: taken, body: call("state", "{}")).status == 404)
    try await served.store.accesses.flush()
    let page = try served.store.accesses.accesses(of: StreamName(try UserID("bob")))
    #expect(page.entries.map(\.access.operation) == ["mcp_remember"])
  }
}
