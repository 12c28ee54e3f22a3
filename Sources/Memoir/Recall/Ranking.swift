// Why one memory comes before another: every memory's score is a weighted sum of parts between 0 and 1.
//
// words      BM25 (Robertson, Zaragoza 2009) as a share of what a text could reach that says every word of the question
//            again and again. How rare a word is, is counted among the texts that could be answered with at that point.
// before     the same of the message before in the session: an answer alone says little of what it answers.
// session    the same of the session as a whole, as if all its messages were one text.
// time       whether it occurred when the question asks about (see QueryTime).
// meaning    the cosine of its vector and the question's, where an embedder is configured.
// substance  how much a message says: "yes, please" answers few questions.
// recency    1 now, one half after 30 days.
// importance as said, faded by the time since its last use (see Decay).
internal import EventStore
internal import Glibc

/// How much each part of a score counts.
///
/// Tuned on the `dev` people of real conversations; see Benchmarks/README.md.
struct RankingWeights: Sendable {
  var words: Float = 1
  var before: Float = 0.3
  var session: Float = 0.8
  var time: Float = 0.6
  var meaning: Float = 0.4
  var substance: Float = 0.5
  var recency: Float = 0.03
  var importance: Float = 0

  static let messages = RankingWeights()
  static let memories = RankingWeights(
    before: 0, session: 0, time: 0.4, meaning: 1, substance: 0, recency: 0.15, importance: 0.35)

  /// The most that all parts can come to.
  func sum(withMeaning: Bool) -> Float {
    words + before + session + time + substance + recency + importance + (withMeaning ? meaning : 0)
  }
}

/// The parts of a score, each already weighted, so that they add up to it.
public struct ScoreParts: Sendable, Hashable {
  /// Words of the question.
  public internal(set) var words: Float = 0
  /// Words of the question in the message before.
  public internal(set) var before: Float = 0
  /// Words of the question in the session.
  public internal(set) var session: Float = 0
  /// The time that the question names.
  public internal(set) var time: Float = 0
  /// Nearness in meaning.
  public internal(set) var meaning: Float = 0
  /// How much is said.
  public internal(set) var substance: Float = 0
  /// How long ago.
  public internal(set) var recency: Float = 0
  /// How much it matters.
  public internal(set) var importance: Float = 0
  /// How much of the question is met, whatever the text is otherwise: 0…1.
  var relevance: Float = 0

  /// Their sum.
  public var score: Float { words + before + session + time + meaning + substance + recency + importance }

  /// The parts that are not 0, by name.
  public var named: [(name: StaticString, value: Float)] {
    let all: [(StaticString, Float)] = [
      ("before", before), ("importance", importance), ("meaning", meaning), ("recency", recency),
      ("session", session), ("substance", substance), ("time", time), ("words", words),
    ]
    return all.filter { $0.1 != 0 }
  }
}

/// The texts of an index as they were at a point: the first of its columns.
struct TextsAtPoint {
  /// Of all texts of the index, also of those that came later.
  let columns: TextColumns
  /// How many there are at the point.
  let count: Int
  /// The text before it in its session, plus one; 0 where it is the first.
  private(set) var previous: [UInt32]
  /// Whether a text can be answered with at all; those that can't do not count for how rare a word is.
  var isCandidate: [Bool]
  /// Whether texts count by when they occurred, not by their versions.
  let isByOccurrence: Bool

  /// The texts up to `version`, of those the ones that occurred by `time`.
  ///
  /// - Complexity: O(texts), less than a ns each where no time is given.
  init(of index: TermIndex, through version: UInt64, occurredThrough time: Timestamp?) {
    columns = index.columns
    count = columns.versions.place(after: version)
    previous = columns.previous
    isByOccurrence = time != nil
    isCandidate = [Bool](repeating: true, count: count)
    guard let time else { return }
    for text in 0..<count where columns.times[text] > time.microseconds { isCandidate[text] = false }
    // The one before, in the order in which they occurred.
    guard previous[..<count].contains(where: { $0 > 0 }) else { return }
    var last: [UInt32: Int] = [:]
    for text in inOrder where isCandidate[text] {
      let session = columns.sessions[text]
      previous[text] = UInt32((last[session] ?? -1) + 1)
      last[session] = text
    }
  }

  func kind(of text: Int) -> MemoryKind {
    guard let kind = MemoryKind(rawValue: columns.kinds[text] & ~TextColumns.replacement) else {
      preconditionFailure("a kind was checked when it was read")
    }
    return kind
  }

  /// Whether it takes the place of what was said before of its session.
  func isReplacement(_ text: Int) -> Bool { columns.kinds[text] & TextColumns.replacement != 0 }

  /// All texts in the order of the fold.
  var inOrder: [Int] {
    let times = columns.times
    return isByOccurrence ? (0..<count).sorted { (times[$0], $0) < (times[$1], $1) } : Array(0..<count)
  }

  /// The text of this version.
  func text(of version: UInt64) -> Int? {
    let place = columns.versions.place(after: version)
    return place > 0 && place <= count && columns.versions[place - 1] == version ? place - 1 : nil
  }
}

extension [UInt64] {
  /// How many of the ascending numbers are at most `limit`.
  func place(after limit: UInt64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// How well texts say the words of a question.
struct WordScores {
  /// Of each text, 0…1.
  private(set) var own: [Float]
  /// Of each session, 0…1, by its ordinal.
  private(set) var session: [Float]

  private static let k1: Float = 1.2
  private static let b: Float = 0.75

  /// - Parameters:
  ///   - terms: Those of the question; how often one is repeated does not matter.
  ///   - sessionCount: 0 where sessions are not to be scored.
  /// - Complexity: O(texts + texts that say one of the words)
  init(of terms: [Term], in index: TermIndex, _ texts: borrowing TextsAtPoint, sessionCount: Int) {
    own = [Float](repeating: 0, count: texts.count)
    session = [Float](repeating: 0, count: sessionCount + 1)
    var candidates = 0
    var length = 0
    var longest = 0
    var sessions = 0
    let columns = texts.columns
    for text in 0..<texts.count where texts.isCandidate[text] {
      candidates += 1
      length += Int(columns.lengths[text])
      longest = max(longest, Int(columns.lengths[text]))
      if columns.sessions[text] > 0, texts.previous[text] == 0 { sessions += 1 }
    }
    guard candidates > 0 else { return }
    let meanLength = max(1, Float(length) / Float(candidates))
    let norms = (0...longest).map { Self.k1 * (1 - Self.b + Self.b * Float($0) / meanLength) }
    // How often each session says the term at hand; the sessions that do.
    var saying = [Float](repeating: 0, count: sessionCount + 1)
    var touched: [Int] = []
    var most: Float = 0
    var mostOfSession: Float = 0
    // In an order, since sums of fractions depend on it.
    for term in Set(terms).sorted() {
      var found = 0
      index.forEachText(with: term) { text, count in
        guard text < texts.count, texts.isCandidate[text] else { return }
        found += 1
        guard sessionCount > 0 else { return }
        let session = Int(columns.sessions[text])
        guard session > 0 else { return }
        if saying[session] == 0 { touched.append(session) }
        saying[session] += Float(count)
      }
      guard found > 0 else { continue }
      let rarity = Self.rarity(found, of: candidates)
      most += rarity
      index.forEachText(with: term) { text, count in
        guard text < texts.count, texts.isCandidate[text] else { return }
        own[text] += rarity * Float(count) / (Float(count) + norms[Int(columns.lengths[text])])
      }
      guard !touched.isEmpty else { continue }
      let rarityOfSession = Self.rarity(touched.count, of: max(sessions, touched.count))
      mostOfSession += rarityOfSession
      for session in touched {
        self.session[session] += rarityOfSession * saying[session] / (saying[session] + Self.k1)
        saying[session] = 0
      }
      touched.removeAll(keepingCapacity: true)
    }
    if most > 0 { for text in own.indices { own[text] /= most } }
    if mostOfSession > 0 { for index in session.indices { session[index] /= mostOfSession } }
  }

  /// The inverse document frequency.
  private static func rarity(_ found: Int, of count: Int) -> Float {
    log(1 + (Float(count - found) + 0.5) / (Float(found) + 0.5))
  }
}

/// The scores of texts, each with its reasons.
///
/// A class, since it is large: handed on, it costs one reference instead of one for each column.
final class Ranking {
  private let texts: TextsAtPoint
  private let words: WordScores
  private let weights: RankingWeights
  /// What brings the sum of the parts to 1 at most.
  private let scale: Float
  private let time: QueryTime
  private let now: Int64
  /// Whether nothing is asked but a time.
  private let isWordless: Bool
  /// The cosine of each text, where an embedder is configured; 0 for one without a vector.
  private let meaning: [Float]?
  /// When each text was used last, and how much it matters; `nil`: when it occurred, and as much as any.
  private let used: [(at: Int64, importance: Double)]?

  init(
    _ texts: TextsAtPoint, _ words: WordScores, _ weights: RankingWeights, isWordless: Bool, time: QueryTime,
    now: Timestamp, meaning: [Float]?, used: [(at: Int64, importance: Double)]? = nil
  ) {
    self.texts = texts
    self.words = words
    self.weights = weights
    scale = 1 / weights.sum(withMeaning: meaning != nil)
    self.time = time
    self.now = now.microseconds
    self.isWordless = isWordless
    self.meaning = meaning
    self.used = used
  }

  /// After so long, recency has fallen to a half: 30 days.
  private static let halfLife: Float = 30 * 86_400_000_000
  /// What has nothing to do with a question is about as near to it as this.
  private static let unrelated: Float = 0.25
  /// 0…1 by the number of terms; a text of 24 has all the substance there is.
  private static let substance: [Float] = (0...24).map { log1p(Float($0)) / log1p(24) }

  func version(of text: Int) -> UInt64 { texts.columns.versions[text] }

  func kind(of text: Int) -> MemoryKind { texts.kind(of: text) }

  /// Calls `body` with each text that is wanted and its score, save for those that cannot score as much as `least` says
  /// when they come.
  @inline(__always)
  func forEachScore(
    of isWanted: borrowing [Bool], least: () -> Float, _ body: (_ text: Int, _ score: Float) -> Void
  ) {
    // Of how much something matters there is no most.
    let rest =
      used == nil ? (time.isEmpty ? 0 : weights.time) + weights.substance + weights.recency : .infinity
    for text in isWanted.indices where isWanted[text] {
      // What takes longer to look at is taken for the most it can be. Rounding is far less than a thousandth.
      if (matches(of: text) + rest) * scale < least() - 0.001 { continue }
      body(text, parts(of: text).score)
    }
  }

  /// The sum of the parts that say how much of the question is met.
  @inline(__always)
  private func matches(of text: Int) -> Float {
    var sum = weights.words * words.own[text]
    if weights.before > 0, texts.previous[text] > 0 {
      sum += weights.before * words.own[Int(texts.previous[text]) - 1]
    }
    if weights.session > 0 { sum += weights.session * words.session[Int(texts.columns.sessions[text])] }
    if let meaning { sum += weights.meaning * max(0, meaning[text]) }
    return sum
  }

  /// Why the text stands where it does.
  @inline(__always)
  func parts(of text: Int) -> ScoreParts {
    var parts = ScoreParts()
    let session = Int(texts.columns.sessions[text])
    parts.words = words.own[text]
    if weights.before > 0, texts.previous[text] > 0 {
      parts.before = weights.before * words.own[Int(texts.previous[text]) - 1]
    }
    if weights.session > 0 { parts.session = weights.session * words.session[session] }
    if let meaning { parts.meaning = weights.meaning * max(0, meaning[text]) }
    if parts.score - parts.meaning > 0 || parts.meaning > Self.unrelated || isWordless {
      if !time.isEmpty, time.contains(texts.columns.times[text]) { parts.time = weights.time }
      if weights.substance > 0 {
        parts.substance =
          weights.substance * Self.substance[min(Int(texts.columns.lengths[text]), Self.substance.count - 1)]
      }
    }
    // A text that says each word once reaches about a half of what it could by repeating them.
    parts.relevance = min(1, 2 * parts.words + parts.before + (parts.session + parts.time) / 2 + parts.meaning)
    parts.words *= weights.words
    let used = self.used?[text]
    let age = max(0, now - (used?.at ?? texts.columns.times[text]))
    parts.recency = weights.recency / (1 + Float(age) / Self.halfLife)
    if let used { parts.importance = weights.importance * Float(used.importance) }
    parts.multiply(by: scale)
    return parts
  }
}

extension ScoreParts {
  fileprivate mutating func multiply(by factor: Float) {
    words *= factor
    before *= factor
    session *= factor
    time *= factor
    meaning *= factor
    substance *= factor
    recency *= factor
    importance *= factor
  }
}
