// What one writes to get a state out of a stream: an initial value and a step.
public import Bytes

/// A state that can be stored as a snapshot.
public protocol ProjectionState: Sendable {
  /// How many bytes ``encode(into:)`` writes: exactly, in O(1). It decides when snapshots are due.
  var encodedSize: Int { get }
  /// Appends the state. Equal states append equal bytes.
  func encode(into writer: inout ByteWriter)
  /// Reads what ``encode(into:)`` appended.
  ///
  /// - Throws: ``DamagedBytes`` where the bytes are not such a state. The snapshot is then ignored.
  init(decoding reader: inout ByteReader) throws(DamagedBytes)

  /// Whether its snapshots are its parts: for a state that only grows, as an index does, and would else be stored whole
  /// again and again. By default it is stored whole.
  static var isStoredInParts: Bool { get }
  /// The number, from 0 on, of the part that the last event finished; once.
  mutating func takeFinishedPart() -> Int?
  /// Appends a finished part.
  func encode(part: Int, into writer: inout ByteWriter)
  /// Adds what ``encode(part:into:)`` appended of the part that comes after its own, which are all finished.
  ///
  /// - Throws: ``DamagedBytes`` where the bytes are no such part; the state is as before then.
  mutating func add(partDecoding reader: inout ByteReader) throws(DamagedBytes)
}

extension ProjectionState {
  /// It is stored whole.
  public static var isStoredInParts: Bool { false }
  /// None.
  public mutating func takeFinishedPart() -> Int? { nil }
  /// There is none.
  public func encode(part: Int, into writer: inout ByteWriter) {}
  /// There is none.
  public mutating func add(partDecoding reader: inout ByteReader) throws(DamagedBytes) { throw DamagedBytes() }
}

/// Folds the events of a stream into a state.
///
/// A projector is pure: the same events in the same order give the same state. It reads no clock and keeps nothing
/// outside the state; then every as-of state, snapshot and replay comes out equal to the plain fold.
public protocol Projector<State>: Sendable {
  /// What it folds to.
  associatedtype State: ProjectionState

  /// Its name, which with ``version`` and ``parameters`` keys its snapshots.
  var name: String { get }
  /// To be raised whenever ``apply(_:to:)`` or the state's form changes: older snapshots are then ignored.
  var version: Int { get }
  /// Whatever else the state depends on, e.g. the size of a window.
  var parameters: String { get }

  /// The state before the first event.
  func initialState() -> State

  /// Folds one event. Events of types it does not know are to be ignored.
  ///
  /// - Throws: ``DamagedBytes`` where the payload is not what its type says. The read then fails as corrupt.
  func apply(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes)

  /// Folds an event whose payload was taken out of the log. By default it leaves no trace.
  func applyRedacted(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes)
}

extension Projector {
  /// None.
  public var parameters: String { "" }
  /// Leaves the state as it is.
  public func applyRedacted(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {}
}
