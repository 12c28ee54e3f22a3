// Rows in columns, as wide as the terminal allows.

/// A table for people: titles, aligned columns, and nothing but spaces between them.
///
/// Where the terminal is too narrow, columns that may shrink give way first, the widest before the others, then all;
/// what is cut ends in `…`. Where nobody looks (a file, a pipe) nothing is cut.
struct TextTable: Sendable {
  struct Column: Sendable {
    enum Alignment: Sendable { case left, right }

    let title: String
    var alignment = Alignment.left
    /// The columns it keeps while others still can give way; `nil` where it gives way last.
    var shrinksTo: Int?
    var style = Style.plain

    /// Text that may be cut.
    static func flexible(_ title: String, atLeast width: Int = 12, _ style: Style = .plain) -> Column {
      Column(title: title, shrinksTo: width, style: style)
    }

    /// Names, times and other text that is of use only as a whole.
    static func fixed(_ title: String, _ style: Style = .plain) -> Column {
      Column(title: title, style: style)
    }

    /// Numbers, with their last digits below one another.
    static func number(_ title: String) -> Column {
      Column(title: title, alignment: .right)
    }
  }

  let columns: [Column]
  private(set) var rows: [[StyledText]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// - Precondition: As many cells as there are columns.
  mutating func add(_ cells: [StyledText]) {
    precondition(cells.count == columns.count, "\(cells.count) cells in \(columns.count) columns")
    rows.append(zip(cells, columns).map { $0.styled($1.style) })
  }

  /// The lines of the table, titles first.
  func lines(width: Int?, paint: Paint) -> [String] {
    let titles = columns.map { StyledText($0.title, .bold) }
    let widths = columnWidths(of: [titles] + rows, within: width)
    return ([titles] + rows).map { line($0, widths: widths, paint: paint) }
  }

  private func line(_ cells: [StyledText], widths: [Int], paint: Paint) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let cell = cell.truncated(to: widths[index])
      let text = cell.rendered(by: paint)
      let room = String(repeating: " ", count: widths[index] - cell.width)
      line += index == 0 ? "" : "  "
      line += columns[index].alignment == .right ? room + text : text + room
    }
    return line.trimmingTrailingSpaces()
  }

  private func columnWidths(of lines: [[StyledText]], within width: Int?) -> [Int] {
    var widths = columns.indices.map { index in lines.map { $0[index].width }.max() ?? 0 }
    guard let width else { return widths }
    var excess = widths.reduce(2 * (columns.count - 1), +) - width
    // First those that may, down to what they keep; then any, down to a single `…`.
    for floors in [columns.map { $0.shrinksTo ?? .max }, columns.map { _ in 1 }] {
      while excess > 0 {
        let shrinkable = widths.indices.filter { widths[$0] > floors[$0] }
        guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
        widths[widest] -= 1
        excess -= 1
      }
    }
    return widths
  }
}

/// Names with a value each, below one another.
struct KeyValues: Sendable {
  private var pairs: [(key: StyledText, value: StyledText)] = []

  init() {}

  mutating func add(_ key: String, _ value: StyledText) {
    pairs.append((StyledText(key, .dim), value))
  }

  /// The lines of the block; a value that does not fit is cut.
  func lines(width: Int?, paint: Paint) -> [String] {
    let column = (pairs.map(\.key.width).max() ?? 0) + 2
    return pairs.map { key, value in
      let room = width.map { max($0 - column, 1) } ?? .max
      let gap = String(repeating: " ", count: column - key.width)
      return (key.rendered(by: paint) + gap + value.truncated(to: room).rendered(by: paint))
        .trimmingTrailingSpaces()
    }
  }
}
