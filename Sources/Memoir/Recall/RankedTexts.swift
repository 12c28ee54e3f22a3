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
/// Who asks for ten of a hundred thousand does not wait for all to be sorted: some are picked, and where those run out,
/// four times as many.
struct RankedTexts: IteratorProtocol {
  private var rankings: [Ranking] = []
  private var all: [RankedText] = []
  /// The best of all, by rank.
  private var best: [RankedText] = []
  private var place = 0

  /// What is added from now on is scored by `ranking`.
  mutating func beginList(_ ranking: Ranking) { rankings.append(ranking) }

  @inline(__always)
  mutating func add(_ text: Int, _ kind: MemoryKind, _ version: UInt64) {
    let score = rankings[rankings.count - 1].parts(of: text).score
    all.append(
      RankedText(score: score, version: version, kind: kind, list: UInt8(rankings.count - 1), text: text))
  }

  /// Why a text stands where it does.
  func parts(of ranked: RankedText) -> ScoreParts { rankings[Int(ranked.list)].parts(of: ranked.text) }

  mutating func next() -> RankedText? {
    if place == best.count {
      if best.count == all.count { return nil }
      best = Self.best(max(64, 4 * best.count), of: all)
    }
    defer { place += 1 }
    return best[place]
  }

  /// The first `limit` by rank.
  private static func best(_ limit: Int, of all: [RankedText]) -> [RankedText] {
    if limit >= all.count / 4 { return Array(all.sorted().prefix(limit)) }
    // A heap with the worst of them on top.
    var heap = Array(all.prefix(limit).sorted().reversed())
    for text in all.dropFirst(limit) where text < heap[0] {
      heap[0] = text
      var place = 0
      while true {
        var worst = place
        for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[worst] < heap[child] {
          worst = child
        }
        if worst == place { break }
        heap.swapAt(place, worst)
        place = worst
      }
    }
    return heap.sorted()
  }
}
