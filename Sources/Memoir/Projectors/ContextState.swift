// The context state: all there is to know of a person at one point, composed of the parts.
public import Bytes
public import EventStore

/// Everything that was folded from a stream. It knows no clock and no position, so equal histories have equal states.
public struct ContextState: ProjectionState, Equatable {
  /// How many messages, and which are the latest.
  public internal(set) var messages: MessagesState
  /// Sessions.
  public internal(set) var sessions = SessionsState()
  /// Facts.
  public internal(set) var facts = FactsState()
  /// Preferences.
  public internal(set) var preferences = PreferencesState()
  /// Relationships.
  public internal(set) var relationships = RelationshipsState()
  /// Episodes.
  public internal(set) var episodes = EpisodesState()

  init(window: Int) { messages = MessagesState(window: window) }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int {
    messages.encodedSize + sessions.encodedSize + facts.encodedSize + preferences.encodedSize
      + relationships.encodedSize + episodes.encodedSize
  }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    messages.encode(into: &writer)
    sessions.encode(into: &writer)
    facts.encode(into: &writer)
    preferences.encode(into: &writer)
    relationships.encode(into: &writer)
    episodes.encode(into: &writer)
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    messages = try MessagesState(decoding: &reader)
    sessions = try SessionsState(decoding: &reader)
    facts = try FactsState(decoding: &reader)
    preferences = try PreferencesState(decoding: &reader)
    relationships = try RelationshipsState(decoding: &reader)
    episodes = try EpisodesState(decoding: &reader)
  }

  /// Whether both encode to the same bytes.
  public static func == (a: Self, b: Self) -> Bool {
    a.encodedSize == b.encodedSize && a.encoded() == b.encoded()
  }
}

/// Folds the context state.
public struct ContextProjector: Projector {
  /// Its name on every surface.
  public let name = "context"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 5
  /// The size of the window.
  public var parameters: String { messages.parameters }
  private let messages: MessageProjector

  /// Keeps the latest `window` messages.
  public init(window: Int = 20) { messages = MessageProjector(window: window) }

  /// The state before the first event.
  public func initialState() -> ContextState { ContextState(window: messages.window) }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout ContextState) throws(DamagedBytes) {
    try state.sessions.apply(event)
    try applyToParts(event, &state)
  }

  /// Folds an event into every part but the sessions.
  @inline(__always)
  func applyToParts(_ event: borrowing EventView, _ state: inout ContextState) throws(DamagedBytes) {
    switch event.type {
    case .messageAdded: state.messages.add(event.version)
    case .factLearned, .factRevised, .factForgotten: _ = try state.facts.apply(event)
    case .preferenceUpdated: _ = try state.preferences.apply(event)
    case .relationshipLearned: try state.relationships.apply(event)
    case .episodeRecorded: try state.episodes.apply(event)
    default: break
    }
  }

  /// What was taken out of the log still belongs to its session.
  public func applyRedacted(
    _ event: borrowing EventView, to state: inout ContextState
  ) throws(DamagedBytes) {
    try state.sessions.apply(event)
  }
}
