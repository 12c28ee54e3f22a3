// Clients that others have written, against the program.
import TestSupport
import Testing

@Suite struct `The MCP SDK for Python` {
  @Test func `uses everything over standard input and output`() throws {
    let folder = TemporaryFolder()
    let client = try PythonClients.run(
      "mcp_client.py", ["stdio", RunningProcess.productsFolder + "/memoir", folder.path + "/store"])
    let lines = try client.lines()
    #expect(try client.wait() == .exit(0))
    #expect(lines == ["one person, auto", "one person, legacy", "many people"])
  }
}
