// Which facts were superseded, by which, and when: read from history, which keeps both.
public import EventStore
public import JSON

/// A fact that another one took the place of.
public struct Supersession: Sendable {
  /// The fact as it was.
  public let superseded: Fact
  /// The id of the one that took its place.
  public let successorID: FactID
  /// That one, as it was when it did; `nil` where nobody ever learned it.
  public fileprivate(set) var successor: Fact?
  /// The event that said so.
  public let event: EventReference
  /// When that happened.
  public let occurredAt: Timestamp

  /// Prints `{"event_id","occurred_at","successor","superseded","version"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("event_id")
    writer.write(event.id)
    writer.key("occurred_at")
    writer.write(occurredAt)
    writer.key("successor")
    if let successor { writer.write(successor, isArchived: nil) } else { writer.null() }
    writer.key("superseded")
    writer.write(
      superseded, isArchived: nil, FactRemarks(event: superseded.origin, supersededBy: successorID))
    writer.key("version")
    writer.integer(event.version.number)
    writer.endObject()
  }
}

/// A part of a user's superseded facts, in the order of the events that said so.
public typealias SupersessionPage = Page<Supersession>

extension Page where Item == Supersession {
  /// The pairs.
  public var conflicts: [Supersession] { items }

  /// Prints `{"conflicts","next","total"}`.
  public func write(to writer: inout JSONWriter) { write(as: "conflicts", to: &writer) { $1.write(to: &$0) } }
}

extension MemoirStore {
  /// The facts of a user that others took the place of, up to a point.
  ///
  /// - Parameter version: Only those superseded by events after it.
  /// - Throws: `not_found` for a user nobody has heard of; `invalid_argument` for a point beyond the head.
  /// - Complexity: O(events of the user)
  public func conflicts(
    of user: StreamName, at point: AsOfText = .now, after version: StreamVersion = 0, limit: Int = 1_000
  ) throws(MemoirError) -> SupersessionPage {
    do {
      guard try log.version(of: user) > 0 else { throw MemoirError.noUser(user) }
      var recorder = SupersessionRecorder()
      try log.forEachEvent(of: user, through: point.asOf) { event throws(DamagedBytes) in try recorder.apply(event) }
      // In an order of occurrence, versions may come later than higher ones.
      let all = recorder.found.sorted { $0.event < $1.event }
      return SupersessionPage(of: all, after: version, limit: limit, place: \.event.version) { $0 }
    } catch {
      throw MemoirError(error)
    }
  }
}

/// Follows facts through a fold.
private struct SupersessionRecorder {
  private(set) var found: [Supersession] = []
  private var facts = FactsState()

  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) {
    if event.isRedacted { return }
    guard event.type == .factRevised else {
      let (key, change) = try facts.apply(event)
      if change == .learned { complete(key) }
      return
    }
    var fields = FactFields()
    try fields.read(event.payload)
    let before = fields.factID.flatMap { facts[$0] }
    guard try facts.apply(event).change == .superseded, let before, let successor = fields.supersededBy else { return }
    found.append(
      Supersession(
        superseded: before, successorID: successor, successor: facts[successor], event: EventReference(event),
        occurredAt: event.occurredAt))
  }

  /// What took a place before anybody had learned it is known now.
  private mutating func complete(_ key: ItemKey) {
    guard let fact = facts[key: key] else { return }
    for index in found.indices where found[index].successor == nil && found[index].successorID == fact.factID {
      found[index].successor = fact
    }
  }
}
