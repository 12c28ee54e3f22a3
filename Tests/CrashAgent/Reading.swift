// Commands that read: to be killed between receipt and acknowledgement, or to sleep while others write.
import Bytes
import EventStore
import Glibc
import Platform
import Synchronization
import TestSupport

extension Agent {
  /// Follows a durable subscription and acknowledges every event; dies between a receipt and its acknowledgement.
  static func subscribe(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let name = arguments[text: "name"] ?? "reader"
    let made = try log.makeSubscription(named: name)
    say("from \(made.checkpoint)")
    if arguments["sleeps", default: 0] == 1 { hear() }
    let diesAt = arguments["dies", default: .max]
    let end = UInt64(arguments["end", default: .max])
    try runTask {
      var received = 0
      for try await event in log.subscribe(after: made.checkpoint) {
        say("got \(event.position) \(event.id)")
        received += 1
        if received == diesAt { kill(getpid(), SIGKILL) }
        try log.acknowledge(event.position, of: name)
        say("acknowledged \(event.position)")
        if event.position.number == end { break }
      }
    }
    try log.close()
    say("closed")
  }

  /// Follows the log, slowly.
  static func follow(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let end = UInt64(arguments["end", default: .max])
    let delay = UInt64(arguments["delay", default: 0]) * 1000
    say("open")
    let speedsUp = Mutex(false)
    let listener = try DedicatedThread(name: "listen") {
      hear()
      speedsUp.withLock { $0 = true }
    }
    try runTask {
      var position: LogPosition = 0
      for try await event in log.subscribe(after: 0) {
        guard event.position == position.next else {
          throw Misuse(reason: "\(event.position) after \(position)")
        }
        position = event.position
        if !speedsUp.withLock({ $0 }) { MonotonicClock.sleep(nanoseconds: delay) }
        if position.number == end { break }
      }
      say("followed \(position)")
    }
    listener.join()
    try log.close()
  }

  /// Folds a stream, and sleeps in the middle of it until told to go on.
  static func fold(_ arguments: Arguments) throws {
    let log = try arguments.open()
    guard let user = arguments[text: "user"] else { throw Misuse(reason: "whose?") }
    let stream = StreamName.named(user)
    let projector = PausingProjector(pause: .inMiddle(StreamVersion(UInt64(arguments["at", default: 1]))))
    guard let state = try log.state(of: stream, by: projector, usesSnapshots: false) else {
      throw Misuse(reason: "no \(user)")
    }
    let plain = try log.state(of: stream, by: projector, at: .version(state.version), usesSnapshots: false)
    say("folded \(state.version) \(state.state == plain?.state) \(try log.version(of: stream))")
    // And from here on everything, as anybody else.
    var position: LogPosition = 0
    while true {
      let page = try log.readAll(after: position, limit: 10_000)
      position = page.events.last?.position ?? position
      if page.next == nil { break }
    }
    say("read \(position)")
    try log.close()
  }

  /// Replays everything, telling of each stream begun.
  static func replay(_ arguments: Arguments) throws {
    let log = try arguments.open()
    var options = ReplayOptions()
    options.jobs = arguments["jobs", default: 1]
    options.usesSnapshots = arguments["snapshots", default: 0] == 1
    if arguments["position", default: -1] >= 0 {
      options.point = .position(LogPosition(UInt64(arguments["position", default: 0])))
    }
    let delay = UInt64(arguments["delay", default: 0]) * 1000
    let result = try log.replay(by: PausingProjector(pause: .each(nanoseconds: delay)), options)
    say("replayed \(result.digest) \(result.streams) \(result.events) \(result.resumedStreams)")
    try log.close()
  }

  /// Copies the store.
  static func backup(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let summary = try log.backup(to: arguments[text: "to"] ?? "")
    say("copied \(summary.position)")
    try log.close()
  }

  /// Runs a task to its end from a program without tasks.
  static func runTask<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
    let outcome = Monitor<Result<Value, any Error>?>(nil)
    Task.detached {
      do {
        let value = try await body()
        outcome.change { $0 = .success(value) }
      } catch {
        outcome.change { $0 = .failure(error) }
      }
    }
    guard let value = try outcome.wait(for: { $0 })?.get() else { throw Misuse(reason: "the task has no end") }
    return value
  }
}

/// A ``NotebookProjector`` that takes its time.
struct PausingProjector: Projector {
  enum Pause {
    /// Says so and waits for a line, before this version is folded for the first time.
    case inMiddle(StreamVersion)
    /// At every event, and tells of every stream it begins with.
    case each(nanoseconds: UInt64)
  }

  let name = "notebook"
  let version = 1
  let pause: Pause

  /// Whether the pause in the middle is over.
  private static let hasPaused = Atomic<Bool>(false)

  init(pause: Pause) { self.pause = pause }

  func initialState() -> Notebook { NotebookProjector().initialState() }

  func apply(_ event: borrowing EventView, to state: inout Notebook) throws(DamagedBytes) {
    switch pause {
    case .inMiddle(let version):
      if event.version == version, !Self.hasPaused.exchange(true, ordering: .sequentiallyConsistent) {
        say("holding")
        hear()
      }
    case .each(let nanoseconds):
      if event.version == 1, nanoseconds > 0 { say("begun \(event.position)") }
      if nanoseconds > 0 { MonotonicClock.sleep(nanoseconds: nanoseconds) }
    }
    try NotebookProjector().apply(event, to: &state)
  }
}
