// What all requests share, and the way of each: found, authenticated, decoded, answered, noted.
import HTTPServer
import JSON
import Memoir
import Platform
import Synchronization

/// What all requests share.
final class Service: Sendable {
  let store: MemoirStore
  let options: MemoirServerOptions
  let routes: RouteTable
  let log: RequestLog
  private let ending = Atomic<Bool>(false)

  init(_ store: MemoirStore, _ options: MemoirServerOptions, routes: [Route], log: RequestLog) {
    self.store = store
    self.options = options
    self.routes = RouteTable(routes)
    self.log = log
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
      return .now(finish(error.response, note))
    }
    switch call.route.handler {
    case .quick(let body):
      return .now(finish(Self.response(call) { try body(call) }, note))
    case .later(let body):
      return .later { [self, note] in finish(await Self.response(call) { try await body(call) }, note) }
    }
  }

  /// The answer to what is not let through.
  func refuse(_ head: RequestHead, _ fault: HTTPFault) -> HTTPResponse {
    finish(Failure(Failure.error(for: fault), wire: wire(of: head)).response, RequestNote(head))
  }

  // MARK: What is asked

  /// In which form errors about it are: that of the routes with its path, where there are any.
  private func wire(of head: RequestHead) -> Wire {
    // As sent where it cannot be decoded: what is wrong with it is then said in the form of what was meant.
    let segments = (try? PathText.segments(head.path)) ?? head.path.split(separator: "/").map { String($0) }
    if let wire = routes.wire(of: segments) { return wire }
    return ["v1", "admin"].contains(segments.first) ? .dakera : .native
  }

  private func call(for request: IncomingRequest, _ note: inout RequestNote) throws(Failure) -> Call {
    let wire = wire(of: request.head)
    do throws(MemoirError) {
      let segments = try PathText.segments(request.head.path)
      let match = routes.match(method: request.head.method, segments: segments)
      // Before anything is said of what there is: whoever has no key learns nothing by asking.
      let caller = try caller(request.head, match)
      note.caller = caller.name
      guard case .route(let route, let path) = match else {
        if case .otherMethod(let methods) = match { throw Failure.otherMethod(request.head.method, allowed: methods) }
        throw Failure.noRoute
      }
      note.operation = route.operation
      return try Call(request, by: route, path: path, id: note.id, caller: caller, in: self)
    } catch {
      throw Failure(error, wire: wire)
    }
  }

  private func caller(_ head: RequestHead, _ match: RouteTable.Match) throws(MemoirError) -> Caller {
    .local
  }

  // MARK: What is answered

  private static func response(_ call: Call, _ body: () async throws -> Reply) async -> HTTPResponse {
    do {
      return try await body().response
    } catch {
      return Failure(MemoirError(error), wire: call.route.wire).response
    }
  }

  private static func response(_ call: Call, _ body: () throws -> Reply) -> HTTPResponse {
    do {
      return try body().response
    } catch {
      return Failure(MemoirError(error), wire: call.route.wire).response
    }
  }

  private func finish(_ response: HTTPResponse, _ note: RequestNote) -> HTTPResponse {
    var response = response
    response.headers.append((name: "X-Request-Id", value: note.id))
    response.headers.append((name: "Cache-Control", value: "no-store"))
    log.note(note, response)
    return response
  }
}

extension Reply {
  fileprivate var response: HTTPResponse {
    var headers = self.headers
    switch body {
    case .json(let bytes):
      headers.append((name: "Content-Type", value: "application/json"))
      return HTTPResponse(status: status, headers: headers, body: .bytes(bytes))
    case .other(let type, let bytes):
      headers.append((name: "Content-Type", value: type))
      return HTTPResponse(status: status, headers: headers, body: .bytes(bytes))
    case .live(let type, let body):
      headers.append((name: "Content-Type", value: type))
      return HTTPResponse(status: status, headers: headers, body: .live(body))
    case .none: return HTTPResponse(status: status, headers: headers)
    }
  }
}
