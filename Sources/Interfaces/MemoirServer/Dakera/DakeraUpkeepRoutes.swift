// Keeping memories in order on the Dakera wire: feedback, consolidation, duplicates.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let signal = Schema.words(["upvote", "downvote", "flag", "positive", "negative"])
  private static let given = Schema.object([
    .required("memory_id", .string()), .required("new_importance", DakeraSchemas.importance),
    .required("signal", .words(["upvote", "downvote", "flag"])),
  ])

  static let dakeraUpkeepRoutes: [Route] = [
    Route(
      .post, "/v1/memories/{memory_id}/feedback", "dakera_feedback_memory", access: .scope(.append), wire: .dakera,
      summary: "Say that a memory was of use, or of none.",
      body: DakeraSchemas.body([.required("signal", signal)]), answers: [.json(given)],
      .later { call in
        let id = try call.factID(call.path("memory_id"))
        let (stream, signal) = try call.withWireBody { (try call.stream($0), try call.signal($0)) }
        return try await call.give(signal, on: id, of: stream)
      }),
    Route(
      .post, "/v1/memory/feedback", "dakera_memory_feedback", access: .scope(.append), wire: .dakera,
      summary: "The same, with the memory in the body.",
      body: DakeraSchemas.body([.required("memory_id", .string()), .required("signal", signal)]),
      answers: [.json(given)],
      .later { call in
        let (stream, id, signal) = try call.withWireBody { node in
          guard let id = try node.wireText("memory_id") else {
            throw MemoirError.invalid(field: "memory_id", "is missing")
          }
          return (try call.stream(node), try call.factID(id), try call.signal(node))
        }
        return try await call.give(signal, on: id, of: stream)
      }),
    Route(
      .get, "/v1/memories/{memory_id}/feedback", "dakera_feedback_history", access: .scope(.read), wire: .dakera,
      summary: "What was thought of a memory, the first first.",
      parameters: [AnyParameter(DakeraParameters.agent.required)],
      answers: [
        .json(
          .object([
            .required("memory_id", .string()),
            .required(
              "entries",
              .array(
                .object([
                  .required("signal", .string()), .required("timestamp", DakeraSchemas.seconds),
                  .required("old_importance", DakeraSchemas.importance),
                  .required("new_importance", DakeraSchemas.importance),
                ]))),
          ]))
      ],
      .later { call in
        let id = try call.factID(call.path("memory_id"))
        let stream = try call.stream(call[DakeraParameters.agent] ?? "")
        _ = try call.memory(id, of: stream)
        let entries = try call.store.feedback(on: id, of: stream)
        return Reply.object(items: 1) { writer in
          writer.member("memory_id", id.description)
          writer.key("entries")
          writer.beginArray()
          for entry in entries {
            writer.beginObject()
            writer.member("signal", entry.signal.rawValue)
            writer.member("timestamp", entry.at)
            writer.key("old_importance")
            writer.double(entry.before)
            writer.key("new_importance")
            writer.double(entry.after)
            writer.endObject()
          }
          writer.endArray()
        }
      }),
    Route(
      .post, "/v1/memory/consolidate", "dakera_consolidate", access: .scope(.append), wire: .dakera,
      summary: "Make one memory of several, which it takes the place of.",
      body: DakeraSchemas.body([
        .required("memory_ids", .array(.string(), max: MemoirStore.consolidatedAtMost)),
        .optional("target_type", DakeraSchemas.type), .optional("threshold", DakeraSchemas.importance),
      ]),
      answers: [
        .json(
          .object([
            .required("consolidated_memory", DakeraSchemas.memory),
            .required("source_memory_ids", .array(.string())), .required("memories_removed", .count),
          ]))
      ],
      .later { call in
        let (stream, ids, type) = try call.withWireBody { node in
          // Which memories belong together is said by their ids.
          _ = try node.wireFraction("threshold")
          let ids = try node.wireTexts("memory_ids") ?? []
          return (try call.stream(node), try ids.map { try call.factID($0) }, try node.wireType("target_type"))
        }
        guard Set(ids).count > 1 else {
          throw MemoirError.invalid(field: "memory_ids", "must name at least two memories")
        }
        for id in ids { _ = try call.memory(id, of: stream) }
        let new = try await call.store.consolidate(ids, of: stream, as: type ?? .semantic).result
        let memory = try call.memory(new, of: stream)
        var sources: [String] = []
        for id in ids where !sources.contains(id.description) { sources.append(id.description) }
        let named = sources
        return Reply.object(items: 1) { writer in
          writer.key("consolidated_memory")
          writer.memory(memory, of: stream.user)
          writer.key("source_memory_ids")
          writer.strings(named)
          writer.member("memories_removed", named.count)
        }
      }),
    Route(
      .post, "/v1/knowledge/deduplicate", "dakera_deduplicate", access: .scope(.append), wire: .dakera,
      summary: "Let one memory stand for those that say nearly the same.",
      body: DakeraSchemas.body([
        .optional("threshold", .number(min: 0.5, max: 1)), .optional("memory_type", DakeraSchemas.type),
        .optional("dry_run", .boolean),
      ]),
      answers: [
        .json(
          .object([
            .required("duplicates_found", .count), .required("removed_count", .count),
            .required("groups", .array(.array(.string()))), .required("duplicates_merged", .count),
          ]))
      ],
      .later { call in
        let (stream, threshold, type, isDry) = try call.withWireBody { node in
          (
            try call.stream(node), try node.wireFraction("threshold")?.value ?? 0.8, try node.wireType("memory_type"),
            try node.wireFlag("dry_run") ?? false
          )
        }
        var groups: [DuplicateGroup] = []
        if try call.reaches(stream) {
          groups = try await call.store.deduplicate(stream, threshold: threshold, type: type, changes: !isDry).result
        }
        let found = groups.reduce(0) { $0 + $1.duplicates.count }
        return Reply.object(items: found) { writer in
          writer.member("duplicates_found", found)
          writer.member("removed_count", isDry ? 0 : found)
          writer.key("groups")
          writer.beginArray()
          for group in groups { writer.strings([group.survivor.description] + group.duplicates.map(\.description)) }
          writer.endArray()
          writer.member("duplicates_merged", isDry ? 0 : found)
        }
      }),
  ]
}

extension Call {
  fileprivate func signal(_ node: JSONNode) throws(MemoirError) -> FeedbackSignal {
    switch try node.wireText("signal") {
    case "upvote", "positive": return .upvote
    case "downvote", "negative": return .downvote
    case "flag": return .flag
    case nil: throw .invalid(field: "signal", "is missing")
    default: throw .invalid(field: "signal", "must be upvote, downvote, flag, positive or negative")
    }
  }

  fileprivate func give(_ signal: FeedbackSignal, on id: FactID, of stream: StreamName) async throws -> Reply {
    _ = try memory(id, of: stream)
    let feedback = try await store.giveFeedback(signal, on: id, of: stream).result
    return Reply.object(items: 1) { writer in
      writer.member("memory_id", id.description)
      writer.key("new_importance")
      writer.double(feedback.after)
      writer.member("signal", signal.rawValue)
    }
  }
}
