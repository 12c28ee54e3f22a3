// `memoir serve` as a process, for one test.
import Glibc
import JSON
import Platform
import TestSupport
import Testing

/// The process of a server, and what it logs. Ended with the object.
final class ServeProcess {
  let process: RunningProcess
  /// Where it listens.
  let port: UInt16
  /// The lines of its log up to the one that says that it is ready.
  private(set) var log: [String] = []

  static var program: String { RunningProcess.productsFolder + "/memoir" }

  /// Starts `memoir serve` on a store, and waits until it is ready.
  init(_ store: String, _ arguments: [String] = [], listen: String = "127.0.0.1:0") throws {
    process = try Self.start(store, ["--listen", listen] + arguments)
    var found: UInt16?
    while found == nil {
      let line = try process.line()
      log.append(line)
      if Self.member("event", of: line) == "ready", let address = Self.member("address", of: line) {
        found = address.split(separator: ":").last.flatMap { UInt16($0) }
      }
    }
    port = found ?? 0
  }

  /// Starts it; its log is what the process says.
  static func start(_ store: String, _ arguments: [String]) throws -> RunningProcess {
    try RunningProcess(
      "/bin/sh", ["-c", #"exec "$0" "$@" 2>&1"#, program, "--store", store, "serve"] + arguments)
  }

  static func member(_ name: String, of line: String) -> String? {
    try? JSONParser().parse(Array(line.utf8).span) { $0.member(named: name)?.string }
  }

  func connect() throws -> LoopbackConnection { try LoopbackConnection(port: port) }

  func get(_ target: String) async throws -> LoopbackReply { try await connect().ask("GET", target) }

  /// Reads its log up to a line about an event.
  func waitFor(_ event: String) throws -> String {
    while true {
      let line = try process.line()
      log.append(line)
      if Self.member("event", of: line) == event { return line }
    }
  }

  /// Asks it to end, and waits until it has.
  ///
  /// - Returns: How it ended, how long that took, and what it logged.
  func end() throws -> (end: RunningProcess.End, time: Duration, log: [String]) {
    let start = ContinuousClock.now
    process.signal(SIGTERM)
    log += try process.lines()
    let end = try process.wait()
    return (end, ContinuousClock.now - start, log)
  }

  /// Files and sockets that it has open.
  var descriptorCount: Int { ((try? Files.list("/proc/\(process.id)/fd")) ?? []).count }

  /// Bytes of its memory.
  var residentBytes: Int {
    guard let file = try? Descriptor(opening: "/proc/\(process.id)/statm", for: .reading),
      let bytes = try? file.readToEnd(limit: 4_096)
    else { return 0 }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4_096 : 0
  }
}
