// "I live in Lisbon" as a memory of the person: "Lives in Lisbon".

enum ThirdPerson {
  /// The sentence with the person as "they", where that is safe; otherwise as it was said.
  ///
  /// Safe is a sentence that begins with "I" and a verb whose form is known, or with "my". "We" stays, since nobody says
  /// who they are; so does whatever speaks to the assistant, and a second verb that would need its own form. So a memory is
  /// either in the third person throughout or word for word.
  static func text(of sentence: String) -> String {
    let said = withoutOpening(sentence.split(separator: " ").map(String.init))
    let plain = said.map { SpokenSentence.words(of: $0).first ?? "" }
    guard let first = plain.first, !plain.contains(where: secondPerson.contains) else {
      return finished(said)
    }
    switch first {
    // As in "Lives in Lisbon", who is meant need not be said: "Name is Ana", "Daughter is allergic to peanuts".
    case "my" where said.count > 2: return finished(others(said.dropFirst()))
    case "i", "i'm", "i've", "i'd", "i'll":
      guard !hasSecondVerb(plain), let begun = predicate(said, plain) else { return finished(said) }
      return finished(begun)
    default: return finished(said)
    }
  }

  private static let secondPerson: Set<String> = ["you", "your", "yours", "you're", "you'll", "you've"]
  private static let openings: Set<String> = [
    "actually", "well", "so", "oh", "um", "uh", "and", "but", "also", "yes", "yeah", "yep", "ok", "okay", "alright",
    "hi",
    "hello", "hey", "please", "sure", "anyway", "then", "great", "perfect", "no",
  ]
  private static let base: Set<String> = [
    "like", "love", "prefer", "need", "want", "live", "work", "hate", "use", "enjoy", "speak", "drive", "own", "study",
    "eat",
    "drink", "play", "take", "run", "know", "wish", "plan", "think", "teach", "lead", "manage", "dislike", "avoid",
    "read",
    "write", "cook", "travel", "sleep", "wake", "walk", "ride", "come", "go", "do", "have", "keep", "make", "buy",
    "pay", "get",
    "intend", "tend", "hope", "expect", "start", "finish", "code", "program", "listen", "watch", "collect", "train",
    "swim",
    "remind", "tell", "call", "send", "ask", "check", "fix", "build", "deploy", "move", "switch", "test", "bring",
    "see", "look",
    "find", "feel", "believe", "guess", "mean", "remember", "forget", "try", "learn", "stay", "help", "leave", "meet",
    "spend",
  ]
  private static let modals: Set<String> = [
    "can", "can't", "cannot", "must", "mustn't", "should", "shouldn't", "would", "could", "will", "won't", "might",
  ]
  private static let adverbs: Set<String> = [
    "never", "always", "usually", "also", "really", "often", "normally", "typically", "still", "only", "just", "mostly",
    "now",
    "currently", "generally",
  ]
  private static let pasts: Set<String> = [
    "bought", "went", "got", "made", "sent", "paid", "left", "wrote", "found", "chose", "broke", "took", "began", "was",
    "had",
    "did", "met", "told", "came", "grew", "lost", "won", "sold", "built", "taught", "ran", "drove", "ate", "read",
    "led",
  ]

  private static func withoutOpening(_ words: [String]) -> [String] {
    var rest = words[...]
    while rest.count > 3, let first = rest.first {
      let word = SpokenSentence.words(of: first).first
      // A comma that stands alone, as in "Yes , I do", goes with what stood before it.
      guard word.map(openings.contains) ?? (rest.count < words.count) else { break }
      rest.removeFirst()
    }
    return Array(rest)
  }

  /// "I live here and work there" would need two verbs changed; whether the second is one, only a grammar could tell.
  private static func hasSecondVerb(_ plain: [String]) -> Bool {
    for (word, next) in zip(plain, plain.dropFirst()) where ["and", "but", "or"].contains(word) {
      if base.contains(next) || modals.contains(next) || adverbs.contains(next) || next == "am" || next == "don't" {
        return true
      }
    }
    return false
  }

  /// The sentence from its verb on.
  private static func predicate(_ said: [String], _ plain: [String]) -> [String]? {
    let rest = Array(said.dropFirst())
    switch plain[0] {
    case "i'm": return ["Is"] + others(rest[...])
    case "i've": return ["Has"] + others(rest[...])
    case "i'll": return ["Will"] + others(rest[...])
    case "i'd": return plain.dropFirst().first == "better" ? nil : ["Would"] + others(rest[...])
    default: break
    }
    var index = 1
    while index < plain.count, adverbs.contains(plain[index]) { index += 1 }
    guard index < plain.count else { return nil }
    let verb = plain[index]
    let before = Array(said[1..<index])
    let after = others(said[(index + 1)...])
    let changed: [String]
    switch verb {
    case "am": changed = ["is"]
    case "have": changed = ["has"]
    case "do", "go": changed = [verb + "es"]
    case "don't": changed = ["does", "not"]
    case "didn't": changed = ["did", "not"]
    case "do" where plain.dropFirst(index + 1).first == "not": changed = ["does"]
    case _ where modals.contains(verb) || pasts.contains(verb) || verb.hasSuffix("ed") && verb.count > 4:
      changed = [said[index]]
    case _ where base.contains(verb): changed = [conjugated(verb)]
    default: return nil
    }
    // What hung on to the verb, e.g. a comma.
    let tail = said[index].drop { $0.isLetter || $0 == "'" || $0 == "’" }
    return before + changed.dropLast() + [(changed.last ?? "") + (tail.isEmpty || changed == [said[index]] ? "" : tail)]
      + after
  }

  private static func conjugated(_ verb: String) -> String {
    for ending in ["s", "sh", "ch", "x", "z", "o"] where verb.hasSuffix(ending) { return verb + "es" }
    if verb.hasSuffix("y"), let before = verb.dropLast().last, !"aeiou".contains(before) {
      return verb.dropLast() + "ies"
    }
    return verb + "s"
  }

  /// The rest of the sentence, in which the person is "they".
  private static func others(_ words: ArraySlice<String>) -> [String] {
    var changed: [String] = []
    for word in words {
      let core = word.prefix { $0.isLetter || $0 == "'" || $0 == "’" }
      let tail = word.dropFirst(core.count)
      let replaced: String?
      switch core.lowercased().replacing("’", with: "'") {
      case "my": replaced = "their"
      case "mine": replaced = "theirs"
      case "me": replaced = "them"
      case "myself": replaced = "themselves"
      case "i" where core == "I" || core == "i": replaced = "they"
      case "i'm": replaced = "they're"
      case "i've": replaced = "they've"
      case "i'd": replaced = "they'd"
      case "i'll": replaced = "they'll"
      case "am" where changed.last == "they": replaced = "are"
      case "was" where changed.last == "they": replaced = "were"
      default: replaced = nil
      }
      changed.append(replaced.map { $0 + tail } ?? word)
    }
    return changed
  }

  /// The words as a sentence: with a capital, without a "please" at its end, with a full stop.
  private static func finished(_ words: [String]) -> String {
    var words = words
    while words.count > 2, let last = words.last, SpokenSentence.words(of: last) == ["please"] { words.removeLast() }
    var text = words.joined(separator: " ")
    while let last = text.last, ",;:- ".contains(last) { text.removeLast() }
    if let first = text.first, first.isLowercase { text = first.uppercased() + text.dropFirst() }
    if let last = text.last, last.isLetter || last.isNumber || last == ")" || last == "%" { text.append(".") }
    return text
  }
}
