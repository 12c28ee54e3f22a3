// What all requests share, and the way of each: found, authenticated, decoded, answered, noted.
import Bytes
import Gzip
import HTTPServer
import JSON
import Memoir
import Platform
import Sodium
import Synchronization

/// What all requests share.
final class Service: Sendable {
  let store: MemoirStore
  let options: MemoirServerOptions
  let routes: RouteTable
  let log: RequestLog
  let assistants = AssistantSessions()
  /// For bodies.
  let parsers = JSONParserPool()
  /// The OpenAPI document.
  let document: [UInt8]
  let metrics = RequestMetrics()
  let rateLimit: RateLimit?
  /// The server that this answers for.
  let door = Door()
  private let ending = Atomic<Bool>(false)

  init(_ store: MemoirStore, _ options: MemoirServerOptions, routes: [Route], log: RequestLog) {
    self.store = store
    self.options = options
    self.routes = RouteTable(routes)
    self.log = log
    document = OpenAPI.document(of: routes)
    rateLimit = options.rateLimit.map { RateLimit(rate: $0) }
  }

  /// Whether the server is about to end.
  var isEnding: Bool { ending.load(ordering: .relaxed) }
  func end() { ending.store(true, ordering: .relaxed) }

  /// The way of a request.
  func handle(_ request: IncomingRequest) -> HTTPHandling {
    var note = RequestNote(request.head)
    let call: Call
    do throws(Failure) {
      call = try self.call(for: request, &note)
    } catch {
      return .now(finish(Answered(response: error.response), note))
    }
    switch call.route.handler {
    case .quick(let body):
      return atOnce(call, note) { try body(call) }
    case .either(let quick, let slow):
      do {
        if let reply = try quick(call) { return atOnce(call, note) { reply } }
      } catch {
        return atOnce(call, note) { () throws -> Reply in throw error }
      }
      return .later(work(call, note) { try await slow(call) })
    case .soon(let body):
      let work = work(call, note) { try await body(call) }
      return request.body.count <= Self.shortBody ? .soon(work) : .later(work)
    case .later(let body):
      return .later(work(call, note) { try await body(call) })
    }
  }

  /// Read in some microseconds.
  private static let shortBody = 4 << 10

  private func atOnce(_ call: Call, _ note: RequestNote, _ body: () throws -> Reply) -> HTTPHandling {
    let answer = answer(call, body)
    // Nearly always there is room in the access log: then nothing is waited for.
    if let noted = noteAtOnce(call, answer) { return .now(finish(noted, note)) }
    return .later { [self] in finish(await noted(call, answer), note) }
  }

  private func work(
    _ call: Call, _ note: RequestNote, _ body: @escaping @Sendable () async throws -> Reply
  ) -> @Sendable () async -> HTTPResponse {
    { [self] in finish(await noted(call, await answer(call, body)), note) }
  }

  /// The answer to what is not let through.
  func refuse(_ head: RequestHead, _ fault: HTTPFault) -> HTTPResponse {
    finish(
      Answered(response: Failure(Failure.error(for: fault), wire: find(head).wire).response), RequestNote(head))
  }

  // MARK: What is asked

  /// Where a request leads, and in which form errors about it are: that of the routes with its path, where there are any.
  private func find(_ head: RequestHead) -> (match: RouteTable.Match, wire: Wire, fault: MemoirError?) {
    var fault: MemoirError?
    let segments: [String]
    do throws(MemoirError) {
      segments = try PathText.segments(head.path)
    } catch {
      // What is wrong with it is said in the form of what was meant.
      segments = head.path.split(separator: "/").map { String($0) }
      fault = error
    }
    let match = routes.match(method: head.method, segments: segments)
    switch match {
    case .route(let route, _): return (match, route.wire, fault)
    case .otherMethod(_, let wire): return (match, wire, fault)
    case .none: return (match, ["v1", "admin"].contains(segments.first) ? .dakera : .native, fault)
    }
  }

  private func call(for request: IncomingRequest, _ note: inout RequestNote) throws(Failure) -> Call {
    let (match, wire, fault) = find(request.head)
    if let fault { throw Failure(fault, wire: wire) }
    do throws(MemoirError) {
      // Before anything is said of what there is: whoever has no key learns nothing by asking.
      let caller = try caller(request.head, match)
      note.caller = caller.accessor.description
      guard case .route(let route, let path) = match else {
        if case .otherMethod(let methods, _) = match {
          throw Failure.otherMethod(request.head.method, allowed: methods)
        }
        throw Failure.noRoute
      }
      note.operation = route.operation
      try admit(&note, to: route)
      return try Call(request, by: route, path: path, id: note.id, caller: caller, in: self)
    } catch {
      throw Failure(error, wire: wire)
    }
  }

  private func caller(_ head: RequestHead, _ match: RouteTable.Match) throws(MemoirError) -> Caller {
    if case .route(let route, _) = match, route.access == .open { return Caller.anybody(store) }
    return try Caller(head, to: store)
  }

  // MARK: What is answered

  /// An answer, and what the access log says of it.
  private struct Answered {
    var response: HTTPResponse
    /// The state that it sends, where that is kept.
    var state: PrintedState?
    var items = 0
    var outcome = Access.Outcome.ok
  }

  private func answer(_ call: Call, _ body: () async throws -> Reply) async -> Answered {
    do {
      return answered(try await body(), to: call)
    } catch {
      return failed(error, call)
    }
  }

  private func answer(_ call: Call, _ body: () throws -> Reply) -> Answered {
    do {
      return answered(try body(), to: call)
    } catch {
      return failed(error, call)
    }
  }

  private func answered(_ reply: Reply, to call: Call) -> Answered {
    var answer = Answered(response: reply.response(to: call.request.head), items: reply.itemCount)
    if case .state(let state) = reply.body { answer.state = state }
    return answer
  }

  private func failed(_ error: any Error, _ call: Call) -> Answered {
    let error = MemoirError(error)
    let response = Failure(error, wire: call.route.wire).response
    return Answered(response: response, outcome: error.code == .forbidden ? .denied : .notFound)
  }

  // MARK: What is noted

  /// Puts the access into the log, and gives the answer back: none goes out unnoted.
  private func noted(_ call: Call, _ answer: Answered) async -> Answered {
    guard let access = access(call, answer) else { return answer }
    do {
      try await store.accesses.note(access)
      return answer
    } catch {
      return Answered(response: Failure(error, wire: call.route.wire).response)
    }
  }

  /// The same without waiting; `nil` where that cannot be.
  private func noteAtOnce(_ call: Call, _ answer: Answered) -> Answered? {
    guard let access = access(call, answer) else { return answer }
    do {
      return try store.accesses.noteIfRoom(access) ? answer : nil
    } catch {
      return Answered(response: Failure(error, wire: call.route.wire).response)
    }
  }

  /// What the access log says of a call; `nil` for one that was about nobody.
  private func access(_ call: Call, _ answer: Answered) -> Access? {
    guard let subject = call.subject.noted else { return nil }
    var bytes = 0
    if case .bytes(let body) = answer.response.body { bytes = body.count }
    return Access(
      call.route.operation, by: call.caller.accessor, in: subject.namespace, user: subject.user, at: store.clock(),
      items: answer.items, bytes: bytes, requestID: call.id, outcome: subject.isDenied ? .denied : answer.outcome)
  }

  private func finish(_ answer: Answered, _ note: RequestNote) -> HTTPResponse {
    var response = answer.response
    response.headers.append((name: "X-Request-Id", value: note.id))
    response.headers.append((name: "Cache-Control", value: "no-store"))
    response.headers += note.allowance?.headers ?? []
    ContentCoding.apply(to: &response, acceptsGzip: note.acceptsGzip) { bytes in
      if let state = answer.state { state.compressed { Gzip.compressed($0) } } else { Gzip.compressed(bytes) }
    }
    metrics.count(note, response.status)
    log.note(note, response)
    return response
  }
}

extension Reply {
  /// The answer, or that the caller has it already.
  fileprivate func response(to head: RequestHead) -> HTTPResponse {
    var headers = self.headers
    let type: String
    let bytes: [UInt8]
    var digest: String?
    switch body {
    case .json(let body): (type, bytes) = ("application/json", body)
    case .state(let state): (type, bytes, digest) = ("application/json", state.json, state.digest)
    case .other(let other, let body): (type, bytes) = (other, body)
    case .live(let type, let body):
      return HTTPResponse(
        status: status, headers: headers + [(name: "Content-Type", value: type)], body: .live(body))
    case .none: return HTTPResponse(status: status, headers: headers)
    }
    if hasTag {
      let tag = "\"\(digest ?? Self.digest(of: bytes))\""
      headers.append((name: "ETag", value: tag))
      if let known = head.headers["if-none-match"], known == "*" || known.contains(tag) {
        return HTTPResponse(status: 304, headers: headers)
      }
    }
    headers.append((name: "Content-Type", value: type))
    return HTTPResponse(status: status, headers: headers, body: .bytes(bytes))
  }

  /// By which equal bodies are known.
  private static func digest(of bytes: [UInt8]) -> String {
    String(BLAKE2b.digest(bytes.rawSpan).hexadecimal.prefix(32))
  }
}
