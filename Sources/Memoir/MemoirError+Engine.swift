// The engine's errors under their names on every surface.
public import EventStore
internal import JSON

extension MemoirError {
  /// The engine's error, by what a caller can do about it.
  public init(_ error: StorageError) {
    switch error {
    case .missing: self.init(.notFound, error.description)
    case .notAStore: self.init(.invalidArgument, error.description, details: .object("field", "store"))
    case .corrupt(_, let position):
      self.init(
        .corrupt, error.description, details: position.map { .object("position", $0.number) } ?? .emptyObject)
    case .full: self.init(.storageFull, error.description)
    case .inUse, .unavailable, .closed: self.init(.unavailable, error.description)
    case .newerFormat, .unsupportedVersion, .stopped, .denied, .failed:
      self.init(.internal, error.description)
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

  private static func details(_ expected: ExpectedVersion, _ actual: StreamVersion) -> JSONText {
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
