// The program itself: run as a process, with its words, its input and its surroundings.
import Foundation
import TestSupport
import Testing

/// What a run of the program came to.
struct Run {
  var exitCode: Int32
  var output: String
  var errors: String

  /// The lines of standard output.
  var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// The object on the only line of standard output.
  func object() throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }

  /// The objects on the lines of standard output.
  func objects() throws -> [[String: Any]] {
    try lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
  }

  /// The error object on the last line of standard error.
  func error() throws -> [String: Any] {
    let last = try #require(errors.split(separator: "\n").last)
    let object = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
    return try #require(object?["error"] as? [String: Any])
  }

  /// The code of the error object.
  func errorCode() throws -> String { try #require(try error()["code"] as? String) }

  /// The details of the error object.
  func errorDetails() throws -> [String: Any] { try #require(try error()["details"] as? [String: Any]) }
}

/// The program beside a store of its own, in a folder that goes with it.
struct TestProgram {
  let folder = TemporaryFolder()
  var store: String { folder.path + "/store" }

  /// Where the build has put the program: beside the bundle of the tests.
  static var program: URL {
    get throws {
      let bundle = URL(filePath: try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") }))
      return bundle.deletingLastPathComponent().appending(path: "memoir")
    }
  }

  /// A path beside the store.
  func path(_ name: String) -> String { folder.path + "/" + name }

  /// Writes a file beside the store.
  func file(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(filePath: path(name)))
    return path(name)
  }

  /// Runs the program on the store.
  @discardableResult
  func run(_ words: String..., input: String = "") throws -> Run { try run(words, input: Data(input.utf8)) }

  func run(_ words: [String], input: Data) throws -> Run {
    try Self.launch(Self.program, words, input: input, environment: ["MEMOIR_STORE": store])
  }

  /// Runs a line of the shell, in which `memoir` is the program.
  func shell(_ line: String) throws -> Run {
    let folder = try Self.program.deletingLastPathComponent().path
    return try Self.launch(
      URL(filePath: "/bin/bash"), ["-c", line], input: Data(),
      environment: ["MEMOIR_STORE": store, "PATH": folder + ":/usr/bin:/bin"])
  }

  /// Runs the program on a terminal of 80 columns; what it writes anywhere is the output.
  func terminal(
    running program: String? = nil, _ words: String..., environment: [String: String] = [:]
  ) throws -> Run {
    let script = """
      import fcntl, os, pty, struct, sys, termios
      pid, fd = pty.fork()
      if pid == 0:
          os.execv(sys.argv[1], sys.argv[1:])
      fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
      while True:
          try:
              data = os.read(fd, 65536)
          except OSError:
              break
          if not data: break
          os.write(1, data)
      sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
      """
    return try Self.launch(
      URL(filePath: "/usr/bin/python3"), ["-c", script, try program ?? Self.program.path] + words,
      input: Data(),
      environment: environment.merging(["MEMOIR_STORE": store, "TERM": "xterm"]) { given, _ in given })
  }

  static func launch(
    _ program: URL, _ words: [String], input: Data, environment: [String: String]
  ) throws -> Run {
    let folder = TemporaryFolder()
    let paths = (input: folder.path + "/in", output: folder.path + "/out", errors: folder.path + "/err")
    try input.write(to: URL(filePath: paths.input))
    for path in [paths.output, paths.errors] { try Data().write(to: URL(filePath: path)) }
    let process = Process()
    process.executableURL = program
    process.arguments = words
    process.environment = environment
    process.currentDirectoryURL = URL(filePath: folder.path)
    // Files, and not pipes, which could fill up.
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: paths.input))
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: paths.output))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: paths.errors))
    try process.run()
    // What never ends is ended, and fails by its exit code.
    let watchdog = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watchdog)
    process.waitUntilExit()
    watchdog.cancel()
    func text(_ path: String) throws -> String {
      String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
    return Run(
      exitCode: process.terminationReason == .exit
        ? process.terminationStatus : 128 + process.terminationStatus,
      output: try text(paths.output), errors: try text(paths.errors))
  }
}

/// An event as a line.
func line(
  _ id: Int, _ user: String = "bob", _ type: String = "MessageAdded",
  _ data: String = #"{"role":"user","content":"hello"}"#, session: String? = "s-1", _ more: String = ""
) -> String {
  let digits = String(id)
  let uuid = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  let session = session.map { #","session":"\#($0)""# } ?? ""
  return #"{"id":"\#(uuid)","user":"\#(user)","type":"\#(type)","data":\#(data)\#(session)\#(more)}"# + "\n"
}

/// A little history of Bob's: eight events.
let bobsHistory =
  line(1, "bob", "SessionStarted", "{}", #","occurred_at":"2026-03-02T09:00:00Z""#)
  + line(
    2, "bob", "MessageAdded", #"{"role":"user","content":"I live in Porto."}"#,
    #","occurred_at":"2026-03-02T09:01:00Z""#)
  + line(
    3, "bob", "FactLearned",
    #"{"fact":"Lives in Porto.","category":"home","confidence":0.9,"fact_id":"home","source_message_id":"00000000-0000-4000-8000-000000000002"}"#,
    #","occurred_at":"2026-03-02T09:01:01Z","metadata":{"agent":"web"}"#)
  + line(
    4, "bob", "PreferenceUpdated", #"{"key":"theme","value":"dark"}"#,
    #","occurred_at":"2026-03-02T09:02:00Z""#)
  + line(
    5, "bob", "SessionEnded", #"{"reason":"closed","summary":"Bob said where he lives."}"#,
    #","occurred_at":"2026-03-02T09:03:00Z""#)
  + line(
    6, "bob", "FactRevised", #"{"fact_id":"home","fact":"Lives in Lisbon."}"#, session: nil,
    #","occurred_at":"2026-04-01T12:00:00Z""#)
  + line(
    7, "bob", "PreferenceUpdated", #"{"key":"theme","value":"light"}"#, session: nil,
    #","occurred_at":"2026-04-01T12:01:00Z""#)
  + line(
    8, "bob", "FactLearned", #"{"fact":"Owns a cat.","category":"pets","confidence":0.8}"#, session: "s-2",
    #","occurred_at":"2026-04-02T08:00:00Z""#)

extension TestProgram {
  /// One with Bob's history.
  static func withBob() throws -> TestProgram {
    let memoir = TestProgram()
    let run = try memoir.run("append", input: bobsHistory)
    #expect(run.exitCode == 0, "\(run.errors)")
    return memoir
  }
}
