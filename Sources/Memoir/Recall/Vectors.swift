// The vectors of a user's memory in one piece, and the exact search through them.
internal import Bytes
public import EventStore

/// How near a text is to what was asked.
public struct SemanticScore: Hashable, Sendable {
  /// The event whose text it is.
  public var version: StreamVersion
  /// What kind of text.
  public var kind: MemoryKind
  /// The cosine of the angle between both: 1 for the same, about 0 for what has nothing to do with it.
  public var score: Float

  /// Nearest first; of equally near ones the earlier.
  static func comesFirst(_ a: SemanticScore, before b: SemanticScore) -> Bool {
    a.score == b.score ? a.version < b.version : a.score > b.score
  }
}

/// A user's vectors of one model, by version.
///
/// A text's vector depends on the text alone. So the vectors as of a version are those up to it, and nothing that
/// came later shows in a score.
struct VectorIndex: Sendable {
  private struct Part: Sendable {
    var versions: [StreamVersion] = []
    var scales: [Float] = []
    var blocks: [SIMD32<Int8>] = []
  }

  /// By kind.
  private var parts: [MemoryKind: Part] = [:]
  /// Of all vectors.
  private(set) var dimension: Int?
  /// Texts that the model refused, or whose vectors are of another dimension.
  private(set) var unusable: [StreamVersion] = []
  /// The last version that there is an entry of.
  private(set) var last: StreamVersion = 0

  var count: Int { parts.values.reduce(0) { $0 + $1.versions.count } }
  var sizeInBytes: Int {
    let each = 12 + 32 * QuantizedVector.blockCount(dimension ?? 0)
    return parts.values.reduce(8 * unusable.count) { $0 + $1.versions.count * each }
  }

  /// Takes in a stored entry.
  ///
  /// - Precondition: It comes after ``last``.
  mutating func append(_ bytes: RawSpan, at version: StreamVersion) throws(DamagedBytes) {
    precondition(version > last, "entries come in order")
    var reader = ByteReader(bytes)
    let found = try StoredVector.read(&reader)
    last = version
    guard let (kind, scale) = found else { return unusable.append(version) }
    let numbers = reader.readRest()
    if dimension == nil { dimension = numbers.byteCount }
    guard numbers.byteCount == dimension else { return unusable.append(version) }
    var part = parts.removeValue(forKey: kind) ?? Part()
    part.versions.append(version)
    part.scales.append(scale)
    for block in 0..<QuantizedVector.blockCount(numbers.byteCount) {
      part.blocks.append(numbers.signedBytes32(at: block * QuantizedVector.lanes))
    }
    parts[kind] = part
  }

  /// Hands each text of a kind to `body` with its score, by version.
  ///
  /// - Complexity: O(texts of the kind), about 0.1 µs each for 384 dimensions.
  func forEachScore(
    of query: QuantizedVector, _ kind: MemoryKind, through last: StreamVersion,
    _ body: (StreamVersion, Float) -> Void
  ) {
    guard let part = parts[kind], query.dimension == dimension else { return }
    let blocks = part.blocks.span
    let step = query.blocks.count
    for index in part.versions.indices {
      let version = part.versions[index]
      guard version <= last else { return }
      let product = query.product(blocks, at: index * step)
      body(version, Float(product) * query.scale * part.scales[index])
    }
  }

  /// The score of one text; `nil` where there is none of that kind at that version.
  func score(of query: QuantizedVector, _ kind: MemoryKind, at version: StreamVersion) -> Float? {
    guard let part = parts[kind], query.dimension == dimension else { return nil }
    var (low, high) = (0, part.versions.count)
    while low < high {
      let middle = (low + high) / 2
      if part.versions[middle] < version { low = middle + 1 } else { high = middle }
    }
    guard low < part.versions.count, part.versions[low] == version else { return nil }
    let product = query.product(part.blocks.span, at: low * query.blocks.count)
    return Float(product) * query.scale * part.scales[low]
  }
}

/// Keeps the best of many scores.
struct BestScores {
  private let limit: Int
  /// A heap: the worst first.
  private var heap: [SemanticScore] = []

  init(limit: Int) { self.limit = limit }

  /// Whether a score would be among the best so far: asked first, since most are not.
  func takes(_ score: SemanticScore) -> Bool {
    guard limit > 0 else { return false }
    return heap.count < limit || SemanticScore.comesFirst(score, before: heap[0])
  }

  mutating func add(_ score: SemanticScore) {
    guard takes(score) else { return }
    if heap.count < limit {
      heap.append(score)
      var child = heap.count - 1
      while child > 0, SemanticScore.comesFirst(heap[(child - 1) / 2], before: heap[child]) {
        heap.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
      return
    }
    heap[0] = score
    var parent = 0
    while true {
      var worst = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && SemanticScore.comesFirst(heap[worst], before: heap[child]) {
        worst = child
      }
      if worst == parent { return }
      heap.swapAt(parent, worst)
      parent = worst
    }
  }

  /// Best first.
  var sorted: [SemanticScore] { heap.sorted(by: SemanticScore.comesFirst) }
}
