// What changed, and where something comes from, for people.
import JSON
import Memoir

/// Shows a difference.
struct DiffText {
  private let diff: HistoryDiff

  private static let shownSessions = 12

  init(_ diff: HistoryDiff) { self.diff = diff }

  func show(on output: Console) throws {
    try output.print(
      "\(diff.user.description, .bold): from \(diff.from.shown) to \(diff.to.shown)")
    let changes = diff.changes
    try showFacts(on: output)
    if !changes.preferences.isEmpty {
      try output.heading("Preferences changed")
      for change in changes.preferences {
        let from = change.from.map { "\($0.shown) → " } ?? ""
        try output.item(
          "\(change.key): \(from)\(change.to.shown)", remark: "(v\(change.event.version))")
      }
    }
    try showSessions(on: output)
    if changes.messagesAdded > 0 {
      try output.print()
      try output.print("\(Quantity.count(changes.messagesAdded, "message"), .bold) added.")
    }
    if changes.events.isEmpty, changes.messagesAdded == 0 { try output.print("Nothing changed.") }
  }

  private func showFacts(on output: Console) throws {
    let changes = diff.changes
    if !changes.learned.isEmpty {
      try output.heading("Facts learned")
      for fact in changes.learned {
        try output.item(
          fact.fact, remark: remark(fact.category, fact.ownID, "v\(fact.origin.version)"), bullet: "  + ")
      }
    }
    if !changes.revised.isEmpty {
      try output.heading("Facts revised")
      for revision in changes.revised {
        try output.item(
          revision.after.fact, remark: remark(revision.after.ownID, "v\(revision.event.version)"),
          bullet: "  ~ ")
        if revision.before.fact != revision.after.fact {
          try output.item(revision.before.fact, bullet: "    before: ")
        }
      }
    }
    if !changes.forgotten.isEmpty {
      try output.heading("Facts no longer held")
      for departure in changes.forgotten {
        let reason = departure.supersededBy.map { "superseded by \($0)" } ?? departure.reason
        try output.item(
          departure.fact.fact, remark: remark(departure.fact.ownID, reason, "v\(departure.event.version)"),
          bullet: "  - ")
      }
    }
    if !changes.expired.isEmpty {
      try output.heading("Facts expired")
      for departure in changes.expired {
        let time = departure.fact.expiresAt.map { "on \($0.day)" }
        try output.item(
          departure.fact.fact,
          remark: remark(departure.fact.ownID, time, "set by v\(departure.event.version)"), bullet: "  - ")
      }
    }
  }

  private func remark(_ parts: String?...) -> String {
    "(" + parts.compactMap(\.self).joined(separator: ", ") + ")"
  }

  private func showSessions(on output: Console) throws {
    let changes = diff.changes
    if changes.begun.isEmpty, changes.ended.isEmpty { return }
    try output.heading(
      "Sessions: \(Quantity.count(changes.begun.count)) begun, \(Quantity.count(changes.ended.count)) ended")
    for note in changes.ended.prefix(Self.shownSessions) {
      try output.item(
        "\(note.occurredAt.day)  \(note.summary ?? note.reason ?? "ended")",
        remark: "(\(note.session), v\(note.event.version))")
    }
    let more = changes.ended.count - Self.shownSessions
    if more > 0 { try output.print(StyledText("  … and \(Quantity.count(more)) more", .dim)) }
  }
}

/// Shows where an item comes from.
struct ProvenanceText {
  private let provenance: Provenance
  private let store: MemoirStore

  init(_ provenance: Provenance, _ store: MemoirStore) {
    self.provenance = provenance
    self.store = store
  }

  func show(on output: Console) throws {
    try output.print("\(provenance.item.description, .bold) of \(provenance.user.description)")
    if let now = current { try output.paragraph(now, hanging: "  ") }
    try output.print()
    try showSteps(on: output)
  }

  /// The events behind it alone.
  func showSteps(on output: Console) throws {
    let events = try provenance.steps.compactMap { step in
      try store.log.event(at: step.event.version, of: provenance.user).map {
        (event: $0, effect: step.effect)
      }
    }
    // Where all came in at once, as in an import, the day of that says nothing.
    let showsRecorded = Set(events.map(\.event.recordedAt.day)).count > 1
    for (event, effect) in events { try show(event, effect, showsRecorded, on: output) }
  }

  /// The item as it is now.
  private var current: String? {
    let state = provenance.state
    switch provenance.item {
    case .fact(let id):
      guard let fact = state.facts[id] else { return "no longer held" }
      return fact.fact + (fact.isExpired(at: store.clock()) ? " (expired)" : "")
    case .preference(let key): return state.preferences[key]?.value.shown
    case .session: return nil
    }
  }

  private func show(
    _ event: RecordedEvent, _ effect: ProvenanceRecorder.Effect, _ showsRecorded: Bool, on output: Console
  ) throws {
    var line: StyledText =
      "\(event.occurredAt.minute, .dim)  \(effect.rawValue, .accent)  \("v\(event.version)", .dim)"
    if let agent = event.agent { line.append("  by \(agent)", .dim) }
    if showsRecorded, event.recordedAt.day != event.occurredAt.day {
      line.append("  recorded \(event.recordedAt.day)", .dim)
    }
    try output.print(line)
    try output.paragraph(try sentence(event), hanging: "    ")
    if let source = try sourceMessage(of: event) {
      try output.paragraph("\(source)", hanging: "      from: ")
    }
  }

  private func sentence(_ event: RecordedEvent) throws -> String {
    // What took the place says more than its id.
    if case .factRevised(let revision)? = try MemoirEvent(event), let next = revision.supersededBy,
      let fact = provenance.state.facts[next]
    {
      return "superseded by \(next): \(fact.fact)"
    }
    return event.summary
  }

  /// The message that a fact was taken from, where it can be found.
  private func sourceMessage(of event: RecordedEvent) throws -> String? {
    guard case .factLearned(let fact)? = try MemoirEvent(event), let id = fact.sourceMessageID,
      let message = try store.message(id, of: provenance.user, before: event.version)
    else { return nil }
    return message.summary
  }
}
