// The engine's errors under their names on every surface.
internal import Bytes
public import EventStore
internal import JSON

extension MemoirError {
  /// The engine's error, by what a caller can do about it.
  public init(_ error: StorageError) {
    switch error {
    case .missing(let folder): self.init(.notFound, error.description, details: .object("store", folder))
    case .notAStore: self.init(.invalidArgument, error.description, details: .object("field", "store"))
    case .wrongKey: self.init(.invalidArgument, error.description, details: .object("field", "master_key"))
    case .corrupt(_, let position):
      self.init(
        .corrupt, error.description, details: position.map { .object("position", $0.number) } ?? .emptyObject)
    case .full: self.init(.storageFull, error.description)
    case .denied: self.init(.forbidden, error.description)
    case .occupied(let reason): self = .invalid(field: "folder", reason)
    // This process cannot; opened anew, or by a newer program, the store can.
    case .inUse, .unavailable, .closed, .stopped, .newerFormat, .unsupportedVersion:
      self.init(.unavailable, error.description)
    case .failed: self.init(.internal, error.description)
    }
  }

  /// Why there is no answer.
  public init(_ error: ReadError) {
    switch error {
    case .invalid(let value): self.init(value)
    case .storage(let error): self.init(error)
    }
  }

  /// Why nothing was stored.
  public init(_ error: AppendError) {
    switch error {
    case .versionConflict(_, let expected, let actual):
      self.init(.versionConflict, error.description, details: Self.details(expected, actual))
    case .idConflict(_, let ids, let isErased):
      self.init(.idConflict, error.description, details: Self.details(ids, isErased: isErased))
    case .invalid(let value): self.init(value)
    case .storage(let error): self.init(error)
    }
  }

  /// Whatever an operation of the memory may throw.
  public init(_ error: any Error) {
    switch error {
    case let error as MemoirError: self = error
    case let error as StorageError: self.init(error)
    case let error as ReadError: self.init(error)
    case let error as AppendError: self.init(error)
    case let error as InvalidValue: self.init(error)
    case let error as JSONError: self.init(error)
    case is DamagedBytes: self.init(.corrupt, "an event's payload is not what its type says")
    default: self.init(.internal, String(describing: error))
    }
  }

  /// `not_found`: nobody has heard of the user.
  public static func noUser(_ user: StreamName) -> MemoirError {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("namespace")
    writer.string(user.namespace.description)
    writer.key("user")
    writer.string(user.user.description)
    writer.endObject()
    return MemoirError(
      .notFound, "there is no user \(user.user) in the namespace \(user.namespace)",
      details: JSONText(canonical: writer.finish()))
  }

  static func details(_ expected: ExpectedVersion, _ actual: StreamVersion) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("actual")
    writer.integer(actual.number)
    writer.key("expected")
    if case .exactly(let version) = expected {
      writer.integer(version.number)
    } else {
      writer.string(expected.description)
    }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }

  private static func details(_ ids: [EventID], isErased: Bool) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    if isErased {
      writer.key("erased")
      writer.bool(true)
    }
    writer.key("ids")
    writer.array(ids) { $0.write($1) }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}

extension JSONText {
  fileprivate static func object(_ key: StaticString, _ number: UInt64) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(key)
    writer.integer(number)
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}
