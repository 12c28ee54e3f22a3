// Taking time, and what to make of several measurements.
import Platform

/// Time since it was made, or since the last lap.
struct Stopwatch {
  private var start = MonotonicClock.nanoseconds

  /// Seconds since the start.
  var seconds: Double { Double(MonotonicClock.nanoseconds - start) / 1e9 }

  /// Seconds since the start or the last lap, which ends here.
  mutating func lap() -> Double {
    let now = MonotonicClock.nanoseconds
    defer { start = now }
    return Double(now - start) / 1e9
  }
}

/// Seconds that `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let watch = Stopwatch()
  try body()
  return watch.seconds
}

extension Array where Element: BinaryFloatingPoint {
  /// The value below which a part of the values lie; of an empty array, 0.
  func quantile(_ part: Double) -> Double {
    let sorted = sorted()
    return sorted.sortedQuantile(part)
  }

  /// The same, where the values are sorted already.
  func sortedQuantile(_ part: Double) -> Double {
    isEmpty ? 0 : Double(self[Swift.min(count - 1, Int(Double(count) * part))])
  }

  /// The middle one.
  var median: Double { quantile(0.5) }
}

/// How long single calls took, in microseconds.
struct Latencies {
  private(set) var sorted: [Float] = []

  mutating func add(_ microseconds: [Float]) {
    sorted += microseconds
    sorted.sort()
  }

  subscript(part: Double) -> Double { sorted.sortedQuantile(part) }
  var longest: Double { Double(sorted.last ?? 0) }
}
