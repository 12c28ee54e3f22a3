// `memoir demo`: the story of one customer, told by the store.
import Memoir
import MemoirFixtures
import Platform

enum DemoCommand: Command {
  static let row = CommandRow(
    name: "demo",
    summary: "See it all at work, on a story that comes with it",
    section: .help,
    discussion: """
      Half a year of one customer's conversations is appended to a temporary store; then the store is asked
      what it knows, what it knew before, what changed, and why. Leaves nothing behind.
      """,
    examples: [CommandExample("memoir demo", "From an empty store to what was true before a change.")],
    exitCodes: [
      ExitMeaning(.failed, "a failure of the disk or the store"), ExitMeaning(.wrongUsage, "wrong usage"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    try await tell(Fixtures.demoEvents, in: context)
  }

  /// Tells the story of `events`, JSON Lines, in a folder that is removed afterwards.
  static func tell(_ events: [UInt8], in context: CommandContext) async throws -> ExitCode {
    let folder = try temporaryFolder(in: context)
    defer { try? Files.removeTree(folder) }
    var story = try DemoStory(events, in: folder + "/store", context)
    return try await story.tell()
  }

  private static func temporaryFolder(in context: CommandContext) throws(PlatformError) -> String {
    let parent = context.environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    while true {
      let folder = "\(parent)/memoir-demo-\(EventID.generate(at: context.now()))"
      if try Files.makeFolder(folder) { return folder }
    }
  }
}
