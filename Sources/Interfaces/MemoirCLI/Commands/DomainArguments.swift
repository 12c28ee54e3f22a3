// The arguments that several commands share: users, points in time, numbers of events.

extension ArgumentKind where Value == String {
  /// A user id. Whether it can be one is the store's to say.
  static var user: Self { text("USER", candidates: .users) }
  /// A time, RFC 3339 with any offset.
  static var time: Self { text("TIME") }
  /// A point as `diff` takes it: v12, p345, recorded:TIME, occurred:TIME, start, now.
  static var point: Self { text("AS-OF") }
}

extension ArgumentKind where Value == UInt64 {
  /// A version or position, the first event being 1.
  static var ordinal: Self { .number(in: 0...UInt64.max) }
  /// How many of something, at least one.
  static var amount: Self { .number(in: 1...UInt64.max) }
}

extension CommandRow {
  static let user = Argument.positional(.user, help: "The user whose memory it is.")
}

/// The point in time that a state is asked at.
enum AsOfArguments {
  static let version = Argument.option(
    "at-version", .ordinal, help: "After the user's event N; 0 is before the first.")
  static let position = Argument.option(
    "at-position", .ordinal, help: "After the store's event N.")
  static let recordedAt = Argument.option(
    "recorded-at", .time, help: "What was known then: by the time events came in.")
  static let occurredAt = Argument.option(
    "occurred-at", .time, help: "What was true then: late events count at their own time.")

  static let group = ExclusiveGroup(
    name: "AS-OF", help: "now, or one of (each inclusive)",
    entries: [version, position, recordedAt, occurredAt])
}

/// What an AS-OF asks for; times as they were written.
enum AsOfChoice: Hashable, Sendable {
  case head
  case version(UInt64)
  case position(UInt64)
  case recordedAt(String)
  case occurredAt(String)
}

extension ParsedArguments {
  /// The point asked for. The command's row lists ``AsOfArguments/group``.
  var asOf: AsOfChoice {
    if let version = self[AsOfArguments.version] { return .version(version) }
    if let position = self[AsOfArguments.position] { return .position(position) }
    if let time = self[AsOfArguments.recordedAt] { return .recordedAt(time) }
    if let time = self[AsOfArguments.occurredAt] { return .occurredAt(time) }
    return .head
  }
}

extension [ExitMeaning] {
  /// How a command may end that looks into a store.
  static func ofReading(
    usage: String = "wrong usage", notFound: String = "no store", corrupt: String = "the store is damaged"
  ) -> Self {
    [
      ExitMeaning(.failed, "a failure of the disk or the store"), ExitMeaning(.wrongUsage, usage),
      ExitMeaning(.notFound, notFound), ExitMeaning(.corrupt, corrupt),
    ]
  }
}
