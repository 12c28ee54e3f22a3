// The clients of Dakera that others have written, against a served store.
import HTTPServer
import Memoir
import MemoirServer
import TestSupport
import Testing

@Suite struct `The Dakera SDK for Python` {
  @Test func `does everything, synchronous and asynchronous`() async throws {
    let served = try ServedStore()
    let draft = APIKeyDraft("tests", namespaces: .all, scopes: [.admin])
    let secret = try await served.store.keys.create(draft).secret
    let (lines, end) = try await PythonClients.run(
      "dakera_client.py", ["http://127.0.0.1:\(served.server.address.port)", secret.revealed])
    #expect(end == .exit(0))
    #expect(lines == ["sync", "async", "chat", "stream", "tutorials", "keys"])
  }
}
