// `start_session` and `end_session`: a conversation begins with what is known, and ends with what is worth keeping.
import JSON
import Memoir

extension Tool {
  static let startSession: Tool = {
    let session = Parameter.optional("session", .session, "An id of your own for it; left out, a new one is made.")
    let firstMessage = Parameter.optional("first_message", .text, "What the person said first; it is recorded.")
    let idleTimeout = Parameter.optional(
      "idle_timeout", .whole(0...Limits.longestLifetime),
      "After so many seconds without an event the session counts as over; 0 is never. Else 4 hours.")
    let metadata = Parameter.optional("metadata", .object, "Data of your own, kept with it.")
    return Tool(
      name: "start_session", title: "Start a session",
      description: """
        Begin a conversation. Call it once at the first message of the person, before you answer. Gives the session's \
        id, which 'end_session' needs, and a text with what is known of the person and matters for that message: read \
        it before you answer.
        """,
      parameters: [firstMessage, session, budget, idleTimeout, metadata],
      output: .object([
        .required("session", .anyObject), .required("context", .contextPackage),
        .required("event_ids", .array(of: .text())), .required("version", .whole()),
      ]),
      effect: .adding
    ) { call in
      let given = call.arguments
      var first: MessageAdded?
      if let text = given[firstMessage] {
        do throws(InvalidValue) {
          first = try MessageAdded(role: .user, content: text)
        } catch {
          throw MemoirError.invalid(field: "first_message", error.reason)
        }
      }
      var opening = ContextRequest.opening(with: first?.content ?? "")
      opening.budget = Int(given[budget])
      let started = try await call.store.startSession(
        given[session], of: call.user, metadata: given[metadata],
        idleTimeoutSeconds: given[idleTimeout].map { UInt64($0) }, firstMessage: first, agent: call.agent,
        context: opening)
      return ToolResult(
        "Session \(started.session.id) has begun; end it with 'end_session'.\n\n\(started.context?.shown ?? "")",
        .written { started.write(to: &$0) })
    }
  }()

  static let endSession: Tool = {
    let session = Parameter.required("session", .session, "Which, as 'start_session' gave it.")
    let messages = Parameter.optional(
      "messages", .list(of: .message), default: [],
      "What was said and has not been recorded yet, in order. The summary and the memories are made of it, so hand in "
        + "the whole conversation.")
    let summary = Parameter.optional(
      "summary", .text, "What the session was about, in one or two sentences; left out, it is made of the messages.")
    let reason = Parameter.optional("reason", .text, default: "closed", "Why it ends; 'closed' unless told.")
    return Tool(
      name: "end_session", title: "End a session",
      description: """
        End a conversation: its messages are recorded, summarised, and what is worth keeping of them becomes memories. \
        Call it when the conversation is over, with the messages in it. Gives the summary and the memories that were \
        made. A session that has ended stays as it is.
        """,
      parameters: [session, messages, summary, reason],
      output: .object([
        .required("session", .anyObject), .required("had_ended", .flag, "Whether it had ended before."),
        .required("messages_recorded", .whole()),
        .required("memories", .array(of: .anyObject), "What was learned in it and holds."),
        .required("event_ids", .array(of: .text())), .required("version", .whole()),
        .optional("distiller", .text()), .optional("failure", .text()),
      ]),
      effect: .addingOnce
    ) { call in
      let given = call.arguments
      // What the end cannot say is refused before anything is recorded.
      _ = try SessionEnded(reason: given[reason], summary: given[summary])
      let recorded = try await call.store.recordClosingMessages(
        given[messages], of: given[session], of: call.user, agent: call.agent)
      let ended = try await call.store.endSession(
        given[session], of: call.user, reason: given[reason], summary: given[summary], agent: call.agent)
      let learned = try call.store.memories(of: call.user, matching: MemoryFilter(session: given[session])).memories
      return ToolResult(
        text(of: ended, learned, isLate: recorded.isEmpty && !given[messages].isEmpty),
        .object { writer in
          ended.writeMembers(to: &writer)
          writer.member("memories", array: learned) { $1.write(to: &$0) }
          writer.key("messages_recorded")
          writer.integer(recorded.count)
        })
    }
  }()

  private static func text(of ended: EndedSession, _ learned: [Memory], isLate: Bool) -> String {
    let id = ended.session.id
    var lines = Lines(
      ended.hadEnded ? "Session \(id) had ended already; nothing was changed." : "Session \(id) has ended.")
    if isLate { lines.add("No message was recorded by this call: what comes after the end is not.") }
    if let summary = ended.session.end?.summary, !summary.isEmpty { lines.add("Summary: \(summary.onOneLine)") }
    lines.add("Learned in it", learned, \.fact.line)
    return lines.text
  }
}
