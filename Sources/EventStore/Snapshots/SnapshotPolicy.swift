// When a snapshot of a stream is due: often enough that a read is short, seldom enough that snapshots stay few.

/// The rule by which snapshots are taken.
///
/// A snapshot is due at the first version where the bytes of events since the one before reach
/// max(`minimumBytes`, `factor` × the encoded size of the state at that version). Hence a read folds less than
/// max(`minimumBytes`, `factor` × the state asked for) and one event, and all snapshots of a stream by one projector
/// together weigh at most 1/`factor` of its events; twice that where events came in late, since the order of occurrence
/// then has snapshots of its own.
public struct SnapshotPolicy: Sendable, Hashable {
  /// How many times the state's size the events since the last snapshot must be.
  public var factor: Int
  /// So many bytes of events are folded without a thought.
  public var minimumBytes: Int

  /// Makes a rule.
  public init(factor: Int = 4, minimumBytes: Int = 64 << 10) {
    precondition(factor > 0 && minimumBytes >= 0)
    self.factor = factor
    self.minimumBytes = minimumBytes
  }

  /// Whether a snapshot is due; `stateBytes` is asked only where it matters.
  @inline(__always)
  func isDue(eventBytes: Int, stateBytes: @autoclosure () -> Int) -> Bool {
    eventBytes >= minimumBytes && eventBytes >= factor * stateBytes()
  }
}
