// All candidates in the order of their scores, found as far as somebody asks.

/// A text and its score, by which it is ranked: of two equal ones, the later comes first.
struct RankedText: Comparable {
  var score: Float
  var version: UInt64
  var kind: MemoryKind
  /// The list it is of.
  fileprivate var list: UInt8
  /// Its place among the texts of its list.
  var text: Int

  /// By rank: the better one first.
  static func < (a: Self, b: Self) -> Bool {
    a.score == b.score ? a.version > b.version : a.score > b.score
  }

  static func == (a: Self, b: Self) -> Bool { a.score == b.score && a.version == b.version }
}

/// Several lists of scored texts, read as one by rank.
///
/// Who asks for ten of a hundred thousand does not wait for all to be sorted, and their scores are not kept: so many are
/// picked as are likely to do, and where those run out, four times as many.
struct RankedTexts: IteratorProtocol {
  private var lists: [(ranking: Ranking, isWanted: [Bool])] = []
  /// The best of all, by rank.
  private var best: [RankedText] = []
  private var place = 0
  /// How many were picked, if there are as many.
  private var limit = 0
  private let first: Int
  /// Texts that might be nearer in meaning than is known, since they have no vector.
  var missing = 0

  /// - Parameter count: How many will be asked for, about.
  init(expecting count: Int) { first = max(64, count) }

  /// Adds texts that `ranking` scores: those that are wanted.
  mutating func add(_ isWanted: [Bool], _ ranking: Ranking) { lists.append((ranking, isWanted)) }

  /// Why a text stands where it does.
  func parts(of ranked: RankedText) -> ScoreParts { lists[Int(ranked.list)].ranking.parts(of: ranked.text) }

  mutating func next() -> RankedText? {
    if place == best.count {
      // Fewer than were looked for are all there are.
      if best.count < limit { return nil }
      limit = limit == 0 ? first : 4 * limit
      best = best(limit)
      if place == best.count { return nil }
    }
    defer { place += 1 }
    return best[place]
  }

  /// The first `limit` by rank.
  private func best(_ limit: Int) -> [RankedText] {
    var heap = WorstOnTop(limit: limit)
    for (number, list) in lists.enumerated() {
      list.ranking.forEachScore(of: list.isWanted, least: { heap.least }) { text, score in
        if score < heap.least { return }
        heap.offer(
          RankedText(
            score: score, version: list.ranking.version(of: text), kind: list.ranking.kind(of: text),
            list: UInt8(number), text: text))
      }
    }
    return heap.texts.sorted()
  }
}

/// The best of what was offered: a heap, so that what is not among them is refused at a glance.
private struct WorstOnTop {
  private(set) var texts: [RankedText] = []
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var isFull: Bool { texts.count == limit }

  /// The score to be reached, once it is full.
  var least: Float { isFull ? texts[0].score : -.infinity }

  mutating func offer(_ text: RankedText) {
    if !isFull {
      texts.append(text)
      // Until it is full, it is no heap.
      if isFull { texts.sort { $1 < $0 } }
      return
    }
    guard text < texts[0] else { return }
    texts[0] = text
    var place = 0
    while true {
      var worst = place
      for child in [2 * place + 1, 2 * place + 2] where child < texts.count && texts[worst] < texts[child] {
        worst = child
      }
      if worst == place { return }
      texts.swapAt(place, worst)
      place = worst
    }
  }
}
