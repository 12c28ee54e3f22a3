// An error in the form of the Dakera wire.
import JSON
import Memoir

enum DakeraError {
  /// `{"error","code","details","resource"}`
  static func write(_ error: MemoirError, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("error", error.message)
    writer.member("code", code(of: error))
    if error.details != .emptyObject { writer.member("details", error.details.description) }
    if let resource = error.details.member("resource") { writer.member("resource", resource) }
    writer.endObject()
  }

  private static func code(of error: MemoirError) -> String {
    switch error.code {
    case .invalidArgument, .invalidJSON: "INVALID_REQUEST"
    case .unauthenticated: error.details.member("reason") ?? "AUTHENTICATION_REQUIRED"
    case .forbidden: error.details.member("reason") ?? "INSUFFICIENT_SCOPE"
    case .notFound: error.details.member("reason") ?? "VECTOR_NOT_FOUND"
    case .versionConflict, .idConflict: "CONFLICT"
    case .tooLarge: "PAYLOAD_TOO_LARGE"
    case .rateLimited: "RATE_LIMIT_EXCEEDED"
    case .storageFull, .corrupt: "STORAGE_ERROR"
    case .unavailable: "SERVICE_UNAVAILABLE"
    case .internal: "INTERNAL_ERROR"
    }
  }
}
