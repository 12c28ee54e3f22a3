// One memory at a time on the Dakera wire: stored, looked at, changed, forgotten.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let named = [AnyParameter(DakeraParameters.agent)]

  static let dakeraMemoryRoutes: [Route] = [
    Route(
      .post, "/v1/memory/store", "dakera_store_memory", access: .scope(.append), wire: .dakera,
      summary:
        "Store a memory. One that is there already, alike in everything, is confirmed; one that says otherwise is "
        + "superseded.",
      body: DakeraSchemas.body(DakeraSchemas.storedProperties),
      answers: [
        .json(
          .object([
            .required("memory", DakeraSchemas.memory), .required("embedding_time_ms", .integer()),
            .optional("session_state", .words(["active", "ended"])), .optional("warnings", DakeraSchemas.warnings),
          ]))
      ],
      .later { call in
        let (stream, read) = try call.withWireBody { node in
          let stream = try call.stream(node)
          try call.allow(stream)
          let read = try DakeraDraft(node, besides: ["agent_id", "namespace"]) { text throws(MemoirError) in
            try call.home(text, of: stream)
          }
          return (stream, read)
        }
        // Before: with it, what is to be stored would keep a session awake that has ended.
        let hasEnded = try await call.ends([read.draft], of: stream)
        let outcome = try await call.store.remember([read.draft], for: stream, merging: .identity).result[0]
        let memory = try call.store.storedMemory(outcome.factID, of: stream)
        return Reply.object(items: 1) { writer in
          writer.key("memory")
          writer.memory(memory, of: stream.user)
          writer.member("embedding_time_ms", 0)
          if read.draft.session != nil { writer.member("session_state", hasEnded.isEmpty ? "active" : "ended") }
          writer.warnings(read.warnings)
        }
      }),
    Route(
      .get, "/v1/memory/get/{memory_id}", "dakera_get_memory", access: .scope(.read), wire: .dakera,
      summary: "A memory; without an agent, of whoever has it.", parameters: named,
      answers: [.json(DakeraSchemas.memory)],
      .quick { call in
        let id = try call.factID(call.path("memory_id"))
        guard let agent = call[DakeraParameters.agent] else {
          let (user, memory) = try call.memory(id)
          return Reply.json(items: 1) { $0.memory(memory, of: user.user) }
        }
        let stream = try call.stream(agent)
        let memory = try call.memory(id, of: stream)
        return Reply.json(items: 1) { $0.memory(memory, of: stream.user) }
      }),
    Route(
      .put, "/v1/memory/update/{memory_id}", "dakera_update_memory", access: .scope(.append), wire: .dakera,
      summary: "Change what is given of a memory; tags and metadata are replaced.", parameters: named,
      body: DakeraSchemas.body([
        .optional("content", .string(minLength: 1)), .optional("memory_type", DakeraSchemas.type),
        .optional("importance", DakeraSchemas.importance), .optional("tags", DakeraSchemas.tags),
        .optional("metadata", DakeraSchemas.metadata),
      ]),
      answers: [.json(DakeraSchemas.memory)],
      .later { call in
        let id = try call.factID(call.path("memory_id"))
        let (stream, change) = try call.withWireBody { node in
          let stream = try call.stream(inQueryOr: node)
          let content = try node.wireText("content")
          guard content?.utf8.count ?? 0 <= DakeraLimits.contentSize else {
            throw MemoirError.invalid(field: "content", "is over \(DakeraLimits.contentSize) bytes long")
          }
          let metadata = try node.wireObject("metadata")
          return (
            stream,
            MemoryRevision(
              content: content, category: metadata.category, importance: try node.wireFraction("importance"),
              memoryType: try node.wireType("memory_type"), tags: try node.wireTexts("tags"), metadata: metadata)
          )
        }
        let memory = try await call.revise(id, of: stream, change)
        return Reply.object(items: 1) { writer in
          writer.members(memory, of: stream.user)
          writer.key("memory")
          writer.memory(memory, of: stream.user)
        }
      }),
    Route(
      .post, "/v1/memory/forget", "dakera_forget", access: .scope(.append), wire: .dakera,
      summary: "Forget memories: these, or those of which all is true that is said.",
      body: DakeraSchemas.body([
        .optional("memory_ids", .array(.string())), .optional("tags", DakeraSchemas.tags),
        .optional("session_id", .string()), .optional("before_timestamp", DakeraSchemas.time),
      ]),
      answers: [.json(DakeraSchemas.deleted)],
      .later { call in
        let (stream, selection) = try call.withWireBody { node in
          (try call.stream(node), try call.forgotten(node))
        }
        guard try call.reaches(stream), let selection else { return Reply.object { $0.member("deleted_count", 0) } }
        let forgotten = try await call.store.forget(selection, of: stream).result
        return Reply.object(items: forgotten.count) { $0.member("deleted_count", forgotten.count) }
      }),
    Route(
      .post, "/v1/memory/importance", "dakera_update_importance", access: .scope(.append), wire: .dakera,
      summary: "Say how much a memory matters.",
      body: DakeraSchemas.body([
        .optional("memory_id", .string()), .optional("memory_ids", .array(.string())),
        .required("importance", DakeraSchemas.importance),
      ]),
      answers: [.json(.object([.required("updated_count", .count)], isOpen: true))],
      .later { call in
        let (stream, ids, importance) = try call.withWireBody { node in
          var ids = try node.wireTexts("memory_ids") ?? []
          if let id = try node.wireText("memory_id") { ids.append(id) }
          guard !ids.isEmpty else { throw MemoirError.invalid(field: "memory_id", "is missing") }
          return (try call.stream(node), try ids.map { try call.factID($0) }, try call.importance(node))
        }
        // All are there before any is changed.
        for id in ids { _ = try call.memory(id, of: stream) }
        var last: StoredMemory?
        for id in ids { last = try await call.revise(id, of: stream, MemoryRevision(importance: importance)) }
        return Reply.object(items: ids.count) { writer in
          writer.member("updated_count", ids.count)
          if let last {
            writer.key("memory")
            writer.memory(last, of: stream.user)
          }
        }
      }),
    Route(
      .patch, "/v1/memories/{memory_id}/importance", "dakera_patch_importance", access: .scope(.append), wire: .dakera,
      summary: "Say how much a memory matters.",
      body: DakeraSchemas.body([.required("importance", DakeraSchemas.importance)]),
      answers: [.json(DakeraSchemas.memory)],
      .later { call in
        let id = try call.factID(call.path("memory_id"))
        let (stream, importance) = try call.withWireBody { (try call.stream($0), try call.importance($0)) }
        let memory = try await call.revise(id, of: stream, MemoryRevision(importance: importance))
        return Reply.json(items: 1) { $0.memory(memory, of: stream.user) }
      }),
  ]
}

extension Call {
  fileprivate func importance(_ node: JSONNode) throws(MemoirError) -> Fraction {
    guard let importance = try node.wireFraction("importance") else {
      throw .invalid(field: "importance", "is missing")
    }
    return importance
  }

  /// Which memories are to be forgotten; `nil` where nothing is said of any.
  fileprivate func forgotten(_ node: JSONNode) throws(MemoirError) -> MemorySelection? {
    var selection = MemorySelection()
    let ids = try node.wireTexts("memory_ids") ?? []
    if !ids.isEmpty {
      var wanted: Set<FactID> = []
      for id in ids { wanted.insert(try factID(id, field: "memory_ids")) }
      selection.ids = wanted
    }
    selection.tags = Set(try node.wireTexts("tags") ?? [])
    if let text = try node.wireText("session_id"), !text.isEmpty { selection.session = try wireSession(text) }
    if let time = try node.wireTime("before_timestamp") {
      selection.storedUntil = Timestamp(clamping: time.microseconds - 1)
    }
    let saysNothing =
      ids.isEmpty && selection.tags.isEmpty && selection.session == nil && selection.storedUntil == nil
    return saysNothing ? nil : selection
  }

  func wireSession(_ text: String) throws(MemoirError) -> SessionID {
    do throws(InvalidValue) { return try SessionID(text, field: "session_id") } catch { throw MemoirError(error) }
  }

  /// Changes a memory, which is an activity of its session.
  func revise(_ id: FactID, of user: StreamName, _ change: MemoryRevision) async throws(MemoirError) -> StoredMemory {
    let known = try memory(id, of: user)
    var change = change
    // A category that stays is no reason to look for what says the same.
    if change.category == known.fact.category { change.category = nil }
    if let session = known.session { _ = try await hasEnded(session, of: user) }
    do throws(MemoirError) {
      try await store.revise(id, of: user, change, session: known.session)
    } catch {
      if error.code == .notFound { throw .noWireMemory(id.description) }
      throw error
    }
    return try memory(id, of: user)
  }

  /// Which of the sessions that memories are to be stored in have ended.
  func ends(_ drafts: [MemoryDraft], of user: StreamName) async throws(MemoirError) -> [SessionID] {
    var ended: [SessionID] = []
    for session in Set(drafts.compactMap(\.session)).sorted() where try await hasEnded(session, of: user) {
      ended.append(session)
    }
    return ended
  }
}
