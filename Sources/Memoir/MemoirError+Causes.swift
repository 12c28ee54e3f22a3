// From the errors of the engine to the one that every surface shows: codes and details are decided here, once.
internal import Bytes
public import EventStore
internal import JSON

extension MemoirError {
  /// Why the store could not be opened, read or written.
  public init(_ error: StorageError) {
    let message = error.description
    switch error {
    case .missing(let folder): self.init(.notFound, message, details: .object("store", folder))
    case .notAStore: self.init(.invalidArgument, message, details: .object("field", "store"))
    case .newerFormat(let found, let supported):
      self.init(
        .unavailable, message,
        details: .object { writer in
          writer.key("found")
          writer.integer(found)
          writer.key("reason")
          writer.string("newer_format")
          writer.key("supported")
          writer.integer(supported)
        })
    case .unsupportedVersion(let type, let version, let position):
      self.init(
        .unavailable, message,
        details: .object { writer in
          writer.key("position")
          writer.integer(position.number)
          writer.key("reason")
          writer.string("unsupported_version")
          writer.key("type")
          writer.string(type)
          writer.key("type_version")
          writer.integer(Int(version))
        })
    case .corrupt(_, let position?):
      self.init(
        .corrupt, message,
        details: .object { writer in
          writer.key("position")
          writer.integer(position.number)
        })
    case .corrupt(_, nil): self.init(.corrupt, message)
    case .full: self.init(.storageFull, message)
    case .inUse, .stopped, .unavailable, .closed: self.init(.unavailable, message)
    case .denied, .failed: self.init(.internal, message)
    }
  }

  /// Why there is no answer.
  public init(_ error: ReadError) {
    switch error {
    case .invalid(let value): self.init(value)
    case .storage(let error): self.init(error)
    }
  }

  /// Why nothing was appended.
  public init(_ error: AppendError) {
    switch error {
    case .versionConflict(_, let expected, let actual):
      self.init(
        .versionConflict, error.description,
        details: .object { writer in
          writer.key("actual")
          writer.integer(actual.number)
          writer.key("expected")
          if case .exactly(let version) = expected {
            writer.integer(version.number)
          } else {
            writer.string(expected.description)
          }
        })
    case .idConflict(_, let ids, let isErased):
      self.init(
        .idConflict, error.description,
        details: .object { writer in
          if isErased {
            writer.key("erased")
            writer.bool(true)
          }
          writer.key("ids")
          writer.beginArray()
          for id in ids { writer.string(id.description) }
          writer.endArray()
        })
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
}

extension JSONText {
  /// An object of the members that `body` writes, in the order of their keys.
  static func object(_ body: (inout JSONWriter) -> Void) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    body(&writer)
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}
