// Ids of things within a person's history. An id that is a UUID is kept as one, so that it means the same however
// the caller spells it, and prints in lower case as all UUIDs do. Any other is compared byte by byte.
public import EventStore

/// The id of a fact. 1…250 bytes.
public struct FactID: Hashable, Sendable, CustomStringConvertible {
  let id: ItemID

  /// Checks the id.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ id: String, field: String = "fact_id") throws(InvalidValue) {
    self.id = try ItemID(id, field: field)
  }

  /// The id of the fact that an event without `fact_id` puts there.
  public init(_ id: EventID) { self.id = .uuid(id) }

  init(stored id: ItemID) { self.id = id }

  /// The event that it is the id of, if it is one's.
  var eventID: EventID? {
    if case .uuid(let id) = id { id } else { nil }
  }

  /// The id as it is printed.
  public var description: String { id.description }
}

/// The id of a message, as the application knows it. 1…250 bytes.
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
  let id: ItemID

  /// Checks the id.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ id: String, field: String = "message_id") throws(InvalidValue) {
    self.id = try ItemID(id, field: field)
  }

  init(stored id: ItemID) { self.id = id }

  /// The id as it is printed.
  public var description: String { id.description }
}

/// What both are made of.
enum ItemID: Hashable, Sendable, CustomStringConvertible {
  case uuid(EventID)
  case name(String)

  init(_ id: String, field: String) throws(InvalidValue) {
    try NameRule.check(id, longest: Limits.idSize, field: field)
    self.init(unchecked: id)
  }

  init(unchecked id: String) {
    if id.utf8.count == 36, let uuid = EventID(utf8: id.utf8Span.span) {
      self = .uuid(uuid)
    } else {
      self = .name(id)
    }
  }

  var description: String {
    switch self {
    case .uuid(let id): id.description
    case .name(let name): name
    }
  }

  static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.uuid(let a), .uuid(let b)): a == b
    case (.name(let a), .name(let b)): a.utf8.elementsEqual(b.utf8)
    default: false
    }
  }

  func hash(into hasher: inout Hasher) {
    switch self {
    case .uuid(let id): hasher.combine(id)
    case .name(let name): for byte in name.utf8 { hasher.combine(byte) }
    }
  }
}
