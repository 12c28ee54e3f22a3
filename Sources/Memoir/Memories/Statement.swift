// What a plain sentence states: of whom, in what respect, and what.

/// A subject, a relation and a value, read from a sentence by the few forms below; most sentences are none.
struct Statement {
  /// The words before the relation, without what stands for the person remembered: empty for them.
  let subject: [String]
  /// The relation in its one form, e.g. `lives in`.
  let relation: Relation
  /// What is stated.
  let value: ArraySlice<Word>

  /// The relations that are understood.
  enum Relation: Equatable {
    case lives, works, uses, prefers
    /// `runs on`, `is hosted on`, `is written in`, …: what something stands on.
    case rests
    case isIt
    case isNamed
    case isDue
    /// `key: value`
    case colon
    /// `switched from X to Y`: the value is Y.
    case switched
  }

  private static let forms: [(words: [String], relation: Relation)] = [
    (["lives", "in"], .lives), (["live", "in"], .lives), (["is", "living", "in"], .lives),
    (["resides", "in"], .lives), (["is", "based", "in"], .lives),
    (["works", "at"], .works), (["works", "for"], .works), (["work", "at"], .works), (["work", "for"], .works),
    (["is", "working", "at"], .works), (["is", "working", "for"], .works), (["is", "employed", "by"], .works),
    (["uses"], .uses), (["use"], .uses), (["is", "using"], .uses), (["are", "using"], .uses),
    (["prefers"], .prefers), (["prefer"], .prefers),
    (["runs", "on"], .rests), (["run", "on"], .rests), (["relies", "on"], .rests), (["rely", "on"], .rests),
    (["is", "hosted", "on"], .rests), (["is", "deployed", "on"], .rests), (["is", "deployed", "to"], .rests),
    (["is", "built", "on"], .rests), (["is", "built", "with"], .rests), (["is", "written", "in"], .rests),
    (["is", "based", "on"], .rests), (["is", "stored", "in"], .rests), (["works", "with"], .rests),
    (["is", "called"], .isNamed), (["is", "named"], .isNamed),
    (["is", "due", "on"], .isDue), (["is", "due", "by"], .isDue), (["is", "due"], .isDue), (["due", "on"], .isDue),
    (["is"], .isIt),
  ].sorted { $0.0.count > $1.0.count }

  private static let longestSubject = 5

  /// Words that leave open whether, when or of how many something is so; what has one of them is not judged.
  private static let hedges: Set<String> = [
    "also", "too", "sometimes", "usually", "often", "occasionally", "mostly", "partly", "both", "either", "previously",
    "formerly", "once", "used", "if", "when", "while", "unless", "until", "maybe", "perhaps", "probably", "possibly",
    "might", "could", "would", "should", "will", "planning", "plans", "considering", "wants", "hopes", "was", "were",
    "had", "said", "says", "thinks", "believes", "another", "second", "not", "never", "no", "isn't", "aren't",
    "doesn't", "don't", "didn't", "won't", "wasn't", "or", "but", "except", "because", "than",
  ]

  /// Words that make more of a subject than a name.
  private static let joiners: Set<String> = [
    "who", "whose", "whom", "which", "that", "what", "where", "and", "with",
  ]

  /// Words that say nothing about the matter.
  private static let fillers: Set<String> = ["now", "currently", "just", "already", "today"]

  /// Ways to name the person remembered.
  static let persons: [[String]] = [[], ["i"], ["user"], ["the", "user"]]

  init?(_ sentence: Sentence) {
    if let colon = Self.colon(sentence) {
      self = colon
      return
    }
    if let change = Switch(sentence) {
      guard change.isExchange else { return nil }
      self.init(subject: change.subject, relation: .switched, value: change.new)
      return
    }
    guard !sentence.has(anyOf: Self.hedges), !sentence.has(anyOf: ["instead", "over"]) else { return nil }
    let words = sentence.words.filter { !Self.fillers.contains($0.text) }
    guard let (place, form) = Self.relation(in: words) else { return nil }
    let value = words[(place + form.words.count)...]
    // `Lisbon, Portugal` is one place; a comma else begins something more.
    var places: Set<Int> = []
    if form.relation == .lives, value.count <= 3, value.allSatisfy(\.isNameLike) {
      places = Set(sentence.words.indices.filter { sentence.words[$0].mark == "," })
    }
    guard !value.isEmpty, sentence.isPlain(except: places),
      !words[..<place].contains(where: { Self.joiners.contains($0.text) })
    else { return nil }
    self.init(subject: Self.subject(words[..<place]), relation: form.relation, value: value)
  }

  init(subject: [String], relation: Relation, value: ArraySlice<Word>) {
    self.subject = subject
    self.relation = relation
    self.value = value
  }

  /// The first form there is, the longest of those at one place.
  static func relation(in words: [Word]) -> (place: Int, form: (words: [String], relation: Relation))? {
    for place in words.indices.prefix(longestSubject + 1) {
      for form in forms where words[place...].prefix(form.words.count).texts == form.words {
        return (place, form)
      }
    }
    return nil
  }

  /// `database: PostgreSQL 15`
  private static func colon(_ sentence: Sentence) -> Statement? {
    guard let place = sentence.words.prefix(3).firstIndex(where: { $0.mark == ":" }),
      place + 1 < sentence.words.count, sentence.isPlain(except: [place])
    else { return nil }
    return Statement(
      subject: subject(sentence.words[...place]), relation: .colon, value: sentence.words[(place + 1)...])
  }

  /// The words of a subject, without what stands for the person: `my name`, `the user's name` and `name` are one.
  static func subject(_ words: ArraySlice<Word>) -> [String] {
    var texts = words.texts
    while let first = texts.first, ["the", "my", "user's", "a", "an"].contains(first) { texts.removeFirst() }
    return persons.contains(texts) ? [] : texts
  }
}

extension Statement {
  /// What can have only one value at a time.
  enum Attribute: Equatable {
    case home(of: [String])
    case employer(of: [String])
    case age(of: [String])
    case name(of: [String])
    case due([String])
    /// `favourite colour`, `staging database`
    case named([String])
    /// `uses PostgreSQL as the database`
    case role([String], of: [String])
  }

  /// Nouns that name something of which there is one. Before them may stand what tells it from others of its kind.
  private static let singular: Set<String> = [
    "name", "nickname", "surname", "age", "birthday", "birthplace", "hometown", "city", "country", "address", "email",
    "phone", "timezone", "employer", "manager", "boss", "deadline", "date", "budget", "version", "database", "db",
    "editor", "hosting", "framework", "theme", "currency", "status", "location", "pronouns",
  ]

  /// Of these somebody has one. Of the person, and of kin who are one, it is known who that is.
  private static let personal: Set<String> = [
    "name", "nickname", "surname", "age", "birthday", "birthplace", "hometown", "employer", "pronouns",
  ]
  private static let kin: Set<String> = [
    "wife", "husband", "spouse", "partner", "mother", "father", "mum", "mom", "dad",
  ]

  /// Whoever or whatever is called so may be one of several.
  private static let plural: Set<String> = [
    "son", "daughter", "child", "kid", "baby", "brother", "sister", "sibling", "twin", "friend", "cousin", "uncle",
    "aunt",
    "nephew", "niece", "grandson", "granddaughter", "grandmother", "grandfather", "grandma", "grandpa", "colleague",
    "coworker", "co-worker", "teammate", "neighbour", "neighbor", "roommate", "flatmate", "classmate", "client",
    "customer",
    "student", "pupil", "employee", "dog", "cat", "pet", "horse", "bird", "he", "she", "they", "somebody", "someone",
  ]

  /// Of these a number with a unit is the value; of others it tells how large, far or old the thing is.
  private static let measured: Set<String> = ["age", "budget", "version", "date", "phone", "number", "deadline"]
  private static let units: Set<String> = [
    "b", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "kg", "km", "cm", "mm", "h", "am", "pm", "ms", "%",
  ]
  private static let themes: Set<String> = ["dark", "light", "system", "auto", "automatic", "sepia", "high-contrast"]

  /// Which attribute it is about, and the value of it; `nil` for what can be so of several values at a time.
  var attribute: (attribute: Attribute, value: ArraySlice<Word>)? {
    switch relation {
    case .lives: return isOfOnePerson && isName && !isMeasure ? (.home(of: subject), value) : nil
    case .works: return isOfOnePerson && isName && !isTime ? (.employer(of: subject), value) : nil
    case .isNamed: return isOfOnePerson && isName ? (.name(of: subject), value) : nil
    case .isDue: return isName ? (.due(subject), value) : nil
    case .isIt:
      if value.count == 3, value.texts.suffix(2) == ["years", "old"], isName {
        return isOfOnePerson ? (.age(of: subject), value) : nil
      }
      if subject == ["name"] { return isName ? (.name(of: []), value) : nil }
      if subject == ["age"] { return isName ? (.age(of: []), value.prefix(1)) : nil }
      if isFavourite { return isName || !value.endsInAdjective ? named : nil }
      return isOfOne && (isName || isTheme) ? named : nil
    case .colon:
      guard value.count <= 2 || isName else { return nil }
      if isFavourite { return isName || !value.endsInAdjective ? named : nil }
      let isSetting = subject.last?.contains("_") ?? false
      return isSetting ? (.named(subject), value) : isOfOne ? named : nil
    case .uses:
      if isOfOne, isName { return named }
      guard let place = value.lastIndex(where: { $0.text == "as" }), place > value.startIndex,
        place + 2 < value.endIndex, ["the", "its", "our", "their"].contains(value[place + 1].text)
      else { return nil }
      return (.role(value[(place + 2)...].texts, of: subject), value[..<place])
    case .rests, .prefers, .switched: return nil
    }
  }

  /// What the subject names has this value, unless that only describes it: `the database is 40 GB`.
  private var named: (attribute: Attribute, value: ArraySlice<Word>)? {
    if isMeasure, !Self.measured.contains(subject.last ?? "") { return nil }
    if value.count == 1, value.texts.allSatisfy(Demonyms.contains) { return nil }
    return (.named(subject), value)
  }

  /// What must be seen to be a name, number or date, since an adjective may follow as well: `the database is slow`.
  private var isName: Bool { value.first?.isNameLike == true }

  private var isTheme: Bool {
    subject.last == "theme" && value.count == 1 && value.texts.allSatisfy(Self.themes.contains)
  }

  private var isFavourite: Bool { subject.contains("favourite") && subject.last != "favourite" }

  /// Whether it is about the person, or about somebody by name or of whom there is one.
  private var isOfOnePerson: Bool {
    subject.count <= 2 && !subject.contains { Self.plural.contains($0) || $0.hasSuffix("'s") || $0.hasSuffix("s'") }
  }

  /// Whether the subject names something of which there is one.
  private var isOfOne: Bool {
    guard let noun = subject.last else { return false }
    if noun == "number" { return ["phone", "telephone", "mobile"].contains(subject.dropLast().last) }
    guard Self.singular.contains(noun) else { return false }
    guard Self.personal.contains(noun), let owner = subject.dropLast().last else { return true }
    if owner.hasSuffix("'s") { return subject.count == 2 && Self.kin.contains(String(owner.dropLast(2))) }
    return !owner.hasSuffix("s'") && !["her", "his", "their", "whose"].contains(owner)
  }

  /// Whether the value begins with a number and its unit.
  private var isMeasure: Bool {
    guard let first = value.first else { return false }
    let unit = first.text.drop { $0.isNumber || $0 == "." || $0 == "," }
    guard unit.count < first.text.count else { return false }
    if !unit.isEmpty { return Self.units.contains(String(unit)) }
    return value.dropFirst().first.map { !$0.isNameLike || Self.units.contains($0.text) } ?? false
  }

  /// `8 hours`, `9:30`, `night`
  private var isTime: Bool {
    guard let first = value.first?.text else { return false }
    return isMeasure || first.allSatisfy { $0.isNumber || $0 == ":" || $0 == "." }
      || ["night", "nights", "noon", "midnight", "home", "weekends"].contains(first)
  }
}

extension RandomAccessCollection where Element == Word {
  /// Whether it ends in what is seen to tell how something is, not what it is.
  fileprivate var endsInAdjective: Bool {
    guard let last = last?.text else { return false }
    if adjectives.contains(last) { return true }
    return last.count > 5 && ["ful", "ous", "ible", "ive", "less", "ly"].contains { last.hasSuffix($0) }
  }
}

private let adjectives: Set<String> = [
  "amazing", "awesome", "awful", "bad", "best", "better", "boring", "brilliant", "broken", "cheap", "closed", "cold",
  "cool", "difficult", "easy", "excellent", "exciting", "expensive", "fantastic", "far", "fast", "fine", "full", "fun",
  "funny", "gone", "good", "great", "happy", "hard", "healthy", "hot", "important", "incredible", "interesting", "long",
  "lovely", "near", "nearby", "new", "nice", "old", "open", "outdated", "overrated", "perfect", "popular", "pretty",
  "rare", "relaxing", "sad", "scary", "short", "slow", "small", "special", "spicy", "strange", "sweet", "tasty",
  "terrible", "ugly", "underrated", "unknown", "warm", "weird", "wonderful",
]

/// Words for where somebody or something is from: written with a capital, and no names.
private enum Demonyms {
  private static let known: Set<String> = [
    "african", "american", "arab", "argentinian", "asian", "australian", "austrian", "belgian", "brazilian",
    "bulgarian",
    "canadian", "chilean", "colombian", "croatian", "cuban", "czech", "dutch", "egyptian", "estonian", "european",
    "french", "german", "greek", "hungarian", "indian", "indonesian", "iranian", "israeli", "italian", "korean",
    "latvian", "lithuanian", "mexican", "moroccan", "nigerian", "norwegian", "pakistani", "peruvian", "romanian",
    "russian", "serbian", "slovak", "slovenian", "swiss", "syrian", "thai", "tunisian", "ukrainian", "venezuelan",
    "welsh",
  ]

  static func contains(_ word: String) -> Bool {
    known.contains(word) || (word.count > 5 && (word.hasSuffix("ese") || word.hasSuffix("ish")))
  }
}
