// What Dakera's clients want remembered, read once: a memory, and what is ignored of it.
import JSON
import Memoir

/// A memory as it was handed in.
struct DakeraDraft: Sendable {
  let draft: MemoryDraft
  let warnings: [String]

  /// Members that are given a meaning.
  private static let known = [
    "content", "event_time", "expires_at", "id", "importance", "memory_type", "metadata", "session_id", "tags",
    "ttl_seconds", "valid_from",
  ]
  /// Members that the wire has and that mean nothing here.
  private static let unsupported = ["attachment_ref", "lang"]

  /// Reads a memory.
  ///
  /// - Parameters:
  ///   - around: Members beside it that belong to the whole request.
  ///   - home: Says in which session it is stored.
  /// - Throws: `invalid_argument` naming the field; what `home` throws.
  init(
    _ node: JSONNode, besides around: [String] = [], home: (String) throws(MemoirError) -> SessionID?
  ) throws(MemoirError) {
    guard node.kind == .object else { throw .invalid(field: "memories", "must be objects") }
    guard let content = try node.wireText("content") else { throw .invalid(field: "content", "is missing") }
    guard content.utf8.count <= DakeraLimits.contentSize else {
      throw .invalid(
        field: "content", "is \(content.utf8.count) bytes long; at most \(DakeraLimits.contentSize) are allowed")
    }
    let metadata = try node.wireObject("metadata")
    var lifetime: MemoryDraft.Lifetime?
    if let seconds = try node.wireInteger("ttl_seconds", in: 1...Limits.longestLifetime) {
      lifetime = .seconds(seconds)
    }
    if let end = try node.wireTime("expires_at") { lifetime = .until(end) }
    var id: FactID?
    if let text = try node.wireText("id") {
      do throws(InvalidValue) { id = try FactID(text, field: "id") } catch { throw MemoirError(error) }
    }
    var session: SessionID?
    if let text = try node.wireText("session_id") { session = try home(text) }
    draft = try MemoryDraft(
      content, category: metadata.category ?? FactCategory.general,
      memoryType: try node.wireType("memory_type") ?? .episodic,
      importance: try node.wireFraction("importance") ?? metadata.importance ?? 0.5,
      tags: try node.wireTexts("tags") ?? [], metadata: try metadata.with(validFrom: node), lifetime: lifetime,
      session: session, factID: id, occurredAt: try node.wireTime("event_time"))
    warnings = Self.warnings(node, ignoring: Self.known + around, unsupported: Self.unsupported)
  }

  /// What is ignored of an object.
  static func warnings(_ node: JSONNode, ignoring known: [String], unsupported: [String]) -> [String] {
    node.others(than: known).compactMap { name in
      guard unsupported.contains(name) else { return "unknown field '\(name)' ignored" }
      // What is not asked for needs no excuse.
      guard let value = node.member(named: name), !value.isNull, value.bool != false else { return nil }
      return "field '\(name)' is not supported and was ignored"
    }
  }
}

extension JSONText? {
  /// The category that metadata names, where it is one.
  var category: String? {
    guard let text = string("category"), !text.isEmpty, text.utf8.count <= Limits.labelSize else { return nil }
    return text
  }

  /// The importance that metadata names, where it is one.
  fileprivate var importance: Fraction? {
    guard let text = self else { return nil }
    let number = try? JSONParser().parse(text.utf8.span) { $0["importance"]?.double }
    return number.flatMap { $0 }.flatMap { try? Fraction($0) }
  }

  private func string(_ name: String) -> String? {
    guard let text = self else { return nil }
    return try? JSONParser().parse(text.utf8.span) { $0.member(named: name)?.string }
  }

  /// The metadata with `valid_from` in it, where that was given beside.
  fileprivate func with(validFrom node: JSONNode) throws(MemoirError) -> JSONText? {
    guard let value = node.wireValue("valid_from") else { return self }
    guard let seconds = value.double, seconds.isFinite else {
      throw .invalid(field: "valid_from", "must be Unix seconds")
    }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("valid_from", JSONText(value))
    if let text = self {
      try? JSONParser().parse(text.utf8.span) { object in
        var members = object.members
        while let member = members.next() {
          if member.hasKey("valid_from") { continue }
          writer.member(member.key.string ?? "", JSONText(member.value))
        }
      }
    }
    writer.endObject()
    do throws(JSONError) { return try JSONText(parsing: writer.finish().span) } catch { throw MemoirError(error) }
  }
}

extension JSONWriter {
  mutating func member(_ name: String, _ text: JSONText) {
    key(text: name)
    value(text)
  }

  mutating func warnings(_ warnings: [String]) {
    if warnings.isEmpty { return }
    key(text: "warnings")
    // Each once, in the order in which they came.
    strings(warnings.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
  }
}
