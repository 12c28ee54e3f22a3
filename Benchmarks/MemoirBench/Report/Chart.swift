// Charts as SVG, readable on light and on dark.
import Foundation

/// A picture that grows by its parts.
struct SVG {
  private var body = ""
  let width: Double
  let height: Double

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  private static func short(_ value: Double) -> String { String(format: "%.1f", value) }

  enum Anchor: String {
    case start, middle, end
  }

  mutating func text(_ text: String, _ x: Double, _ y: Double, _ anchor: Anchor = .start, style: String = "") {
    body += "<text x=\"\(Self.short(x))\" y=\"\(Self.short(y))\" text-anchor=\"\(anchor)\" class=\"\(style)\">"
    body += "\(Self.escaped(text))</text>\n"
  }

  mutating func bar(_ x: Double, _ y: Double, _ width: Double, _ height: Double, style: String) {
    body += "<rect x=\"\(Self.short(x))\" y=\"\(Self.short(y))\" width=\"\(Self.short(max(width, 0.5)))\" "
    body += "height=\"\(Self.short(height))\" class=\"\(style)\"/>\n"
  }

  mutating func line(_ points: [(x: Double, y: Double)], style: String) {
    let text = points.map { "\(Self.short($0.x)),\(Self.short($0.y))" }.joined(separator: " ")
    body += "<polyline points=\"\(text)\" class=\"\(style)\"/>\n"
  }

  /// The file. Colours go with the reader's theme.
  var file: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
    width="\(Int(width))" height="\(Int(height))" font-family="system-ui, sans-serif" font-size="12">
    <style>
    .paper { fill: #ffffff } text { fill: #24292f } .soft { fill: #57606a } .title { font-size: 15px; font-weight: 600 }
    .grid { stroke: #d0d7de; stroke-width: 1; fill: none } .goal { stroke: #cf222e; stroke-width: 2; fill: none }
    .c0 { fill: #0969da; stroke: #0969da } .c1 { fill: #9a6700; stroke: #9a6700 } .c2 { fill: #6e7781; stroke: #6e7781 }
    .c3 { fill: #1a7f37; stroke: #1a7f37 } rect { stroke: none } polyline { fill: none; stroke-width: 2 }
    polyline.c0, polyline.c1, polyline.c2, polyline.c3 { fill: none } rect.c0, rect.c1, rect.c2, rect.c3 { stroke: none }
    @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .soft { fill: #8d96a0 } .grid { stroke: #30363d }
    .goal { stroke: #ff7b72 } .c0 { fill: #58a6ff; stroke: #58a6ff } .c1 { fill: #d29922; stroke: #d29922 }
    .c2 { fill: #8d96a0; stroke: #8d96a0 } .c3 { fill: #3fb950; stroke: #3fb950 }
    polyline.c0, polyline.c1, polyline.c2, polyline.c3 { fill: none }
    }
    </style>
    <rect class="paper" width="100%" height="100%"/>
    \(body)</svg>

    """
  }
}

/// The charts of a run.
struct Charts {
  let results: Results

  /// Each chart by the name of its file.
  var files: [(name: String, text: String)] {
    var files: [(String, String)] = []
    let rows = results.rows.filter { row in
      ContestantKind.allCases.count { results.median(row.id, $0) != nil } > 1 && !row.id.hasSuffix("-sync")
    }
    if !rows.isEmpty { files.append(("questions.svg", bars(rows))) }
    if let lines = results.series["latency"] { files.append(("latency.svg", latency(lines))) }
    if let lines = results.series["growth"] { files.append(("growth.svg", growth(lines))) }
    return files
  }

  private func style(_ index: Int) -> String { "c\(index % 4)" }

  /// A group of bars for each question, as multiples of plain LMDB where it takes part, else of SQLite; the goals as
  /// strokes. The scale is logarithmic.
  private func bars(_ rows: [Row]) -> String {
    let (left, right, groupHeight, top) = (290.0, 140.0, 52.0, 64.0)
    var picture = SVG(width: 920, height: top + Double(rows.count) * groupHeight + 34)
    picture.text("Memoir beside plain LMDB and SQLite", 16, 26, style: "title")
    picture.text(
      "Multiples of plain LMDB (of SQLite where it stands alone). Red: the goal. Logarithmic.", 16, 45, style: "soft")
    let (low, high) = (log10(0.03), log10(40.0))
    let room = picture.width - left - right
    func x(_ ratio: Double) -> Double {
      left + room * (min(max(log10(max(ratio, 1e-9)), low), high) - low) / (high - low)
    }
    let bottom = top + Double(rows.count) * groupHeight
    for mark in [0.1, 1.0, 10.0] {
      picture.line([(x(mark), top - 6), (x(mark), bottom)], style: "grid")
      picture.text("\(TableText.number(mark)) ×", x(mark), bottom + 16, .middle, style: "soft")
    }
    for (index, row) in rows.enumerated() {
      let y = top + Double(index) * groupHeight
      picture.text(row.text, 16, y + 17)
      picture.text(row.unit, 16, y + 32, style: "soft")
      let base = results.median(row.id, .lmdb) ?? results.median(row.id, .sqlite) ?? 1
      var line = 0.0
      for (number, kind) in ContestantKind.allCases.enumerated() {
        guard let value = results.median(row.id, kind) else { continue }
        let ratio = value / base
        picture.bar(left, y + 3 + line * 14, x(ratio) - left, 12, style: style(number))
        picture.text(kind.rawValue, left + room + 14, y + 13 + line * 14, style: "soft")
        picture.text(TableText.number(value), picture.width - 14, y + 13 + line * 14, .end)
        line += 1
      }
      for goal in row.goals {
        let bound: Double? =
          switch goal {
          case .atLeast(let bound, .lmdb), .atMost(let bound, .lmdb): bound
          case .atLeast(let bound, let kind), .atMost(let bound, let kind):
            results.median(row.id, kind).map { bound * $0 / base }
          case .atLeastValue(let bound), .atMostValue(let bound): bound / base
          }
        if let bound { picture.line([(x(bound), y + 1), (x(bound), y + 17)], style: "goal") }
      }
    }
    return picture.file
  }

  /// Lines over an area, both scales logarithmic.
  private func plot(
    _ title: String, _ subtitle: String, _ lines: [(name: String, points: [(x: Double, y: Double)])],
    marks: [(x: Double, text: String)], unit: String
  ) -> String {
    var picture = SVG(width: 760, height: 400)
    picture.text(title, 16, 26, style: "title")
    picture.text(subtitle, 16, 45, style: "soft")
    let values = lines.flatMap(\.points).map(\.y).filter { $0 > 0 }
    let positions = lines.flatMap(\.points).map(\.x)
    guard let least = values.min(), let most = values.max(), let first = positions.min(), let last = positions.max()
    else { return picture.file }
    let (low, high) = (log10(least).rounded(.down), log10(most * 1.01).rounded(.up))
    func x(_ value: Double) -> Double { 70 + 520 * (value - first) / max(last - first, 1e-9) }
    func y(_ value: Double) -> Double { 350 - 280 * (log10(value) - low) / max(high - low, 1) }
    for power in stride(from: low, through: high, by: 1) {
      let value = pow(10, power)
      picture.line([(70, y(value)), (590, y(value))], style: "grid")
      picture.text("\(TableText.number(value)) \(unit)", 64, y(value) + 4, .end, style: "soft")
    }
    for mark in marks where mark.x >= first - 1e-9 && mark.x <= last + 1e-9 {
      picture.text(mark.text, x(mark.x), 370, .middle, style: "soft")
    }
    for (index, line) in lines.enumerated() {
      let points = line.points.filter { $0.y > 0 }
      picture.line(points.map { (x($0.x), y($0.y)) }, style: style(index))
      picture.bar(606, 70 + Double(index) * 20, 12, 12, style: style(index))
      picture.text(line.name, 624, 80 + Double(index) * 20)
    }
    return picture.file
  }

  private func latency(_ lines: [(name: String, points: [(x: Double, y: Double)])]) -> String {
    plot(
      "How long one of 64 writers waits", "Until its event is durable, by percentile; calm spells of the disk", lines,
      marks: [
        (-log10(0.5), "50 %"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "99.99 %"),
      ], unit: "ms")
  }

  private func growth(_ lines: [(name: String, points: [(x: Double, y: Double)])]) -> String {
    plot(
      "What the same costs as the log grows", "Medians; flat is good",
      lines.map { line in (line.name, line.points.map { (log10($0.x), $0.y) }) },
      marks: (3...7).map { (Double($0), TableText.number(pow(10, Double($0)))) }, unit: "")
  }
}
