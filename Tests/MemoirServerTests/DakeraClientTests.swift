// The clients of Dakera that others have written, against a served store.
import Foundation
import HTTPServer
import Memoir
import MemoirServer
import TestSupport
import Testing

@Suite struct `The Dakera SDK for Python` {
  @Test func `does everything, synchronous and asynchronous`() async throws {
    let python = try Clients.python()
    let served = try ServedStore()
    let draft = APIKeyDraft("tests", namespaces: .all, scopes: [.admin])
    let secret = try await served.store.keys.create(draft).secret
    let client = try RunningProcess(
      python,
      [
        "-W", "ignore", Clients.root.appending(path: "Tests/Clients/dakera_client.py").path,
        "http://127.0.0.1:\(served.server.address.port)", secret.revealed,
      ])
    let lines = try client.lines()
    #expect(try client.wait() == .exit(0))
    #expect(lines == ["sync", "async", "chat", "stream", "tutorials", "keys"])
  }
}

/// The virtual environment of clients in Python.
private enum Clients {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Its interpreter.
  static func python() throws -> String {
    func list(_ path: String) -> String? { try? String(contentsOf: root.appending(path: path), encoding: .utf8) }
    let wanted = try #require(list("Tests/Clients/requirements.txt"))
    try #require(
      list(".build/clients/requirements.txt") == wanted, "the clients are missing or others; Tests/run makes them")
    return root.appending(path: ".build/clients/bin/python").path
  }
}
