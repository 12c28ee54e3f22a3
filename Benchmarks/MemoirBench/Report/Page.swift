// The page that shows the last figures.
import Foundation

/// A page of Markdown with a place for figures.
struct Page {
  let file: String

  private static let begin = "<!-- figures -->\n"
  private static let end = "<!-- end of figures -->"

  /// Puts a table between the marks, in place of the one before.
  func setFigures(_ table: String, plan: Plan) throws {
    let url = URL(filePath: file)
    var text = try String(contentsOf: url, encoding: .utf8)
    guard let begin = text.range(of: Self.begin), let end = text.range(of: Self.end),
      begin.upperBound <= end.lowerBound
    else { throw BenchError("\(file) has no place for figures") }
    let machine = ResultsJSON.machine
    let words = ["processor", "cores", "kernel"].map { "\(machine[$0] ?? "")" }
    let heading =
      "\(words[0]), \(words[1]) cores, Linux \(words[2]); \(plan.events) events of \(plan.users) users, "
      + "medians of \(plan.rounds) rounds.\n\n"
    text.replaceSubrange(begin.upperBound..<end.lowerBound, with: heading + table)
    try Data(text.utf8).write(to: url)
  }
}
