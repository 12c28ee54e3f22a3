// What runs in a process of its own: `memoir-bench task NAME …`, which only this program calls.
import Memoir
import PeerBench
import Platform
import Synchronization

/// Tasks of other processes. Each prints its numbers as `name<TAB>number` lines.
enum BenchTask {
  static func run(_ words: [String]) async throws {
    func number(_ index: Int) throws -> Int {
      guard index < words.count, let number = Int(words[index]) else { throw BenchError("task \(words)") }
      return number
    }
    guard words.count >= 2 else { throw BenchError("task \(words)") }
    switch words[0] {
    case "replay": try replay(words[1], jobs: try number(2))
    case "fill": try fill(words[1], events: try number(2), users: try number(3), isKilled: words.last == "killed")
    case "open": try open(words[1])
    case "grow": try await grow(words[1], events: try number(2), users: try number(3))
    default: throw BenchError("task \(words)")
    }
  }

  static func emit(_ name: String, _ value: () throws -> Double) throws {
    try Descriptor.standardOutput.write("\(name)\t\(try value())\n")
  }

  /// Replays all users, and says how much memory that took.
  private static func replay(_ folder: String, jobs: Int) throws {
    let log = try EventLog(folder: folder, schema: .memoir)
    let isDone = Atomic<Bool>(false)
    let peak = Atomic<UInt64>(0)
    let watcher = try DedicatedThread(name: "memory") {
      while !isDone.load(ordering: .relaxed) {
        peak.max(bench_own_memory(), ordering: .relaxed)
        MonotonicClock.sleep(nanoseconds: 5_000_000)
      }
    }
    let result = try log.replayAll(jobs: jobs)
    isDone.store(true, ordering: .relaxed)
    watcher.join()
    try emit("rate") { Double(result.events) / result.seconds }
    try emit("own") { Double(peak.load(ordering: .relaxed)) }
    try emit("resident") { Double(Machine.peakMemory) }
    try log.close()
  }

  /// Makes a store, or opens it, and appends until its tail is full; ends as a kill would, or closes.
  private static func fill(_ folder: String, events: Int, users: Int, isKilled: Bool) throws {
    let interval = EventLog.Options().checkpointInterval
    let workload = try Workload(events: events + (isKilled ? 2 * interval : 0), users: users)
    let contestant = try MemoirContestant(in: folder, workload)
    let log = contestant.log
    _ = try contestant.load(0..<events)
    // One more batch could begin a checkpoint.
    func tail() throws -> Int { Int(try log.storeStatistics(for: TallyProjector()).tailEvents) }
    var next = events
    while isKilled, try tail() < interval - Workload.batch, next < workload.events.count {
      _ = try contestant.load(next..<next + Workload.batch)
      next += Workload.batch
    }
    if isKilled {
      try emit("tail") { Double(try tail()) }
      bench_die()
    }
    // A store that was killed with a full tail is closed once, and with that its tail is folded.
    if events == 0 {
      let stream = StreamName(try UserID("user-last"))
      let event = MemoirEvent.messageAdded(try MessageAdded(role: .user, content: "The last one."))
      let data = try EventData(event, id: .generate(at: Timestamp(clamping: WallClock.microseconds)))
      try log.appendAndWait([StreamAppend([data], to: stream)])
    }
    try contestant.close()
  }

  /// Opens a store and asks it where its log and a stream end.
  private static func open(_ folder: String) throws {
    let watch = Stopwatch()
    let log = try EventLog(folder: folder, schema: .memoir)
    _ = try log.lastPosition()
    _ = try log.version(of: StreamName(try UserID(Workload.name(of: 0))))
    try emit("milliseconds") { watch.seconds * 1e3 }
    try log.close()
  }
}
