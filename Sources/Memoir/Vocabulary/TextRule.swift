// What a text of an event may be. Names have a rule of their own, in the engine.
internal import EventStore
internal import JSON

enum TextRule {
  /// Refuses a text that is too long, and an empty one where it would say nothing.
  static func check(_ text: String, field: String, mayBeEmpty: Bool = false) throws(InvalidValue) {
    let count = text.utf8.count
    if count == 0, !mayBeEmpty { throw InvalidValue(field: field, reason: "must not be empty") }
    if count > Limits.textSize {
      throw InvalidValue(
        field: field, reason: "is \(count) bytes long; at most \(Limits.textSize) are allowed")
    }
  }

  static func check(_ text: String?, field: String, mayBeEmpty: Bool = false) throws(InvalidValue) {
    if let text { try check(text, field: field, mayBeEmpty: mayBeEmpty) }
  }

  static func check(_ texts: [String]?, field: String) throws(InvalidValue) {
    for (index, text) in (texts ?? []).enumerated() {
      try check(text, field: "\(field)[\(index)]", mayBeEmpty: true)
    }
  }

  /// Refuses metadata that is no object or too large.
  static func check(metadata: JSONText?, field: String) throws(InvalidValue) {
    guard let metadata else { return }
    guard metadata.kind == .object else { throw InvalidValue(field: field, reason: "must be an object") }
    guard metadata.utf8.count <= Limits.metadataSize else {
      throw InvalidValue(
        field: field,
        reason: "is \(metadata.utf8.count) bytes long; at most \(Limits.metadataSize) are allowed")
    }
  }
}
