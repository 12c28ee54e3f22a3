// Watching a fold go from one state to another, so that what lies between can be told with the events responsible.
//
// The two end states alone do not tell who forgot a fact, nor which sessions began and ended in between and are out
// of the window again. So the fold goes on from the earlier state through the events between, and takes notes.
public import Bytes
public import EventStore

/// Folds the events between two points, in the order of the fold, and notes what they do.
public struct ChangeRecorder: Sendable {
  /// The state before the first event.
  public let before: ContextState
  /// The state after the events so far.
  public private(set) var after: ContextState
  private let projector: ContextProjector

  /// A session that began or ended.
  public struct SessionNote: Sendable {
    /// Its name.
    public let session: SessionID
    /// The event.
    public let event: EventReference
    /// When the event happened.
    public let occurredAt: Timestamp
    /// Why it ended.
    public var reason: String?
    /// What it was about.
    public var summary: String?
  }

  struct FactNote: Sendable {
    var event: EventReference
    var reason: String?
    var supersededBy: FactID?
  }

  /// The sessions that began.
  public private(set) var begun: [SessionNote] = []
  /// The sessions that ended.
  public private(set) var ended: [SessionNote] = []
  /// The facts that were forgotten or superseded.
  private(set) var gone: [ItemKey: FactNote] = [:]

  /// Begins at a state.
  public init(from state: ContextState, by projector: ContextProjector = ContextProjector()) {
    before = state
    after = state
    self.projector = projector
  }

  /// Folds the next event.
  ///
  /// - Throws: ``DamagedBytes`` where the payload is not what its type says.
  public mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) {
    let (change, name) = try noteSession(event)
    if change.contains(.began), let name {
      begun.append(SessionNote(session: name, event: EventReference(event), occurredAt: event.occurredAt))
    }
    if change.contains(.ended), let name {
      var fields = SessionFields()
      try fields.read(event.payload)
      ended.append(
        SessionNote(
          session: name, event: EventReference(event), occurredAt: event.occurredAt, reason: fields.reason,
          summary: fields.summary))
    }
    if event.isRedacted { return }
    switch event.type {
    case .factLearned, .factRevised, .factForgotten:
      let (key, change) = try after.facts.apply(event)
      guard change == .forgotten || change == .superseded else { return }
      var fields = FactFields()
      try fields.read(event.payload)
      gone[key] = FactNote(
        event: EventReference(event), reason: fields.reason, supersededBy: fields.supersededBy)
    default: try projector.applyToParts(event, &after)
    }
  }

  /// What the event does to its session, and the session's name where that began or ended.
  private mutating func noteSession(
    _ event: borrowing EventView
  ) throws(DamagedBytes) -> (SessionChange, SessionID?) {
    guard let session = event.session else {
      return (try after.sessions.apply(event), nil)
    }
    // Whoever ends here is open before, or begins here and is named.
    let open = event.type == .sessionEnded ? after.sessions[session.number]?.id : nil
    let change = try after.sessions.apply(event)
    if change.isEmpty { return (change, nil) }
    if let open { return (change, open) }
    guard let name = session.name else { return (change, nil) }
    return (change, try? SessionID(try name.string()))
  }
}
