// Several memories made one: by hand, or because they say nearly the same.
public import EventStore
internal import JSON

/// Memories of which one stands for all.
public struct DuplicateGroup: Hashable, Sendable {
  /// The one that stays.
  public let survivor: FactID
  /// The others, in the order in which they were learned.
  public let duplicates: [FactID]
}

/// Why an event was made, where its type does not tell.
public enum MemoryCause: String, Sendable {
  /// Memories were made one.
  case consolidated
  /// A memory said nearly the same as another.
  case deduplicated

  /// The cause that an event's metadata names.
  public init?(_ event: RecordedEvent) {
    guard let word = event.metadata.text(of: "cause") else { return nil }
    self.init(rawValue: word)
  }
}

extension MemoirStore {
  /// The most memories that are made one at a time.
  public static var consolidatedAtMost: Int { 100 }

  /// Makes one memory of several: it says what they said, line by line in the order in which they were learned, with all
  /// tags there is room for, the greatest importance and the longest life of them. It takes their place.
  ///
  /// - Throws: `invalid_argument` for fewer than two memories or more than ``consolidatedAtMost``; `not_found` where one
  ///   is none; `too_large` where together they say too much.
  @discardableResult
  public func consolidate(
    _ ids: [FactID], of user: StreamName, as type: MemoryType = .semantic, agent: String? = nil,
    retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<FactID> {
    let wanted = Set(ids)
    guard (2...Self.consolidatedAtMost).contains(wanted.count) else {
      throw .invalid(field: "memory_ids", "name \(wanted.count) memories, not 2…\(Self.consolidatedAtMost)")
    }
    return try await update(user, retry: retry) { state throws(MemoirError) in
      guard let state else { throw .noUser(user) }
      var sources: [Fact] = []
      for id in wanted { sources.append(try state.memory(id)) }
      sources.sort { $0.origin < $1.origin }
      var lines: [String] = []
      for fact in sources where !lines.contains(fact.fact) { lines.append(fact.fact) }
      let content = lines.joined(separator: "\n")
      try MemoryRule.check(content: content)
      let categories = Set(sources.map(\.category))
      let id = EventID.generate(at: state.clock)
      do throws(InvalidValue) {
        let learned = try FactLearned(
          fact: content, category: categories.count == 1 ? sources[0].category : FactCategory.general,
          confidence: sources.map(\.confidence).max() ?? 0.8, factID: FactID(id),
          importance: sources.compactMap(\.importance).max(), memoryType: type, tags: Self.tags(of: sources),
          expiresAt: sources.contains { $0.expiresAt == nil } ? nil : sources.compactMap(\.expiresAt).max())
        var events = [try Self.event(.factLearned(learned), id: id, .consolidated, at: state.clock, agent)]
        for fact in sources {
          let superseded = try FactRevised(factID: fact.factID, supersededBy: FactID(id))
          events.append(
            try Self.event(
              .factRevised(superseded), id: .generate(at: state.clock), .consolidated, at: state.clock, agent))
        }
        return Decision(append: events, result: FactID(id))
      } catch {
        throw MemoirError(error)
      }
    }
  }

  /// Finds memories that say nearly the same, each within its category, and lets one stand for all of a group: the most
  /// important, else the one learned first. It takes over all tags there is room for, and the longest life.
  ///
  /// Texts are as near as the share of words they have in common (Jaccard). Those that differ in a name, a number or a
  /// date are never duplicates, whatever else they share.
  /// - Parameters:
  ///   - threshold: From 0.5 to 1.
  ///   - type: Only memories of this type.
  ///   - changes: Without, nothing is appended.
  /// - Throws: `invalid_argument` for another threshold.
  @discardableResult
  public func deduplicate(
    _ user: StreamName, threshold: Double = 0.8, type: MemoryType? = nil, changes: Bool = true,
    agent: String? = nil, retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<[DuplicateGroup]> {
    guard (0.5...1).contains(threshold) else {
      throw .invalid(field: "threshold", "is \(threshold); it must be 0.5…1")
    }
    return try await update(user, retry: retry) { state throws(MemoirError) in
      guard let state else { return .nothing([]) }
      let facts = state.facts.filter { type == nil || $0.memoryType ?? .semantic == type }
      let groups = NearDuplicates(facts, threshold: threshold).groups.map { group in
        // The first of the most important ones.
        let best = group.reduce(group[0]) { best, fact in
          memory.decay.statedImportance(of: fact) > memory.decay.statedImportance(of: best) ? fact : best
        }
        return (survivor: best, others: group.filter { $0.factID != best.factID })
      }
      let result = groups.map {
        DuplicateGroup(survivor: $0.survivor.factID, duplicates: $0.others.map(\.factID))
      }
      guard changes else { return .nothing(result) }
      var events: [EventData] = []
      do throws(InvalidValue) {
        for (survivor, others) in groups {
          let tags = Self.tags(of: [survivor] + others)
          var end: Timestamp?
          if let own = survivor.expiresAt {
            let longest = others.map { $0.expiresAt ?? .latest }.max() ?? own
            if longest > own { end = longest }
          }
          var revisions: [FactRevised] = []
          if end != nil || tags?.count ?? 0 > survivor.tags?.strings?.count ?? 0 {
            revisions.append(try FactRevised(factID: survivor.factID, tags: tags, expiresAt: end))
          }
          for fact in others {
            revisions.append(try FactRevised(factID: fact.factID, supersededBy: survivor.factID))
          }
          for revision in revisions {
            events.append(
              try Self.event(
                .factRevised(revision), id: .generate(at: state.clock), .deduplicated, at: state.clock, agent))
          }
        }
      } catch {
        throw MemoirError(error)
      }
      return Decision(append: events, result: result)
    }
  }

  private static func tags(of facts: [Fact]) -> [String]? {
    let tags = facts.reduce([]) { LiveFacts.tags($0, and: $1.tags?.strings ?? []) }
    return tags.isEmpty ? nil : tags
  }

  private static func event(
    _ event: MemoirEvent, id: EventID, _ cause: MemoryCause, at time: Timestamp, _ agent: String?
  ) throws(InvalidValue) -> EventData {
    try EventData(
      event, id: id, occurredAt: time, metadata: .named([("agent", agent), ("cause", cause.rawValue)]))
  }
}

/// Facts grouped by how much of their words they share.
///
/// Each is compared with those alone that share one of its rarest words: where two share a part `t` of their words, they
/// share one among the rarest `n - ⌈t n⌉ + 1` of each (Chaudhuri, Ganti, Kaushik 2006).
private struct NearDuplicates {
  private struct Text {
    let fact: Fact
    let words: Set<String>
    let names: Set<String>

    init(_ fact: Fact) {
      self.fact = fact
      let sentence = Sentence(fact.fact)
      words = Set(sentence.words.map(\.text))
      // Every sentence begins with a capital letter.
      names = Set(
        sentence.words.enumerated().filter { $0.element.isNameLike && ($0.offset > 0 || $0.element.hasDigit) }
          .map(\.element.text))
    }
  }

  /// Those of more than one, and their facts, in the order in which they were learned.
  let groups: [[Fact]]

  init(_ facts: [Fact], threshold: Double) {
    var groups: [[Fact]] = []
    for (_, facts) in Dictionary(grouping: facts, by: \.category).sorted(by: { $0.key < $1.key }) {
      groups += Self.groups(of: facts.map(Text.init), threshold)
    }
    self.groups = groups.sorted { $0[0].origin < $1[0].origin }
  }

  private static func groups(of texts: [Text], _ threshold: Double) -> [[Fact]] {
    var counts: [String: Int] = [:]
    for text in texts { for word in text.words { counts[word, default: 0] += 1 } }
    /// By their rare words, the first texts of groups: so that near is never near of near of near.
    var firsts: [String: [Int]] = [:]
    var members: [[Int]] = []
    for (index, text) in texts.enumerated() {
      let words = text.words.sorted { (counts[$0] ?? 0, $0) < (counts[$1] ?? 0, $1) }
      let rare = words.prefix(words.count - Int((threshold * Double(words.count)).rounded(.up)) + 1)
      let candidates = Set(rare.flatMap { firsts[$0] ?? [] }).sorted()
      if let group = candidates.first(where: { isNear(texts[members[$0][0]], text, threshold) }) {
        members[group].append(index)
      } else {
        for word in rare { firsts[word, default: []].append(members.count) }
        members.append([index])
      }
    }
    return members.filter { $0.count > 1 }.map { $0.map { texts[$0].fact } }
  }

  private static func isNear(_ a: Text, _ b: Text, _ threshold: Double) -> Bool {
    guard a.names == b.names else { return false }
    let common = a.words.intersection(b.words).count
    return Double(common) >= threshold * Double(a.words.count + b.words.count - common)
  }
}

extension Word {
  fileprivate var hasDigit: Bool { text.unicodeScalars.contains { $0.properties.numericType != nil } }
}
