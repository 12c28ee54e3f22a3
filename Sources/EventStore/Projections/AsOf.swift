// The point a question is asked at.

/// As of when a state is wanted. Every bound is inclusive.
public enum AsOf: Hashable, Sendable {
  /// With everything the store has.
  case head
  /// With the stream's events up to this version.
  case version(StreamVersion)
  /// With the log's events up to this position.
  case position(LogPosition)
  /// With what was recorded by this time: "what did we know then".
  case recordedAt(Timestamp)
  /// With what occurred by this time, in the order it occurred: "what was true then".
  case occurredAt(Timestamp)
}

/// Why there is no answer.
public enum ReadError: Error, Hashable, Sendable {
  /// A point beyond what there is.
  case invalid(InvalidValue)
  /// The log could not be read.
  case storage(StorageError)
}

extension ReadError: CustomStringConvertible {
  /// What happened, in a sentence.
  public var description: String {
    switch self {
    case .invalid(let value): value.description
    case .storage(let error): error.description
    }
  }
}

/// A state, and what it is the state of.
public struct FoldedState<State: Sendable>: Sendable {
  /// What the events fold to.
  @inlinable public var state: State { _read { yield box.state } }
  /// The stream's highest version among them; 0 where there are none.
  public var version: StreamVersion
  /// The time by which expiry is to be judged at that point; `nil` at the head, where it is now.
  public var judgedAt: Timestamp?
  /// How many events this reading folded itself, after the snapshot or cached state it began from.
  public var eventsFolded: Int
  /// The bytes of those events.
  public var bytesFolded: Int
  /// The bytes of events since the latest snapshot before the point.
  package var bytesSinceSnapshot = 0
  /// Snapshots that were due among those events.
  package var snapshotsDue = 0
  /// What ``EventLog/keep(_:sizeInBytes:beside:of:by:)`` keeps beside the state.
  package var companion: (any AnyObject & Sendable)?
  /// Shared with the cache: a copy of a large state touches as much memory as reading it.
  @usableFromInline let box: StateBox<State>
}

/// A state that is handed on without copying it.
@usableFromInline final class StateBox<State: Sendable>: Sendable {
  @usableFromInline let state: State

  init(_ state: State) { self.state = state }
}
