// What recall costs whoever appends.
import Memoir
import Platform

/// Appends the same batches, in turn, to a store that nobody asks, to one that was asked once, and to one that is asked
/// after each batch.
struct AppendsBesideRecall {
  private let plan: RecallPlan
  private let folder: String
  private let tell: (String) -> Void

  init(_ plan: RecallPlan, folder: String, tell: @escaping (String) -> Void) {
    self.plan = plan
    self.folder = folder
    self.tell = tell
  }

  private enum Asking: String, CaseIterable {
    case never, before
    case between = "after each"
  }

  func measure() async throws -> [String] {
    tell("appending beside recall")
    let person = StreamName(try UserID("person"))
    var batches: [[EventData]] = []
    // The last batch may be a short one.
    var history = RecallHistory(seed: 9, memories: 100 * plan.batches, messages: 1_000 * plan.batches)
    try history.forEachBatch { if batches.count < plan.batches + 1 { batches.append($0) } }
    var stores: [MemoirStore] = []
    for asking in Asking.allCases { stores.append(try MemoirStore(folder: "\(folder)/asked-\(asking).store")) }
    var query = RecallQuery(history.question())
    query.kinds = Set(MemoryKind.allCases)
    var seconds = Asking.allCases.map { _ in [Double]() }
    for (number, batch) in batches.enumerated() {
      // Each goes first as often as the others.
      for turn in 0..<stores.count {
        let index = (number + turn) % stores.count
        let watch = Stopwatch()
        try stores[index].log.appendAndWait([StreamAppend(batch, to: person)])
        // The first makes the file.
        if number > 0 { seconds[index].append(watch.seconds) }
        let isAsked = Asking.allCases[index] == .between || Asking.allCases[index] == .before && number == 0
        if isAsked { _ = try await stores[index].recall(query, of: person) }
      }
    }
    for store in stores { try store.close() }
    let rates = zip(seconds, Asking.allCases).map { seconds, asking in
      "\(asking.rawValue) \(TableText.number(1_000 / seconds.median))/s"
    }
    let ratios = [1, 2].map { TableText.number(seconds[0].median / seconds[$0].median) }
    return [
      "appending 1,000 events a batch, the person being asked \(rates.joined(separator: ", ")):",
      "\(ratios[0]) × after a question (goal: ≥ 0.95), \(ratios[1]) × with one after each batch",
    ]
  }
}
