// Asking the store for its history: what changed between two points, and where an item comes from.
internal import Bytes
public import EventStore
public import JSON

/// What changed about a user between two points.
public struct HistoryDiff: Sendable {
  /// Whose it is.
  public let user: StreamName
  /// The earlier point.
  public let from: AsOfText
  /// The later point.
  public let to: AsOfText
  /// What changed.
  public let changes: StateDiff
}

/// Where an item comes from.
public struct Provenance: Sendable {
  /// Whose it is.
  public let user: StreamName
  /// The item.
  public let item: HistoryItem
  /// The events behind it, in order.
  public let steps: [ProvenanceRecorder.Step]
  /// The state that the item is part of now, or was once.
  public var state: ContextState { recorder.state }

  let recorder: ProvenanceRecorder
}

extension MemoirStore {
  /// What changed about a user between two points, each change with the event responsible.
  ///
  /// - Throws: `not_found` for a user nobody has heard of; `invalid_argument` where `from` comes after `to`, or only
  ///   one of them is an occurred-at.
  public func diff(
    of user: StreamName, from: AsOfText, to: AsOfText
  ) throws(MemoirError) -> HistoryDiff {
    let byOccurred = from.isOccurred == true || to.isOccurred == true
    if byOccurred, from.isOccurred == false || to.isOccurred == false {
      throw .invalid(field: "to", "occurred:TIME goes with occurred:TIME, start and now only")
    }
    // In the order of occurrence the present is all that has occurred.
    let end: AsOf = byOccurred && to == .now ? .occurredAt(.latest) : to.asOf
    let begin: AsOf = byOccurred && from == .now ? .occurredAt(.latest) : from.asOf
    do {
      guard let before = try log.state(of: user, by: projector, at: begin) else {
        throw MemoirError.noUser(user)
      }
      let now = clock()
      guard let last = try log.version(of: user, at: end) else { throw MemoirError.noUser(user) }
      let clockBefore = from == .now ? now : before.judgedAt ?? now
      if isBackward(from, before.version, to, last) { throw backward(from, to) }
      let recorder = ChangeRecorder(from: before.state, by: projector)
      let after = try log.fold(user, after: begin, through: end, by: RecordingProjector(recorder: recorder))
      guard let after else { throw MemoirError.noUser(user) }
      let clockAfter = to == .now ? now : after.judgedAt ?? now
      guard clockBefore <= clockAfter || from == .start else { throw backward(from, to) }
      return HistoryDiff(
        user: user, from: from, to: to,
        changes: StateDiff(after.state.recorder, from: clockBefore, to: clockAfter))
    } catch {
      throw MemoirError(error)
    }
  }

  private func isBackward(
    _ from: AsOfText, _ first: StreamVersion, _ to: AsOfText, _ last: StreamVersion
  ) -> Bool {
    switch (from, to) {
    case (.start, _): false
    case (_, .start): true
    case (.occurred(let a), .occurred(let b)): a > b
    case (.now, .occurred): true
    case (.occurred, _): false
    default: first > last
    }
  }

  private func backward(_ from: AsOfText, _ to: AsOfText) -> MemoirError {
    .invalid(field: "from", "is \(from), after \(to)")
  }

  /// Prints a difference with the events responsible.
  public func write(_ diff: HistoryDiff, to writer: inout JSONWriter) throws(MemoirError) {
    do {
      try diff.changes.write(to: &writer, stream: diff.user, from: diff.from, to: diff.to) { version in
        try log.event(at: version, of: diff.user)
      }
    } catch {
      throw MemoirError(error)
    }
  }

  /// Where an item of a user's state comes from: the event that put it there, and those that changed it.
  ///
  /// - Parameter item: `fact:ID`, `preference:KEY`, `session:ID`, or the bare id or key of one of them.
  /// - Throws: `not_found` for a user or an item nobody has heard of; `invalid_argument` for a bare name that
  ///   several items have.
  /// - Complexity: O(events of the user)
  public func explain(_ item: String, of user: StreamName) throws(MemoirError) -> Provenance {
    do {
      let recorder = ProvenanceRecorder(of: try HistoryItem.candidates(item), by: projector)
      let folded = try log.fold(
        user, after: .version(0), through: .head, by: RecordingProjector(recorder: recorder))
      guard let folded else { throw MemoirError.noUser(user) }
      let (found, steps) = try folded.state.recorder.found()
      return Provenance(user: user, item: found, steps: steps, recorder: folded.state.recorder)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Prints where an item comes from.
  public func write(_ provenance: Provenance, to writer: inout JSONWriter) throws(MemoirError) {
    do {
      try provenance.recorder.write(to: &writer, stream: provenance.user, clock: clock()) { version in
        try log.event(at: version, of: provenance.user)
      }
    } catch {
      throw MemoirError(error)
    }
  }
}

extension MemoirStore {
  /// The message of this id: an event's, or one that the application gave. `nil` where it is not to be found.
  ///
  /// - Parameter version: The event that refers to it; the message is looked for before it, and not far.
  public func message(
    _ id: MessageID, of user: StreamName, before version: StreamVersion
  ) throws(MemoirError) -> RecordedEvent? {
    do {
      if case .uuid(let event) = id.id, let found = try log.event(event, of: user),
        found.type == .messageAdded
      {
        return found
      }
      let page = try log.readStream(
        user, from: version, direction: .backward, limit: Self.messagesSearched,
        filter: EventFilter(types: ["MessageAdded"]))
      return try page.events.first { event in
        if case .messageAdded(let message)? = try MemoirEvent(event) { return message.messageID == id }
        return false
      }
    } catch {
      throw MemoirError(error)
    }
  }

  private static let messagesSearched = 200
}

/// Something that takes notes as events go by.
protocol EventRecorder: Sendable {
  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes)
}

extension ChangeRecorder: EventRecorder {}
extension ProvenanceRecorder: EventRecorder {}

/// Folds into notes. They are never stored, so they have no form.
struct RecordingProjector<Recorder: EventRecorder>: Projector {
  struct State: ProjectionState {
    var recorder: Recorder

    /// Too large for any snapshot to be due.
    var encodedSize: Int { 1 << 56 }
    func encode(into writer: inout ByteWriter) {}
    init(recorder: Recorder) { self.recorder = recorder }
    init(decoding reader: inout ByteReader) throws(DamagedBytes) { throw DamagedBytes() }
  }

  let recorder: Recorder
  let name = "recording"
  let version = 1

  func initialState() -> State { State(recorder: recorder) }

  func apply(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {
    try state.recorder.apply(event)
  }

  func applyRedacted(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {
    try state.recorder.apply(event)
  }
}
