// `memoir mcp`: the store for an assistant, over the Model Context Protocol.
import Memoir
import MemoirMCP
import Platform

enum MCPCommand: Command {
  static let user = Argument.option(
    "user", .user, help: "Whose memory all of it is about; without it, each call names a user.")

  static let row = CommandRow(
    name: "mcp",
    summary: "Serve the memory to an assistant, over the Model Context Protocol",
    section: .serving,
    discussion: """
      Started by an MCP host (a desktop assistant, an editor), which writes messages to standard input and reads the
      answers from standard output: JSON-RPC, a message a line. Notices go to standard error.

      The assistant gets the tools remember, recall, forget, revise, context, state, changes, history, start_session,
      end_session, record_episode and report, the state and the timeline of a user as resources, and the prompt
      begin_session. With --user the memory is that of one person, and no tool asks for a user.

      The store is made where there is none, so that a host's configuration works at the first start. Several hosts may
      share one. It ends when its input does, or on SIGTERM: calls that were begun are finished.
      """,
    arguments: [user],
    examples: [
      CommandExample("memoir mcp --user ana --store ~/ana.store", "One person's assistant."),
      CommandExample("memoir mcp --namespace support", "An assistant that talks to many."),
    ],
    exitCodes: [
      ExitMeaning(.failed, "a failure of the disk, the store or the output"), ExitMeaning(.wrongUsage, "wrong usage"),
      ExitMeaning(.corrupt, "the store is damaged"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    try Interruption.watch()
    return try await arguments.withStore(for: .creating, usesModels: true, in: context) { store in
      try store.maintainSnapshots()
      store.maintainVectors()
      let server = MCPServer(
        store, user: arguments[user], in: arguments[GlobalOptions.namespace] ?? .default,
        programVersion: Program.version)
      let input = Descriptor.standardInput
      if input.isTerminal {
        try context.errors.print(
          StyledText("Speaking MCP: waits for messages, a line each, as a host sends them.", .dim))
      }
      let output = context.output
      do {
        try await LineTransport(server.session()) { line in
          try output.write(json: line)
          try output.flush()
        }.serve(input) { Interruption.signal != nil }
      } catch let error as OutputError where error.isReaderGone {
        // A host that ends may close both ends in any order.
      }
      return .done
    }
  }
}
