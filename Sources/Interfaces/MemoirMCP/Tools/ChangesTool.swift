// `changes`: what is otherwise between two points.
import JSON
import Memoir

extension Tool {
  static let changes: Tool = {
    let from = Parameter.required(
      "from", .point,
      "The earlier point: 'recorded:2026-03-03T14:00:00Z', 'occurred:2026-03-03T14:00:00Z', 'v12', 'p345' or 'start'.")
    let to = Parameter.optional(
      "to", .point, default: AsOfText.now,
      "The later point, in the same form; now unless told. 'occurred:' goes with 'occurred:', 'start' and 'now' only.")
    return Tool(
      name: "changes", title: "What changed between two times",
      description: """
        See what changed about the person between two points in time: facts learned, revised, forgotten and expired, \
        preferences changed, sessions begun and ended, messages added, each with the event responsible. Use it for \
        'what is new since we last spoke?' or 'what changed last week?'.
        """,
      parameters: [from, to],
      output: .object([
        .required("user", .text()), .required("namespace", .text()), .required("from", .text()),
        .required("to", .text()),
        .required(
          "facts",
          .object(
            ["learned", "revised", "forgotten", "expired"].map { .required($0, .array(of: .anyObject)) })),
        .required("preferences", .object([.required("changed", .array(of: .anyObject))])),
        .required(
          "sessions",
          .object([.required("begun", .array(of: .anyObject)), .required("ended", .array(of: .anyObject))])),
        .required("messages", .object([.required("added", .whole())])),
        .required("events", .array(of: .anyObject)),
      ]),
      effect: .reading
    ) { call in
      let diff = try call.store.diff(of: call.user, from: call.arguments[from], to: call.arguments[to])
      let json = try JSONText.written { writer in try call.store.write(diff, to: &writer) }
      return ToolResult(text(of: diff), json)
    }
  }()

  private static func text(of diff: HistoryDiff) -> String {
    let changes = diff.changes
    if changes.events.isEmpty, changes.messagesAdded == 0 {
      return "Nothing changed about \(diff.user.user) from \(diff.from) to \(diff.to)."
    }
    let added = counted(changes.messagesAdded, "message")
    var lines = Lines("\(diff.user.user), from \(diff.from) to \(diff.to): \(added) added.")
    lines.add("Facts learned", changes.learned, \.line)
    lines.add("Facts revised", changes.revised) { revision in
      let isReworded = revision.before.fact != revision.after.fact
      return revision.after.line + (isReworded ? " before: \(revision.before.fact.onOneLine)" : "")
    }
    lines.add("Facts no longer held", changes.forgotten) { departure in
      let why = departure.supersededBy.map { "superseded by \($0)" } ?? departure.reason?.onOneLine ?? "forgotten"
      return "\(departure.fact.fact.onOneLine) (fact_id \(departure.fact.factID), \(why))"
    }
    lines.add("Facts expired", changes.expired) { "\($0.fact.fact.onOneLine) (fact_id \($0.fact.factID))" }
    lines.add("Preferences changed", changes.preferences) { change in
      let before = change.from.map { " (before: \($0.shown.onOneLine))" } ?? ""
      return "\(change.key.onOneLine): \(change.to.shown.onOneLine)\(before)"
    }
    lines.add("Sessions begun", changes.begun) { "\($0.session), \($0.occurredAt.minute)" }
    lines.add("Sessions ended", changes.ended) { note in
      "\(note.session), \(note.occurredAt.minute): \((note.summary ?? note.reason ?? "ended").onOneLine)"
    }
    return lines.text
  }
}
