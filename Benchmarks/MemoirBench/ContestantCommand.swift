// `memoir-bench contestant DIR EVENTS.jsonl`: Memoir as one of several programs that do the same jobs.
import Memoir
import PeerBench
import Platform

/// Does the jobs one after the other and prints a line for each: its name, a tab, a number.
///
/// The environment says how many events and users (`EVENTS`, `USERS`), how long appends take (`APPEND_MS`), and whether
/// the kernel is kept from reading ahead of cold reads (`NORDAHEAD=1`).
struct ContestantCommand {
  let folder: String
  /// The workload as JSON Lines: it must be the one that is made here.
  let file: String?

  private static func setting(_ name: String, otherwise value: Int) -> Int {
    CurrentProcess.environment(name).flatMap { Int($0) } ?? value
  }

  private func emit(_ job: String, _ value: Double) throws {
    try Descriptor.standardOutput.write("\(job)\t\(value)\n")
  }

  private func emit(_ job: String, _ slices: Slices, withLatencies: Bool) throws {
    try emit(job, slices.rate)
    try emit("\(job)_per_fdatasync", slices.ratePerSync)
    if slices.isSlow { try emit("\(job)_disk_was_slow", 1) }
    guard withLatencies else { return }
    let latencies = slices.latencies
    for (name, part) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
      try emit("\(job)_\(name)_us", latencies[part])
    }
    try emit("\(job)_max_us", latencies.longest)
  }

  func run() async throws {
    let workload = try Workload(
      events: Self.setting("EVENTS", otherwise: 1_000_000), users: Self.setting("USERS", otherwise: 10_000))
    if let file { try workload.check(isIn: file) }
    let contestant = try MemoirContestant(in: "\(folder)/memoir.store", workload)
    let load = try workload.load(into: contestant)
    try emit("bulk", load.rate)
    try emit("bulk_median_commit", load.medianCommitRate)
    try emit("write_amp", load.writeAmplification)
    try emit("disk_bytes_per_event", load.bytesPerEvent)

    let reading = ReadingBench(contestant, workload)
    try emit("scan_first", try reading.scan())
    try emit("scan", try reading.scan())
    let users = Array(0..<workload.users)
    try emit("scan_by_stream_first", try reading.read(users, checksDigests: true))
    try emit("scan_by_stream", try reading.read(users, checksDigests: false))
    try emit("stream", try reading.streams(picks: min(4000, 8 * workload.users)))
    try contestant.prepareStates()
    try emit("point", try reading.points(picks: min(500_000, workload.events.count)))

    let appending = AppendingContestant(contestant, workload)
    var plan = SlicePlan()
    plan.seconds = Double(Self.setting("APPEND_MS", otherwise: 2000)) / 1e3 / Double(plan.slices)
    for writers in [1, 8, 64] where writers <= workload.users {
      let slices = try await plan.run([appending]) {
        try await $0.append(writers: writers, seconds: plan.seconds)
      }
      try emit("append\(writers)", slices[0], withLatencies: true)
    }
    for size in [8, 64] {
      let slices = try await plan.run([appending]) { try await $0.commit(size: size, seconds: 0.1) }
      try emit("group\(size)", slices[0], withLatencies: false)
    }
    let after = ReadingBench(contestant, workload, heads: appending.heads)
    try emit("stream_end", try after.streams(picks: min(2000, 8 * workload.users), checksDigests: false))
    try emit("stream_cold", try after.coldStreams(readsAhead: Self.setting("NORDAHEAD", otherwise: 0) == 0))
    try contestant.close()
  }
}

extension Workload {
  /// Makes sure that a file begins with the events of this workload.
  func check(isIn file: String) throws {
    var lines = LineReader(try Descriptor(opening: file, for: .reading))
    for event in events.prefix(1000) {
      let id = EventID(bytes: event.id).description
      let user = Self.name(of: Int(event.user))
      guard let line = try lines.next() else { throw BenchError("\(file) has too few events") }
      let text = String(decoding: line, as: UTF8.self)
      guard text.contains("\"\(id)\""), text.contains("\"\(user)\"") else {
        throw BenchError("\(file) is another workload: \(text.prefix(200))")
      }
    }
  }
}
