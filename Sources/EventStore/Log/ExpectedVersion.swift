// What an appender believes about the stream, and what it learns where that is not so.

/// Where the appender believes the stream to be.
public enum ExpectedVersion: Hashable, Sendable, CustomStringConvertible {
  /// Wherever it is.
  case any
  /// It has no event yet.
  case noStream
  /// It has at least one event.
  case streamExists
  /// Its last event has this version.
  case exactly(StreamVersion)

  /// Whether a stream whose last event is `actual` (0: none) is as expected.
  public func isMet(by actual: StreamVersion) -> Bool {
    switch self {
    case .any: true
    case .noStream: actual == 0
    case .streamExists: actual > 0
    case .exactly(let version): actual == version
    }
  }

  /// Reads `any`, `no_stream`, `stream_exists` or a number, of which 0 is `no_stream`.
  ///
  /// - Throws: ``InvalidValue`` that names `field`.
  public init(_ text: String, field: String = "expected_version") throws(InvalidValue) {
    switch text {
    case "any": self = .any
    case "no_stream": self = .noStream
    case "stream_exists": self = .streamExists
    default:
      guard let number = UInt64(text), text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
        throw InvalidValue(
          field: field, reason: "is \"\(text)\", not a number, any, no_stream or stream_exists")
      }
      self = number == 0 ? .noStream : .exactly(StreamVersion(number))
    }
  }

  /// The form that ``init(_:field:)`` reads.
  public var description: String {
    switch self {
    case .any: "any"
    case .noStream: "no_stream"
    case .streamExists: "stream_exists"
    case .exactly(let version): version.description
    }
  }
}

/// Why nothing of an append was stored.
public enum AppendError: Error, Hashable, Sendable {
  /// The stream is not where the caller believed it to be. Read again, decide again.
  case versionConflict(stream: StreamName, expected: ExpectedVersion, actual: StreamVersion)
  /// These ids are taken by events with other content, or come twice in the request, or only some of the request's
  /// ids are known. With `isErased`, the known event's payload was erased, so nobody can say whether it is the same.
  case idConflict(stream: StreamName, ids: [EventID], isErased: Bool)
  /// A field cannot be accepted.
  case invalid(InvalidValue)
  /// The log could not be written.
  case storage(StorageError)
}

extension AppendError: CustomStringConvertible {
  /// What happened, in a sentence.
  public var description: String {
    switch self {
    case .versionConflict(let stream, let expected, let actual):
      "the stream of \(stream) is at version \(actual), not \(expected)"
    case .idConflict(_, let ids, true):
      "the event \(ids.first.map(\.description) ?? "") is known, and its payload was erased"
    case .idConflict(_, let ids, false):
      "\(ids.count == 1 ? "the event id is" : "these event ids are") taken, and not by the same append: "
        + ids.prefix(3).map(\.description).joined(separator: ", ") + (ids.count > 3 ? ", …" : "")
    case .invalid(let value): value.description
    case .storage(let error): error.description
    }
  }
}
