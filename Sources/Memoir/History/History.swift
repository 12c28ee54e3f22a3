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
  /// The state that the item is part of now, or was once, with every session there was.
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
      guard let before = try state(of: user, at: begin, named: "from"),
        let after = try state(of: user, at: end, named: "to")
      else { throw MemoirError.noUser(user) }
      let now = clock()
      func time(_ point: AsOfText, _ judgedAt: Timestamp?) -> Timestamp {
        point == .now ? now : judgedAt ?? now
      }
      let (clockBefore, clockAfter) = (time(from, before.judgedAt), time(to, after.judgedAt))
      if isBackward(from, (before.version, clockBefore), to, (after.version, clockAfter)) {
        throw MemoirError.invalid(field: "from", "is \(from), after \(to)")
      }
      var recorder = ChangeRecorder(from: before.state, by: projector)
      // Not to `now` itself: events may have come in since the states were folded.
      try log.forEachEvent(
        of: user, after: byOccurred ? begin : .version(before.version),
        through: byOccurred ? end : .version(after.version)
      ) { event throws(DamagedBytes) in try recorder.apply(event) }
      return HistoryDiff(
        user: user, from: from, to: to, changes: StateDiff(recorder, from: clockBefore, to: clockAfter))
    } catch {
      throw MemoirError(error)
    }
  }

  /// The state at one of the two points; what is wrong with it is said of the point, as the caller named it.
  private func state(
    of user: StreamName, at point: AsOf, named field: String
  ) throws(ReadError) -> FoldedState<ContextState>? {
    do throws(ReadError) {
      return try log.state(of: user, by: projector, at: point)
    } catch .invalid(let value) {
      throw .invalid(InvalidValue(field: field, reason: value.reason))
    }
  }

  /// Whether `from` comes after `to`. Points with the same events of this user can still be apart in time, so that facts
  /// expire between them.
  private func isBackward(
    _ from: AsOfText, _ first: (StreamVersion, Timestamp), _ to: AsOfText, _ last: (StreamVersion, Timestamp)
  ) -> Bool {
    switch (from, to) {
    // Nothing is later than now, also where a clock was put back.
    case (.start, _), (_, .now): false
    case (_, .start): true
    case (.occurred(let a), .occurred(let b)), (.recorded(let a), .recorded(let b)): a > b
    case (.now, .occurred): true
    case (.occurred, _): false
    case (.position(let a), .position(let b)): a > b
    default: first > last
    }
  }

  /// Prints a difference with the events responsible.
  public func write(_ diff: HistoryDiff, to writer: inout JSONWriter) throws(MemoirError) {
    do {
      try diff.changes.write(to: &writer, stream: diff.user, from: diff.from, to: diff.to, decay: memory.decay) {
        version in
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
      guard try log.version(of: user) > 0 else { throw MemoirError.noUser(user) }
      var recorder = ProvenanceRecorder(of: try HistoryItem.candidates(item), by: projector)
      try log.forEachEvent(of: user, through: .head) { event throws(DamagedBytes) in try recorder.apply(event)
      }
      let (found, steps) = try recorder.found()
      return Provenance(user: user, item: found, steps: steps, recorder: recorder)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Prints where an item comes from.
  public func write(_ provenance: Provenance, to writer: inout JSONWriter) throws(MemoirError) {
    do {
      try provenance.recorder.write(
        to: &writer, stream: provenance.user, clock: clock(), decay: memory.decay
      ) { version in
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
