// What was measured: values of each round, ratios within a round, medians over the rounds.
import Foundation

/// The values of a run.
final class Results {
  /// Of each line and contestant, a value a round.
  private(set) var values: [String: [ContestantKind: [Double]]] = [:]
  /// Curves for charts, by chart and by line.
  private(set) var series: [String: [(name: String, points: [(x: Double, y: Double)])]] = [:]
  /// What the reader should know.
  private(set) var notes: [String] = []

  func add(_ row: String, _ kind: ContestantKind = .memoir, _ value: Double) {
    precondition(Row.all.contains { $0.id == row }, "\(row) is no line of the table")
    values[row, default: [:]][kind, default: []].append(value)
  }

  func add(series name: String, line: String, _ points: [(x: Double, y: Double)]) {
    series[name, default: []].removeAll { $0.name == line }
    series[name, default: []].append((line, points))
  }

  func note(_ text: String) {
    if !notes.contains(text) { notes.append(text) }
  }

  func median(_ row: String, _ kind: ContestantKind) -> Double? {
    values[row]?[kind].flatMap { $0.isEmpty ? nil : $0.median }
  }

  /// Memoir's value over another's of the same round.
  func ratio(_ row: String, to kind: ContestantKind) -> Double? {
    guard let ours = values[row]?[.memoir], let theirs = values[row]?[kind] else { return nil }
    let ratios = zip(ours, theirs).filter { $0.1 > 0 }.map { $0.0 / $0.1 }
    return ratios.isEmpty ? nil : ratios.median
  }

  /// Whether a goal is reached; `nil` where it was not measured.
  func isReached(_ goal: Goal, of row: Row) -> Bool? {
    switch goal {
    case .atLeast(let bound, let kind): ratio(row.id, to: kind).map { $0 >= bound }
    case .atMost(let bound, let kind): ratio(row.id, to: kind).map { $0 <= bound }
    case .atLeastValue(let bound): median(row.id, .memoir).map { $0 >= bound }
    case .atMostValue(let bound): median(row.id, .memoir).map { $0 <= bound }
    }
  }

  /// The lines that were measured.
  var rows: [Row] { Row.all.filter { values[$0.id] != nil } }
}
