// The one place where an error becomes a status and a body, in the form of the wire that was asked.
import HTTPServer
import JSON
import Memoir

/// An error on its way out.
struct Failure: Error {
  let error: MemoirError
  let wire: Wire

  init(_ error: MemoirError, wire: Wire) {
    self.error = error
    self.wire = wire
  }

  /// The answer it makes.
  var response: HTTPResponse {
    var headers = [(name: "Content-Type", value: "application/json")]
    switch error.code {
    case .unavailable, .rateLimited:
      headers.append((name: "Retry-After", value: error.details.member("retry_after") ?? "1"))
    case .unauthenticated: headers.append((name: "WWW-Authenticate", value: "Bearer"))
    default: break
    }
    if let allowed = error.details.member("allowed") { headers.append((name: "Allow", value: allowed)) }
    var writer = JSONWriter()
    switch wire {
    case .native: ErrorJSON.write(error, to: &writer)
    case .dakera: DakeraError.write(error, to: &writer)
    }
    // What HTTP and the other wire tell apart has a status of its own.
    let status = error.details.member("status").flatMap { Int($0) } ?? error.code.httpStatus
    return HTTPResponse(status: status, headers: headers, body: .bytes(writer.finish()))
  }

  /// What the server itself does not let through.
  static func error(for fault: HTTPFault) -> MemoirError {
    switch fault {
    case .malformed(let reason): MemoirError(.invalidArgument, "the request is not what HTTP asks for: \(reason)")
    case .tooLarge(let limit):
      MemoirError(.tooLarge, "body: is longer than \(limit) bytes", details: .members(("field", "body")))
    case .overloaded: MemoirError(.unavailable, "too many requests are being answered; come again")
    case .ending: MemoirError(.unavailable, "the server is about to end")
    }
  }

  /// No route has this path.
  static let noRoute = MemoirError(
    .notFound, "there is no such route; /openapi.json lists them", details: .members(("reason", "ROUTE_NOT_FOUND")))

  /// A route has this path, for other methods.
  static func otherMethod(_ method: String, allowed: [Method]) -> MemoirError {
    let names = allowed.map(\.rawValue).joined(separator: ", ")
    return MemoirError(
      .invalidArgument, "method: is \(method.debugDescription); this path takes \(names)",
      details: .members(("allowed", names), ("field", "method"), ("reason", "METHOD_NOT_ALLOWED"), ("status", "405")))
  }
}

extension JSONText {
  /// An object of texts, whose keys are sorted.
  static func members(_ members: (name: String, value: String)...) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, value) in members { writer.member(text: name, value) }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}
