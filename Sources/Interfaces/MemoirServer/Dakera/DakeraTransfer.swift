// Files of memories, in the four forms that Dakera's clients take and give.
import JSON
import Memoir

/// The form of a file of memories.
enum DakeraTransfer: String, CaseIterable, Sendable {
  /// A memory a line, as everywhere on the wire.
  case jsonl
  /// A row each.
  case csv
  /// `{"memories":[…]}`, as Mem0 has them.
  case mem0
  /// `{"messages":[…]}`, as Zep has them.
  case zep

  var mediaType: String {
    switch self {
    case .jsonl: "application/x-ndjson"
    case .csv: "text/csv; charset=utf-8"
    case .mem0, .zep: "application/json"
    }
  }

  private static let columns = [
    "id", "content", "memory_type", "importance", "tags", "metadata", "session_id", "created_at", "expires_at",
  ]

  // MARK: Writing

  /// A file of memories.
  func file(_ memories: [StoredMemory], of user: UserID) -> [UInt8] {
    switch self {
    case .csv: return CSV.write([Self.columns] + memories.map(Self.row))
    case .jsonl:
      var writer = JSONWriter()
      for stored in memories {
        writer.memory(stored, of: user)
        writer.endLine()
      }
      return writer.finish()
    case .mem0, .zep:
      var writer = JSONWriter()
      writer.beginObject()
      writer.key(text: self == .mem0 ? "memories" : "messages")
      writer.beginArray()
      for stored in memories {
        if self == .mem0 { Self.writeMem0(stored, of: user, to: &writer) } else { Self.writeZep(stored, to: &writer) }
      }
      writer.endArray()
      writer.endObject()
      return writer.finish()
    }
  }

  private static func row(_ stored: StoredMemory) -> [String] {
    let fact = stored.fact
    let end = fact.expiresAt.flatMap { $0 < .latest ? "\($0.wireSeconds)" : nil }
    return [
      fact.factID.description, fact.fact, (fact.memoryType ?? .semantic).description,
      (fact.importance ?? 0.5).description, fact.tags?.description ?? "[]", fact.metadata?.description ?? "{}",
      stored.session?.description ?? "", "\(stored.storedAt.wireSeconds)", end ?? "",
    ]
  }

  private static func writeMem0(_ stored: StoredMemory, of user: UserID, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", stored.fact.factID.description)
    writer.member("memory", stored.fact.fact)
    writer.member("user_id", user.description)
    writer.member("metadata", stored.fact.metadata ?? .emptyObject)
    writer.member("categories", stored.fact.tags ?? JSONText(canonical: Array("[]".utf8)))
    writer.member("created_at", stored.storedAt.description)
    writer.member("updated_at", stored.updatedAt.description)
    writer.endObject()
  }

  private static func writeZep(_ stored: StoredMemory, to writer: inout JSONWriter) {
    let tags = stored.fact.tags?.strings ?? []
    writer.beginObject()
    writer.member("uuid", stored.fact.factID.description)
    writer.member("content", stored.fact.fact)
    writer.member("role_type", ["user", "assistant", "system", "tool"].first(where: tags.contains) ?? "user")
    writer.member("metadata", stored.fact.metadata ?? .emptyObject)
    if let session = stored.session { writer.member("session_id", session.description) }
    writer.member("created_at", stored.storedAt.description)
    writer.endObject()
  }

  // MARK: Reading

  /// The memories of a file, each or why it is none.
  ///
  /// - Throws: Where the file as a whole is not of this form.
  func memories(
    in file: ArraySlice<UInt8>, home: (String) -> SessionID?
  ) throws -> [Result<MemoryDraft, MemoirError>] {
    switch self {
    case .jsonl:
      return file.split(separator: 0x0a).filter { !$0.allSatisfy { $0 == 0x20 || $0 == 0x0d || $0 == 0x09 } }
        .map { line in
          Self.result { try JSONParser().parse(Array(line).span, limits: Self.limits) { try Self.draft($0, home) } }
        }
    case .csv:
      let rows = try CSV.read(file)
      guard let header = rows.first, header.contains("content") else {
        throw MemoirError.invalid(field: "body", "has no first row that names the column content")
      }
      return rows.dropFirst().map { row in
        Self.result {
          let text = Self.object(Dictionary(zip(header, row)) { first, _ in first })
          return try JSONParser().parse(text.span, limits: Self.limits) { try Self.draft($0, home) }
        }
      }
    case .mem0, .zep:
      return try JSONParser().parse(Array(file).span, limits: Self.limits) { node in
        guard let list = node.member(named: self == .mem0 ? "memories" : "messages"), list.kind == .array else {
          throw MemoirError.invalid(field: "body", "has no list of \(self == .mem0 ? "memories" : "messages")")
        }
        var found: [Result<MemoryDraft, MemoirError>] = []
        var elements = list.elements
        while let element = elements.next() {
          do { found.append(.success(try Self.draft(element, home))) } catch {
            found.append(.failure(MemoirError(error)))
          }
        }
        return found
      }
    }
  }

  private static let limits = JSONLimits(depth: Limits.depth, sizeInBytes: Limits.bodySize)

  private static func result(_ body: () throws -> MemoryDraft) -> Result<MemoryDraft, MemoirError> {
    do { return .success(try body()) } catch { return .failure(MemoirError(error)) }
  }

  /// A memory by whatever names the four forms have for its parts.
  private static func draft(_ node: JSONNode, _ home: (String) -> SessionID?) throws(MemoirError) -> MemoryDraft {
    guard node.kind == .object else { throw .invalid(field: "body", "has a memory that is no object") }
    let metadata = try node.wireObject("metadata")
    var content: String?
    for name in ["content", "memory", "text"] where content == nil {
      content = node.member(named: name)?.string
    }
    guard let content else { throw .invalid(field: "content", "is missing") }
    var tags = try node.wireTexts(node.hasMember("tags") ? "tags" : "categories") ?? []
    if let role = try node.wireText(node.hasMember("role_type") ? "role_type" : "role"), !tags.contains(role) {
      tags.append(role)
    }
    var id: FactID?
    if let text = try node.wireText(node.hasMember("id") ? "id" : "uuid") {
      do throws(InvalidValue) { id = try FactID(text, field: "id") } catch { throw MemoirError(error) }
    }
    return try MemoryDraft(
      content, category: metadata.category ?? FactCategory.general,
      memoryType: try node.wireType("memory_type") ?? .episodic, importance: try node.wireFraction("importance") ?? 0.5,
      tags: tags, metadata: metadata, lifetime: try node.wireTime("expires_at").map { .until($0) },
      session: try node.wireText("session_id").flatMap(home), factID: id,
      occurredAt: try node.wireTime(node.hasMember("event_time") ? "event_time" : "created_at"))
  }

  /// A row as JSON: what can be read as JSON in the columns that have it, anything else as text.
  private static func object(_ row: [String: String]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, text) in row.sorted(by: { $0.key < $1.key }) where !text.isEmpty {
      writer.key(text: name)
      switch name {
      case "importance", "metadata", "created_at", "expires_at", "event_time":
        writer.value((try? JSONText(parsing: text)) ?? JSONText(string: text))
      case "tags":
        if let list = try? JSONText(parsing: text), list.strings != nil {
          writer.value(list)
        } else {
          writer.strings(
            text.split(whereSeparator: { ";,|".contains($0) }).map { String($0.drop { $0 == " " }) }
              .filter { !$0.isEmpty })
        }
      default: writer.string(text)
      }
    }
    writer.endObject()
    return writer.finish()
  }
}
