// What an application may want otherwise of its memory. The log has options of its own; see EventLog.Options.
internal import Stemmer

/// How a store remembers and recalls, where it is not to be as it comes.
public struct MemoryOptions: Sendable {
  /// The language whose words are stemmed, by its English name; `none` leaves words as they are.
  public var language = "english"
  /// What makes the profile.
  public var profile = ProfileSchema.standard
  /// How importance fades.
  public var decay = Decay()
  /// Up to which age items are fresh.
  public var staleness = StalenessRule()
  /// What counts tokens where a context has a budget.
  public var tokenCounter: any TokenCounter = EstimatedTokens()
  /// When sessions are closed, who distils them, when they are combined.
  public var sessions = SessionPolicy()
  /// Who is asked whether a memory contradicts facts that the rules leave open; without one, both stand.
  public var judge: (any ContradictionJudge)?
  /// What makes vectors of texts, for recall by meaning; without one, recall goes by words alone.
  public var embedder: (any Embedder)?
  /// How vectors are made and asked for.
  public var semantics = SemanticOptions()

  /// As it comes.
  public init() {}

  func check() throws(MemoirError) {
    guard language == "none" || Stemmer.languages.contains(language) else {
      let known = Stemmer.languages.sorted().joined(separator: ", ")
      throw .invalid(field: "language", "is \(language), and must be one of none, \(known)")
    }
  }
}
