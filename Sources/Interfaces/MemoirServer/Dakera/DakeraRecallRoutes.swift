// Recall on the Dakera wire, in its four forms.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let query = Parameter<String>.text("query", "What is to be remembered.").required
  private static let agent = DakeraParameters.agent.required
  private static let topK = Parameter<Int>.integer("top_k", "How many memories.", in: 1...RecallQuery.largestTopK)

  private static let answer = Schema.object(
    [
      .required("memories", .array(DakeraSchemas.recalled)), .required("results", .array(DakeraSchemas.recalled)),
      .optional("warnings", DakeraSchemas.warnings),
    ])

  private static let question = DakeraSchemas.body([
    .required("query", .string(minLength: 1)), .optional("top_k", .integer(min: 1, max: 10_000)),
    .optional("memory_type", DakeraSchemas.type), .optional("min_importance", DakeraSchemas.importance),
    .optional("tags", DakeraSchemas.tags), .optional("since", DakeraSchemas.time),
    .optional("until", DakeraSchemas.time), .optional("session_id", .string()),
  ])

  static let dakeraRecallRoutes: [Route] = [
    Route(
      .post, "/v1/memory/recall", "dakera_recall", access: .scope(.recall), wire: .dakera,
      summary: "The memories that answer a question best: a ranking, no threshold.", body: question,
      answers: [.json(answer)], .later { try await recall($0, topK: 5) }),
    Route(
      .post, "/v1/memory/search", "dakera_search_memories", access: .scope(.recall), wire: .dakera,
      summary: "The same with more memories.", body: question, answers: [.json(answer)],
      .later { try await recall($0, topK: 10) }),
    Route(
      .get, "/v1/memory/recall", "dakera_recall_by_query", access: .scope(.recall), wire: .dakera,
      summary: "The same, asked in the query.",
      parameters: [
        AnyParameter(agent), AnyParameter(query), AnyParameter(topK), AnyParameter(DakeraParameters.minImportance),
        AnyParameter(DakeraParameters.type),
      ],
      answers: [.json(answer)],
      .later { call in
        var asked = RecallQuery(call[query] ?? "")
        asked.kinds = [.fact]
        asked.topK = call[topK] ?? 5
        asked.minStatedImportance = call[DakeraParameters.minImportance]
        if let type = call[DakeraParameters.type] { asked.memoryTypes = [type] }
        let stream = try call.stream(call[agent] ?? "")
        return try await call.recalled(DakeraQuestion(stream: stream, query: asked, warnings: []))
      }),
  ]

  private static func recall(_ call: Call, topK: Int) async throws -> Reply {
    try await call.recalled(try call.withWireBody { try DakeraQuestion($0, topK: topK, of: call.stream($0)) })
  }
}

/// A question as it was asked.
struct DakeraQuestion: Sendable {
  var stream: StreamName
  var query: RecallQuery
  var warnings: [String]

  private static let known = [
    "agent_id", "memory_type", "min_importance", "namespace", "neighborhood_mode", "query", "session_id", "since",
    "tags", "top_k", "until",
  ]
  /// What only changes how Dakera ranks, or what it adds.
  private static let unsupported = [
    "associated_memories_cap", "associated_memories_depth", "associated_memories_min_weight", "fusion",
    "include_associated", "include_summaries", "iterations", "lang", "neighborhood", "rerank", "rerank_candidates",
    "routing", "vector_weight",
  ]

  init(stream: StreamName, query: RecallQuery, warnings: [String]) {
    self.stream = stream
    self.query = query
    self.warnings = warnings
  }

  init(_ node: JSONNode, topK: Int, of stream: StreamName) throws(MemoirError) {
    guard let text = try node.wireText("query") else { throw .invalid(field: "query", "is missing") }
    var query = RecallQuery(text)
    query.kinds = [.fact]
    query.topK = Int(try node.wireInteger("top_k", in: 1...Int64(RecallQuery.largestTopK)) ?? Int64(topK))
    if let type = try node.wireType("memory_type") { query.memoryTypes = [type] }
    query.minStatedImportance = try node.wireFraction("min_importance")?.value
    query.tags = try node.wireTexts("tags") ?? []
    query.since = try node.wireTime("since")
    query.until = try node.wireTime("until", isEnd: true)
    if let session = try node.wireText("session_id") {
      do throws(InvalidValue) { query.session = try SessionID(session, field: "session_id") } catch {
        throw MemoirError(error)
      }
    }
    self.init(
      stream: stream, query: query,
      warnings: DakeraDraft.warnings(node, ignoring: Self.known, unsupported: Self.unsupported))
  }
}

/// A memory that was recalled.
struct DakeraResult: Sendable {
  let user: UserID
  let memory: StoredMemory
  let score: Float
}

extension Call {
  fileprivate func recalled(_ question: DakeraQuestion) async throws -> Reply {
    let results = try await results(question)
    return Reply.object(items: results.count) { writer in
      writer.key("memories")
      writer.results(results)
      writer.key("results")
      writer.results(results)
      writer.warnings(question.warnings)
    }
  }

  /// Nothing, where nobody has heard of the agent.
  func results(_ question: DakeraQuestion) async throws(MemoirError) -> [DakeraResult] {
    guard try reaches(question.stream) else { return [] }
    // There may be no such session, or no room for an event: neither keeps anybody from an answer.
    if let session = question.query.session { try? await store.keepSessionAwake(session, of: question.stream) }
    let answer = try await store.recall(question.query, of: question.stream)
    var results: [DakeraResult] = []
    for recalled in answer.memories {
      guard let fact = recalled.fact else { continue }
      results.append(
        DakeraResult(
          user: question.stream.user, memory: try store.stored(fact, of: question.stream), score: recalled.score))
    }
    return results
  }
}

extension JSONWriter {
  mutating func results(_ results: [DakeraResult]) {
    beginArray()
    for result in results {
      beginObject()
      members(result.memory, of: result.user)
      key("score")
      double(Double(result.score))
      key("rank_score")
      double(Double(result.score))
      endObject()
    }
    endArray()
  }
}
