// How results read: one thing a line, with the id by which other tools take it.
import JSON
import Memoir

extension String {
  /// The text on one line, however it was broken, so that what somebody said cannot pose as something else.
  var onOneLine: String {
    var line = String.UnicodeScalarView()
    var isSpace = true
    for scalar in unicodeScalars {
      let breaks =
        scalar.value < 0x80
        ? scalar.value <= 0x20 || scalar.value == 0x7F
        : scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
      if !breaks { line.append(scalar) } else if !isSpace { line.append(" ") }
      isSpace = breaks
    }
    if line.last == " " { line.removeLast() }
    return String(line)
  }

  /// No longer than so many characters.
  func cut(to count: Int) -> String { self.count > count ? prefix(count) + "…" : self }

  /// The beginning that fits into so many bytes.
  func beginning(ofBytes limit: Int) -> String {
    var text = ""
    for scalar in unicodeScalars {
      if text.utf8.count + UTF8.width(scalar) > limit { break }
      text.unicodeScalars.append(scalar)
    }
    return text
  }
}

/// `1 fact`, `3 facts`
func counted(_ number: some BinaryInteger, _ one: String, plural: String? = nil) -> String {
  "\(number) \(number == 1 ? one : plural ?? one + "s")"
}

extension Timestamp {
  /// `2026-03-03 14:00Z`
  var minute: String { String(description.prefix(16)).replacing("T", with: " ") + "Z" }
}

extension JSONText {
  /// A string without its quotation marks; anything else as JSON.
  var shown: String {
    (try? JSONParser().parse(utf8.span) { $0.string }).flatMap { $0 } ?? description
  }
}

/// Lines that become a text.
struct Lines {
  private var lines: [String] = []

  init(_ first: String) { lines = [first] }

  var text: String { lines.joined(separator: "\n") }

  mutating func add(_ line: String) { lines.append(line) }

  /// A heading and a line for each of the last `most` items; nothing where there are none.
  mutating func add<Item>(_ heading: String, _ items: [Item], atMost most: Int = 40, _ line: (Item) -> String) {
    if items.isEmpty { return }
    lines += ["", "## \(heading)"]
    if items.count > most { lines.append("(the latest \(most) of \(items.count); 'recall' finds the others)") }
    lines += items.suffix(most).map { "- " + line($0) }
  }
}

extension Fact {
  /// `[home] Lives in Porto (fact_id home-1, learned 2026-03-02 09:16Z)`
  var line: String {
    var remarks = ["fact_id \(factID)", "confidence \(confidence)", "learned \(learnedAt.minute)"]
    if updatedAt != learnedAt { remarks.append("last confirmed or revised \(updatedAt.minute)") }
    if let expiresAt { remarks.append("until \(expiresAt.minute)") }
    return "[\(category.onOneLine)] \(fact.onOneLine) (\(remarks.joined(separator: ", ")))"
  }
}

extension Session {
  /// `s-1, 2026-03-02 09:16Z, ended: Moved to Porto.`
  var line: String {
    var line = "\(id), began \(startedAt.minute), \(counted(messageCount, "message")), "
    line += end.map { "ended \($0.endedAt.minute)" } ?? "open"
    if let summary = end?.summary, !summary.isEmpty { line += ": \(summary.onOneLine)" }
    return line
  }
}
