// A folder in which an agent does chores, what its processes have said, and what is found there.
import Foundation
import TestSupport
import Testing

/// Where chores are done, and cut off.
final class ChoreFolder {
  private let outer: TemporaryFolder
  /// Whether its stores are encrypted.
  let isEncrypted: Bool
  /// What was said by all processes so far.
  private(set) var lines: [String] = []
  /// Where each writer goes on.
  private(set) var next: [Int: Int] = [:]

  /// The folder of the chores.
  var path: String { outer.path + "/chores" }
  /// A place beside it.
  func beside(_ name: String) -> String { outer.path + "/" + name }

  init(inMemory: Bool = true, isEncrypted: Bool = false) throws {
    self.isEncrypted = isEncrypted
    outer = TemporaryFolder(inMemory: inMemory)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Starts an agent on the folder.
  func start(
    _ command: String = "chores", _ values: [String: Any] = [:], environment: [String: String] = [:]
  ) throws -> RunningProcess {
    let variables = isEncrypted ? environment.merging(["MEMOIR_AGENT_ENCRYPTS": "1"]) { $1 } : environment
    return try RunningProcess(AgentStore.agentPath, Self.words(command, path, values), environment: variables)
  }

  static func words(_ command: String, _ path: String, _ values: [String: Any]) -> [String] {
    [command, path] + values.map { "\($0.key)=\($0.value)" }.sorted()
  }

  /// Has chores done to the end of the process, however that comes; takes note of what it says.
  @discardableResult
  func run(_ values: [String: Any] = [:], environment: [String: String] = [:]) throws -> RunningProcess.End {
    let process = try start("chores", values.merging(["first": first]) { $1 }, environment: environment)
    process.closeInput()
    note(try process.lines())
    return try process.wait()
  }

  /// The requests with which the writers go on.
  var first: String { (0..<8).map { "\(next[$0, default: 0])" }.joined(separator: ",") }

  func note(_ more: [String]) { lines += more }

  /// What is wrong with the folder, compared with what was said.
  func problems(believing more: [String] = []) throws -> [String] {
    let file = beside("lines")
    try Data((lines + more).joined(separator: "\n").utf8).write(to: URL(filePath: file))
    let process = try start("inspect", ["lines": file])
    let found = try process.lines()
    let end = try process.wait()
    for line in found {
      let words = line.split(separator: " ")
      if words.count == 3, words[0] == "next", let writer = Int(words[1]), let request = Int(words[2]) {
        next[writer] = request
      }
    }
    if more.isEmpty { lines += found.filter { $0.hasPrefix("next ") } }
    let problems = found.filter { !$0.hasPrefix("next ") && !$0.hasPrefix("good ") }
    if problems.isEmpty, found.last?.hasPrefix("good ") != true || end != .exit(0) {
      return ["the inspection ended with \(end): \(found.suffix(2))"]
    }
    return problems
  }
}

/// How many calls of each kind a run makes.
struct CallCount {
  var changes = 0, all = 0, writes = 0, syncs = 0

  init(_ report: String) throws {
    let text = try String(contentsOfFile: report, encoding: .utf8)
    let line = try #require(text.split(separator: "\n").last { $0.hasPrefix("calls ") })
    let numbers = line.split(separator: " ").compactMap { Int($0) }
    (changes, all, writes, syncs) = (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}
