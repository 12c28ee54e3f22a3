// `record_episode`: what was tried, and how it went.
import JSON
import Memoir

extension Tool {
  static let recordEpisode: Tool = {
    let task = Parameter.required("task", .text, "What was to be done.")
    let actions = Parameter.required("actions", .list(of: .text), "What was done about it, step by step.")
    let outcomes = Parameter.required("outcomes", .list(of: .text), "What came of it.")
    let success = Parameter.required("success", .flag, "Whether it was what was wanted.")
    let lessons = Parameter.optional("lessons", .list(of: .text), "What to do, or not to do, next time.")
    let session = Parameter.optional("session", .session, "The session it belongs to.")
    return Tool(
      name: "record_episode", title: "Record an episode",
      description: """
        Record how you worked on a task: what was to be done, what you did, what came of it, what you learned. Use it \
        once a task of several steps is over, whether it went well or not; 'recall' with kinds ['episode'] finds \
        similar ones before you begin the next.
        """,
      parameters: [task, actions, outcomes, success, lessons, session],
      output: .object([.required("event_id", .text()), .required("version", .whole())]), effect: .adding
    ) { call in
      let given = call.arguments
      let episode = try EpisodeRecorded(
        task: given[task], actions: .many(given[actions]), outcomes: .many(given[outcomes]), success: given[success],
        lessons: given[lessons].map { .many($0) })
      let event = try call.store.event(.episodeRecorded(episode), session: given[session], agent: call.agent)
      let appended = try await call.store.append([event], to: call.user)
      return ToolResult(
        "Recorded: \(episode.task.onOneLine) (\(episode.success ? "done" : "failed"))",
        .object { writer in
          writer.member("event_id", event.id.description)
          writer.key("version")
          writer.integer(appended.lastVersion.number)
        })
    }
  }()
}
