// An error in the form of the Dakera wire.
import JSON
import Memoir

enum DakeraError {
  /// `{"error","code","details","resource"}`
  static func write(_ error: MemoirError, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("error", error.message)
    writer.member("code", error.details.member("reason") ?? code(of: error))
    if let text = details(of: error) { writer.member("details", text) }
    if let resource = resource(of: error) { writer.member("resource", resource) }
    writer.endObject()
  }

  private static func code(of error: MemoirError) -> String {
    switch error.code {
    case .invalidArgument, .invalidJSON: "INVALID_REQUEST"
    case .unauthenticated: "AUTHENTICATION_REQUIRED"
    case .forbidden: "INSUFFICIENT_SCOPE"
    case .notFound:
      switch resource(of: error) {
      case "namespace": "NAMESPACE_NOT_FOUND"
      case "key": "API_KEY_NOT_FOUND"
      default: "VECTOR_NOT_FOUND"
      }
    case .versionConflict, .idConflict: "CONFLICT"
    case .tooLarge: "PAYLOAD_TOO_LARGE"
    case .rateLimited: "RATE_LIMIT_EXCEEDED"
    case .storageFull, .corrupt: "STORAGE_ERROR"
    case .unavailable: "SERVICE_UNAVAILABLE"
    case .internal: "INTERNAL_ERROR"
    }
  }

  /// What is not there.
  private static func resource(of error: MemoirError) -> String? {
    if let named = error.details.member("resource") { return named }
    guard error.code == .notFound else { return nil }
    let kinds = [("fact_id", "memory"), ("session", "session"), ("key_id", "key"), ("user", "namespace")]
    return kinds.first { error.details.member($0.0) != nil }?.1
  }

  /// What the error is about, as a line for people; the message says the rest.
  private static func details(of error: MemoirError) -> String? {
    let kinds = [
      ("field", "field"), ("fields", "fields"), ("path", "path"), ("offset", "byte"), ("fact_id", "memory"),
      ("session", "session"), ("user", "agent"), ("key_id", "key"), ("actual", "version"), ("allowed", "methods"),
      ("scope", "scope"),
    ]
    let parts = kinds.compactMap { kind in error.details.member(kind.0).map { "\(kind.1): \($0)" } }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension MemoirError {
  /// 404: there is no such memory for this caller, for whatever reason.
  static func noWireMemory(_ id: String) -> MemoirError {
    MemoirError(.notFound, "there is no memory \(id)", details: .members(("fact_id", id), ("resource", "memory")))
  }

  /// 404: there is no such session for this caller, for whatever reason.
  static func noWireSession(_ id: String) -> MemoirError {
    MemoirError(.notFound, "there is no session \(id)", details: .members(("resource", "session"), ("session", id)))
  }

  /// 404: there is no such namespace for this caller, for whatever reason.
  static func noWireNamespace(_ name: String) -> MemoirError {
    MemoirError(
      .notFound, "there is no namespace \(name)",
      details: .members(("reason", "NAMESPACE_NOT_FOUND"), ("resource", "namespace")))
  }
}
