// Other processes: the command line, Python, and this program anew where a fresh process is what is measured.
import Foundation
import PeerBench
import Platform
import Synchronization

/// A process that ran to its end.
struct Child {
  /// What it printed.
  var output: String
  /// The most memory of its own that it was seen to have, in bytes.
  var ownMemory: UInt64
  /// The same with the pages of files that it maps.
  var residentMemory: UInt64

  /// Where this program is.
  static var ownPath: String {
    get throws { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") }
  }

  /// A program that was built beside this one.
  static func sibling(_ name: String) throws -> String {
    let path = Files.folder(of: try ownPath) + "/" + name
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchError("\(path) is missing; build it first: Benchmarks/run does")
    }
    return path
  }

  /// Runs a program and waits for its end.
  ///
  /// - Parameter input: What it reads from standard input.
  @discardableResult
  static func run(_ program: String, _ arguments: [String], input: Data? = nil) throws -> Child {
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
    let watch = try MemoryWatch(of: process.processIdentifier)
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let memory = watch.finish()
    guard process.terminationStatus == 0 else {
      throw BenchError("\(program) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
    }
    return Child(
      output: String(decoding: bytes, as: UTF8.self), ownMemory: memory.own, residentMemory: memory.resident)
  }

  /// Runs a task of this program in a process of its own.
  static func task(_ name: String, _ arguments: [String]) throws -> Child {
    try run(try sibling("memoir-bench"), ["task", name] + arguments)
  }

  /// The numbers that it printed, by name.
  var numbers: [String: Double] {
    var numbers: [String: Double] = [:]
    for line in output.split(separator: "\n") {
      let words = line.split(separator: "\t")
      if words.count == 2 { numbers[String(words[0])] = Double(words[1]) }
    }
    return numbers
  }
}

/// Looks at the memory of a process now and then.
private final class MemoryWatch: Sendable {
  private let isDone = Atomic<Bool>(false)
  private let own = Atomic<UInt64>(0)
  private let resident = Atomic<UInt64>(0)
  private let thread = Mutex<DedicatedThread?>(nil)

  init(of process: Int32) throws {
    let started = try DedicatedThread(name: "memory") { [self] in
      while !isDone.load(ordering: .relaxed) {
        own.max(bench_own_memory(process), ordering: .relaxed)
        resident.max(bench_peak_memory(process), ordering: .relaxed)
        MonotonicClock.sleep(nanoseconds: 5_000_000)
      }
    }
    thread.withLock { $0 = started }
  }

  func finish() -> (own: UInt64, resident: UInt64) {
    isDone.store(true, ordering: .relaxed)
    thread.withLock { $0 }?.join()
    return (own.load(ordering: .relaxed), resident.load(ordering: .relaxed))
  }
}
