// What the same costs as the log grows: it should cost the same.
import Memoir
import Platform

extension Bench {
  func askGrowth() throws {
    var size = 10_000
    var sizes: [Int] = []
    while size < plan.events {
      sizes.append(size)
      size *= 10
    }
    sizes.append(plan.events)
    var lines: [String: [(x: Double, y: Double)]] = [:]
    for events in sizes {
      say("growth: \(events) events")
      let folder = try makeFolder()
      defer { try? remove(folder) }
      let numbers = try Child.task("grow", [folder + "/memoir.store", "\(events)", "\(plan.users)"]).numbers
      for (name, value) in numbers { lines[name, default: []].append((Double(events), value)) }
    }
    for (name, points) in lines.sorted(by: { $0.key < $1.key }) {
      results.add(series: "growth", line: name, points)
    }
  }
}

extension BenchTask {
  /// Makes a store of so many events, reads and appends; prints medians.
  static func grow(_ folder: String, events: Int, users: Int) async throws {
    // Half of it is one long history of which bounded much is true; the other half are the workload's users.
    guard let stream = LongHistory.stream else { return }
    let workload = try Workload(events: events / 2, users: users)
    let filling = try MemoirContestant(in: folder, workload)
    try filling.maintainSnapshots()
    var history = try LongHistory()
    for start in stride(from: 0, to: workload.events.count, by: Workload.batch) {
      let range = start..<min(start + Workload.batch, workload.events.count)
      _ = try filling.load(range)
      let events = try range.map { _ in try history.next() }
      try filling.log.appendAndWait([StreamAppend(events, to: stream)])
    }
    try filling.log.finishSnapshots()
    try filling.close()

    var options = EventLog.Options()
    options.cacheBytes = 0
    let contestant = try MemoirContestant(in: folder, workload, options: options)
    let log = contestant.log
    let head = try log.version(of: stream)

    func median(_ body: () throws -> Void) rethrows -> Double {
      for _ in 0..<20 { try body() }
      return try (0..<300).map { _ in try seconds(body) * 1e6 }.median
    }
    var random = SplitMix64(seed: 5)
    try emit("as-of read, µs") {
      try median {
        let version = StreamVersion(UInt64(random.below(Int(head.number)) + 1))
        _ = try log.state(of: stream, by: ContextProjector(), at: .version(version))
      }
    }
    try emit("head read, µs") { try median { _ = try log.state(of: stream, by: ContextProjector()) } }
    let appending = AppendingContestant(contestant, workload)
    let slices = try await SlicePlan(slices: 4, tries: 12, seconds: 0.25).run([appending]) {
      try await $0.append(writers: 1, seconds: 0.25)
    }
    try emit("append, bare syncs") { 1 / slices[0].ratePerSync }
    try contestant.close()
    let times = try (0..<5).map { _ in try Child.task("open", [folder]).numbers["milliseconds"] ?? .infinity }
    try emit("open, ms") { times.median }
  }
}
