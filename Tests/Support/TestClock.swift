// A clock that goes as the test says, also backwards.
package import EventStore
import Synchronization

/// A clock for ``EventLog/Options/clock``.
package final class TestClock: Sendable {
  private let microseconds: Atomic<Int64>

  /// Begins at a day in 2026.
  package init() { microseconds = Atomic(1_780_000_000_000_000) }

  /// What the clock shows.
  package var now: Timestamp { Timestamp(clamping: microseconds.load(ordering: .sequentiallyConsistent)) }

  /// Puts the clock forward, or back.
  package func advance(byMicroseconds step: Int64) {
    _ = microseconds.add(step, ordering: .sequentiallyConsistent)
  }
}
