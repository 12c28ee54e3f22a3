// Many memories at a time on the Dakera wire: stored, chosen, forgotten.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let stored = Schema.object([
    .required("stored", DakeraSchemas.memories), .required("stored_count", .count),
    .required("total_embedding_time_ms", .integer()), .optional("ended_sessions", .array(.string())),
    .optional("warnings", DakeraSchemas.warnings),
  ])

  static let dakeraBatchRoutes: [Route] = [
    Route(
      .post, "/v1/memories/store/batch", "dakera_store_memories", access: .scope(.append), wire: .dakera,
      summary: "Store memories, all or none.",
      body: DakeraSchemas.body([
        .required("memories", .array(.object(DakeraSchemas.storedProperties, isOpen: true), max: DakeraLimits.batch))
      ]),
      answers: [.json(stored)],
      .later { call in
        let (stream, read) = try call.withWireBody { node in
          let stream = try call.stream(node)
          try call.allow(stream)
          return (stream, try call.drafts(node, for: stream))
        }
        let ended = try await call.ends(read.drafts, of: stream)
        let outcomes = try await call.store.remember(read.drafts, for: stream, merging: .identity).result
        let memories = try outcomes.map { try call.memoryIfLive($0.factID, of: stream) }
        return Reply.object(items: memories.count) { writer in
          writer.key("stored")
          writer.beginArray()
          for (index, memory) in memories.enumerated() {
            if let memory {
              writer.memory(memory, of: stream.user)
            } else {
              writer.memory(read.drafts[index], outcomes[index].factID, of: stream.user, at: call.store.clock())
            }
          }
          writer.endArray()
          writer.member("stored_count", memories.count)
          writer.member("total_embedding_time_ms", 0)
          if !ended.isEmpty {
            writer.key("ended_sessions")
            writer.strings(ended.map(\.description))
          }
          writer.warnings(read.warnings)
        }
      }),
    Route(
      .post, "/v1/memories/recall/batch", "dakera_batch_recall", access: .scope(.recall), wire: .dakera,
      summary: "Memories of which all is true that the filter says; or the answers to several questions.",
      body: DakeraSchemas.body([
        .optional("filter", DakeraSchemas.filter), .optional("limit", .integer(min: 1)),
        .optional("queries", .array(.object([.required("query", .string())], isOpen: true), max: 100)),
      ]),
      answers: [
        .json(
          .object(
            [
              .required("memories", DakeraSchemas.memories), .optional("total", .count), .optional("filtered", .count),
              .optional("truncated", .boolean), .optional("warnings", DakeraSchemas.warnings),
              .optional("results", .array(.object([], isOpen: true))),
            ]))
      ],
      .later { call in
        if let questions = try call.withWireBody({ try call.questions($0) }) {
          return try await call.answers(questions)
        }
        let (stream, filter, limit, warnings) = try call.withWireBody { node in
          (
            try call.stream(node), try call.filter(node),
            Int(try node.wireInteger("limit", in: 1...1_000_000) ?? 100),
            DakeraDraft.warnings(node, ignoring: ["agent_id", "filter", "limit", "namespace"], unsupported: [])
          )
        }
        let isReached = try call.reaches(stream)
        let all = isReached ? try call.store.storedMemories(of: stream) : []
        let chosen = isReached ? try call.store.storedMemories(of: stream, filter.selection) : []
        let page = chosen.prefix(min(limit, 10_000))
        return Reply.object(items: page.count) { writer in
          writer.key("memories")
          writer.memories(page, of: stream.user)
          writer.member("total", all.count)
          writer.member("filtered", chosen.count)
          writer.key("truncated")
          writer.bool(page.count < chosen.count)
          writer.warnings(warnings + filter.warnings)
        }
      }),
    Route(
      .delete, "/v1/memories/forget/batch", "dakera_batch_forget", access: .scope(.append), wire: .dakera,
      summary: "Forget the memories of which all is true that the filter says, which must say something.",
      body: DakeraSchemas.body([.required("filter", DakeraSchemas.filter)]), answers: [.json(DakeraSchemas.deleted)],
      .later { call in
        let (stream, filter) = try call.withWireBody { (try call.stream($0), try call.filter($0)) }
        // A filter with a misspelt member would mean more than was meant.
        guard !filter.isEmpty, filter.warnings.isEmpty else {
          throw MemoirError.invalid(
            field: "filter", filter.warnings.first ?? "is empty; it would forget everything")
        }
        guard try call.reaches(stream) else { return Reply.object { $0.member("deleted_count", 0) } }
        let forgotten = try await call.store.forget(filter.selection, of: stream).result
        return Reply.object(items: forgotten.count) { $0.member("deleted_count", forgotten.count) }
      }),
  ]
}

/// What a batch is chosen by.
private struct DakeraFilter: Sendable {
  var selection = MemorySelection()
  var isEmpty = true
  var warnings: [String] = []

  private static let known = [
    "created_after", "created_before", "max_importance", "memory_type", "min_importance", "session_id", "tags",
  ]

  init() {}

  init(_ node: JSONNode) throws(MemoirError) {
    selection.tags = Set(try node.wireTexts("tags") ?? [])
    let least = try node.wireFraction("min_importance")?.value
    let most = try node.wireFraction("max_importance")?.value
    guard least ?? 0 <= most ?? 1 else { throw .invalid(field: "min_importance", "is more than max_importance") }
    selection.importance = (least ?? 0)...(most ?? 1)
    selection.storedFrom = try node.wireTime("created_after")
    // The whole second, as whoever read `created_at` of a memory means it.
    selection.storedUntil = try node.wireTime("created_before").map { $0.advanced(byMicroseconds: 999_999) }
    selection.type = try node.wireType("memory_type")
    let session = try node.wireText("session_id")
    if let session {
      do throws(InvalidValue) { selection.session = try SessionID(session, field: "session_id") } catch {
        throw MemoirError(error)
      }
    }
    isEmpty =
      selection.tags.isEmpty && least == nil && most == nil && selection.storedFrom == nil
      && selection.storedUntil == nil && selection.type == nil && session == nil
    warnings = DakeraDraft.warnings(node, ignoring: Self.known, unsupported: [])
  }
}

extension Call {
  fileprivate func filter(_ node: JSONNode) throws(MemoirError) -> DakeraFilter {
    guard let filter = node.wireValue("filter") else { return DakeraFilter() }
    guard filter.kind == .object else { throw .invalid(field: "filter", "must be an object") }
    return try DakeraFilter(filter)
  }

  /// The memories of a batch.
  fileprivate func drafts(
    _ node: JSONNode, for stream: StreamName
  ) throws -> (drafts: [MemoryDraft], warnings: [String]) {
    guard let memories = node["memories"], memories.kind == .array else {
      throw MemoirError.invalid(field: "memories", "must be a list of memories")
    }
    guard (1...DakeraLimits.batch).contains(memories.count) else {
      throw MemoirError.invalid(field: "memories", "are \(memories.count), not 1…\(DakeraLimits.batch)")
    }
    var drafts: [MemoryDraft] = []
    var warnings = DakeraDraft.warnings(
      node, ignoring: ["agent_id", "memories", "namespace"], unsupported: ["lang"])
    var elements = memories.elements
    while let element = elements.next() {
      do throws(MemoirError) {
        let read = try DakeraDraft(element) { text throws(MemoirError) in try home(text, of: stream) }
        drafts.append(read.draft)
        warnings += read.warnings
      } catch {
        // What is not there stays so, wherever in the batch it is named.
        throw error.code == .notFound ? error : error.inside("memories[\(drafts.count)]")
      }
    }
    return (drafts, warnings)
  }

  /// A memory of a batch; `nil` where a later one of the batch took its place at once.
  fileprivate func memoryIfLive(_ id: FactID, of stream: StreamName) throws(MemoirError) -> StoredMemory? {
    do throws(MemoirError) { return try store.storedMemory(id, of: stream) } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  /// The questions of a batch, where there are any.
  fileprivate func questions(_ node: JSONNode) throws -> [DakeraQuestion]? {
    guard let queries = node.wireValue("queries") else { return nil }
    guard queries.kind == .array, (1...100).contains(queries.count) else {
      throw MemoirError.invalid(field: "queries", "must be a list of 1…100 questions")
    }
    let around = node.wireValue("agent_id") == nil && node.wireValue("namespace") == nil ? nil : try stream(node)
    var questions: [DakeraQuestion] = []
    var elements = queries.elements
    while let element = elements.next() {
      guard element.kind == .object else {
        throw MemoirError.invalid(field: "queries[\(questions.count)]", "must be an object")
      }
      let isNamed = element.wireValue("agent_id") != nil || element.wireValue("namespace") != nil
      let stream = isNamed ? try stream(element) : try around ?? stream(element)
      questions.append(try DakeraQuestion(element, topK: 5, of: stream))
    }
    return questions
  }

  fileprivate func answers(_ questions: [DakeraQuestion]) async throws -> Reply {
    var answers: [(question: DakeraQuestion, results: [DakeraResult])] = []
    for question in questions { answers.append((question, try await results(question))) }
    var seen: Set<String> = []
    // Stable: of two as good, the one of the earlier question first.
    let merged = answers.flatMap(\.results).enumerated().sorted { a, b in
      (b.element.score, a.offset) < (a.element.score, b.offset)
    }.map(\.element).filter { seen.insert("\($0.user):\($0.memory.fact.factID)").inserted }
    return Reply.object(items: merged.count) { writer in
      writer.key("results")
      writer.beginArray()
      for (question, results) in answers {
        writer.beginObject()
        writer.member("query", question.query.text)
        writer.member("agent_id", question.stream.user.description)
        writer.key("memories")
        writer.results(results)
        writer.endObject()
      }
      writer.endArray()
      writer.key("memories")
      writer.results(merged)
      writer.warnings(questions.flatMap(\.warnings))
    }
  }
}

extension JSONWriter {
  /// Prints a memory as it was handed in.
  fileprivate mutating func memory(_ draft: MemoryDraft, _ id: FactID, of user: UserID, at time: Timestamp) {
    beginObject()
    member("id", id.description)
    member("content", draft.content)
    member("agent_id", user.description)
    member("memory_type", draft.memoryType.description)
    key("importance")
    fraction(draft.importance)
    key("tags")
    strings(draft.tags)
    key("metadata")
    value(draft.metadata ?? .emptyObject)
    if let session = draft.session { member("session_id", session.description) }
    member("created_at", time)
    member("updated_at", time)
    endObject()
  }
}
