// What can go wrong, under the one name it has on every surface: command line, HTTP and MCP only print it.
public import EventStore
public import JSON

/// The name of an error, with its HTTP status and exit code.
public enum ErrorCode: String, CaseIterable, Hashable, Sendable {
  /// A field, argument or parameter cannot be accepted; `details.field` names it.
  case invalidArgument = "invalid_argument"
  /// A text is not the JSON that Memoir takes.
  case invalidJSON = "invalid_json"
  /// No key was given, or none that is known.
  case unauthenticated
  /// The key, or the file system, does not allow it.
  case forbidden
  /// There is no such thing.
  case notFound = "not_found"
  /// The stream is not where the caller believed it to be; `details` has `expected` and `actual`.
  case versionConflict = "version_conflict"
  /// Ids are taken by events with other content; `details.ids` lists them.
  case idConflict = "id_conflict"
  /// A body, an event, a text or its metadata is over its limit.
  case tooLarge = "too_large"
  /// Too many requests.
  case rateLimited = "rate_limited"
  /// The disk or the store's map is full.
  case storageFull = "storage_full"
  /// What is stored is damaged.
  case corrupt
  /// Not now, or not by this process; try again, or elsewhere.
  case unavailable
  /// A fault of the program or of the machine.
  case `internal`

  /// The status of an HTTP answer.
  public var httpStatus: Int {
    switch self {
    case .invalidArgument, .invalidJSON: 400
    case .unauthenticated: 401
    case .forbidden: 403
    case .notFound: 404
    case .versionConflict, .idConflict: 409
    case .tooLarge: 413
    case .rateLimited: 429
    case .storageFull: 507
    case .corrupt, .internal: 500
    case .unavailable: 503
    }
  }

  /// The exit code of the command line.
  public var exitCode: Int32 {
    switch self {
    case .invalidArgument, .invalidJSON, .tooLarge: 2
    case .notFound: 3
    case .versionConflict, .idConflict: 4
    case .corrupt: 5
    case .unauthenticated, .forbidden, .rateLimited, .storageFull, .unavailable, .internal: 1
    }
  }
}

/// An error as every surface shows it.
public struct MemoirError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Its name.
  public var code: ErrorCode
  /// What is wrong, for people.
  public var message: String
  /// The facts to act upon: a JSON object.
  public var details: JSONText

  /// Makes an error.
  public init(_ code: ErrorCode, _ message: String, details: JSONText = .emptyObject) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// `invalid_argument` about one field.
  public init(_ error: InvalidValue) {
    self = .invalid(field: error.field, error.reason)
  }

  /// `invalid_json`, or `too_large` where only the size is wrong.
  public init(_ error: JSONError) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("offset")
    writer.integer(error.offset)
    if !error.path.isEmpty {
      writer.key("path")
      writer.string(error.path)
    }
    writer.endObject()
    self.init(
      error.kind == .tooLarge ? .tooLarge : .invalidJSON, error.description,
      details: JSONText(canonical: writer.finish()))
  }

  /// `invalid_argument` about `field`; `reason` ends a sentence that begins with it.
  public static func invalid(field: String, _ reason: String) -> MemoirError {
    MemoirError(.invalidArgument, "\(field): \(reason)", details: .object("field", field))
  }

  /// `too_large`: `field` has more bytes than its limit.
  public static func tooLarge(field: String, count: Int, limit: Int) -> MemoirError {
    MemoirError(
      .tooLarge, "\(field): is \(count) bytes long; at most \(limit) are allowed",
      details: .object("field", field))
  }

  /// The code and the message.
  public var description: String { "\(code.rawValue): \(message)" }
}

extension JSONText {
  /// An object of one member.
  static func object(_ key: StaticString, _ value: String) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(key)
    writer.string(value)
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}
