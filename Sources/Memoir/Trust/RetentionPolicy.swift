// How long what people said is kept, by namespace.
internal import Bytes
public import EventStore

/// What is kept for a time of its own.
public enum RetainedKind: String, CaseIterable, Hashable, Sendable {
  /// Messages.
  case messages
  /// Facts that were learned, revised or forgotten.
  case facts
  /// How sessions ended and what they were about, one by one and combined.
  case summaries

  /// The kind of an event; `nil` for one that is kept for good.
  init?(_ event: borrowing EventView) {
    switch event.type {
    case .messageAdded: self = .messages
    case .factLearned, .factRevised, .factForgotten: self = .facts
    case .sessionEnded, .sessionsCompacted: self = .summaries
    default:
      guard event.isSessionDistilled else { return nil }
      self = .summaries
    }
  }

  /// The kind of what is quoted in a context, by the word it has there.
  init?(quoted word: String) {
    switch word {
    case "message": self = .messages
    case "fact": self = .facts
    case "summary": self = .summaries
    default: return nil
    }
  }

  /// Its number in records.
  var code: UInt8 {
    switch self {
    case .messages: 1
    case .facts: 2
    case .summaries: 3
    }
  }
}

/// How long what is kept of the people of a namespace is kept.
public struct RetentionPolicy: Hashable, Sendable {
  /// For how many days something may be kept: a hundred years.
  public static let daysRange = 1...36_500

  /// The namespace.
  public let namespace: Namespace
  /// For how many days; what is not in it is kept for good.
  public let days: [RetainedKind: Int]

  /// A policy.
  ///
  /// - Throws: `invalid_argument` where it says nothing, or a number of days is out of ``daysRange``.
  public init(of namespace: Namespace, days: [RetainedKind: Int]) throws(MemoirError) {
    guard !days.isEmpty else {
      throw .invalid(field: "messages_days", "is missing: a policy says how long at least one of them is kept")
    }
    for kind in RetainedKind.allCases {
      if let count = days[kind], !Self.daysRange.contains(count) {
        throw .invalid(field: "\(kind.rawValue)_days", "is not within \(Self.daysRange)")
      }
    }
    self.namespace = namespace
    self.days = days
  }

  /// What was recorded before this moment is over, as of `now`; `nil` for what is kept for good.
  public func end(of kind: RetainedKind, at now: Timestamp) -> Timestamp? {
    guard let days = days[kind] else { return nil }
    return now.advanced(byMicroseconds: -Int64(days) * 86_400_000_000)
  }
}

extension RetentionPolicy {
  private static let form: UInt8 = 1

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: 8)
    writer.write(Self.form)
    for kind in RetainedKind.allCases { writer.writeVarint(days[kind] ?? 0) }
    return writer.bytes
  }

  init(of namespace: Namespace, decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    guard try reader.readUInt8() == Self.form else { throw DamagedBytes() }
    var days: [RetainedKind: Int] = [:]
    for kind in RetainedKind.allCases {
      let count = Int(clamping: try reader.readVarint())
      if count > 0 { days[kind] = count }
    }
    guard let policy = try? RetentionPolicy(of: namespace, days: days) else { throw DamagedBytes() }
    self = policy
  }
}
