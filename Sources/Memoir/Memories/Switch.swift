// Sentences that say that one thing took the place of another, or that one is gone.

/// `switched from X to Y`, `replaced X with Y`, `now uses Y instead of X`, `no longer uses X`.
struct Switch {
  /// Who switched; empty for the person remembered and where nobody is named.
  let subject: [String]
  /// What it was.
  let old: ArraySlice<Word>
  /// What it is; empty where nothing took its place.
  let new: ArraySlice<Word>

  var isExchange: Bool { !new.isEmpty }

  private static let verbs: Set<String> = ["switched", "moved", "migrated", "changed", "converted"]
  /// Before the verb, and saying nothing about the matter.
  private static let auxiliaries: Set<String> = ["has", "have", "was", "were", "been", "just", "recently", "now"]
  /// What else before the verb, or in front of all, leaves it open whether it happened.
  private static let hedges: Set<String> = [
    "not", "never", "if", "when", "might", "could", "would", "should", "will", "considering", "plans", "wants", "hopes",
    "may", "didn't", "hasn't", "haven't", "before", "almost", "nearly", "asked", "said", "wonders",
  ]
  /// What may follow on the new thing, and is no part of it.
  private static let ends: Set<String> = [
    "in", "on", "at", "for", "because", "since", "last", "this", "as", "after", "before", "and", "but", "with", "by",
    "during", "due", "to", "yesterday", "today", "over",
  ]
  private static let longestName = 5

  init?(_ sentence: Sentence) {
    guard sentence.words.last?.mark != "?" else { return nil }
    // A first clause says it; what follows a comma or a full stop is beside it.
    let end = sentence.words.firstIndex { $0.mark != nil }.map { $0 + 1 } ?? sentence.words.count
    let words = sentence.words[..<end]
    guard !words.contains(where: { Self.hedges.contains($0.text) }) else { return nil }
    guard let found = Self.fromTo(words) ?? Self.replaced(words) ?? Self.instead(words) ?? Self.noLonger(words)
    else { return nil }
    self = found
  }

  /// Of an exchange that holds only somewhere or for something, nothing follows in general.
  private static func isLimited(_ words: ArraySlice<Word>) -> Bool {
    let said = words.prefix { !["because", "since", "as", "due", "and", "but"].contains($0.text) }
    return said.indices.contains { place in
      ["for", "in", "on"].contains(said[place].text) && !tellsTime(said[(place + 1)...])
    }
  }

  /// `June`, `early 2024`, `5 June`, `the last sprint`
  private static func tellsTime(_ words: ArraySlice<Word>) -> Bool {
    let words = words.drop { ["the", "early", "mid", "late"].contains($0.text) }
    guard let first = words.first?.text else { return false }
    if times.contains(first) { return true }
    guard first.utf8.allSatisfy({ (48...57).contains($0) }) else { return false }
    return first.utf8.count == 4 || words.dropFirst().first.map { times.contains($0.text) } ?? false
  }

  private static let times: Set<String> = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "last", "this", "spring",
    "summer", "autumn", "winter", "q1", "q2", "q3", "q4",
  ]

  private init?(_ subject: ArraySlice<Word>, old: ArraySlice<Word>, new: ArraySlice<Word>) {
    guard subject.count <= 5, (1...Self.longestName).contains(old.count), new.count <= Self.longestName else {
      return nil
    }
    // `replaced PostgreSQL in the tests with SQLite`
    if old.contains(where: { ["in", "for"].contains($0.text) }) { return nil }
    let words = subject.filter { !Self.auxiliaries.contains($0.text) }
    self.subject = Statement.subject(words[...])
    self.old = old
    self.new = new
  }

  /// `switched from X to Y`
  private static func fromTo(_ words: ArraySlice<Word>) -> Switch? {
    guard let verb = words.firstIndex(where: { verbs.contains($0.text) }),
      let from = words[verb...].firstIndex(where: { $0.text == "from" }), from - verb <= 4,
      let to = words[from...].firstIndex(where: { $0.text == "to" })
    else { return nil }
    // What was switched is the subject, where it is named: `switched the database from X to Y`.
    let object = words[(verb + 1)..<from]
    let subject = object.isEmpty ? words[..<verb] : object
    let new = name(words[(to + 1)...])
    if new.isEmpty || isLimited(words[new.endIndex...]) { return nil }
    return Switch(subject, old: words[(from + 1)..<to], new: new)
  }

  /// `replaced X with Y`, `replaced X by Y`
  private static func replaced(_ words: ArraySlice<Word>) -> Switch? {
    guard let verb = words.firstIndex(where: { $0.text == "replaced" }),
      let with = words[verb...].firstIndex(where: { ["with", "by"].contains($0.text) })
    else { return nil }
    let passive = words[..<verb].last.map { ["was", "were", "been"].contains($0.text) } ?? false
    let new = name(words[(with + 1)...])
    if new.isEmpty || isLimited(words[new.endIndex...]) { return nil }
    // `X was replaced with Y`
    if passive {
      let old = words[..<verb].filter { !auxiliaries.contains($0.text) }
      return with == verb + 1 ? Switch([], old: old[...], new: new) : nil
    }
    return Switch(words[..<verb], old: words[(verb + 1)..<with], new: new)
  }

  /// `uses Y instead of X`
  private static func instead(_ words: ArraySlice<Word>) -> Switch? {
    guard let instead = words.firstIndex(where: { $0.text == "instead" }), instead + 2 < words.endIndex,
      words[instead + 1].text == "of",
      let verb = words[..<instead].firstIndex(where: { ["uses", "use", "using"].contains($0.text) })
    else { return nil }
    let before = words[..<verb].filter { !["is", "are"].contains($0.text) }
    let old = name(words[(instead + 2)...])
    let new = words[(verb + 1)..<instead]
    if isLimited(words[old.endIndex...]) || isLimited(new) { return nil }
    return Switch(before[...], old: old, new: new)
  }

  /// `no longer uses X`, `stopped using X`
  private static func noLonger(_ words: ArraySlice<Word>) -> Switch? {
    for form in [["no", "longer", "uses"], ["no", "longer", "use"], ["stopped", "using"]] {
      for place in words.indices where words[place...].prefix(form.count).texts == form {
        let old = name(words[(place + form.count)...])
        return isLimited(words[old.endIndex...]) ? nil : Switch(words[..<place], old: old, new: [])
      }
    }
    return nil
  }

  /// The words of a name: up to what else is said.
  private static func name(_ words: ArraySlice<Word>) -> ArraySlice<Word> {
    words.prefix { !ends.contains($0.text) }
  }
}
