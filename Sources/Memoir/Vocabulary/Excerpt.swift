// Less of a text: its beginning, a cut that shows, many lines as one.

extension String {
  /// As many whole scalars as fit into `limit` bytes.
  func beginning(atMost limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var end = utf8.index(startIndex, offsetBy: limit)
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(self[..<end])
  }

  /// As much of the text as fits into `limit` bytes, cut between words where that is possible; then it ends with `…`.
  func cut(toSize limit: Int) -> String {
    guard utf8.count > limit else { return self }
    guard limit > 3 else { return "" }
    var end = utf8.index(startIndex, offsetBy: limit - 3)
    while end > startIndex, end.samePosition(in: self) == nil { end = utf8.index(before: end) }
    var text = self[..<end]
    if let blank = text.lastIndex(where: \.isWhitespace),
      text.utf8.distance(from: blank, to: text.endIndex) < max(limit / 4, 1)
    {
      text = text[..<blank]
    }
    return text + "…"
  }

  /// Every run of white space and control characters as one blank, and none at the ends: nothing in it can pose as a
  /// line of its own.
  var onOneLine: String {
    if isOnOneLine { return self }
    var line = ""
    line.reserveCapacity(utf8.count)
    var isSpace = true
    for scalar in unicodeScalars {
      if scalar.breaksLine {
        if !isSpace { line.unicodeScalars.append(" ") }
        isSpace = true
      } else {
        isSpace = false
        line.unicodeScalars.append(scalar)
      }
    }
    if line.utf8.last == 0x20 { line.unicodeScalars.removeLast() }
    return line
  }

  /// Whether it is seen at once that nothing is to be changed, as of most texts: ASCII, with single blanks.
  private var isOnOneLine: Bool {
    var last: UInt8 = 0x20
    for byte in utf8 {
      if byte &- 0x20 >= 0x5F || (byte == 0x20 && last == 0x20) { return false }
      last = byte
    }
    return last != 0x20
  }
}

extension Unicode.Scalar {
  /// Whether it is a space, ends a line, or is there for no reader.
  fileprivate var breaksLine: Bool {
    // Most are ASCII, and looking the others up takes longer.
    if value < 0x80 { return value <= 0x20 || value == 0x7F }
    if properties.isWhitespace { return true }
    return switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
