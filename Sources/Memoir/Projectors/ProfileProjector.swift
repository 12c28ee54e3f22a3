// The profile: who the person is, said by some preferences and by facts of some categories. It is not folded by
// itself but taken from both when it is shown.
public import Bytes
public import EventStore

/// Which preferences and facts make the profile.
///
/// An application extends the standard one with ``extended(preferenceKeys:factLists:)`` and gives it to its store as
/// ``MemoryOptions/profile``.
public struct ProfileSchema: Hashable, Sendable {
  /// The keys of preferences, each a member of the profile under the same name.
  public var preferenceKeys: [String]
  /// The members of the profile that list facts, and the category of those facts.
  public var factLists: [String: String]

  /// Extends or replaces the standard one.
  public init(preferenceKeys: [String], factLists: [String: String]) {
    self.preferenceKeys = preferenceKeys
    self.factLists = factLists
  }

  /// The same with further members; a member of the same name is replaced.
  public func extended(preferenceKeys: [String] = [], factLists: [String: String] = [:]) -> ProfileSchema {
    ProfileSchema(
      preferenceKeys: self.preferenceKeys + preferenceKeys.filter { !self.preferenceKeys.contains($0) },
      factLists: self.factLists.merging(factLists) { $1 })
  }

  /// Name, preferred name, communication style, technical level; interests and goals.
  public static let standard = ProfileSchema(
    preferenceKeys: ["name", "preferred_name", "communication_style", "technical_level"],
    factLists: ["interests": FactCategory.interest, "goals": FactCategory.goal])
}

/// What a profile is made of.
public struct ProfileState: ProjectionState {
  /// All preferences.
  public internal(set) var preferences = PreferencesState()
  /// All facts.
  public internal(set) var facts = FactsState()

  init(_ preferences: PreferencesState = PreferencesState(), _ facts: FactsState = FactsState()) {
    self.preferences = preferences
    self.facts = facts
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int { preferences.encodedSize + facts.encodedSize }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    preferences.encode(into: &writer)
    facts.encode(into: &writer)
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    preferences = try PreferencesState(decoding: &reader)
    facts = try FactsState(decoding: &reader)
  }
}

/// Folds what a profile is made of.
public struct ProfileProjector: Projector {
  /// Its name on every surface.
  public let name = "profile"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 2

  /// Makes the projector.
  public init() {}

  /// The state before the first event.
  public func initialState() -> ProfileState { ProfileState() }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout ProfileState) throws(DamagedBytes) {
    switch event.type {
    case .preferenceUpdated: _ = try state.preferences.apply(event)
    case .factLearned, .factRevised, .factForgotten: _ = try state.facts.apply(event)
    default: break
    }
  }
}
