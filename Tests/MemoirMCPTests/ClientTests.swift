// Clients that others have written, against the program.
import Foundation
import TestSupport
import Testing

@Suite struct `The MCP SDK for Python` {
  @Test func `uses everything over standard input and output`() throws {
    let python = try Clients.python()
    let folder = TemporaryFolder()
    let client = try RunningProcess(
      python,
      [
        "-W", "ignore", Clients.root.appending(path: "Tests/Clients/mcp_stdio.py").path,
        RunningProcess.productsFolder + "/memoir",
        folder.path + "/store",
      ])
    let lines = try client.lines()
    #expect(try client.wait() == .exit(0))
    #expect(lines == ["one person, auto", "one person, legacy", "many people"])
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
