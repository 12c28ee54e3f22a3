// Which of the ranked memories an answer has room for: one that says what another said already waits until the end.

/// The memories of an answer, chosen in the order of their rank.
///
/// Whether a memory is a near-duplicate depends on those that rank before it alone, so an answer of five is the beginning
/// of the answer of ten.
struct Choice {
  private let limit: Int
  private var chosen: [RecalledMemory] = []
  private var repeats: [RecalledMemory] = []
  /// What the latest of the chosen say.
  private var said: [Saying] = []

  /// Texts that share four fifths of their words, and every number, say the same.
  private static let likeness = 0.8
  /// How many of the chosen a memory is compared with.
  private static let window = 64
  /// After so many near-duplicates, what comes is taken as it is: of somebody to whom the same was said ten thousand times,
  /// not all of it is to be read for one answer.
  private static let repeatLimit = 200

  init(limit: Int) { self.limit = limit }

  var isFull: Bool { chosen.count == limit }

  /// - Parameter terms: Those of the memory's text.
  mutating func offer(_ memory: RecalledMemory, terms: [Term]) {
    let saying = Saying(terms: Array(Set(terms)).sorted(), numbers: memory.content.numbers)
    if repeats.count < Self.repeatLimit, said.contains(where: { $0.isLike(saying, atLeast: Self.likeness) }) {
      repeats.append(memory)
      return
    }
    chosen.append(memory)
    if said.count == Self.window { said.removeFirst() }
    said.append(saying)
  }

  /// The memories by rank, near-duplicates last: scored no higher than what they come after.
  var memories: [RecalledMemory] {
    var all = chosen
    for memory in repeats.prefix(limit - chosen.count) {
      var memory = memory
      memory.score = min(memory.score, all.last?.score ?? memory.score)
      all.append(memory)
    }
    return all
  }
}

/// What a text says, to be compared.
private struct Saying {
  /// Ascending.
  let terms: [Term]
  let numbers: Set<Substring>

  /// Jaccard's index of the terms.
  func isLike(_ other: Saying, atLeast likeness: Double) -> Bool {
    guard numbers == other.numbers else { return false }
    let (a, b) = (terms, other.terms)
    if a.isEmpty, b.isEmpty { return true }
    // Too different in length to be alike.
    guard Double(min(a.count, b.count)) >= likeness * Double(max(a.count, b.count)) else { return false }
    var (i, j, common) = (0, 0, 0)
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        common += 1
        i += 1
        j += 1
      } else if a[i] < b[j] {
        i += 1
      } else {
        j += 1
      }
    }
    return Double(common) >= likeness * Double(a.count + b.count - common)
  }
}

extension String {
  /// Its runs of digits.
  fileprivate var numbers: Set<Substring> {
    Set(split { !($0.isASCII && $0.isNumber) })
  }
}
