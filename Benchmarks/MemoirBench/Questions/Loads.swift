// Bulk appends: how fast, how many bytes are written, how many are left on disk.
import Memoir

extension Bench {
  /// Loads the workload into all stores; what the other questions need too.
  func loadAll(_ contestants: [any Contestant]) throws {
    for contestant in contestants {
      say("loading \(contestant.kind.rawValue)")
      let load = try workload.load(into: contestant)
      guard asks(.bulk) else { continue }
      results.add("bulk", contestant.kind, load.rate)
      results.add("bulk-median", contestant.kind, load.medianCommitRate)
      results.add("amplification", contestant.kind, load.writeAmplification)
      results.add("disk", contestant.kind, load.bytesPerEvent)
      if let memoir = contestant as? MemoirContestant { try noteTables(of: memoir) }
    }
  }
}

extension Bench {
  /// Says what each table takes up.
  private func noteTables(of memoir: MemoirContestant) throws {
    let statistics = try memoir.log.storeStatistics(for: TallyProjector())
    let events = Double(workload.events.count)
    let tables = statistics.tables.filter { $0.sizeInBytes > 0 }.map {
      "\($0.name) \(TableText.number(Double($0.sizeInBytes) / events))"
    }
    results.note(
      "bytes an event by table: \(tables.joined(separator: ", ")), free "
        + TableText.number(Double(statistics.freeBytes) / events))
  }
}
