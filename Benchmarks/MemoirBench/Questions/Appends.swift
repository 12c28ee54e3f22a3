// Durable appends: how many a second, and how long a writer waits.
import Foundation

extension Bench {
  /// 1, 8 and 64 writers of one event each; 64 events a commit. A slice of each contestant in turn.
  func askAppend(_ contestants: [AppendingContestant]) async throws {
    for writers in [1, 8, 64] where writers <= plan.users {
      say("\(writers) writers")
      let slices = try await plan.appends.run(contestants) {
        try await $0.append(writers: writers, seconds: plan.appends.seconds)
      }
      for (contestant, slices) in zip(contestants, slices) {
        results.add("append\(writers)", contestant.contestant.kind, slices.rate)
        results.add("append\(writers)-sync", contestant.contestant.kind, slices.ratePerSync)
      }
      note(slices, of: contestants, "\(writers) writers")
    }
    say("64 events a commit")
    let slices = try await plan.appends.run(contestants) {
      try await $0.commit(size: 64, seconds: plan.appends.seconds)
    }
    for (contestant, slices) in zip(contestants, slices) {
      results.add("group64", contestant.contestant.kind, slices.rate)
    }
    note(slices, of: contestants, "64 events a commit")
  }

  /// 64 writers for longer, while snapshots are taken too.
  func askLatency(_ contestants: [AppendingContestant]) async throws {
    say("latencies")
    for contestant in contestants {
      if let memoir = contestant.contestant as? MemoirContestant { try memoir.maintainSnapshots() }
    }
    let writers = min(64, plan.users)
    let slices = try await plan.latencies.run(contestants) {
      try await $0.append(writers: writers, seconds: plan.latencies.seconds)
    }
    for (contestant, slices) in zip(contestants, slices) {
      let kind = contestant.contestant.kind
      let latencies = slices.latencies
      for (row, part) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        results.add(row, kind, latencies[part] / 1e3)
      }
      results.add("longest", kind, latencies.longest / 1e3)
      results.add(
        series: "latency", line: kind.rawValue,
        [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999].map {
          (-log10(1 - $0), latencies[$0] / 1e3)
        })
    }
    note(slices, of: contestants, "latencies of 64 writers")
  }

  /// Says what was dropped because the disk was slow.
  private func note(_ slices: [Slices], of contestants: [AppendingContestant], _ what: String) {
    for (contestant, slices) in zip(contestants, slices) where !slices.slow.isEmpty {
      let name = "\(contestant.contestant.kind.rawValue), round \(round)"
      results.note(
        slices.isSlow
          ? "\(what), \(name): the disk was slow in all \(slices.slow.count) slices; they had to do"
          : "\(what), \(name): \(slices.slow.count) slices in a slow spell of the disk dropped, \(slices.calm.count) kept"
      )
    }
  }
}
