// The table on standard output.

/// Prints results as a table of text.
struct TableText {
  let results: Results

  /// Three digits that matter, with a letter for thousands and millions.
  static func number(_ value: Double) -> String {
    func digits(_ value: Double) -> String {
      let places = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
      var scale = 1.0
      for _ in 0..<places { scale *= 10 }
      let rounded = (value * scale).rounded()
      if places == 0 { return "\(Int(rounded))" }
      let fraction = String(Int(rounded) % Int(scale))
      return "\(Int(rounded) / Int(scale))." + String(repeating: "0", count: places - fraction.count) + fraction
    }
    guard value.isFinite else { return "–" }
    if value < 0 { return "-" + number(-value) }
    if value >= 999_500 { return digits(value / 1e6) + "M" }
    if value >= 9_995 { return digits(value / 1e3) + "k" }
    return digits(value)
  }

  static func text(of goal: Goal, unit: String) -> String {
    func initial(_ kind: ContestantKind) -> String { kind == .lmdb ? "L" : "S" }
    func plain(_ value: Double) -> String {
      value >= 9_995 ? number(value) : value == value.rounded() ? "\(Int(value))" : "\(value)"
    }
    return switch goal {
    case .atLeast(let bound, let kind): "≥ \(plain(bound)) × \(initial(kind))"
    case .atMost(let bound, let kind): "≤ \(plain(bound)) × \(initial(kind))"
    case .atLeastValue(let bound): "≥ \(plain(bound)) \(unit)"
    case .atMostValue(let bound): "≤ \(plain(bound)) \(unit)"
    }
  }

  /// Header and lines, each cell as text.
  var cells: [[String]] {
    var lines = [["question", "unit", "Memoir", "L", "S", "Memoir / L", "Memoir / S", "goal", "reached"]]
    for row in results.rows {
      func value(_ kind: ContestantKind) -> String { results.median(row.id, kind).map(Self.number) ?? "" }
      func ratio(_ kind: ContestantKind) -> String { results.ratio(row.id, to: kind).map(Self.number) ?? "" }
      let reached = row.goals.map { goal in
        switch results.isReached(goal, of: row) {
        case true?: "yes"
        case false?: "NO"
        case nil: "–"
        }
      }
      lines.append([
        row.text, row.unit, value(.memoir), value(.lmdb), value(.sqlite), ratio(.lmdb), ratio(.sqlite),
        row.goals.map { Self.text(of: $0, unit: row.unit) }.joined(separator: ", "),
        reached.joined(separator: ", "),
      ])
    }
    return lines
  }

  /// As Markdown, columns aligned, so that it reads as text too.
  var description: String {
    let cells = cells
    let widths = cells[0].indices.map { column in max(3, cells.map { $0[column].count }.max() ?? 0) }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return (2...6).contains(column) ? space + cell.0 : cell.0 + space
      }
      return "| " + padded.joined(separator: " | ") + " |\n"
    }
    let rule = widths.enumerated().map { column, width in
      (2...6).contains(column) ? String(repeating: "-", count: width - 1) + ":" : String(repeating: "-", count: width)
    }
    var text = line(cells[0]) + line(rule)
    for row in cells.dropFirst() { text += line(row) }
    return text
  }
}
