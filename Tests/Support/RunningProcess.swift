// Another process, run by a test: its lines read as they come, with a deadline on everything, killed at the latest with
// the object.
package import Glibc
import Platform
import Synchronization

/// A process that a test has started.
package final class RunningProcess {
  /// How a process ended.
  package enum End: Hashable, Sendable {
    case exit(Int32)
    case signal(Int32)
  }

  /// Why waiting came to nothing.
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
  }

  /// The system's number for it.
  package let id: pid_t
  private let command: String
  private let output: Descriptor
  private var input: Descriptor?
  private var buffer: [UInt8] = []
  private var isAtEnd = false
  private var end: End?

  /// Longer than anything here takes, also on a busy machine.
  package static let patience: Duration = .seconds(120)
  /// How long this one may take for a line, or for its end.
  private var patience = RunningProcess.patience

  /// Starts a program.
  ///
  /// - Parameter environment: Variables beside those of this process.
  package init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    var ends: (output: Int32, input: Int32) = (-1, -1)
    // One at a time: a process started between a pipe and its flag would keep the other's output open.
    id = try Self.isStarting.withLock { _ in
      var outputEnds: [Int32] = [-1, -1], inputEnds: [Int32] = [-1, -1]
      guard unsafe pipe(&outputEnds) == 0, unsafe pipe(&inputEnds) == 0 else {
        throw Problem(description: "no pipe: \(errno)")
      }
      for end in outputEnds + inputEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      ends = (outputEnds[0], inputEnds[1])
      let theirOutput = Descriptor(owning: outputEnds[1]), theirInput = Descriptor(owning: inputEnds[0])
      return try Self.spawn(path, arguments, environment, theirInput, theirOutput)
    }
    output = Descriptor(owning: ends.output)
    input = Descriptor(owning: ends.input)
    command = ([path.split(separator: "/").last.map(String.init) ?? path] + arguments).joined(separator: " ")
    // An agent that has died must not end the tests when they speak to it.
    CurrentProcess.ignoreBrokenPipes()
  }

  /// Runs a program to its end on a thread of its own: what it talks to may be in this process, and need the threads
  /// that tasks share.
  package static func run(
    _ path: String, _ arguments: [String], patience: Duration = patience
  ) async throws -> (lines: [String], end: End) {
    try await withCheckedThrowingContinuation { continuation in
      do {
        _ = try DedicatedThread(name: "run") {
          continuation.resume(
            with: Result {
              let process = try RunningProcess(path, arguments)
              process.patience = patience
              return (try process.lines(), try process.wait())
            })
        }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  private static let isStarting = Mutex(())

  private static func spawn(
    _ path: String, _ arguments: [String], _ environment: [String: String],
    _ theirInput: borrowing Descriptor, _ theirOutput: borrowing Descriptor
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, theirInput.number, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, theirOutput.number, 1)
    // The threads that run tests let few signals through, and a child would inherit that.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t(), ignored = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigemptyset(&ignored)
    unsafe sigaddset(&ignored, SIGPIPE)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &ignored)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    // What is to die must not first be looked at by a debugger for seconds.
    let added = environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { given, _ in given }
    var variables: [UnsafeMutablePointer<CChar>?] = unsafe []
    var place = unsafe environ
    while let variable = unsafe place.pointee {
      let name = unsafe String(cString: variable).prefix { $0 != "=" }
      if added[String(name)] == nil { unsafe variables.append(strdup(variable)) }
      unsafe place += 1
    }
    for (name, value) in added { unsafe variables.append(strdup("\(name)=\(value)")) }
    unsafe variables.append(nil)
    var words = unsafe ([path] + arguments).map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe (variables + words).forEach { unsafe free($0) } }
    var child: pid_t = 0
    let code = unsafe posix_spawn(&child, path, &actions, &attributes, words, variables)
    guard code == 0 else { throw Problem(description: "\(path) cannot be run: \(code)") }
    return child
  }

  deinit {
    if end == nil {
      kill(id, SIGKILL)
      _ = try? wait()
    }
  }

  // MARK: Speaking and listening

  /// Sends a line.
  package func send(_ line: String) throws { try input?.write(line + "\n") }

  /// Lets it read the end of its input.
  package func closeInput() { input = nil }

  /// The next line it prints; `nil` at the end of its output.
  ///
  /// - Parameter deadline: `nil` comes back also then.
  package func line(until deadline: ContinuousClock.Instant) throws -> String? {
    while true {
      if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: buffer[..<newline], as: UTF8.self)
        buffer.removeSubrange(...newline)
        return line
      }
      // Half a line is none: who was killed while writing has said nothing.
      if isAtEnd { return nil }
      let left = deadline - .now
      if left <= .zero { return nil }
      var polled = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&polled, 1, min(Int32(left / .milliseconds(1)), 1_000) + 1)
      guard ready > 0 else { continue }
      let bytes = try output.read(upTo: 1 << 16)
      if bytes.isEmpty { isAtEnd = true }
      buffer += bytes
    }
  }

  /// The next line.
  ///
  /// - Throws: ``Problem`` where there is none.
  package func line() throws -> String {
    guard let line = try line(until: .now + patience) else {
      throw Problem(description: "\(command) says nothing more; \(end.map { "\($0)" } ?? "it runs")")
    }
    return line
  }

  /// Waits for a line that begins with a word, passing over others; what follows the word, split at spaces.
  @discardableResult
  package func words(after word: String) throws -> [String] {
    while true {
      let words = try line().split(separator: " ").map(String.init)
      if words.first == word { return Array(words.dropFirst()) }
    }
  }

  /// All lines that are still to come, to the end.
  package func lines() throws -> [String] {
    var lines: [String] = []
    let deadline = ContinuousClock.now + patience
    while let line = try line(until: deadline) { lines.append(line) }
    guard isAtEnd else { throw Problem(description: "\(command) does not end") }
    return lines
  }

  // MARK: Ending

  /// Sends a signal.
  package func signal(_ number: Int32) { if end == nil { kill(id, number) } }

  /// Waits for its end, and kills it where that does not come.
  @discardableResult
  package func wait() throws -> End {
    if let end { return end }
    let deadline = ContinuousClock.now + patience
    var status: Int32 = 0
    while unsafe waitpid(id, &status, WNOHANG) == 0 {
      if ContinuousClock.now > deadline {
        kill(id, SIGKILL)
        throw Problem(description: "\(command) does not end")
      }
      MonotonicClock.sleep(nanoseconds: 500_000)
    }
    let found: End = status & 0x7f == 0 ? .exit((status >> 8) & 0xff) : .signal(status & 0x7f)
    end = found
    return found
  }

  /// Kills it at once, as the system does when memory runs out.
  package func kill9() throws {
    signal(SIGKILL)
    try wait()
  }

  /// The folder of the running tests, in which the programs of the package lie too.
  package static var productsFolder: String {
    var path = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &path, path.count)
    let executable = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return Files.folder(of: executable)
  }
}
