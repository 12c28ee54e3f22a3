// Ids of things within a person's history. An id that is a UUID is kept in lower case, as all UUIDs are printed, so
// that it means the same however the caller spells it.
public import EventStore

/// The id of a fact. 1…250 bytes.
public struct FactID: Hashable, Sendable, CustomStringConvertible {
  /// The id as it is printed.
  public let description: String

  /// Checks the id.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ id: String, field: String = "fact_id") throws(InvalidValue) {
    description = try ItemIDRule.checked(id, field: field)
  }

  /// The id of the fact that an event without `fact_id` puts there.
  public init(_ id: EventID) { description = id.description }

  init(stored id: String) { description = id }

  /// By bytes.
  public static func == (a: Self, b: Self) -> Bool { a.description.utf8.elementsEqual(b.description.utf8) }
  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { for byte in description.utf8 { hasher.combine(byte) } }
}

/// The id of a message, as the application knows it. 1…250 bytes.
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
  /// The id as it is printed.
  public let description: String

  /// Checks the id.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ id: String, field: String = "message_id") throws(InvalidValue) {
    description = try ItemIDRule.checked(id, field: field)
  }

  init(stored id: String) { description = id }

  /// By bytes.
  public static func == (a: Self, b: Self) -> Bool { a.description.utf8.elementsEqual(b.description.utf8) }
  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { for byte in description.utf8 { hasher.combine(byte) } }
}

enum ItemIDRule {
  /// The id as it is kept.
  static func checked(_ id: String, field: String) throws(InvalidValue) -> String {
    try NameRule.check(id, longest: Limits.idSize, field: field)
    if id.utf8.count == 36, let uuid = EventID(utf8: id.utf8Span.span) { return uuid.description }
    return id
  }
}
