// Long text in short lines, broken between words.

/// Breaks text into lines of a given width.
enum Wrapping {
  /// `text` in lines of at most `width` columns.
  ///
  /// A line break in `text` stays one; runs of spaces between words become one. A word longer than a line is cut,
  /// but for file names and addresses in help, where `cuttingWords` is false and the word stands out of the line.
  ///
  /// - Parameters:
  ///   - first: Begins the first line, e.g. a bullet.
  ///   - rest: Begins every other line, e.g. as many spaces.
  static func lines(
    _ text: some StringProtocol, width: Int, first: String = "", rest: String = "", cuttingWords: Bool = true
  ) -> [String] {
    var lines: [String] = []
    for paragraph in SafeText.lines(text) {
      let words = paragraph.split(separator: " ")
      lines += flow(
        words, width: width, first: lines.isEmpty ? first : rest, rest: rest, cuttingWords: cuttingWords)
    }
    return lines
  }

  /// `units` separated by spaces and never broken themselves, unless one is wider than a line and may be cut.
  static func flow(
    _ units: [some StringProtocol], width: Int, first: String = "", rest: String = "",
    cuttingWords: Bool = false
  ) -> [String] {
    var lines: [String] = []
    var line = first
    // Counted along: measuring the line anew at every word would take the square of its length.
    var columns = DisplayWidth.of(first)
    let restColumns = DisplayWidth.of(rest)
    var isFresh = true
    func end() {
      lines.append(line.trimmingTrailingSpaces())
      line = rest
      columns = restColumns
      isFresh = true
    }
    for unit in units {
      var word = String(unit)
      var wordColumns = DisplayWidth.of(word)
      if !isFresh && columns + 1 + wordColumns > width { end() }
      while cuttingWords && columns + wordColumns > width {
        let head = word.prefix(columns: max(width - columns, 0))
        // Not even one character fits: the line stays too long, rather than going on for ever.
        if head.isEmpty || head.endIndex == word.endIndex { break }
        line += head
        word = String(word[head.endIndex...])
        wordColumns = DisplayWidth.of(word)
        end()
      }
      line += (isFresh ? "" : " ") + word
      columns += (isFresh ? 0 : 1) + wordColumns
      isFresh = false
    }
    end()
    return lines
  }
}

extension String {
  func trimmingTrailingSpaces() -> String {
    var view = self[...]
    while view.last == " " { view.removeLast() }
    return String(view)
  }

  /// Filled up with spaces to `width` columns.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - DisplayWidth.of(self)))
  }
}
