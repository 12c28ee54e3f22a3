// How often a quantity was how large, for people who watch a process.
internal import Synchronization

/// Counts by size: how many values were at most each bound, how many there were, and their sum.
public struct HistogramCounts: Hashable, Sendable {
  /// Upper bounds, each part of its own step; ascending.
  public let bounds: [Double]
  /// Values in each step, and in the last one those beyond all bounds.
  public internal(set) var counts: [Int]
  /// The sum of all values.
  public internal(set) var sum: Double = 0

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  /// How many values there were.
  public var total: Int { counts.reduce(0, +) }
}

/// Takes values in from any thread.
package final class Histogram: Sendable {
  private let counted: Mutex<HistogramCounts>

  /// - Parameter bounds: Ascending.
  package init(bounds: [Double]) { counted = Mutex(HistogramCounts(bounds: bounds)) }

  /// - Complexity: O(bounds)
  package func add(_ value: Double) {
    counted.withLock { counted in
      counted.counts[counted.bounds.firstIndex { value <= $0 } ?? counted.bounds.count] += 1
      counted.sum += value
    }
  }

  /// What was counted so far.
  package var counts: HistogramCounts { counted.withLock { $0 } }

  /// Seconds, from a tenth of a millisecond to ten seconds.
  package static let seconds = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]
  /// Numbers of things that come together.
  package static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096]
}
