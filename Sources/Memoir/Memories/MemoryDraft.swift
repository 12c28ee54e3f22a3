// A memory as it is handed in: checked once, here.
public import EventStore
public import JSON

/// Something to be remembered.
public struct MemoryDraft: Sendable {
  /// How long it holds.
  public enum Lifetime: Hashable, Sendable {
    /// So many seconds from when it is remembered: 1 to ``Limits/longestLifetime``.
    case seconds(Int64)
    /// Until a time, which must not have come when it is remembered.
    case until(Timestamp)
  }

  /// What is to be known, as a sentence.
  public let content: String
  /// What it is about; duplicates and contradictions are looked for within it.
  public let category: String
  /// What kind of memory it is.
  public let memoryType: MemoryType
  /// How much it matters.
  public let importance: Fraction
  /// How sure it is.
  public let confidence: Fraction
  /// Words to find it by, each once.
  public let tags: [String]
  /// The application's own: an object.
  public let metadata: JSONText?
  /// How long it holds; `nil` for ever.
  public let lifetime: Lifetime?
  /// The session it comes from.
  public let session: SessionID?
  /// The message it comes from.
  public let sourceMessageID: MessageID?
  /// The id it is to have; without one, it gets a new one. With one, remembering it again changes nothing.
  public let factID: FactID?
  /// When it became so; `nil`: when it is remembered, which is also when it counts as used.
  public let occurredAt: Timestamp?

  /// Checks the fields.
  ///
  /// - Throws: `invalid_argument` that names the field: an empty content; a category or tag that is empty, over
  ///   ``Limits/labelSize`` or has control characters; too many tags; metadata that is no object or too large; a lifetime
  ///   out of range. `too_large` for a content over ``Limits/textSize``.
  public init(
    _ content: String, category: String = FactCategory.general, memoryType: MemoryType = .semantic,
    importance: Fraction = 0.5, confidence: Fraction = 0.8, tags: [String] = [], metadata: JSONText? = nil,
    lifetime: Lifetime? = nil, session: SessionID? = nil, sourceMessageID: MessageID? = nil,
    factID: FactID? = nil, occurredAt: Timestamp? = nil
  ) throws(MemoirError) {
    try MemoryRule.check(content: content)
    try MemoryRule.check(category: category)
    try MemoryRule.check(metadata: metadata)
    try MemoryRule.check(lifetime: lifetime)
    self.content = content
    self.category = category
    self.memoryType = memoryType
    self.importance = importance
    self.confidence = confidence
    self.tags = try MemoryRule.checked(tags: tags)
    self.metadata = metadata
    self.lifetime = lifetime
    self.session = session
    self.sourceMessageID = sourceMessageID
    self.factID = factID
    self.occurredAt = occurredAt
  }
}

extension Limits {
  /// A memory's category, or one of its tags, in bytes.
  public static let labelSize = 100
  /// The tags of one memory.
  public static let tagsPerMemory = 50
  /// How long a memory may be set to hold, in seconds: 100 years.
  public static let longestLifetime: Int64 = 100 * 31_557_600
}

/// What the parts of a memory may be, wherever they are handed in.
enum MemoryRule {
  static func check(content: String) throws(MemoirError) {
    guard content.utf8.count <= Limits.textSize else {
      throw .tooLarge(field: "content", count: content.utf8.count, limit: Limits.textSize)
    }
    guard content.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
      throw .invalid(field: "content", "must not be empty")
    }
  }

  static func check(category: String) throws(MemoirError) { try check(label: category, field: "category") }

  static func check(metadata: JSONText?) throws(MemoirError) {
    do { try TextRule.check(metadata: metadata, field: "metadata") } catch { throw MemoirError(error) }
  }

  static func check(lifetime: MemoryDraft.Lifetime?) throws(MemoirError) {
    if case .seconds(let seconds) = lifetime, !(1...Limits.longestLifetime).contains(seconds) {
      throw .invalid(
        field: "ttl", "must be from 1 to \(Limits.longestLifetime) seconds (100 years), not \(seconds)")
    }
  }

  /// Each tag once.
  static func checked(tags: [String]) throws(MemoirError) -> [String] {
    guard tags.count <= Limits.tagsPerMemory else {
      throw .invalid(field: "tags", "are \(tags.count); at most \(Limits.tagsPerMemory) are allowed")
    }
    var seen: Set<[UInt8]> = []
    var kept: [String] = []
    for (index, tag) in tags.enumerated() {
      try check(label: tag, field: "tags[\(index)]")
      if seen.insert(Array(tag.utf8)).inserted { kept.append(tag) }
    }
    return kept
  }

  private static func check(label: String, field: String) throws(MemoirError) {
    do {
      try NameRule.check(label, longest: Limits.labelSize, field: field)
    } catch {
      throw MemoirError(error)
    }
  }
}

extension MemoryDraft.Lifetime {
  /// When what is remembered at `clock` no longer holds.
  ///
  /// - Throws: `invalid_argument` where that is not after `clock`.
  func end(from clock: Timestamp) throws(MemoirError) -> Timestamp {
    switch self {
    case .seconds(let seconds): return clock.advanced(byMicroseconds: seconds * 1_000_000)
    case .until(let time):
      guard time > clock else { throw .invalid(field: "expires_at", "is \(time), which has passed") }
      return time
    }
  }
}
