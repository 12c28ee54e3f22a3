// A person with a long memory: seeded, so that every run asks the same of the same.
import Foundation
import Memoir

/// Makes the events of one person: sessions of messages, with facts between them, a summary at the end of each, and
/// episodes. Words have a Zipf-like skew, as in speech.
struct RecallHistory {
  private var random: SplitMix64
  private let messages: Int
  private let facts: Int
  private let sessions: Int
  private let episodes: Int

  private static let vocabulary = 5_000
  /// The history of all people ends here.
  static let end: Int64 = 1_795_000_000_000_000
  /// All of it happens in 20 days, so that no memory has faded away.
  private static let length: Int64 = 20 * 86_400_000_000

  /// - Parameter memories: Of ten, one is a summary or an episode.
  init(seed: UInt64, memories: Int, messages: Int) {
    random = SplitMix64(seed: seed)
    self.messages = messages
    sessions = max(1, memories / 20)
    episodes = memories / 20
    facts = max(0, memories - sessions - episodes)
  }

  /// A word of the vocabulary, the frequent ones first: `ka`, `tore`, …
  private static func word(_ rank: Int) -> String {
    let syllables = ["ka", "to", "re", "mi", "su", "ne", "lo", "ve", "pi", "da"]
    var word = ""
    var rest = rank + 10
    while rest > 0 {
      word += syllables[rest % 10]
      rest /= 10
    }
    return word
  }

  /// So many words. Of rank r about as often as 1 / r.
  private mutating func text(_ words: Int) -> String {
    (0..<words).map { _ in
      Self.word(Int(pow(Double(Self.vocabulary), random.unit())) - 1)
    }.joined(separator: " ")
  }

  /// A question of two to six words.
  mutating func question() -> String { text(2 + random.below(5)) }

  /// Lends the events, in order, in batches.
  mutating func forEachBatch(of size: Int = 1_000, _ body: ([EventData]) throws -> Void) throws {
    let perSession = max(1, messages / sessions)
    let count = messages + facts + sessions + episodes
    var number = 0
    var batch: [EventData] = []
    func share(_ total: Int, of session: Int) -> Int { total * (session + 1) / sessions - total * session / sessions }
    for index in 0..<sessions {
      let session = try SessionID("session-\(index)")
      var rest: [MemoirEvent] = []
      for _ in 0..<(index == sessions - 1 ? messages - perSession * (sessions - 1) : perSession) {
        rest.append(
          .messageAdded(
            try MessageAdded(role: rest.count % 2 == 0 ? .user : .assistant, content: text(3 + random.below(25)))))
      }
      for _ in 0..<share(facts, of: index) {
        let fact = FactLearned.self
        rest.append(
          .factLearned(
            try fact.init(
              fact: text(4 + random.below(10)), category: ["home", "work", "food"][random.below(3)],
              confidence: 0.9, importance: Fraction(0.4 + 0.05 * Double(random.below(13))),
              tags: ["t\(random.below(20))"])))
      }
      rest.shuffle(using: &random)
      for _ in 0..<share(episodes, of: index) {
        rest.append(
          .episodeRecorded(
            try EpisodeRecorded(
              task: text(6), actions: ["one", "two"], outcomes: "done", success: random.below(4) > 0)))
      }
      rest.append(.sessionEnded(try SessionEnded(reason: "closed", summary: text(30))))
      for event in rest {
        let time = Self.end - Self.length + Self.length / Int64(count + 1) * Int64(number + 1)
        number += 1
        batch.append(
          try EventData(
            event, session: session, id: EventID(bytes: random.uuid()), occurredAt: Timestamp(clamping: time)))
        if batch.count == size {
          try body(batch)
          batch.removeAll()
        }
      }
    }
    if !batch.isEmpty { try body(batch) }
  }
}
