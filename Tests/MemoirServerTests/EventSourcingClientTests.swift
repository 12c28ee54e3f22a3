// The library eventsourcing for Python, with a recorder that keeps its events here, and that library's own tests of recorders.
import TestSupport
import Testing

@Suite struct `The eventsourcing library for Python` {
  @Test func `keeps its events, notifications, subscriptions and trackings as its own tests ask`() async throws {
    let (lines, end) = try await PythonClients.run(
      "eventsourcing_client.py", [ServeProcess.program], patience: .seconds(300))
    #expect(end == .exit(0), "\(lines.joined(separator: "\n"))")
    #expect(lines == ["23 tests"])
  }
}
