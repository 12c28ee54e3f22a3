// Questions about conversations, with the events that answer them.
import Foundation
import Memoir
import Platform

/// A question that somebody might ask later.
struct RecallQuestion {
  let user: StreamName
  let text: String
  /// The messages that answer it.
  let evidence: [EventID]

  private struct Line: Decodable {
    var split: String
    var user: String
    var question: String
    var evidence: [String]
  }

  /// The questions of a split in a file of JSON Lines.
  static func read(_ file: String, split: String) throws -> [RecallQuestion] {
    var reader = LineReader(try Descriptor(opening: file, for: .reading))
    let decoder = JSONDecoder()
    var questions: [RecallQuestion] = []
    while let bytes = try reader.next() {
      let line = try decoder.decode(Line.self, from: Data(bytes))
      guard line.split == split else { continue }
      questions.append(
        RecallQuestion(
          user: StreamName(try UserID(line.user)), text: line.question,
          evidence: try line.evidence.map { text throws in try EventID(text) }))
    }
    guard !questions.isEmpty else { throw BenchError("\(file) has no question of \(split)") }
    return questions
  }
}

/// How well answers were found.
struct RecallFigures {
  private static let depths = [5, 10, 20]
  /// As many as are looked at.
  static let depth = 20

  private var shares = [0.0, 0.0, 0.0]
  private var reciprocalRanks = 0.0
  private var count = 0

  /// Counts an answer: ids, best first.
  mutating func add(_ found: [EventID], evidence: [EventID]) {
    count += 1
    for (index, depth) in Self.depths.enumerated() {
      let hits = evidence.count { found.prefix(depth).contains($0) }
      shares[index] += Double(hits) / Double(evidence.count)
    }
    if let first = found.firstIndex(where: evidence.contains) { reciprocalRanks += 1 / Double(first + 1) }
  }

  /// recall@5, recall@10, recall@20: the share of a question's evidence among the first so many, mean over questions.
  var recall: [Double] { shares.map { $0 / Double(max(1, count)) } }

  /// Mean reciprocal rank of the first evidence; nothing where it is not among those looked at.
  var meanReciprocalRank: Double { reciprocalRanks / Double(max(1, count)) }
}
