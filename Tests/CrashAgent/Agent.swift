// A process that tests start to see it die: it works on a store and says on its output what it has done, each line
// right after the fact.
import EventStore
import Platform
import TestSupport

@main enum Agent {
  /// The commands, by name.
  static let commands: [String: @Sendable (Arguments) throws -> Void] = alwaysThere.merging(withFailures) { $1 }

  private static let alwaysThere: [String: @Sendable (Arguments) throws -> Void] = [
    "append": append, "import": importMany, "compete": compete, "behind": behind,
    "fold": fold, "follow": follow, "subscribe": subscribe, "replay": replay,
    "backup": backup, "fill": fill, "open-twice": openTwice, "chores": chores, "inspect": inspect,
    "examine": examine, "damage": damage,
  ]

  #if DEBUG
  private static let withFailures: [String: @Sendable (Arguments) throws -> Void] = ["struggle": struggle]
  #else
  private static let withFailures: [String: @Sendable (Arguments) throws -> Void] = [:]
  #endif

  static func main() {
    do {
      let arguments = try Arguments(CommandLine.arguments)
      guard let command = commands[arguments.command] else { throw Misuse(reason: "unknown command") }
      try command(arguments)
    } catch {
      say("error \(error)")
      CurrentProcess.exit(1)
    }
  }
}

struct Misuse: Error { var reason: String }

/// `command folder name=value …`
struct Arguments: Sendable {
  let command: String
  let folder: String
  private let values: [String: String]

  init(_ words: [String]) throws {
    guard words.count >= 3 else { throw Misuse(reason: "needs a command and a folder") }
    command = words[1]
    folder = words[2]
    var values: [String: String] = [:]
    for word in words.dropFirst(3) {
      let parts = word.split(separator: "=", maxSplits: 1)
      values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    }
    self.values = values
  }

  subscript(text name: String) -> String? { values[name] }
  subscript(name: String, default number: Int) -> Int { values[name].flatMap { Int($0) } ?? number }

  /// The work that test and agent agree upon.
  var work: NumberedWork { NumberedWork(group: self["group", default: 3], users: self["users", default: 7]) }

  /// Opens the store, with small checkpoints so that many fall into a short test.
  func open() throws(StorageError) -> EventLog {
    var options = EventLog.Options()
    options.blockSize = self["checkpoint", default: 64]
    options.snapshotPolicy.minimumBytes = self["snapshot", default: 4_096]
    return try EventLog(folder: folder, schema: Diary.schema, options: options)
  }
}

/// Prints a line with one call, so that it is out, whole, when this returns.
func say(_ line: String) {
  // Who is not listened to any more need not go on.
  do { try Descriptor.standardOutput.write(line + "\n") } catch { CurrentProcess.exit(3) }
}

/// Waits for a line of input, or its end.
func hear() {
  _ = try? Descriptor.standardInput.read(upTo: 1 << 10)
}
