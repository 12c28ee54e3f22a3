// Going through a conversation message by message, as someone who listens: what was offered, what was agreed to, what was
// done.

/// What has been understood so far.
struct ConversationReading {
  private var found: [Finding] = []
  /// What the person came for: the first sentence that says something.
  private(set) var opening: String?
  /// What the assistant put forward last, and not a question.
  private var offer: Said?
  /// Whether it has put anything forward: before that, what it answers is all there is to agree to.
  private var hasOffered = false
  /// What it asked last.
  private var question: Said?
  /// What it wants to be told is right before it acts.
  private var recap: Said?
  /// The repetition that was confirmed, until it is known what came of it.
  private var confirmed: Said?
  /// Errands, by the message they were given in.
  private var errands: [Finding] = []
  /// Agreements to something the assistant was about to do. What it did says more, where it says so soon.
  private var steps: [Finding] = []
  /// Whether the person's last message asked about what had been put forward.
  private var asksForDetails = false

  /// Something the assistant said.
  private struct Said {
    var text: String
    var topics: [String]
    var message: Int
  }

  /// A finding says at most so many bytes of what was said.
  static let contentSize = 300

  /// Takes in a message.
  ///
  /// - Parameter answer: What the assistant says next.
  mutating func read(_ message: SessionTranscript.Message, at index: Int, answeredBy answer: String?) {
    let sentences = SpokenSentence.all(in: message.content)
    switch message.role {
    case .user: readPerson(sentences, at: index, answer)
    case .assistant: readAssistant(sentences, at: index)
    case .system, .tool: break
    }
  }

  /// All that was found: once each, and without tasks that were done later.
  mutating func finished() -> [Finding] {
    let completions = found.filter { $0.kind == .completion }
    // An errand is what an assistant sees to at once. It is open only where nothing came of it.
    found += errands
    for step in steps
    where !completions.contains(where: { $0.message > step.message - 3 && $0.message < step.message + 10 }) {
      found.append(step)
    }
    found.removeAll { finding in
      finding.kind == .task
        && completions.contains { $0.message > finding.message && Self.settles($0.topics, finding.topics) }
    }
    var seen: Set<String> = []
    let unique = found.sorted { ($0.message, $0.order) < ($1.message, $1.order) }.filter {
      seen.insert(SpokenSentence.words(of: $0.content).joined(separator: " ")).inserted
    }
    return unique
  }

  /// Whether something done is what was to be done: one word in common, like the name of a project, does not say so.
  private static func settles(_ done: [String], _ open: [String]) -> Bool {
    let common = open.count { topic in done.contains { $0.hasPrefix(topic.prefix(5)) } }
    return common > 0 && (common == open.count || common > 1 && 2 * common >= open.count)
  }

  // MARK: The assistant

  private mutating func readAssistant(_ sentences: [SpokenSentence], at index: Int) {
    let text = sentences.map(\.text).joined(separator: " ")
    let all = sentences.flatMap(\.words)
    let topics = sentences.flatMap(\.topics)
    let report = sentences.first {
      !$0.isQuestion && Phrases.reportsOfDone.isIn($0.words) && !Self.isUndone($0.words)
    }
    if let report {
      if let confirmed {
        add(.completion, "Done: “\(confirmed.text)”.", .plain, confirmed.message, topics: confirmed.topics)
      } else if report.topics.count > 1 {
        add(.completion, "Done: “\(report.text.cut(toSize: Self.contentSize))”", .plain, index, topics: report.topics)
      }
    }
    confirmed = nil
    recap = nil
    question = nil
    if report != nil {
      offer = nil
      return
    }
    let closing = sentences.last { $0.isQuestion && !Phrases.furtherHelp.isIn($0.words) }
    if let closing { question = Said(text: closing.text, topics: closing.topics, message: index) }
    let asks = sentences.contains(where: \.isQuestion)
    if asks || all.count > 6, Phrases.recaps.isIn(all), !Phrases.furtherHelp.isIn(all), topics.count > 1 {
      recap = Said(text: Self.withoutRecapWords(sentences), topics: topics, message: index)
      return
    }
    let proposes = Phrases.proposals.isIn(all)
    // What is told about the last offer puts no other forward, nor does a question that wants to be answered.
    if asksForDetails, hasOffered, !proposes || PhraseSet("no, not, unfortunately").isIn(all) { return }
    if let closing, Phrases.openQuestions.isIn(closing.words), !proposes { return }
    let said = sentences.filter { !Phrases.furtherHelp.isIn($0.words) && !Phrases.courtesies.opens($0.words) }
    let isSubstantial = said.contains { !$0.isQuestion && $0.words.count > 2 } || proposes
    guard isSubstantial, !topics.isEmpty || text.contains(where: \.isNumber) else { return }
    hasOffered = true
    offer = Said(
      text: said.map(\.text).joined(separator: " ").cut(toSize: Self.contentSize), topics: said.flatMap(\.topics),
      message: index)
  }

  private static func isUndone(_ words: [String]) -> Bool {
    PhraseSet(
      "not, unable, couldn't, can't, sorry, unfortunately, failed, would, will be, if, once, should, isn't, hasn't, haven't, no"
    ).isIn(words)
  }

  /// The repetition itself, without "please confirm" before it and "is that right?" after it.
  private static func withoutRecapWords(_ sentences: [SpokenSentence]) -> String {
    var texts: [String] = []
    for sentence in sentences where !sentence.topics.isEmpty || sentence.text.contains(where: \.isNumber) {
      var words = sentence.text.split(separator: " ").map(String.init)
      while !words.isEmpty {
        let plain = words.map { SpokenSentence.words(of: $0).joined(separator: " ") }
        guard let opening = Phrases.recapOpenings.range(in: plain), opening.lowerBound == 0 else { break }
        words.removeFirst(opening.count)
      }
      if sentence.isQuestion, PhraseSet("right, correct, sound right").isIn(sentence.words), sentence.words.count < 7 {
        continue
      }
      if !words.isEmpty { texts.append(words.joined(separator: " ")) }
    }
    var text = texts.joined(separator: " ")
    while let last = text.last, ".?! ".contains(last) { text.removeLast() }
    return text.cut(toSize: contentSize)
  }

  // MARK: The person

  private mutating func readPerson(_ all: [SpokenSentence], at index: Int, _ answer: String?) {
    confirmed = nil
    // A text to be worked on follows what is to be done with it; its words are not the person's own.
    let ownCount = all.firstIndex { Self.handsOverText($0.words) } ?? all.count
    noteOpening(Array(all.prefix(ownCount + 1)))
    let sentences = all.prefix(ownCount)
    var answered: Set<Int> = []
    for (order, sentence) in sentences.prefix(3).enumerated() where !sentence.isQuestion {
      if readAnswer(sentence, at: index, order) { answered.insert(order) }
    }
    for (order, sentence) in sentences.enumerated() where !answered.contains(order) {
      readStatement(sentence, at: index, order)
    }
    recap = nil
    question = nil
    asksForDetails =
      sentences.last { $0.isQuestion || $0.words.count < 5 }.map { Phrases.detailQuestions.isIn($0.words) } ?? false
  }

  private static func handsOverText(_ words: [String]) -> Bool {
    var rest = words.drop { openers.contains($0) || $0 == "please" }
    if let asking = PhraseSet("can you, could you, would you, help me, i want you to").range(in: Array(rest)),
      asking.lowerBound == 0
    {
      rest = rest.dropFirst(asking.count).drop { $0 == "please" }
    }
    return Phrases.textRequests.opens(Array(rest))
  }

  private mutating func noteOpening(_ sentences: [SpokenSentence]) {
    guard opening == nil,
      let first = sentences.first(where: { $0.words.count > 2 && !$0.topics.isEmpty })
        ?? sentences.first(where: { $0.words.count > 2 }) ?? sentences.first
    else { return }
    opening =
      first.isQuestion
      ? "Asked: “\(first.text.cut(toSize: Self.contentSize))”"
      : ThirdPerson.text(of: first.text).cut(toSize: Self.contentSize)
  }

  /// Whether the sentence answers what the assistant said last, so that it need not be read by itself.
  private mutating func readAnswer(_ sentence: SpokenSentence, at index: Int, _ order: Int) -> Bool {
    let words = sentence.words
    let refuses = Phrases.refusalOpenings.opens(words)
    let isDoubted =
      Phrases.doubts.isIn(words) || Phrases.hypotheticals.isIn(words) || Self.isReported(words)
    let agrees =
      (Phrases.agreements.isIn(words) || Phrases.openingAgreements.opens(words)) && !isDoubted && !refuses
      && !Phrases.refusals.isIn(words)
    if let recap, !refuses, agrees || Phrases.assents.opens(words), !Phrases.changesOfMind.isIn(words) {
      confirmed = recap
      self.recap = nil
      offer = nil
      return sentence.topics.count < 3
    }
    let asksOpenly = question.map { Phrases.openQuestions.opens(SpokenSentence.words(of: $0.text)) } ?? false
    if agrees, asksOpenly, order == 0, !sentence.topics.isEmpty {
      let content = ThirdPerson.text(of: sentence.text).cut(toSize: Self.contentSize)
      add(.preference, content, .plain, index, order, topics: sentence.topics)
      return true
    }
    if agrees, let offer {
      add(
        .decision, "Agreed to “\(offer.text)”" + remark(of: sentence), .plain, index, order,
        topics: offer.topics + sentence.topics)
      self.offer = nil
      return true
    }
    if agrees || (Phrases.assents.opens(words) && !isDoubted), order == 0, let question, isAboutActing(question) {
      steps.append(
        Finding(
          kind: .decision, content: "Agreed to “\(question.text.cut(toSize: Self.contentSize))”" + remark(of: sentence),
          clarity: .fair, message: index, order: order, topics: unique(question.topics + sentence.topics)))
      self.question = nil
      return sentence.topics.count < 3
    }
    if refuses || Phrases.refusals.isIn(words), let question, recap == nil, isAboutActing(question) {
      add(
        .decision, "Declined “\(question.text.cut(toSize: Self.contentSize))”: “\(sentence.text.cut(toSize: 120))”",
        Phrases.refusals.isIn(words) ? .plain : .fair, index, order, topics: question.topics + sentence.topics)
      self.question = nil
      return true
    }
    return false
  }

  /// What an answer says besides yes.
  private func remark(of sentence: SpokenSentence) -> String {
    sentence.topics.isEmpty ? "." : ": “\(sentence.text.cut(toSize: Self.contentSize))”"
  }

  private func isAboutActing(_ question: Said) -> Bool {
    PhraseSet(
      "do you want, would you like, should i, shall i, do you need me, do you wanna, ready to, should we, shall we"
    ).isIn(
      SpokenSentence.words(of: question.text))
  }

  private mutating func readStatement(_ sentence: SpokenSentence, at index: Int, _ order: Int) {
    let words = sentence.words
    if let tick = sentence.tick {
      add(tick == .open ? .task : .completion, quoted(sentence.text), .plain, index, order, topics: sentence.topics)
      return
    }
    guard !sentence.isQuestion, words.count > 1 else { return }
    let isQuoted = sentence.text.first == "\"" || sentence.text.first == "“" || Self.isReported(words)
    let said = words.drop { Self.openers.contains($0) }
    if isQuoted || (Phrases.courtesies.opens(Array(said)) && said.count < 8) { return }
    let isSupposed = Phrases.hypotheticals.isIn(words) && !PhraseSet("only if, even if").isIn(words)
    guard let (kind, clarity) = kind(of: sentence, isSupposed: isSupposed) else { return }
    let finding = Finding(
      kind: kind, content: ThirdPerson.text(of: sentence.text).cut(toSize: Self.contentSize), clarity: clarity,
      message: index, order: order, topics: unique(sentence.topics))
    if kind == .task, clarity == .faint { errands.append(finding) } else { found.append(finding) }
  }

  /// Whether the words are another's.
  private static func isReported(_ words: [String]) -> Bool {
    Phrases.reports.isIn(words)
      || zip([""] + words, words).contains { $1 == "wrote" && !["i", "we"].contains($0) }
  }

  /// The kind a sentence is of by itself, and how plainly.
  private func kind(of sentence: SpokenSentence, isSupposed: Bool) -> (Finding.Kind, Finding.Clarity)? {
    let words = sentence.words
    if isSupposed {
      // What one likes is no supposition because of a "maybe".
      return Phrases.preferences.isIn(words) && !Phrases.preferenceTraps.isIn(words) ? (.preference, .fair) : nil
    }
    if isSwitch(words) { return (.change, .plain) }
    if Self.affirmed(Phrases.decisions, in: words) != nil, sentence.topics.count > 1,
      !PhraseSet("get me the").isIn(words)
    {
      return (.decision, .plain)
    }
    let duties = Phrases.noDuties.removed(from: words)
    if isOpenWork(duties), sentence.saysWhat { return (.task, .plain) }
    let isErrandOrNone = Phrases.errands.isIn(duties) || !Phrases.tasks.isIn(duties)
    if Phrases.constraints.isIn(duties) || Phrases.ownLimits.isIn(words) || isMeasured(words)
      || (Phrases.deadlines.isIn(words) && isErrandOrNone),
      !Phrases.helplessness.isIn(words), words.count > 3,
      !PhraseSet("need to find, need to be able").isIn(words)
    {
      return (.constraint, .plain)
    }
    if Phrases.preferences.isIn(words), !Phrases.preferenceTraps.isIn(words), words.count > 2 {
      return (.preference, words.contains("interested") ? .fair : .plain)
    }
    if Phrases.completions.isIn(words), !isUnfinished(words), !PhraseSet("passed away").isIn(words) {
      return (.completion, .plain)
    }
    if Phrases.tasks.isIn(duties), words.count > 3, sentence.saysWhat {
      if !Phrases.errands.isIn(duties) { return (.task, .plain) }
      return isSpecific(sentence) ? (.constraint, .fair) : (.task, .faint)
    }
    if statesFact(words) { return (.fact, .plain) }
    if Phrases.changesOfMind.isIn(words), words.count > 3 { return (.decision, .fair) }
    if Phrases.wants.isIn(duties), words.count > 3, isSpecific(sentence) { return (.constraint, .fair) }
    return nil
  }

  private func isSwitch(_ words: [String]) -> Bool {
    if let from = Self.affirmed(Phrases.switches, in: words), words[from.upperBound...].contains("to") { return true }
    if Self.affirmed(Phrases.replacements, in: words) != nil,
      words.contains("with") || words.contains("to") || words.contains("instead")
    {
      return !words.contains("moved") || words.contains("from")
    }
    return Self.affirmed(PhraseSet("no longer use, no longer using, stopped using"), in: words) != nil
  }

  /// Where one of the phrases stands without a "not" shortly before it.
  private static func affirmed(_ phrases: PhraseSet, in words: [String]) -> Range<Int>? {
    var start = 0
    while let range = phrases.range(in: words, from: start) {
      // "Don't worry, let's …" denies nothing.
      let begins = ["let's", "please"].contains(words[range.lowerBound])
      if begins || !words[..<range.lowerBound].suffix(3).contains(where: Phrases.denials.contains) { return range }
      start = range.lowerBound + 1
    }
    return nil
  }

  /// "I still need to …": something to do, and not only to be.
  private func isOpenWork(_ words: [String]) -> Bool {
    guard let open = Phrases.openWork.range(in: words) else { return false }
    let isSupposed = words[..<open.lowerBound].suffix(2).contains { ["would", "i'd", "we'd", "nothing"].contains($0) }
    return !isSupposed && words.dropFirst(open.upperBound).first != "be"
  }

  /// "Less than two hours", and not "less than I feared".
  private func isMeasured(_ words: [String]) -> Bool {
    guard let range = PhraseSet("less than, more than").range(in: words) else { return false }
    let after = words[range.upperBound...].prefix(2)
    guard let first = after.first else { return false }
    return first.contains(where: \.isNumber) || Phrases.numbers.contains(first)
      || after.contains(where: Phrases.measures.contains)
  }

  private func isUnfinished(_ words: [String]) -> Bool { Phrases.undone.isIn(words) }

  private func statesFact(_ words: [String]) -> Bool {
    if Phrases.factTraps.isIn(words) { return false }
    if Phrases.facts.isIn(words) { return true }
    if PhraseSet("i take, i need, i inject, i'm taking").isIn(words), Phrases.regularly.isIn(words) { return true }
    for (index, word) in words.enumerated() {
      let next = index + 1 < words.count ? words[index + 1] : ""
      let afterNext = index + 2 < words.count ? words[index + 2] : ""
      let isIAm = word == "i'm" || (word == "i" && next == "am")
      let state = word == "i'm" ? next : afterNext
      if isIAm, Phrases.states.contains(state) {
        let place = words.dropFirst(index + (word == "i'm" ? 2 : 3)).first ?? ""
        return state != "in" || (!place.isEmpty && !Phrases.noPlaces.contains(place))
      }
      if word == "my" || word == "our", Phrases.copulas.contains(afterNext), !Phrases.momentary.contains(next) {
        return words.count > index + 3
      }
      // "My grandmother died", but not "my phone died".
      if word == "my" || word == "our", words[(index + 1)...].prefix(3).contains("died"),
        !words.contains(where: Phrases.machines.contains)
      {
        return true
      }
    }
    return false
  }

  /// What is said before a sentence proper.
  private static let openers: Set<String> = [
    "no", "nope", "yes", "ok", "okay", "great", "perfect", "alright", "well", "hi", "hello", "hey", "thanks",
  ]

  /// Whether a wish says more than that there is one: a number, a name, a "with".
  private func isSpecific(_ sentence: SpokenSentence) -> Bool {
    sentence.text.contains(where: \.isNumber)
      || sentence.text.split(separator: " ").dropFirst().contains { word in
        word.first?.isUppercase == true && word != "I" && !word.hasPrefix("I'") && !word.hasPrefix("I’")
      }
      || sentence.words.contains { Self.details.contains($0) }
  }

  private static let details: Set<String> = [
    "with", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "single", "today",
    "tomorrow",
    "tonight", "unisex", "economy", "cheap", "free", "friendly", "private", "shared", "only", "instead",
  ]

  // MARK: Findings

  private mutating func add(
    _ kind: Finding.Kind, _ content: String, _ clarity: Finding.Clarity, _ message: Int, _ order: Int = 0,
    topics: [String]
  ) {
    found.append(
      Finding(
        kind: kind, content: content.cut(toSize: 2 * Self.contentSize), clarity: clarity, message: message,
        order: order,
        topics: unique(topics)))
  }

  private func unique(_ topics: [String]) -> [String] {
    var kept: [String] = []
    for topic in topics where !kept.contains(topic) && topic.utf8.count <= Limits.labelSize { kept.append(topic) }
    return kept
  }

  private func quoted(_ text: String) -> String {
    ThirdPerson.text(of: text).cut(toSize: Self.contentSize)
  }
}
