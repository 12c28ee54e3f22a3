// What runs in a process of its own: `memoir-bench task NAME …`, which only this program calls.
import Memoir
import PeerBench
import Platform

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
    case "fill": try fill(words[1], events: try number(2), users: try number(3), tail: try number(4))
    case "close": try close(words[1])
    case "open": try open(words[1])
    case "grow": try await grow(words[1], events: try number(2), users: try number(3))
    default: throw BenchError("task \(words)")
    }
  }

  static func emit(_ name: String, _ value: () throws -> Double) throws {
    try Descriptor.standardOutput.write("\(name)\t\(try value())\n")
  }

  /// Replays all users, so that somebody can look at how much memory that takes.
  private static func replay(_ folder: String, jobs: Int) throws {
    let log = try EventLog(folder: folder, schema: .memoir)
    let result = try log.replayAll(jobs: jobs)
    try emit("rate") { Double(result.events) / result.seconds }
    try log.close()
  }

  /// Makes a store, appends until its tail is full, and ends as a kill would.
  private static func fill(_ folder: String, events: Int, users: Int, tail wanted: Int) throws {
    let workload = try Workload(events: events + 2 * wanted, users: users)
    let contestant = try MemoirContestant(in: folder, workload)
    _ = try contestant.load(0..<events)
    func tail() throws -> Int {
      Int(try contestant.log.storeStatistics(for: TallyProjector()).tailEvents)
    }
    var next = events
    // One more batch could end the block.
    while try tail() <= wanted - Workload.batch, next + Workload.batch <= workload.events.count {
      _ = try contestant.load(next..<next + Workload.batch)
      next += Workload.batch
    }
    let reached = try tail()
    try emit("tail") { Double(reached) }
    bench_die()
  }

  /// Opens a store, appends an event and closes: that seals a long tail.
  private static func close(_ folder: String) throws {
    let log = try EventLog(folder: folder, schema: .memoir)
    let message = try MessageAdded(role: .user, content: "The last one.")
    let id = EventID.generate(at: Timestamp(clamping: WallClock.microseconds))
    let event = try EventData(.messageAdded(message), id: id)
    try log.appendAndWait([StreamAppend([event], to: StreamName(try UserID("user-last")))])
    try log.close()
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
