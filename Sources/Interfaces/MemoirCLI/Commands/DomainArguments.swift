// The arguments that several commands share: users, points in time, numbers of events.
import Memoir

extension ArgumentKind where Value == UserID {
  static var user: Self {
    .domain("USER", candidates: .users) { text throws(InvalidValue) in try UserID(text) }
  }
}

extension ArgumentKind where Value == Namespace {
  static var namespace: Self {
    .domain("NS") { text throws(InvalidValue) in try Namespace(text) }
  }
}

extension ArgumentKind where Value == SessionID {
  static var session: Self {
    .domain("S") { text throws(InvalidValue) in try SessionID(text) }
  }
}

extension ArgumentKind where Value == Timestamp {
  /// A time, RFC 3339 with any offset.
  static var time: Self {
    .domain("TIME") { text throws(InvalidValue) in try Timestamp(text) }
  }
}

extension ArgumentKind where Value == PublicKey {
  static var publicKey: Self {
    .domain("KEY") { text throws(InvalidValue) in try PublicKey(text) }
  }
}

extension ArgumentKind where Value == ReceiptID {
  static var receipt: Self {
    .domain("RECEIPT") { text throws(InvalidValue) in try ReceiptID(text) }
  }
}

extension ArgumentKind where Value == UserPattern {
  static var userPattern: Self {
    .domain("USER|PREFIX*", candidates: .users) { text throws(InvalidValue) in try UserPattern(text) }
  }
}

extension ArgumentKind where Value == Grantee {
  static var grantee: Self {
    .domain("key:ID|user:ID") { text throws(InvalidValue) in try Grantee(text) }
  }
}

extension ArgumentKind where Value == GrantID {
  static var grant: Self {
    .domain("GRANT") { text throws(InvalidValue) in try GrantID(text) }
  }
}

extension ArgumentKind where Value == MemoryKind {
  static var memoryKind: Self { .word("KIND") }
}

extension ArgumentKind where Value == MemoryType {
  static var memoryType: Self { .word("TYPE") }
}

extension ArgumentKind where Value: CaseIterable & CustomStringConvertible {
  /// One of the cases, by the word it has in JSON.
  fileprivate static func word(_ placeholder: String) -> Self {
    let words = ArgumentKind<String>.choice(placeholder, of: Value.allCases.map(\.description))
    return Self(placeholder, candidates: words.candidates) { text throws(ArgumentProblem) in
      let word = try words.read(text)
      guard let value = Value.allCases.first(where: { $0.description == word }) else {
        preconditionFailure("the words are the cases'")
      }
      return value
    }
  }
}

extension ArgumentKind where Value == AsOfText {
  /// A point as `diff` takes it: v12, p345, recorded:TIME, occurred:TIME, start, now.
  static var point: Self {
    .domain("AS-OF") { text throws(InvalidValue) in try AsOfText(text) }
  }
}

extension ArgumentKind {
  /// A value that checks itself when it is made.
  static func domain(
    _ placeholder: String, candidates: Candidates = .none,
    _ make: @escaping @Sendable (String) throws(InvalidValue) -> Value
  ) -> Self {
    Self(placeholder, candidates: candidates) { text throws(ArgumentProblem) in
      do throws(InvalidValue) { return try make(text) } catch { throw ArgumentProblem(error.reason) }
    }
  }
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
    "recorded-at", .time, help: "What was known then: by when events came in, imported ones at their import.")
  static let occurredAt = Argument.option(
    "occurred-at", .time, help: "What was true then: late events count at their own time.")

  static let group = ExclusiveGroup(
    name: "AS-OF", help: "now, or one of (each inclusive; a TIME is like 2026-03-03T14:00:00Z)",
    entries: [version, position, recordedAt, occurredAt])
}

extension ParsedArguments {
  /// The point asked for. The command's row lists ``AsOfArguments/group``.
  var asOf: AsOfText {
    if let version = self[AsOfArguments.version] { return .version(StreamVersion(version)) }
    if let position = self[AsOfArguments.position] { return .position(LogPosition(position)) }
    if let time = self[AsOfArguments.recordedAt] { return .recorded(time) }
    if let time = self[AsOfArguments.occurredAt] { return .occurred(time) }
    return .now
  }

  /// The stream of a user, in the namespace given or else `default`.
  func stream(of user: UserID) -> StreamName {
    StreamName(user, in: self[GlobalOptions.namespace] ?? .default)
  }

  /// The stream of the command's user.
  var stream: StreamName { stream(of: self[CommandRow.user]) }

  var wantsJSON: Bool { self[GlobalOptions.json] }
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
