// What a tool is: what a model is told about it, what it takes, what it gives, and what it does.
import JSON
import Memoir

/// One tool.
struct Tool: Sendable {
  let name: String
  /// For people.
  let title: String
  /// For the model: when to use it, and what comes back.
  let description: String
  /// Beside the user, who is a parameter of every tool unless one is fixed.
  let parameters: [any ToolParameter]
  /// What the structured result is like.
  let output: Schema
  let effect: Effect
  /// Does it.
  let call: @Sendable (ToolCall) async throws -> ToolResult

  /// What a call does to the memory.
  enum Effect: Sendable {
    /// Nothing.
    case reading
    /// It adds to it. History keeps what was there, also where it holds no more.
    case adding
    /// It adds to it, once: the same call again changes nothing.
    case addingOnce
    /// Something is shown and recalled no more. The same call again changes nothing.
    case removing

    var isReading: Bool { self == .reading }
  }

  /// Whose memory it is about.
  static let user = Parameter.required(
    "user", .user, "Whose memory: the id of the person, the same in every call.")

  func parameters(asksForUser: Bool) -> [any ToolParameter] { asksForUser ? [Self.user] + parameters : parameters }

  /// Prints it as the list of tools shows it.
  func write(to writer: inout JSONWriter, asksForUser: Bool, in version: ProtocolVersion) {
    let input = Schema.object(parameters(asksForUser: asksForUser).map(\.property), isClosed: true)
    writer.object { writer in
      writer.member("name", name)
      if version.hasStructuredContent { writer.member("title", title) }
      writer.member("description", description)
      writer.key("inputSchema")
      input.write(to: &writer)
      if version.hasStructuredContent {
        writer.key("outputSchema")
        output.write(to: &writer)
      }
      if version.hasAnnotations { writer.member("annotations", object: writeAnnotations) }
    }
  }

  private func writeAnnotations(to writer: inout JSONWriter) {
    writer.member("title", title)
    writer.member("readOnlyHint", effect.isReading)
    writer.member("destructiveHint", effect == .removing)
    writer.member("idempotentHint", effect != .adding)
    writer.member("openWorldHint", false)
  }
}

/// A call of a tool.
struct ToolCall: Sendable {
  let store: MemoirStore
  /// Whose memory.
  let user: StreamName
  let arguments: ToolArguments
  /// The client, as it calls itself; kept in the metadata of what it appends.
  let agent: String
}

/// What a tool gives.
struct ToolResult: Sendable {
  /// An object, as ``Tool/output`` says.
  let structured: JSONText
  /// The same for a model to read.
  let text: String

  init(_ text: String, _ structured: JSONText) {
    self.text = text
    self.structured = structured
  }

  /// Prints it as the result of `tools/call`.
  func write(to writer: inout JSONWriter, in version: ProtocolVersion) {
    writer.object { writer in
      writer.writeText(text)
      if version.hasStructuredContent {
        writer.key("structuredContent")
        writer.value(structured)
      }
      writer.member("isError", false)
    }
  }
}

/// What a tool had to refuse, as a result that the model reads: which argument, why, and what to do next.
struct ToolRefusal: Sendable {
  private let error: MemoirError

  init(_ error: MemoirError) { self.error = error.spelledAsArguments }

  var text: String {
    let advice: String? =
      switch error.code {
      case .invalidArgument, .invalidJSON, .tooLarge: "Correct it and call again."
      case .notFound where error.details.names("fact_id"): "'recall' shows the ids of what is remembered now."
      case .notFound where error.details.names("session"): "'start_session' begins one; 'state' lists the latest."
      case .notFound where error.details.names("user"):
        "Nothing is remembered of this person yet; 'remember' or 'start_session' begins their memory."
      case .notFound: "'state' and 'changes' show what there is."
      case .versionConflict: "Others wrote at the same moment; call again."
      case .idConflict: "Leave the id out, or choose another."
      case .unavailable, .rateLimited: "Nothing was stored; try again later."
      case .storageFull, .corrupt, .forbidden, .unauthenticated, .internal:
        "This cannot be mended by another call; tell the person who runs the memory."
      }
    return ["\(error.code.rawValue): \(error.message).", advice].compactMap(\.self).joined(separator: " ")
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.writeText(text)
      writer.member("isError", true)
    }
  }
}

extension MemoirError {
  /// About the argument, where the memory calls it otherwise: `as_of` for `at_version`, `summary` for `data.summary`.
  fileprivate var spelledAsArguments: MemoirError {
    guard let field = details.text("field"), message.hasPrefix("\(field): ") else { return self }
    var name = field
    if ["at_version", "at_position", "recorded_at", "occurred_at"].contains(field) { name = "as_of" }
    if field.hasPrefix("data.") { name = String(field.dropFirst("data.".count)) }
    let reason = message.dropFirst(field.count + 2)
    return MemoirError(code, "\(name): \(reason)", details: .object { $0.member("field", name) })
  }
}

extension JSONText {
  /// The text of a member of an object, where it is a string.
  fileprivate func text(_ key: String) -> String? {
    try? JSONParser().parse(utf8.span) { $0.member(named: key)?.string }
  }

  /// Whether it is an object with such a member.
  fileprivate func names(_ key: String) -> Bool { text(key) != nil }
}

extension JSONWriter {
  /// The member `content`: one text.
  fileprivate mutating func writeText(_ text: String) {
    member("content", array: [text]) { writer, text in
      writer.object { writer in
        writer.member("type", "text")
        writer.member("text", text)
      }
    }
  }
}
