// How long `memoir serve` takes until it is ready.
import Foundation
import Platform

extension HTTPBench {
  /// Starts the server of a store whose last process was killed with a full tail, and of the same once it was closed.
  func starts() throws -> [String] {
    tell("a server's start on \(plan.events) events")
    let store = folder + "/large"
    let users = max(1, plan.events / 100)
    let tail = try Child.task("fill", [store, "\(plan.events)", "\(users)", "\(plan.tailEvents)"]).numbers["tail"] ?? 0
    let first = try Self.startTime(of: store)
    let closed = try (0..<5).map { _ in try Self.startTime(of: store) }.median
    return [
      "start on \(plan.events) events to ready: \(TableText.number(first)) ms with \(TableText.number(tail)) events in "
        + "the tail, \(TableText.number(closed)) ms after a clean end (goal ≤ 100)"
    ]
  }

  /// Milliseconds from a process's start to the line of its log that says that it is ready. A line waits up to 5 ms.
  private static func startTime(of store: String) throws -> Double {
    let process = Process()
    process.executableURL = URL(filePath: try Child.sibling("memoir"))
    process.arguments = ["--store", store, "serve", "--listen", "127.0.0.1:0"]
    let log = Pipe()
    process.standardError = log
    let watch = Stopwatch()
    try process.run()
    var text = Data()
    while text.range(of: Data(#""event":"ready""#.utf8)) == nil {
      let piece = log.fileHandleForReading.availableData
      guard !piece.isEmpty else {
        throw BenchError("the server did not start: \(String(decoding: text, as: UTF8.self))")
      }
      text += piece
    }
    let milliseconds = watch.seconds * 1e3
    process.terminate()
    _ = log.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BenchError("the server ended with \(process.terminationStatus)") }
    return milliseconds
  }
}
