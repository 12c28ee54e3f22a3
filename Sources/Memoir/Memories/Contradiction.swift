// When a new fact says what a live one says, and when it takes its place: rules, and an optional judge beyond them.

/// What a new fact is to a live one of the same category.
///
/// The rules are about precision: where in doubt, both facts are kept. A wrong one can be forgotten, while one that was
/// wrongly superseded is missed by nobody.
///
/// | rule | new | live | verdict |
/// |---|---|---|---|
/// | same words, whatever their case, spacing, punctuation and leading article | `Lives in Lisbon!` | `lives in Lisbon` | same |
/// | same attribute, same value | `My name is Ana` | `The user's name is Ana` | same |
/// | same attribute of one value, another value | `Lives in Porto` | `Lives in Lisbon` | supersedes |
/// | | `Works at Beta` | `Works for Acme` | supersedes |
/// | | `Favourite colour is red` | `Favourite colour is blue` | supersedes |
/// | | `The database is MySQL 8.4 on RDS` | `The database is PostgreSQL 14 on RDS` | supersedes |
/// | | `database: PostgreSQL 15` | `The database is PostgreSQL 14` | supersedes |
/// | | `Is 31 years old` | `Is 30 years old` | supersedes |
/// | a preference turned round | `Prefers coffee over tea` | `Prefers tea over coffee` | supersedes |
/// | the same sentence denied, or no longer denied | `Does not like tea anymore` | `Likes tea` | supersedes |
/// | a switch away from what is stated | `Switched from PostgreSQL to MySQL` | `The project uses PostgreSQL 14` | supersedes |
/// | anything else | `Likes coffee` | `Likes tea` | unrelated |
///
/// Unrelated are, among others: what can be so of several (`likes`, `speaks`, `has`, `Bob is a doctor`); another
/// subject (`The analytics team uses PostgreSQL` after the project's switch, and whatever merely mentions PostgreSQL,
/// as `Ana wrote a paper on PostgreSQL` does); a switch of limited scope (`… to SQLite for the test suite`); where others
/// live or work, save for close kin of whom there is one (`My friend lives in Porto`); a place that may contain the other
/// (`Lives in Portugal` and `Lives in Lisbon`, see below); a value that only says more or less (`Lives in Lisbon with
/// Ana`); sentences of several clauses, and those that leave open whether, when or of how many it is so (`sometimes`, `was`, `would`, `and`).
///
/// Of places, a later one replaces an earlier one of its kind: a town a town, a country a country. Whether a country
/// contains a town is not known here, so neither replaces the other, and context and recall rank the later one higher.
public enum Contradiction {
  /// What a new fact is to a live one.
  public enum Verdict: Hashable, Sendable {
    /// It says the same: the live one is confirmed.
    case same
    /// It says otherwise: the live one is superseded.
    case supersedes
    /// Both stand.
    case unrelated
  }

  /// What `new` is to `live`, both of one category.
  public static func verdict(on live: String, by new: String) -> Verdict {
    FactReading(new).verdict(on: Sentence(live))
  }
}

/// Says of facts that the rules leave open whether a new one contradicts them: a language model, for example.
///
/// It is asked outside of any transaction, once for each memory handed in. Where it fails, nothing is superseded by it.
public protocol ContradictionJudge: Sendable {
  /// Which of `candidates` no longer hold once `content` is known.
  func contradicted(by content: String, among candidates: [Fact]) async throws -> [FactID]
}

/// A live fact, of which what the rules need is read once, however many new ones are held against it.
struct LiveReading {
  let sentence: Sentence
  fileprivate lazy var comparison = Comparison(sentence)
  fileprivate lazy var denial = Denial(sentence)
  fileprivate lazy var statement = Statement(sentence)

  init(_ sentence: Sentence) { self.sentence = sentence }
}

/// A new fact, and what the rules see in it. Of the live ones it is held against, only what that needs is read.
struct FactReading {
  let sentence: Sentence
  private let attribute: (attribute: Statement.Attribute, value: ArraySlice<Word>)?
  private let change: Switch?
  private let comparison: Comparison?
  private let denial: Denial?

  /// Longer texts are compared by their words alone.
  private static let longestJudged = 40
  /// By how many words a sentence and its denial can differ, with and without the person they are about.
  private static let longestDenial = 5

  init(_ text: String) {
    sentence = Sentence(text)
    guard sentence.words.count <= Self.longestJudged else {
      (attribute, change, comparison, denial) = (nil, nil, nil, nil)
      return
    }
    attribute = Statement(sentence)?.attribute
    change = Switch(sentence)
    comparison = Comparison(sentence)
    denial = Denial(sentence)
  }

  func verdict(on live: Sentence) -> Contradiction.Verdict {
    var live = LiveReading(live)
    return verdict(on: &live)
  }

  /// The same for one that many are held against.
  func verdict(on live: inout LiveReading) -> Contradiction.Verdict {
    let words = live.sentence.words
    if sentence.isSame(as: live.sentence) { return .same }
    guard max(sentence.words.count, words.count) <= Self.longestJudged else { return .unrelated }
    if let comparison, let other = live.comparison, comparison.isReverse(of: other) { return .supersedes }
    if abs(sentence.words.count - words.count) <= Self.longestDenial {
      if let denial {
        if denial.denies(live.sentence), live.denial == nil { return .supersedes }
      } else if let other = live.denial, other.denies(sentence) {
        return .supersedes
      }
    }
    guard change != nil || attribute != nil, let stated = live.statement else { return .unrelated }
    if let change { return change.ends(stated) ? .supersedes : .unrelated }
    guard let mine = attribute, let other = stated.attribute, mine.attribute == other.attribute else {
      return .unrelated
    }
    if mine.value.texts == other.value.texts { return .same }
    if case .home = mine.attribute, Region(mine.value.texts) != Region(other.value.texts) { return .unrelated }
    return Self.isOther(mine.value, than: other.value) ? .supersedes : .unrelated
  }

  /// What says when, where or with whom, or that there is more than one.
  private static let qualifiers: Set<String> = [
    "on", "in", "at", "during", "every", "with", "for", "since", "from", "by", "as", "weekdays", "weekends",
    "part-time", "and", "&", "/", "plus", "is", "are", "who", "which", "that",
  ]
  private static let longestValue = 6

  /// Whether two values exclude one another: neither says only more than the other, and what they do not have in
  /// common at the end is plain.
  private static func isOther(_ a: ArraySlice<Word>, than b: ArraySlice<Word>) -> Bool {
    if a.contains(run: b) || b.contains(run: a) { return false }
    var (a, b) = (a, b)
    while let last = a.last, last == b.last, a.count > 1, b.count > 1 {
      a.removeLast()
      b.removeLast()
    }
    return [a, b].allSatisfy { value in
      value.count <= longestValue && !value.contains { qualifiers.contains($0.text) }
    }
  }
}

extension Switch {
  /// Subjects that a switch of nobody in particular is about, and that go without saying.
  private static let implied: [[String]] = [[], ["we"], ["project"]]
  private static let things: Set<String> = [
    "app", "application", "system", "product", "stack", "backend", "service", "platform", "site", "website", "team",
    "company", "database", "db", "hosting",
  ]

  /// Whether the old thing is what is stated, so that it holds no more.
  func ends(_ stated: Statement) -> Bool {
    guard isAbout(stated) else { return false }
    // Without anything in its place, only a use has ended.
    if !isExchange, [.lives, .works, .prefers, .isNamed, .isDue].contains(stated.relation) { return false }
    let value = stated.value
    let isStated = value.starts(with: old) || (old.starts(with: value) && !new.starts(with: value))
    if !isStated || value.contains(run: new) { return false }
    // What says more than one thing is not only about the old one.
    return !value.contains { ["and", "&", "or", "/", "plus"].contains($0.text) }
  }

  private func isAbout(_ stated: Statement) -> Bool {
    let theirs = stated.subject.first == "our" ? Array(stated.subject.dropFirst()) : stated.subject
    let mine = subject.first == "our" ? Array(subject.dropFirst()) : subject
    if mine == theirs { return true }
    // Where a person lives does not follow from what a project did.
    if [.lives, .works, .prefers, .isNamed, .isDue].contains(stated.relation) { return false }
    func isThing(_ subject: [String]) -> Bool {
      Self.implied.contains(subject) || (subject.count == 1 && Self.things.contains(subject[0]))
    }
    return (Self.implied.contains(mine) && isThing(theirs)) || (Self.implied.contains(theirs) && isThing(mine))
  }
}

/// `prefers X over Y`, `prefers X to Y`, `likes X more than Y`, `likes X better than Y`
private struct Comparison {
  let subject: [String]
  let more: [String]
  let less: [String]

  init?(_ sentence: Sentence) {
    guard sentence.isPlain() else { return nil }
    let words = sentence.words
    for (verbs, middles) in [
      (["prefers", "prefer"], [["over"], ["to"]]), (["likes", "like"], [["more", "than"], ["better", "than"]]),
    ] {
      guard let verb = words.firstIndex(where: { verbs.contains($0.text) }) else { continue }
      for middle in middles {
        for place in words.indices where place > verb + 1 && words[place...].prefix(middle.count).texts == middle {
          subject = Statement.subject(words[..<verb])
          more = words[(verb + 1)..<place].texts
          less = words[(place + middle.count)...].texts
          return
        }
      }
    }
    return nil
  }

  func isReverse(of other: Comparison) -> Bool {
    subject == other.subject && more == other.less && less == other.more
  }
}

/// A sentence that denies another one: `does not like tea`, `no longer lives in Lisbon`, `is not a vegetarian`.
private struct Denial {
  /// The words without the denial.
  private let words: [String]
  /// Where the verb is, which may have another form in the sentence denied.
  private let verb: Int

  private static let forms: [(words: [String], kept: [String])] = [
    (["does", "not"], []), (["do", "not"], []), (["doesn't"], []), (["don't"], []), (["no", "longer"], []),
    (["never"], []), (["is", "not"], ["is"]), (["isn't"], ["is"]), (["are", "not"], ["are"]), (["aren't"], ["are"]),
    (["can", "not"], ["can"]), (["cannot"], ["can"]), (["can't"], ["can"]),
  ]

  init?(_ sentence: Sentence) {
    guard sentence.isPlain() else { return nil }
    let all = Self.withoutPerson(sentence.texts)
    for place in all.indices {
      for form in Self.forms where all[place...].starts(with: form.words) {
        words = all[..<place] + form.kept + Self.withoutAnymore(all[(place + form.words.count)...])
        verb = place
        return
      }
    }
    return nil
  }

  /// Whether `sentence` is what is denied.
  func denies(_ sentence: Sentence) -> Bool {
    let other = Self.withoutPerson(sentence.texts)
    guard other.count == words.count, sentence.isPlain() else { return false }
    return words.indices.allSatisfy { index in
      words[index] == other[index]
        || (index == verb && Self.stem(words[index]) == Self.stem(other[index]))
    }
  }

  /// A denial may end in `anymore`; what it denies does not.
  private static func withoutAnymore(_ words: ArraySlice<String>) -> ArraySlice<String> {
    for ending in [["anymore"], ["any", "more"], ["any", "longer"]] where words.suffix(ending.count) == ending[...] {
      return words.dropLast(ending.count)
    }
    return words
  }

  private static func withoutPerson(_ words: [String]) -> [String] {
    words.count > 1 && ["i", "user"].contains(words[0]) ? Array(words.dropFirst()) : words
  }

  /// `like` of `likes`, `watch` of `watches`, `carry` of `carries`
  private static func stem(_ verb: String) -> String {
    if verb == "has" { return "have" }
    if verb == "goes" || verb == "does" { return String(verb.dropLast(2)) }
    if verb.hasSuffix("ies"), verb.count > 4 { return verb.dropLast(3) + "y" }
    for ending in ["sses", "shes", "ches", "xes", "zes"] where verb.hasSuffix(ending) {
      return String(verb.dropLast(2))
    }
    return verb.hasSuffix("s") && !verb.hasSuffix("ss") ? String(verb.dropLast()) : verb
  }
}
