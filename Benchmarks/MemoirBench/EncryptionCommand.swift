// `memoir-bench encryption`: what it costs to have a store encrypted.
import Foundation
import Memoir
import Platform
import Sodium

/// Does the same with a plain store and with encrypted ones, in turn, and compares.
///
/// Each round loads the workload into all of them before any is read, so that all are read in the same condition. Ratios
/// are taken within a round.
struct EncryptionCommand {
  let bench: Bench

  static let help = """
    Usage: memoir-bench encryption [--events N] [--users N] [--rounds N] [--folder DIR] [--quick]

    Does the same with a plain store and with encrypted ones, in turn: bulk appends, a replay of everybody to the context
    state from the first event on, a scan of the log, and bytes on disk. Prints medians, and ratios to the plain store.

    """

  /// A store that is compared; plain where it has no algorithm.
  struct Subject: Hashable {
    var algorithm: SealingAlgorithm?
    var name: String { algorithm?.name ?? "plain" }
  }

  enum Figure: String, CaseIterable {
    case append = "bulk append, events/s"
    case replay = "full replay, events/s"
    case scan = "scan of the log, events/s"
    case bytes = "bytes an event"
  }

  let subjects = [Subject()] + SealingAlgorithm.allCases.filter(\.isAvailable).map { Subject(algorithm: $0) }

  func run() throws -> [Figure: [Subject: [Double]]] {
    var figures: [Figure: [Subject: [Double]]] = [:]
    for round in 1...bench.plan.rounds {
      bench.say("round \(round) of \(bench.plan.rounds)")
      var stores: [(subject: Subject, store: MemoirContestant)] = []
      defer { try? bench.discard(stores.map(\.store)) }
      // Whoever is first in one round is last in another.
      for subject in round % 2 == 1 ? subjects : subjects.reversed() {
        var options = EventLog.Options()
        options.masterKey = subject.algorithm.map { _ in MasterKey.random() }
        options.algorithm = subject.algorithm
        let store = try MemoirContestant(
          in: try bench.makeFolder() + "/memoir.store", bench.workload, options: options)
        stores.append((subject, store))
        bench.say("loading \(subject.name)")
        let load = try bench.workload.load(into: store)
        figures[.append, default: [:]][subject, default: []].append(load.rate)
        figures[.bytes, default: [:]][subject, default: []].append(load.bytesPerEvent)
      }
      var digests: Set<String> = []
      for (subject, store) in stores {
        bench.say("reading \(subject.name)")
        var count: UInt64 = 0, bytes = 0
        let time = try seconds {
          try store.log.forEachEvent { _, event in
            count += 1
            bytes += event.payload.byteCount
          }
        }
        figures[.scan, default: [:]][subject, default: []].append(Double(count) / time)
        let replay = try store.replay(jobs: 1)
        figures[.replay, default: [:]][subject, default: []].append(Double(replay.events) / replay.seconds)
        digests.insert("\(replay.digest) \(count) \(bytes)")
      }
      guard digests.count == 1 else { throw BenchError("they differ: \(digests)") }
    }
    return figures
  }

  /// Medians, and the median ratio to the plain store.
  func text(_ figures: [Figure: [Subject: [Double]]]) -> String {
    var lines = ["| | " + subjects.map(\.name).joined(separator: " | ") + " |"]
    lines.append("|---|" + subjects.map { _ in "---:|" }.joined())
    for figure in Figure.allCases {
      let plain = figures[figure]?[Subject()] ?? []
      let cells = subjects.map { subject in
        let values = figures[figure]?[subject] ?? []
        let median = TableText.number(values.median)
        if subject.algorithm == nil { return median }
        return "\(median) (\(String(format: "%.2f", zip(values, plain).map { $0 / $1 }.median)) ×)"
      }
      lines.append("| \(figure.rawValue) | " + cells.joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
