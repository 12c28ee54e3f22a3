// Searching vectors, against the plain way: all products of all numbers, sorted.
import Bytes
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

/// Vectors as whole numbers, and the same as an index holds them.
private struct RandomVectors {
  var plain: [(version: StreamVersion, kind: MemoryKind, vector: [Float])] = []
  var index = VectorIndex()

  static func vector(_ dimension: Int, _ random: inout SeededRandom) -> [Float] {
    var vector = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
    let isNormal = vector.normalize()
    #expect(isNormal)
    return vector
  }

  init(count: Int, dimension: Int, _ random: inout SeededRandom) throws {
    var version: StreamVersion = 0
    for _ in 0..<count {
      version = version.forward(UInt64.random(in: 1...3, using: &random))
      let kind = MemoryKind.allCases.randomElement(using: &random) ?? .fact
      let vector = Self.vector(dimension, &random)
      let quantized = try #require(QuantizedVector(vector))
      try index.append(StoredVector.bytes(kind, quantized).rawSpan, at: version)
      plain.append((version, kind, vector))
    }
  }

  func scores(of query: [Float], _ kind: MemoryKind, through last: StreamVersion) -> [SemanticScore] {
    plain.filter { $0.kind == kind && $0.version <= last }.map { item in
      SemanticScore(version: item.version, kind: kind, score: zip(query, item.vector).reduce(0) { $0 + $1.0 * $1.1 })
    }
  }
}

@Suite struct `A search through vectors` {
  @Test(arguments: 1...30) func `finds what the plain search finds`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let dimension = [1, 3, 31, 32, 33, 100, 384][Int(seed % 7)]
    let vectors = try RandomVectors(count: Int.random(in: 0...120, using: &random), dimension: dimension, &random)
    let query = RandomVectors.vector(dimension, &random)
    let quantized = try #require(QuantizedVector(query))
    let last = StreamVersion(UInt64.random(in: 0...400, using: &random))
    // Half a step of each number, on both sides, times numbers that cannot all be large.
    let error = 1.1 * Float(dimension).squareRoot() / 127
    for kind in MemoryKind.allCases {
      let plain = vectors.scores(of: query, kind, through: last)
      var found: [SemanticScore] = []
      vectors.index.forEachScore(of: quantized, kind, through: last) {
        found.append(SemanticScore(version: $0, kind: kind, score: $1))
      }
      #expect(found.map(\.version) == plain.map(\.version), "seed \(seed)")
      for (a, b) in zip(found, plain) {
        #expect(abs(a.score - b.score) <= error, "seed \(seed)")
        #expect(vectors.index.score(of: quantized, kind, at: a.version) == a.score, "seed \(seed)")
      }
      var best = BestScores(limit: 7)
      for score in found { best.add(score) }
      let sorted = found.sorted { ($1.score, $0.version) < ($0.score, $1.version) }
      #expect(best.sorted == Array(sorted.prefix(7)), "seed \(seed)")
    }
  }

  @Test func `gives equally near ones in the order of their versions`() throws {
    let vector = try #require(QuantizedVector([1, 2, 3]))
    var index = VectorIndex()
    for version in 1...9 {
      try index.append(StoredVector.bytes(.fact, vector).rawSpan, at: StreamVersion(UInt64(version)))
    }
    var best = BestScores(limit: 4)
    index.forEachScore(of: vector, .fact, through: 8) { best.add(SemanticScore(version: $0, kind: .fact, score: $1)) }
    #expect(best.sorted.map(\.version) == [1, 2, 3, 4])
    #expect(BestScores(limit: 0).sorted.isEmpty)
  }

  @Test func `compares nothing of another dimension, and counts it`() throws {
    var index = VectorIndex()
    let (long, short) = (try #require(QuantizedVector([1, 2, 3])), try #require(QuantizedVector([1, 2])))
    try index.append(StoredVector.bytes(.fact, long).rawSpan, at: 1)
    try index.append(StoredVector.bytes(.fact, short).rawSpan, at: 2)
    let refused = StoredVector.refused
    try index.append(refused.rawSpan, at: 4)
    #expect(index.count == 1 && index.unusable == [2, 4] && index.last == 4)
    let query = try #require(QuantizedVector([1, 2]))
    #expect(index.score(of: query, .fact, at: 1) == nil)
    let vectors = UserVectors(index: index, waiting: [5, 9], seen: 9)
    #expect(SemanticAnswer(query, vectors, through: 9, model: "m").missing == 5)
    #expect(SemanticAnswer(query, vectors, through: 5, model: "m").nearest(3, of: .fact).isEmpty)
  }

  @Test(
    arguments: [
      [], [1], [2, 1, 0, 0, 128, 63, 1], [1, 9, 0, 0, 128, 63, 1], [1, 1, 0, 0, 128, 63], [1, 1, 0, 0, 128, 127, 1],
      [1, 1, 0, 0, 128, 191, 1], [1, 1, 0, 0, 0, 0, 1],
    ] as [[UInt8]]) func `refuses bytes that are no vector`(bytes: [UInt8])
  {
    #expect(throws: DamagedBytes.self) {
      var index = VectorIndex()
      try index.append(bytes.rawSpan, at: 1)
    }
  }

  @Test(arguments: [[], [0, 0], [.nan, 1], [.infinity, 1]] as [[Float]])
  func `has no place for what has no direction`(numbers: [Float]) {
    #expect(QuantizedVector(numbers) == nil)
  }
}
