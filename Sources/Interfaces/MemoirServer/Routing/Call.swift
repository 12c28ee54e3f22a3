// A request whose route is known: its parameters read, its caller known, not yet done.
import HTTPServer
import JSON
import Memoir

/// A request on its way through a route.
struct Call: Sendable {
  let service: Service
  let route: Route
  let request: IncomingRequest
  /// By which logs, answers and the access log speak of it.
  let id: String
  let caller: Caller
  /// Whom it turns out to be about.
  let subject = CallSubject()
  private let path: [RouteTable.PathValue]
  private let values: [String: [any Sendable]]

  /// Reads the parameters of the query.
  ///
  /// - Throws: `invalid_argument` naming the parameter that is unknown, missing, given twice or no value.
  init(
    _ request: IncomingRequest, by route: Route, path: [RouteTable.PathValue], id: String, caller: Caller,
    in service: Service
  ) throws(MemoirError) {
    self.service = service
    self.route = route
    self.request = request
    self.id = id
    self.caller = caller
    self.path = path
    var values: [String: [any Sendable]] = [:]
    var unknown: [String] = []
    for (name, text) in request.head.query {
      let name = try PathText.decoded(name, field: "query")
      guard let parameter = route.parameters.first(where: { $0.name == name }) else {
        unknown.append(name)
        continue
      }
      let value = try PathText.decoded(text ?? "", field: name)
      if values[name] != nil, !parameter.isRepeatable { throw .invalid(field: name, "is given more than once") }
      do {
        values[name, default: []].append(try parameter.read(value))
      } catch {
        throw MemoirError(error)
      }
    }
    // The other wire ignores what it does not know.
    if !unknown.isEmpty, route.wire == .native { throw .unknownFields(unknown) }
    for parameter in route.parameters where parameter.isRequired && values[parameter.name] == nil {
      throw .invalid(field: parameter.name, "is missing")
    }
    self.values = values
  }

  /// The store that is served.
  var store: MemoirStore { service.store }

  /// The value of a parameter, where it was given.
  subscript<Value>(parameter: Parameter<Value>) -> Value? { values[parameter.name]?.first as? Value }

  /// All values of a parameter that may be repeated.
  func all<Value>(_ parameter: Parameter<Value>) -> [Value] {
    values[parameter.name]?.compactMap { $0 as? Value } ?? []
  }

  /// A part of the path, e.g. `{id}`.
  func path(_ name: String) -> String { path.first { $0.name == name }?.value ?? "" }

  // MARK: Whose

  /// The namespace that is asked about: the one that is named, else the key's only one, else `default`.
  ///
  /// - Parameter inBody: As the body names it; both given must agree.
  func namespace(inBody: Namespace? = nil) throws(MemoirError) -> Namespace {
    let inQuery = self[Parameters.namespace]
    if let inBody, let inQuery, inBody != inQuery {
      throw .invalid(field: "namespace", "is \(inQuery) in the query and \(inBody) in the body")
    }
    return inQuery ?? inBody ?? caller.key?.namespaces.single ?? .default
  }

  /// The user that the path names, whom this caller may ask about.
  ///
  /// - Throws: `invalid_argument` for what is no id; `forbidden`; for whom the caller does not reach, the `not_found` that
  ///   nobody of that name would get.
  func user(inBody namespace: Namespace? = nil) throws(MemoirError) -> StreamName {
    let user = try namedUser(inBody: namespace)
    guard try reaches(user) else { throw .noUser(user) }
    return user
  }

  /// The same where nobody of that name has an empty answer: `nil` for whom the caller does not reach.
  func reachedUser() throws(MemoirError) -> StreamName? {
    let user = try namedUser()
    return try reaches(user) ? user : nil
  }

  private func namedUser(inBody namespace: Namespace? = nil) throws(MemoirError) -> StreamName {
    let namespace = try self.namespace(inBody: namespace)
    do throws(InvalidValue) {
      return StreamName(try UserID(path("user")), in: namespace)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Whether the caller may do this call's work with a user's memory.
  ///
  /// - Returns: `false` where there is nobody of that name for all that it may know.
  /// - Throws: `forbidden` where its scopes are too few.
  func reaches(_ stream: StreamName) throws(MemoirError) -> Bool {
    try reaches(stream.namespace, stream.user)
  }

  /// Holds the caller to what it may do with a namespace as a whole.
  ///
  /// - Throws: `forbidden`.
  func reachNamespace(_ namespace: Namespace) throws(MemoirError) {
    guard try reaches(namespace, nil) else {
      throw MemoirError(
        .forbidden, "the key does not reach the whole namespace \(namespace)",
        details: .members(("reason", "NAMESPACE_ACCESS_DENIED")))
    }
  }

  /// Holds the caller to what it may do with a user's memory.
  ///
  /// - Throws: `forbidden`; `not_found` for whom it does not reach.
  func allow(_ stream: StreamName) throws(MemoirError) {
    guard try reaches(stream) else { throw .noUser(stream) }
  }

  /// Whether the caller may do this call's work with a user's memory, for one that is about several: it is about the
  /// namespace then.
  func reachesAmongOthers(_ stream: StreamName) throws(MemoirError) -> Bool {
    let isReached = try reaches(stream)
    subject.note(stream.namespace, nil, isDenied: false)
    return isReached
  }

  private func reaches(_ namespace: Namespace, _ user: UserID?) throws(MemoirError) -> Bool {
    guard case .scope(let scope) = route.access else { return true }
    let decision = try caller.decide(scope, in: namespace, user: user)
    subject.note(namespace, user, isDenied: !decision.isAllowed)
    switch decision {
    case .allowed: return true
    case .denied(.namespace), .denied(.user): return false
    case .denied(.key), .denied(.scope):
      throw Self.forbidden(scope)
    }
  }

  /// Holds the caller to its scopes, where it is not yet known whom the call is about.
  ///
  /// - Throws: `forbidden`.
  func requireScope() throws(MemoirError) {
    if case .scope(let scope) = route.access, let key = caller.key, !key.has(scope) { throw Self.forbidden(scope) }
  }

  /// The same for a call about whomever it reaches: a person's own key may always read what is kept of that person.
  func requireScopeAmongOthers() throws(MemoirError) {
    if route.access == .scope(.read), caller.key?.person != nil { return }
    try requireScope()
  }

  private static func forbidden(_ scope: AccessScope) -> MemoirError {
    MemoirError(
      .forbidden, "the key may not do this: it needs the scope \(scope)",
      details: .members(("reason", "INSUFFICIENT_SCOPE"), ("scope", scope.rawValue)))
  }

  /// The point that is asked about.
  func asOf() throws(MemoirError) -> AsOfText {
    let given: [AsOfText] = [
      self[Parameters.atVersion].map { .version($0) }, self[Parameters.atPosition].map { .position($0) },
      self[Parameters.recordedAt].map { .recorded($0) }, self[Parameters.occurredAt].map { .occurred($0) },
    ].compactMap { $0 }
    guard given.count <= 1 else {
      throw .invalid(
        field: "as_of", "is given more than once: one of at_version, at_position, recorded_at, occurred_at")
    }
    return given.first ?? .now
  }

  // MARK: What is sent

  /// Lends the body's JSON.
  ///
  /// - Throws: `invalid_json`, `invalid_argument` where it is no object, or what `body` throws.
  func withBody<Result>(_ body: (JSONNode) throws -> Result) throws -> Result {
    let limits = JSONLimits(depth: Limits.depth, sizeInBytes: Limits.bodySize)
    return try service.parsers.withParser { parser in
      try parser.parse(request.body.span, limits: limits) { node in
        guard node.kind == .object else { throw MemoirError(.invalidArgument, "the body must be a JSON object") }
        return try body(node)
      }
    }
  }
}
