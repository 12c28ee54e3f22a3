// A sentence of a conversation, and how a text is split into sentences.

/// A sentence as it was said, with its words made comparable.
struct SpokenSentence {
  /// The words as said, on one line.
  var text: String
  /// In lower case, with straight apostrophes.
  var words: [String]
  /// Whether it ends with a question mark, or is built as a question.
  var isQuestion: Bool
  /// Whether it is an entry of a list that can be ticked off, and if so, whether it was.
  var tick: Tick?

  enum Tick { case open, done }

  /// - Returns: `nil` where the text has no word.
  init?(_ text: String, tick: Tick? = nil) {
    let text = text.onOneLine
    words = Self.words(of: text)
    guard !words.isEmpty else { return nil }
    self.text = text
    self.tick = tick
    isQuestion = text.last == "?" || text.last == "？" || Phrases.questionOpenings.opens(words)
  }

  /// The words that carry the meaning.
  var topics: [String] { words.filter { $0.count > 3 && !Phrases.plainWords.contains($0) } }

  /// Whether there is something to do in "need to …": "I have to go now" names nothing.
  var saysWhat: Bool {
    !topics.isEmpty || words.contains { $0.count == 3 && !Phrases.shortPlainWords.contains($0) }
  }

  /// Letters, digits and apostrophes; everything else separates words.
  static func words(of text: String) -> [String] {
    var words: [String] = []
    var word = ""
    func end() {
      while word.last == "'" { word.removeLast() }
      if !word.isEmpty { words.append(Phrases.spellings[word] ?? word) }
      word = ""
    }
    for scalar in text.lowercased().unicodeScalars {
      if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        word.unicodeScalars.append(scalar)
      } else if scalar == "'" || scalar == "’", !word.isEmpty {
        word.append("'")
      } else {
        end()
      }
    }
    end()
    return words
  }

  /// The sentences of a text, without code and without what is quoted from elsewhere.
  ///
  /// Only the first 32 KiB are looked at: more than that is no speech but an attachment.
  static func all(in text: String) -> [SpokenSentence] {
    var sentences: [SpokenSentence] = []
    var isInFence = false
    for line in text.cut(toSize: 32 << 10).split(whereSeparator: \.isNewline) {
      var rest = line.drop(while: \.isWhitespace)
      if rest.hasPrefix("```") || rest.hasPrefix("~~~") {
        isInFence.toggle()
        continue
      }
      if isInFence || rest.hasPrefix(">") || line.hasPrefix("\t") || line.hasPrefix("    ") { continue }
      let tick = Self.stripBullet(&rest)
      for part in Self.split(rest).flatMap(Self.clauses) {
        if let sentence = SpokenSentence(part, tick: tick) { sentences.append(sentence) }
      }
    }
    return sentences
  }

  /// Takes `- `, `* `, `1. `, `[ ] ` and the like off a line.
  private static func stripBullet(_ line: inout Substring) -> Tick? {
    for bullet in ["- ", "* ", "• ", "+ "] where line.hasPrefix(bullet) { line = line.dropFirst(2) }
    let digits = line.prefix { $0.isNumber }
    if !digits.isEmpty, digits.count < 3 {
      let after = line.dropFirst(digits.count)
      if after.hasPrefix(". ") || after.hasPrefix(") ") { line = after.dropFirst(2) }
    }
    for (mark, tick) in [("[ ]", Tick.open), ("[x]", .done), ("[X]", .done)] where line.hasPrefix(mark) {
      line = line.dropFirst(3)
      return tick
    }
    return nil
  }

  /// Splits a line after full stops, question marks and exclamation marks that end a sentence.
  private static func split(_ line: Substring) -> [String] {
    var parts: [String] = []
    var part = ""
    var characters = Array(line)[...]
    while let character = characters.popFirst() {
      part.append(character)
      if "。！？".contains(character) {
        parts.append(part)
        part = ""
        continue
      }
      guard ".!?;".contains(character) else { continue }
      // A quotation's end belongs to its sentence.
      while let next = characters.first, ".!?\"”')".contains(next) {
        part.append(next)
        characters.removeFirst()
      }
      guard characters.first?.isWhitespace ?? true else { continue }
      if character == ".", isAbbreviated(part) { continue }
      parts.append(part)
      part = ""
    }
    if !part.isEmpty { parts.append(part) }
    return parts
  }

  /// "I live in Porto and I work nights" says two things.
  private static func clauses(of text: String) -> [String] {
    let words = text.split(separator: " ").map(String.init)
    guard words.count > 5, !Phrases.hypotheticals.isIn(Self.words(of: text)), text.last != "?" else { return [text] }
    // A yes with a "but" is to be heard whole.
    let joints = Phrases.agreements.isIn(Self.words(of: text)) ? ["and"] : ["and", "but"]
    var clauses: [[String]] = [[]]
    for (index, word) in words.enumerated() {
      let next = index + 1 < words.count ? Self.words(of: words[index + 1]).first ?? "" : ""
      if joints.contains(word.lowercased()), ["i", "i'm", "i've", "i'll", "my"].contains(next),
        (clauses.last?.count ?? 0) > 2
      {
        clauses.append([])
      } else {
        clauses[clauses.count - 1].append(word)
      }
    }
    return clauses.map { $0.joined(separator: " ") }
  }

  private static func isAbbreviated(_ text: String) -> Bool {
    let last = text.dropLast().split(whereSeparator: { $0.isWhitespace || $0 == "(" }).last?.lowercased() ?? ""
    return Phrases.abbreviations.contains(last) || (last.count == 1 && last.first?.isLetter == true && last != "i")
  }
}
