// Clients that others have written, against the program.
import TestSupport
import Testing

@Suite struct `The MCP SDK for Python` {
  @Test func `uses everything over standard input and output`() async throws {
    let folder = TemporaryFolder()
    let (lines, end) = try await PythonClients.run(
      "mcp_client.py", ["stdio", RunningProcess.productsFolder + "/memoir", folder.path + "/store"])
    #expect(end == .exit(0))
    #expect(lines == ["one person, auto", "one person, legacy", "many people"])
  }
}
