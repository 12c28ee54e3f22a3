// The words of a fact, made comparable.

/// A word as it is compared, and what it looked like.
struct Word: Equatable {
  /// In lower case, without the punctuation around it.
  let text: String
  /// Whether it begins with a capital letter, a digit, a currency sign, `+` or `#`, or has an `@` in it, as names, numbers,
  /// dates, sums and addresses do.
  let isNameLike: Bool
  /// The punctuation after it that ends a part of the sentence: `,` `;` `:` `.` `!` `?`.
  let mark: Character?

  static func == (a: Word, b: Word) -> Bool { a.text == b.text }
}

/// A fact as words.
struct Sentence {
  /// All words, without an article at the beginning.
  let words: [Word]

  init(_ text: String) {
    var words: [Word] = []
    // Scalar by scalar: thousands of facts may be read to remember one more.
    for part in text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace) {
      var part = part.drop(while: Self.opens)
      var mark: Character?
      while let last = part.last, Self.closes(last) {
        if Self.isMark(last) { mark = Character(last) }
        part.removeLast()
      }
      guard let first = part.first else { continue }
      words.append(
        Word(
          text: Self.spelling(String(part).lowercased()),
          isNameLike: Self.beginsName(first) || part.contains("@"), mark: mark))
    }
    if words.count > 1, ["the", "a", "an"].contains(words[0].text) { words.removeFirst() }
    // Of nothing but punctuation, the text itself is the word.
    if words.isEmpty { words = [Word(text: text, isNameLike: false, mark: nil)] }
    self.words = words
  }

  private static func beginsName(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    return properties.isUppercase || properties.numericType != nil || properties.generalCategory == .currencySymbol
      || scalar == "+" || scalar == "#"
  }

  private static func opens(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "'", "“", "”", "‘", "’", "«", "»", "(", "[", "{": true
    default: false
    }
  }

  private static func closes(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "'", "“", "”", "‘", "’", "«", "»", ")", "]", "}": true
    default: isMark(scalar)
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case ".", ",", ";", ":", "!", "?", "…": true
    default: false
    }
  }

  private static func spelling(_ word: String) -> String {
    switch word {
    case "favorite": "favourite"
    case "color": "colour"
    default: word.unicodeScalars.contains("’") ? word.replacing("’", with: "'") : word
    }
  }

  /// Whether the words are the same, in order: whatever their case, spacing and punctuation.
  func isSame(as other: Sentence) -> Bool { words == other.words }

  var texts: [String] { words.map(\.text) }

  /// Whether it is one plain clause: no mark within it but those of `places`, and none that asks.
  func isPlain(except places: Set<Int> = []) -> Bool {
    for (index, word) in words.enumerated() {
      guard let mark = word.mark else { continue }
      if index == words.count - 1 ? mark == "?" : !places.contains(index) { return false }
    }
    return true
  }

  func has(anyOf texts: Set<String>) -> Bool { words.contains { texts.contains($0.text) } }
}

extension RandomAccessCollection where Element == Word {
  var texts: [String] { map(\.text) }

  /// Whether `other` occurs in it as neighbours.
  func contains(run other: some RandomAccessCollection<Word>) -> Bool {
    guard !other.isEmpty, other.count <= count else { return false }
    var start = startIndex
    for _ in 0...(count - other.count) {
      if self[start...].starts(with: other) { return true }
      start = index(after: start)
    }
    return false
  }
}
