// The agent's processes, and what their lines say.
import EventStore
import Platform
import TestSupport
import Testing

/// Real processes, killed and starved in turn: one after the other, or each would wait for the others' disk.
@Suite(.serialized) struct `Real processes` {
  /// Where random numbers begin that no ``Trials`` give: the same every day.
  static let seed = CurrentProcess.environment("MEMOIR_SEED").flatMap { UInt64($0) } ?? 1
}

/// A folder with a store, on which agents are set.
struct AgentStore {
  let folder: TemporaryFolder
  var path: String { folder.path + "/store" }

  /// - Parameter inMemory: Whether the disk may be one that loses everything with the power, which is faster.
  init(inMemory: Bool = false) {
    folder = TemporaryFolder(inMemory: inMemory)
  }

  /// Starts an agent.
  func agent(
    _ command: String, _ values: [String: Any] = [:], environment: [String: String] = [:]
  ) throws -> RunningProcess {
    try RunningProcess(
      Self.agentPath, [command, path] + values.map { "\($0.key)=\($0.value)" }.sorted(),
      environment: environment)
  }

  /// Runs an agent to its end, which is to be a good one.
  @discardableResult
  func run(_ command: String, _ values: [String: Any] = [:]) throws -> [String] {
    let agent = try agent(command, values)
    agent.closeInput()
    let lines = try agent.lines()
    #expect(try agent.wait() == .exit(0), "\(lines.suffix(2))")
    return lines
  }

  /// Opens the store in this process.
  func open(readOnly: Bool = false) throws -> EventLog {
    var options = EventLog.Options()
    options.blockSize = 64
    options.isReadOnly = readOnly
    return try EventLog(folder: path, schema: Diary.schema, options: options)
  }

  static let agentPath = RunningProcess.productsFolder + "/memoir-crash-agent"
}

extension [String] {
  /// What was acknowledged in these lines.
  var acknowledgements: [Acknowledgement] { compactMap { Acknowledgement($0) } }

  /// The words after the first one of the line that begins with it.
  func words(after word: String) -> [String]? {
    first { $0.hasPrefix(word + " ") }?.split(separator: " ").dropFirst().map(String.init)
  }
}
