// Results as JSON: every value of every round, so that others can make their own sense of them.
import Foundation

/// Writes results as JSON.
struct ResultsJSON {
  let results: Results
  let plan: Plan

  /// What the figures were measured on.
  static var machine: [String: Any] {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let model = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last.map(String.init) ?? ""
    let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
    return [
      "processor": model.trimmingCharacters(in: .whitespaces),
      "cores": ProcessInfo.processInfo.activeProcessorCount,
      "memory_bytes": ProcessInfo.processInfo.physicalMemory,
      "kernel": kernel.trimmingCharacters(in: .whitespacesAndNewlines),
    ]
  }

  private func finite(_ value: Double) -> Any { value.isFinite ? value : NSNull() }

  func data() throws -> Data {
    let rows = results.rows.map { row -> [String: Any] in
      var object: [String: Any] = ["id": row.id, "question": row.text, "unit": row.unit]
      var values: [String: Any] = [:]
      for (kind, rounds) in results.values[row.id] ?? [:] { values[kind.rawValue] = rounds.map(finite) }
      object["values"] = values
      if let ratio = results.ratio(row.id, to: .lmdb) { object["ratio_to_lmdb"] = finite(ratio) }
      if let ratio = results.ratio(row.id, to: .sqlite) { object["ratio_to_sqlite"] = finite(ratio) }
      object["goals"] = row.goals.map { goal -> [String: Any] in
        var text: [String: Any] = ["goal": TableText.text(of: goal, unit: row.unit)]
        if let reached = results.isReached(goal, of: row) { text["reached"] = reached }
        return text
      }
      return object
    }
    let series = results.series.mapValues { lines in
      lines.map { line -> [String: Any] in
        ["name": line.name, "points": line.points.map { [finite($0.x), finite($0.y)] }]
      }
    }
    let document: [String: Any] = [
      "machine": Self.machine,
      "workload": ["events": plan.events, "users": plan.users, "rounds": plan.rounds],
      "rows": rows, "series": series, "notes": results.notes,
    ]
    return try JSONSerialization.data(
      withJSONObject: document, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  }
}
