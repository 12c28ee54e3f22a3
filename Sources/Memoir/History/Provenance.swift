// Where an item of a state comes from: which event put it there, and which changed it.
public import Bytes
public import EventStore
public import JSON

/// Something one can ask the provenance of.
public enum HistoryItem: Hashable, Sendable, CustomStringConvertible {
  /// `fact:ID`
  case fact(FactID)
  /// `preference:KEY`
  case preference(String)
  /// `session:ID`
  case session(SessionID)

  /// What a text can name: one item with its kind before it, or any item that is called so.
  ///
  /// - Throws: ``InvalidValue`` that names `field`, where it is no name of anything.
  public static func candidates(_ text: String, field: String = "item") throws(InvalidValue) -> [HistoryItem] {
    if let id = text.rest(after: "fact:") { return [.fact(try FactID(id, field: field))] }
    if let key = text.rest(after: "preference:") { return [.preference(key)] }
    if let id = text.rest(after: "session:") { return [.session(try SessionID(id, field: field))] }
    if text.isEmpty { throw InvalidValue(field: field, reason: "must not be empty") }
    var candidates = [HistoryItem.preference(text)]
    if let id = try? FactID(text) { candidates.append(.fact(id)) }
    if let id = try? SessionID(text) { candidates.append(.session(id)) }
    return candidates
  }

  /// The item with its kind before it.
  public var description: String {
    switch self {
    case .fact(let id): "fact:\(id)"
    case .preference(let key): "preference:\(key)"
    case .session(let id): "session:\(id)"
    }
  }
}

/// Follows items through a fold, from its first event on.
public struct ProvenanceRecorder: Sendable {
  /// What an event did to an item.
  public enum Effect: String, Sendable {
    /// It put a fact there, changed it, put another in its place, or took it away.
    case learned, revised, superseded, forgotten
    /// It gave a preference its value.
    case updated
    /// It is the first of a session, its first start or end, or condensed it with others.
    case began, started, ended, compacted
  }

  /// One event and what it did.
  public struct Step: Sendable {
    /// The event.
    public let event: EventReference
    /// What it did.
    public let effect: Effect
  }

  /// The items, each with the events that put it there and changed it, in the order of the fold.
  public private(set) var items: [(item: HistoryItem, steps: [Step])]
  /// The state after the events so far, with every session there was.
  public private(set) var state: ContextState
  private let keys: [ItemKey?]
  private var sessionNumbers: [StreamVersion?]
  private let projector: ContextProjector

  /// Follows `items`.
  public init(of items: [HistoryItem], by projector: ContextProjector = ContextProjector()) {
    self.items = items.map { ($0, []) }
    self.projector = projector
    state = projector.initialState()
    state.sessions = SessionsState(keepingAll: ())
    sessionNumbers = items.map { _ in nil }
    keys = items.map { item in
      switch item {
      case .fact(let id): ItemKey(id.id)
      case .preference(let key): ItemKey(text: key)
      case .session: nil
      }
    }
  }

  /// Folds the next event.
  ///
  /// - Throws: ``DamagedBytes`` where the payload is not what its type says.
  public mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) {
    let change = try state.sessions.apply(event)
    if let session = event.session { try noteSession(session, change, event) }
    if event.isRedacted { return }
    switch event.type {
    case .factLearned, .factRevised, .factForgotten:
      let (key, change) = try state.facts.apply(event)
      let effect: Effect? =
        switch change {
        case .none: nil
        case .learned: .learned
        case .revised: .revised
        case .superseded: .superseded
        case .forgotten: .forgotten
        }
      if let effect { note(effect, event, ofFact: true, key) }
    case .preferenceUpdated:
      if let key = try state.preferences.apply(event) { note(.updated, event, ofFact: false, key) }
    case .sessionsCompacted: try noteCompacted(event)
    default: try projector.applyToParts(event, &state)
    }
  }

  private mutating func note(
    _ effect: Effect, _ event: borrowing EventView, ofFact: Bool, _ key: ItemKey
  ) {
    for index in items.indices where keys[index] == key {
      if case .fact = items[index].item, !ofFact { continue }
      if case .preference = items[index].item, ofFact { continue }
      items[index].steps.append(Step(event: EventReference(event), effect: effect))
    }
  }

  private mutating func noteSession(
    _ session: borrowing SessionReference, _ change: SessionChange, _ event: borrowing EventView
  ) throws(DamagedBytes) {
    let name = try session.name?.string()
    for index in items.indices {
      guard case .session(let id) = items[index].item else { continue }
      if sessionNumbers[index] == nil, let name, id.description.utf8.elementsEqual(name.utf8) {
        sessionNumbers[index] = session.number
      }
      guard sessionNumbers[index] == session.number else { continue }
      var effects: [Effect] = []
      if change.contains(.began) {
        effects.append(.began)
      } else if change.contains(.started) {
        effects.append(.started)
      }
      if change.contains(.ended) { effects.append(.ended) }
      for effect in effects { items[index].steps.append(Step(event: EventReference(event), effect: effect)) }
    }
  }

  private mutating func noteCompacted(_ event: borrowing EventView) throws(DamagedBytes) {
    let content = try SessionsCompacted(payload: event.payload)
    for index in items.indices {
      guard case .session(let id) = items[index].item, content.sessions.contains(id) else { continue }
      items[index].steps.append(Step(event: EventReference(event), effect: .compacted))
    }
  }

  /// The one item that was found.
  ///
  /// - Throws: `not_found` where there is none, `invalid_argument` where several are called so.
  public func found(field: String = "item") throws(MemoirError) -> (item: HistoryItem, steps: [Step]) {
    let found = items.filter { !$0.steps.isEmpty }
    guard let first = found.first else {
      throw MemoirError(.notFound, "there is no \(items.map(\.item.description).joined(separator: ", no "))")
    }
    guard found.count == 1 else {
      throw .invalid(
        field: field, "is ambiguous: say \(found.map(\.item.description).joined(separator: " or "))")
    }
    return first
  }

  /// Prints the item that was found: as it is now, and the events behind it with what each did.
  ///
  /// - Parameters:
  ///   - clock: The time at which expiry is judged; what is not live then is `null`.
  ///   - event: Reads an event of the stream by its version; `nil` leaves it out.
  /// - Throws: As ``found(field:)``, and what `event` throws.
  public func write(
    to writer: inout JSONWriter, stream: StreamName, clock: Timestamp, decay: Decay = Decay(),
    event: (StreamVersion) throws -> RecordedEvent?
  ) throws {
    let (item, steps) = try found()
    writer.beginObject()
    writer.key("current")
    writeCurrent(item, to: &writer, clock, decay)
    writer.key("events")
    writer.beginArray()
    for step in steps {
      guard let event = try event(step.event.version) else { continue }
      writer.beginObject()
      writer.key("effect")
      writer.string(step.effect.rawValue)
      writer.key("event")
      try EventJSON.write(event, to: &writer)
      writer.endObject()
    }
    writer.endArray()
    writer.key("item")
    writer.string(item.description)
    writer.key("namespace")
    writer.string(stream.namespace.description)
    writer.key("user")
    writer.string(stream.user.description)
    writer.endObject()
  }

  private func writeCurrent(
    _ item: HistoryItem, to writer: inout JSONWriter, _ clock: Timestamp, _ decay: Decay
  ) {
    switch item {
    case .fact(let id):
      if let fact = state.facts[id], !fact.isExpired(at: clock) {
        return writer.write(fact, isArchived: decay.isArchived(fact, at: clock))
      }
    case .preference(let key):
      if let preference = state.preferences[key] { return writer.write(preference) }
    case .session(let id):
      if let index = items.firstIndex(where: { $0.item == .session(id) }), let number = sessionNumbers[index],
        let session = state.sessions[number]
      {
        return writer.write(session)
      }
    }
    writer.null()
  }
}
