// What recall is asked.
public import EventStore

/// A question to a person's memory.
///
/// ```swift
/// var query = RecallQuery("Which database do we use?")
/// query.topK = 3
/// query.kinds.insert(.message)
/// let answer = try await store.recall(query, of: bob)
/// ```
public struct RecallQuery: Sendable, Hashable {
  /// The question, in the person's words.
  public var text: String
  /// How many memories to answer with: 1…10,000.
  public var topK = 5
  /// Only memories whose importance, as it has faded by then, is at least this.
  public var minImportance: Double?
  /// Only facts whose importance, as it was stated, is at least this; one of no stated importance counts as one of the
  /// middle.
  public var minStatedImportance: Double?
  /// Only memories with any of these tags.
  public var tags: [String] = []
  /// Only memories of these types. A fact counts as semantic where nothing was said, all that is no fact as episodic.
  public var memoryTypes: Set<MemoryType> = []
  /// Only memories of these kinds; without messages, as long as nobody asks for them.
  public var kinds: Set<MemoryKind> = [.fact, .summary, .episode]
  /// Only memories of this session.
  public var session: SessionID?
  /// Only what occurred then or later.
  public var since: Timestamp?
  /// Only what occurred then or before.
  public var until: Timestamp?

  /// Asks `text`.
  public init(_ text: String) { self.text = text }

  /// The longest question, in bytes of UTF-8.
  public static let longestText = 16 << 10
  /// The most memories of one answer.
  public static let largestTopK = 10_000

  package func check() throws(MemoirError) {
    guard text.utf8.count <= Self.longestText else {
      throw .tooLarge(field: "query", count: text.utf8.count, limit: Self.longestText)
    }
    guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
      throw .invalid(field: "query", "must not be empty")
    }
    guard (1...Self.largestTopK).contains(topK) else {
      throw .invalid(field: "top_k", "is \(topK); it must be 1…\(Self.largestTopK)")
    }
    if let minImportance, !(0...1).contains(minImportance) {
      throw .invalid(field: "min_importance", "is \(minImportance); it must be 0…1")
    }
    if let minStatedImportance, !(0...1).contains(minStatedImportance) {
      throw .invalid(field: "min_importance", "is \(minStatedImportance); it must be 0…1")
    }
    guard !kinds.isEmpty else { throw .invalid(field: "kind", "must name at least one kind") }
    if let since, let until, since > until { throw .invalid(field: "since", "is \(since), after until at \(until)") }
  }
}
