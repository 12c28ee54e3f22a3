// Looking for any of many phrases in the words of a sentence.

/// Phrases to be found as whole words.
struct PhraseSet: Sendable {
  /// By first word.
  private let phrases: [String: [[String]]]

  /// - Parameter text: Phrases, separated by commas or lines; in lower case.
  init(_ text: String) {
    var phrases: [String: [[String]]] = [:]
    for phrase in text.split(whereSeparator: { $0 == "," || $0.isNewline }) {
      let words = phrase.split(separator: " ").map(String.init)
      guard let first = words.first else { continue }
      phrases[first, default: []].append(words)
    }
    self.phrases = phrases.mapValues { $0.sorted { $0.count > $1.count } }
  }

  /// Where the first of the phrases stands, the longest of those that begin there.
  func range(in words: [String], from start: Int = 0) -> Range<Int>? {
    for index in words.indices.dropFirst(start) {
      if let count = match(words[index...]) { return index..<index + count }
    }
    return nil
  }

  /// Whether any of the phrases is there.
  func isIn(_ words: [String]) -> Bool { range(in: words) != nil }

  /// The words with a gap where each of the phrases was.
  func removed(from words: [String]) -> [String] {
    var words = words
    while let range = range(in: words) { words.replaceSubrange(range, with: [""]) }
    return words
  }

  /// Whether the words begin with one of the phrases.
  func opens(_ words: [String]) -> Bool { match(words[...]) != nil }

  private func match(_ words: ArraySlice<String>) -> Int? {
    guard let first = words.first, let candidates = phrases[first] else { return nil }
    return candidates.first { words.starts(with: $0) }?.count
  }
}
