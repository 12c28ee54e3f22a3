// The parameters that several routes have.
import Memoir

enum Parameters {
  static let namespace = Parameter<Namespace>(
    "namespace", "The namespace; the key's only one, else `default`.", .string(minLength: 1, maxLength: 100)
  ) { try Namespace($0, field: $1) }

  static let atVersion = Parameter<StreamVersion>(
    "at_version", "As of this version of the user's stream.", .count
  ) { StreamVersion(try AsOfText.number($0, field: $1)) }
  static let atPosition = Parameter<LogPosition>("at_position", "As of this position of the log.", .count) {
    LogPosition(try AsOfText.number($0, field: $1))
  }
  static let recordedAt = Parameter<Timestamp>.time("recorded_at", "What was known at this time.")
  static let occurredAt = Parameter<Timestamp>.time("occurred_at", "What was true at this time.")

  /// Where a point in time can be asked about.
  static let asOf = [
    AnyParameter(atVersion), AnyParameter(atPosition), AnyParameter(recordedAt), AnyParameter(occurredAt),
  ]

  static let types = Parameter<String>(
    "type", "Only events of this type; may be repeated.", .string(minLength: 1, maxLength: 200), isRepeatable: true
  ) { text, field in
    guard !text.isEmpty, text.utf8.count <= 200 else {
      throw MemoirError.invalid(field: field, "is no event type: 1…200 bytes")
    }
    return text
  }
  static let session = Parameter<SessionID>(
    "session", "Only of this session.", .string(minLength: 1, maxLength: 250)
  ) { try SessionID($0, field: $1) }
  static let user = Parameter<UserID>("user", "Only of this user.", .string(minLength: 1, maxLength: 250)) {
    try UserID($0, field: $1)
  }
  static let limit = Parameter<Int>.integer("limit", "At most so many; 1,000 where nothing is said.", in: 1...10_000)
  static let afterPosition = Parameter<LogPosition>(
    "after_position", "Only what comes after this position.", .count
  ) { LogPosition(try AsOfText.number($0, field: $1)) }
}
