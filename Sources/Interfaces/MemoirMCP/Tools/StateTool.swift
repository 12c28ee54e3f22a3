// `state`: all that is known, now or earlier.
import JSON
import Memoir

extension Tool {
  static let state = Tool(
    name: "state", title: "State as of a time",
    description: """
      See all that is known of the person, now or as it was at an earlier time: preferences, facts, relationships, \
      sessions, episodes, latest messages, each with its id. Use it to look things over, to answer 'what do you know \
      about me?', or 'what did you know in March?'. For a question, 'recall' finds the few things that matter.
      """,
    parameters: [asOf],
    output: .object([
      .required("user", .text()), .required("namespace", .text()), .required("version", .whole()),
      .required("as_of", .anyObject), .required("profile", .anyObject), .required("preferences", .anyObject),
      .required("facts", .array(of: .anyObject)), .required("relationships", .array(of: .anyObject)),
      .required("sessions", .array(of: .anyObject)), .required("episodes", .array(of: .anyObject)),
      .required("messages", .anyObject),
    ]),
    effect: .reading
  ) { call in
    let state = try call.store.state(of: call.user, at: call.arguments[asOf])
    let messages = try call.store.recentMessages(of: state)
    let json = try JSONText.written { writer in try call.store.write(state, to: &writer) }
    return ToolResult(try text(of: state, messages), json)
  }

  private static func text(of state: StateAt, _ messages: [RecordedEvent]) throws -> String {
    let parts = state.state
    var lines = Lines(
      "\(state.user.user) as of \(state.asOf), version \(state.version): \(counted(state.facts.count, "fact")), "
        + "\(counted(parts.preferences.all.count, "preference")), \(counted(parts.sessions.total, "session")) "
        + "(\(parts.sessions.openCount) open), \(counted(parts.messages.total, "message")).")
    if let erasedAt = state.erasedAt { lines.add("What was known before \(erasedAt.minute) was erased then.") }
    lines.add("Preferences", parts.preferences.all) { "\($0.key.onOneLine): \($0.value.shown.onOneLine)" }
    lines.add("Facts", state.facts, \.line)
    lines.add("Relationships", parts.relationships.all) {
      "\($0.subject.onOneLine) \($0.predicate.onOneLine) \($0.object.onOneLine)"
    }
    lines.add("Sessions", (parts.sessions.ended + parts.sessions.open).sorted { $0.origin < $1.origin }, \.line)
    lines.add("Episodes", parts.episodes.all) { episode in
      let lessons = (episode.lessons?.texts ?? []).map { " Lesson: \($0.onOneLine)" }.joined()
      return "\(episode.success ? "done" : "failed"): \(episode.task.onOneLine).\(lessons)"
    }
    let said = try messages.compactMap { event -> String? in
      guard case .messageAdded(let message)? = try MemoirEvent(event) else { return nil }
      return "\(event.occurredAt.minute) \(message.role): \(message.content.onOneLine.cut(to: 300))"
    }
    lines.add("Latest messages", said, \.self)
    return lines.text
  }
}
