// How often each operation was asked, how it went, and how long it took.
import HTTPServer
import Memoir
import Platform
import Synchronization

/// Counts requests by operation and status.
final class RequestMetrics: Sendable {
  struct Key: Hashable, Comparable {
    var operation: String
    var status: Int

    static func < (one: Key, other: Key) -> Bool {
      (one.operation, one.status) < (other.operation, other.status)
    }
  }

  private let histograms = Mutex<[Key: Histogram]>([:])

  func count(_ note: RequestNote, _ status: Int) {
    // Of paths that lead nowhere there is no end: they are one.
    let key = Key(operation: note.operation ?? "none", status: status)
    let histogram = histograms.withLock { histograms in
      if let known = histograms[key] { return known }
      let made = Histogram(bounds: Histogram.seconds)
      histograms[key] = made
      return made
    }
    histogram.add(Double(MonotonicClock.nanoseconds - note.began) / 1e9)
  }

  /// All of them, in order.
  var counts: [(key: Key, seconds: HistogramCounts)] {
    histograms.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value.counts) }
  }
}
