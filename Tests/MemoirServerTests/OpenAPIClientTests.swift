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
    // Thousands of cases for each call's parameters take minutes beside other tests.
    let isLong = CurrentProcess.environment("MEMOIR_LONG") != nil
    let (lines, end) = try await PythonClients.run(
      "openapi_client.py",
      [
        "http://127.0.0.1:\(served.server.address.port)", secret, isLong ? "200" : "3",
        isLong ? "coverage,fuzzing" : "fuzzing",
      ],
      patience: .seconds(isLong ? 7_200 : 600))
    #expect(end == .exit(0), "\(lines.joined(separator: "\n"))")
    #expect(lines == ["conforms"])
  }
}
