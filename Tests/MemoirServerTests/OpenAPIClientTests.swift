// The OpenAPI document, held against what the server does by a client that others have written.
import HTTPServer
import Memoir
import MemoirServer
import Platform
import TestSupport
import Testing

@Suite struct `Schemathesis` {
  @Test func `finds nothing that the document does not say`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("hi"))
    let secret = try await served.store.keys.create(
      APIKeyDraft("tests", namespaces: .all, scopes: [.admin])
    ).secret.revealed
    let examples = CurrentProcess.environment("MEMOIR_LONG") == nil ? "1" : "200"
    let (lines, end) = try await PythonClients.run(
      "openapi_client.py", ["http://127.0.0.1:\(served.server.address.port)", secret, examples])
    #expect(end == .exit(0), "\(lines.joined(separator: "\n"))")
    #expect(lines == ["conforms"])
  }
}
