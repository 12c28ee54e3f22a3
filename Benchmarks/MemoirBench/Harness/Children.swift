// Other processes: the command line, Python, and this program anew where a fresh process is what is measured.
import Foundation

/// A process that ran to its end.
enum Child {
  /// A program that was built beside this one.
  static func sibling(_ name: String) throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchError("\(path) is missing; build it first: Benchmarks/run does")
    }
    return path
  }

  /// Runs a program; its output.
  @discardableResult
  static func run(_ program: String, _ arguments: [String], input: Data? = nil) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    let file = FileManager.default.temporaryDirectory.appending(path: "memoir-bench-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    if let input {
      try input.write(to: file)
      process.standardInput = try FileHandle(forReadingFrom: file)
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchError("\(program) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Runs a task of this program in a process of its own; the numbers it printed, by name.
  static func task(_ name: String, _ arguments: [String]) throws -> [String: Double] {
    let output = try run(try sibling("memoir-bench"), ["task", name] + arguments)
    var numbers: [String: Double] = [:]
    for line in output.split(separator: "\n") {
      let words = line.split(separator: "\t")
      if words.count == 2 { numbers[String(words[0])] = Double(words[1]) }
    }
    return numbers
  }
}
