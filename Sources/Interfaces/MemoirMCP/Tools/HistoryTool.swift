// `history`: where a memory comes from.
import JSON
import Memoir

extension Tool {
  static let history: Tool = {
    let item = Parameter.required(
      "item", .text,
      "'fact:ID', 'preference:KEY' or 'session:ID', as 'recall' and 'state' show them; the bare id where only one "
        + "thing is called so.")
    return Tool(
      name: "history", title: "History of a memory",
      description: """
        See where a memory comes from: the event that put it there, each one that changed it, when, by whom, and the \
        message it was taken from. Use it for 'why do you believe that?', 'since when?', or when two memories seem to \
        disagree. Also of memories that hold no more.
        """,
      parameters: [item],
      output: .object([
        .required("item", .text()), .required("user", .text()), .required("namespace", .text()),
        .required("current", .nullable(.anyObject), "As it is now; null where it is held no more."),
        .required(
          "events",
          .array(of: .object([.required("effect", .text()), .required("event", .anyObject)])), "In order."),
      ]),
      effect: .reading
    ) { call in
      let provenance = try call.store.explain(call.arguments[item], of: call.user)
      let json = try JSONText.written { writer in try call.store.write(provenance, to: &writer) }
      return ToolResult(try text(of: provenance, in: call.store), json)
    }
  }()

  private static func text(of provenance: Provenance, in store: MemoirStore) throws -> String {
    var lines = Lines("\(provenance.item) of \(provenance.user.user)")
    if case .fact(let id) = provenance.item {
      let fact = provenance.state.facts[id].flatMap { $0.isExpired(at: store.clock()) ? nil : $0 }
      lines.add(fact.map { "Now: \($0.line)" } ?? "It is held no more.")
    }
    for step in provenance.steps {
      guard let event = try store.log.event(at: step.event.version, of: provenance.user) else { continue }
      var line = "- \(event.occurredAt.minute), v\(event.version), \(step.effect.rawValue)"
      if let agent = event.agent { line += " by \(agent.onOneLine)" }
      if let session = event.session { line += " in session \(session)" }
      lines.add(line + (try said(by: event)))
      if case .factLearned(let learned)? = try MemoirEvent(event), let source = learned.sourceMessageID,
        let message = try store.message(source, of: provenance.user, before: event.version)
      {
        lines.add("  from the message\(try said(by: message))")
      }
    }
    return lines.text
  }

  /// What an event says of the item, after a colon.
  private static func said(by event: RecordedEvent) throws -> String {
    let text: String? =
      switch try MemoirEvent(event) {
      case .factLearned(let learned)?: learned.fact
      case .factRevised(let revised)?: revised.supersededBy.map { "superseded by \($0)" } ?? revised.fact
      case .factForgotten(let forgotten)?: forgotten.reason
      case .preferenceUpdated(let update)?: update.value.shown
      case .messageAdded(let message)?: message.content.cut(to: 500)
      case .sessionEnded(let end)?: end.summary ?? end.reason
      case .sessionsCompacted(let compacted)?: compacted.summary
      default: nil
      }
    return text.map { ": \($0.onOneLine)" } ?? ""
  }
}
