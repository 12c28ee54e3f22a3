// The clients in Python that others have written, in the virtual environment that Tests/run makes for them.
internal import Foundation

/// The virtual environment of clients in Python.
package enum PythonClients {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Why a client cannot be run.
  package struct Missing: Error, CustomStringConvertible {
    package let description = "the clients are missing or others than the list says; Tests/run makes them"
  }

  /// Runs a script of `Tests/Clients` to its end: many calls, each of which waits for the tests beside it.
  package static func run(
    _ script: String, _ arguments: [String], patience: Duration = .seconds(300)
  ) async throws -> (lines: [String], end: RunningProcess.End) {
    func list(_ path: String) -> String? { try? String(contentsOf: root.appending(path: path), encoding: .utf8) }
    guard let wanted = list("Tests/Clients/requirements.txt"), list(".build/clients/requirements.txt") == wanted else {
      throw Missing()
    }
    return try await RunningProcess.run(
      root.appending(path: ".build/clients/bin/python").path,
      ["-W", "ignore", root.appending(path: "Tests/Clients/\(script)").path] + arguments, patience: patience)
  }
}
