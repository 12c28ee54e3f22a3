// A state for people: what is known of a person, on a page of 80 columns.
import JSON
import Memoir

/// Shows a state.
struct StateText {
  private let state: StateAt
  private let messages: [RecordedEvent]

  private static let shownMessages = 6
  private static let shownSessions = 6
  private static let shownEpisodes = 6

  /// - Parameter messages: The latest ones.
  init(_ state: StateAt, messages: [RecordedEvent]) {
    self.state = state
    self.messages = messages
  }

  func show(on output: Console) throws {
    try showTitle(on: output)
    try showProfile(on: output)
    try showFacts(on: output)
    try showPreferences(on: output)
    try showRelationships(on: output)
    try showEpisodes(on: output)
    try showSessions(on: output)
    try showMessages(on: output)
  }

  private func showTitle(on output: Console) throws {
    let (sessions, facts) = (state.state.sessions, state.facts)
    try output.print(
      "\(state.user.description, .bold), \(state.asOf.shown)  \("version \(state.version)", .dim)")
    var counts = [
      Quantity.count(facts.count, "fact"), Quantity.count(state.state.preferences.all.count, "preference"),
      Quantity.count(sessions.total, "session"),
    ]
    if sessions.openCount > 0 { counts[2] += " (\(Quantity.count(sessions.openCount)) open)" }
    counts.append(Quantity.count(state.state.messages.total, "message"))
    try output.print(StyledText(counts.joined(separator: ", "), .dim))
    if let erasedAt = state.erasedAt {
      try output.print(StyledText("What was known before \(erasedAt.minute) was erased then.", .dim))
    }
  }

  private func showProfile(on output: Console) throws {
    let schema = ProfileSchema.standard
    var values = KeyValues()
    var isEmpty = true
    for key in schema.preferenceKeys {
      guard let preference = state.state.preferences[key], preference.value != .null else { continue }
      values.add("  " + key.replacing("_", with: " "), StyledText(preference.value.shown))
      isEmpty = false
    }
    if isEmpty { return }
    try output.heading("Profile")
    try output.keyValues(values)
  }

  /// Tasks first, since they are what is to be done, and what is over last.
  private static let order = [
    FactCategory.task, FactCategory.goal, FactCategory.constraint, FactCategory.decision,
  ]

  private func showFacts(on output: Console) throws {
    let facts = state.facts
    var categories: [String] = []
    for fact in facts where !categories.contains(fact.category) { categories.append(fact.category) }
    let first = Self.order.filter(categories.contains)
    let last = categories.filter { $0 == FactCategory.completion }
    categories = first + categories.filter { !first.contains($0) && !last.contains($0) } + last
    for category in categories {
      try output.heading(StyledText("Facts: \(category)"))
      for fact in facts where fact.category == category { try output.item(fact.fact, remark: remark(fact)) }
    }
  }

  private func remark(_ fact: Fact) -> String {
    var parts: [String] = []
    if let id = fact.ownID { parts.append(id) }
    parts.append(fact.confidence.percent)
    if let expiry = fact.expiresAt { parts.append("until \(expiry.day)") }
    parts.append(
      "v" + ([fact.origin] + fact.revisedBy.events).map(\.version.description).joined(separator: ", v"))
    return "(" + parts.joined(separator: ", ") + ")"
  }

  private func showPreferences(on output: Console) throws {
    let inProfile = Set(ProfileSchema.standard.preferenceKeys)
    let preferences = state.state.preferences.all.filter { !inProfile.contains($0.key) }
    if preferences.isEmpty { return }
    try output.heading("Preferences")
    for preference in preferences {
      var remark = "(\(preference.updatedAt.day), v\(preference.origin.version)"
      if let previous = preference.previousValue { remark += "; before: \(previous.shown)" }
      try output.item("\(preference.key): \(preference.value.shown)", remark: remark + ")")
    }
  }

  private func showRelationships(on output: Console) throws {
    let relationships = state.state.relationships.all
    if relationships.isEmpty { return }
    try output.heading("Relationships")
    var table = TextTable([.flexible(""), .flexible("", .dim), .flexible(""), .fixed("", .dim)])
    for relationship in relationships {
      table.add([
        StyledText("  " + relationship.subject), StyledText(relationship.predicate),
        StyledText(relationship.object), StyledText("v\(relationship.origin.version)"),
      ])
    }
    // The columns speak for themselves.
    for line in table.lines(width: output.width, paint: output.paint).dropFirst() {
      try output.write(line + "\n")
    }
  }

  private func showEpisodes(on output: Console) throws {
    let episodes = state.state.episodes.all
    if episodes.isEmpty { return }
    try output.heading("Episodes")
    for episode in episodes.suffix(Self.shownEpisodes) {
      try output.item(
        episode.task, remark: "(\(episode.occurredAt.day), v\(episode.origin.version))",
        bullet: episode.success ? "  ✓ " : "  ✗ ")
      for lesson in episode.lessons?.texts ?? [] {
        try output.item(lesson, bullet: "    learned: ")
      }
    }
    try showMore(episodes.count - Self.shownEpisodes, "earlier", on: output)
  }

  private func showSessions(on output: Console) throws {
    let sessions = state.state.sessions
    let shown = (sessions.open + sessions.ended).sorted { $0.origin < $1.origin }.suffix(Self.shownSessions)
    if shown.isEmpty { return }
    try output.heading("Latest sessions")
    for session in shown {
      let end = session.end.map { $0.summary ?? $0.reason ?? "ended" } ?? "open"
      try output.item(
        "\(session.startedAt.minute)  \(end)",
        remark: "(\(session.id), \(Quantity.count(session.messageCount, "message")))")
    }
    try showMore(
      Int(clamping: sessions.total) - Self.shownSessions, "more: memoir sessions \(state.user.user)",
      on: output)
  }

  private func showMessages(on output: Console) throws {
    if messages.isEmpty { return }
    try output.heading("Latest messages")
    for event in messages.suffix(Self.shownMessages) {
      guard case .messageAdded(let message)? = try MemoirEvent(event) else { continue }
      let line: StyledText =
        "  \(event.occurredAt.minute, .dim)  \(message.role.description.padded(to: 9), .accent)  \(SafeText.line(message.content))"
      try output.print(output.width.map { line.truncated(to: $0) } ?? line)
    }
  }

  private func showMore(_ count: Int, _ what: String, on output: Console) throws {
    if count > 0 { try output.print(StyledText("  … and \(Quantity.count(count)) \(what)", .dim)) }
  }
}
