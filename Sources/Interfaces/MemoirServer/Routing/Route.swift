// One call that the server answers: how it is asked, who may ask it, what comes back. The table of them routes requests,
// describes itself as OpenAPI, and is what the tests of access go through.
import Memoir

/// The methods that routes have. `HEAD` is answered where `GET` is.
enum Method: String, CaseIterable, Sendable {
  case get = "GET"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
}

/// Whose form a route's errors have.
enum Wire: Sendable {
  /// `{"error":{"code","message","details"}}`
  case native
  /// `{"error","code","details","resource"}`
  case dakera
}

/// Who may ask.
enum RouteAccess: Hashable, Sendable {
  /// Anybody: it says nothing about anybody.
  case open
  /// Whoever has a key, whatever its scopes.
  case anyKey
  /// Whoever's key, or a grant, allows this.
  case scope(AccessScope)
}

/// What an answer of a status looks like. Several of one status are several forms of it.
struct Answer: Sendable {
  var status: Int
  var summary: String
  var type = "application/json"
  /// `nil` where there is no body.
  var schema: Schema?

  static func json(_ schema: Schema, status: Int = 200, _ summary: String = "Done.") -> Answer {
    Answer(status: status, summary: summary, schema: schema)
  }

  static func other(type: String, status: Int = 200, _ summary: String = "Done.") -> Answer {
    Answer(status: status, summary: summary, type: type, schema: .string())
  }
}

/// One call.
struct Route: Sendable {
  /// How it is answered.
  enum Handler: Sendable {
    /// In some microseconds, where requests are read.
    case quick(@Sendable (Call) throws -> Reply)
    /// On a task of its own that soon waits for something else. With a short body it is begun where requests are read.
    case soon(@Sendable (Call) async throws -> Reply)
    /// On a task of its own.
    case later(@Sendable (Call) async throws -> Reply)
    /// By the first of them, or, where that gives `nil` since it would have to wait, by the second.
    case either(@Sendable (Call) throws -> Reply?, @Sendable (Call) async throws -> Reply)
  }

  let method: Method
  /// E.g. `/v1/users/{user}/events`.
  let path: String
  let wire: Wire
  let access: RouteAccess
  /// One word for what is done, e.g. `append_events`: in the access log, in metrics, as `operationId`.
  let operation: String
  let summary: String
  let parameters: [AnyParameter]
  /// What is sent; `nil` where nothing is.
  let body: Schema?
  let answers: [Answer]
  /// What it can be refused with besides what its access, its names and its body say already.
  let refuses: [ErrorCode]
  let handler: Handler

  init(
    _ method: Method, _ path: String, _ operation: String, access: RouteAccess, wire: Wire = .native,
    summary: String, parameters: [AnyParameter] = [], body: Schema? = nil, answers: [Answer],
    refuses: [ErrorCode] = [], _ handler: Handler
  ) {
    self.method = method
    self.path = path
    self.operation = operation
    self.access = access
    self.wire = wire
    self.summary = summary
    self.parameters = parameters
    self.body = body
    self.answers = answers
    self.refuses = refuses
    self.handler = handler
  }
}
