// Export and import of an agent's memories on the Dakera wire.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let format = Parameter<DakeraTransfer>(
    "format", "`jsonl` where nothing is said.", .words(DakeraTransfer.allCases.map(\.rawValue))
  ) { text, field in
    guard let format = DakeraTransfer(rawValue: text) else {
      throw MemoirError.invalid(field: field, "must be jsonl, csv, mem0 or zep")
    }
    return format
  }
  private static let agent = DakeraParameters.agent.required
  private static let parameters = [AnyParameter(agent), AnyParameter(format)]

  static let dakeraTransferRoutes: [Route] = [
    Route(
      .get, "/v1/export", "dakera_export", access: .scope(.read), wire: .dakera,
      summary: "An agent's memories as a file, in the order in which they were stored.", parameters: parameters,
      answers: [
        .other(type: "application/x-ndjson", "In the form that was asked for."),
        .other(type: "text/csv; charset=utf-8"), .json(.object([], isOpen: true)),
      ],
      .later { call in
        let stream = try call.stream(call[agent] ?? "")
        let form = call[format] ?? .jsonl
        let memories = try call.reaches(stream) ? try call.store.storedMemories(of: stream) : []
        return Reply(
          headers: [(name: "x-dakera-export-skipped", value: "0")],
          body: .other(type: form.mediaType, form.file(memories, of: stream.user)), itemCount: memories.count)
      }),
    Route(
      .post, "/v1/import", "dakera_import", access: .scope(.append), wire: .dakera,
      summary:
        "Store the memories of a file, the first of a form. What cannot be stored is told, and the rest is stored.",
      parameters: parameters, body: .string(format: "binary"),
      answers: [
        .json(
          .object([
            .required("job_id", .string()), .required("status", .words(["done"])), .required("format", .string()),
            .required("imported", .count), .required("skipped", .count), .required("errors", .array(.string())),
            .required("total", .count),
          ])), .json(.named("DakeraError"), status: 415, "The body is no form."),
      ],
      .later { call in
        let stream = try call.stream(call[agent] ?? "")
        try call.allow(stream)
        let form = call[format] ?? .jsonl
        let file = try MultipartForm.firstFile(
          in: call.request.body, type: call.request.head.headers["content-type"] ?? "")
        let read = try form.memories(in: file) { text in
          // Another agent's session is none of this one's.
          try? call.home(text, of: stream)
        }
        let result = try await call.take(read, for: stream)
        return Reply.object(items: read.count) { writer in
          writer.member("job_id", EventID.generate(at: call.store.clock()).description)
          writer.member("status", "done")
          writer.member("format", form.rawValue)
          writer.member("imported", result.imported)
          writer.member("skipped", read.count - result.imported)
          writer.key("errors")
          writer.strings(result.errors)
          writer.member("total", read.count)
        }
      }),
  ]
}

extension Call {
  /// Errors that are told of one file.
  private static let errorLimit = 100
  /// Memories stored with one append.
  private static let groupSize = 500

  /// Stores what can be stored.
  fileprivate func take(
    _ read: [Result<MemoryDraft, MemoirError>], for user: StreamName
  ) async throws(MemoirError) -> (imported: Int, errors: [String]) {
    var imported = 0
    var errors: [String] = []
    var group: [(number: Int, draft: MemoryDraft)] = []
    func refuse(_ number: Int, _ error: MemoirError) {
      if errors.count < Self.errorLimit { errors.append("\(number): \(error.message)") }
    }
    func store() async throws(MemoirError) {
      defer { group = [] }
      do throws(MemoirError) {
        imported += try await self.store.remember(group.map(\.draft), for: user, merging: .identity).result
          .count { $0.kind != .unchanged }
        return
      } catch {
        guard error.isAboutOneMemory else { throw error }
      }
      // One of them cannot be stored: each by itself tells which.
      for (number, draft) in group {
        do throws(MemoirError) {
          let outcome = try await self.store.remember([draft], for: user, merging: .identity).result[0]
          if outcome.kind != .unchanged { imported += 1 }
        } catch {
          guard error.isAboutOneMemory else { throw error }
          refuse(number, error)
        }
      }
    }
    for (index, result) in read.enumerated() {
      switch result {
      case .success(let draft): group.append((index + 1, draft))
      case .failure(let error): refuse(index + 1, error)
      }
      if group.count == Self.groupSize { try await store() }
    }
    if !group.isEmpty { try await store() }
    return (imported, errors)
  }
}

extension MemoirError {
  /// Whether another memory could be stored.
  fileprivate var isAboutOneMemory: Bool { [.idConflict, .invalidArgument, .tooLarge].contains(code) }
}
