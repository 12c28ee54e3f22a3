// What the daemons of a server share: how requests are answered, and what is under way.
internal import CMemoirHTTPD
internal import Platform
internal import Synchronization

/// What the daemons of a server share. Its functions are called on their threads.
final class ServerCore: Sendable {
  let options: HTTPServerOptions
  let connections: Connections
  /// Requests whose answer is being made.
  let running = Atomic<Int>(0)
  /// Whole requests whose answer is not sent yet.
  private let owed = Atomic<Int>(0)
  private let isEnding = Atomic<Bool>(false)
  private let live = Mutex<[ObjectIdentifier: LiveBody]>([:])
  private let refuse: @Sendable (RequestHead, HTTPFault) -> HTTPResponse
  private let handle: @Sendable (IncomingRequest) -> HTTPHandling

  init(
    _ options: HTTPServerOptions, refuse: @escaping @Sendable (RequestHead, HTTPFault) -> HTTPResponse,
    handle: @escaping @Sendable (IncomingRequest) -> HTTPHandling
  ) {
    self.options = options
    self.refuse = refuse
    self.handle = handle
    connections = Connections(limitPerPeer: options.connectionLimitPerPeer)
  }

  /// Starts the thread that ends connections whose time is over.
  func watch() throws(HTTPServerError) {
    do throws(PlatformError) {
      _ = try DedicatedThread(name: "memoir-httpd") { [weak self] in
        while let self, !(self.isEnding.load(ordering: .relaxed) && self.connections.count == 0) {
          self.connections.cut(at: MonotonicClock.nanoseconds)
          MonotonicClock.sleep(nanoseconds: 200_000_000)
        }
      }
    } catch {
      throw .system(error)
    }
  }

  /// Takes no more requests, and ends the live answers.
  func end() {
    isEnding.store(true, ordering: .releasing)
    for body in live.withLock({ Array($0.values) }) { body.end() }
  }

  /// Whether answers are still made or sent. A request that is still on its way is owed none: it would be refused.
  var isBusy: Bool { running.load(ordering: .acquiring) > 0 || owed.load(ordering: .acquiring) > 0 }

  var liveCount: Int { live.withLock { $0.count } }

  // MARK: Connections

  func opened(_ connection: OpaquePointer) -> Connection {
    let peer = unsafe addressText { unsafe memoir_httpd_peer(connection, $0) }
    let result = unsafe Connection(
      socket: memoir_httpd_socket(connection), peer: peer, deadline: deadline(in: options.headTimeLimit))
    connections.add(result)
    return result
  }

  // MARK: Requests

  func begin(_ head: RequestHead, _ fault: HTTPFault?, on connection: Connection?) -> Exchange {
    connection?.begin(until: deadline(in: options.bodyTimeLimit))
    return Exchange(head, fault: fault, bodyLimit: options.bodyLimit)
  }

  /// The body is there: answers now or later.
  func complete(_ exchange: Exchange, _ link: Connection?) {
    owed.add(1, ordering: .relaxed)
    link?.allow(until: .max)
    switch exchange.complete() {
    case .failure(let error): exchange.answer(refusal(exchange.head, error.fault))
    case .success(let request):
      if isEnding.load(ordering: .acquiring) { return exchange.answer(refusal(exchange.head, .ending)) }
      let count = running.add(1, ordering: .relaxed).newValue
      if count > options.requestLimit {
        running.subtract(1, ordering: .relaxed)
        return exchange.answer(refusal(exchange.head, .overloaded))
      }
      switch handle(request) {
      case .now(let response):
        running.subtract(1, ordering: .relaxed)
        exchange.answer(response)
      case .later(let work):
        exchange.run(work) { [self] in running.subtract(1, ordering: .releasing) }
      case .soon(let work):
        exchange.run(beginsHere: true, work) { [self] in running.subtract(1, ordering: .releasing) }
      }
    }
  }

  func refusal(_ head: RequestHead, _ fault: HTTPFault) -> HTTPResponse {
    var response = refuse(head, fault)
    switch fault {
    case .malformed, .tooLarge, .ending: response.closes = true
    case .overloaded: break
    }
    return response
  }

  /// The answer is about to be sent.
  func sending(_ response: HTTPResponse, on link: Connection?) {
    if case .live(let body) = response.body {
      live.withLock { $0[ObjectIdentifier(body)] = body }
      link?.allow(until: .max)
      if isEnding.load(ordering: .acquiring) { body.end() }
    } else {
      link?.allow(until: deadline(in: options.answerTimeLimit))
    }
  }

  /// The answer was sent, or can no more be.
  func ended(_ exchange: Exchange, on link: Connection?) {
    link?.rest(until: deadline(in: options.headTimeLimit))
    if case .live(let body) = exchange.response?.body {
      body.abandon()
      live.withLock { $0[ObjectIdentifier(body)] = nil }
    }
    if exchange.hasBegun { owed.subtract(1, ordering: .releasing) }
  }

  private func deadline(in time: Duration) -> UInt64 { MonotonicClock.nanoseconds &+ time.nanoseconds }
}
