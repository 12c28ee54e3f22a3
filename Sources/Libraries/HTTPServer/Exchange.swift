// One request and its answer.
internal import CMemoirHTTPD
internal import Synchronization

/// One request and its answer, from the head on until the answer is sent.
final class Exchange: Sendable {
  /// A connection that waits for its answer.
  // SAFETY: libmicrohttpd lets any thread resume a connection, and keeps a suspended one until that is done.
  @safe
  struct Waiting: @unchecked Sendable {
    let connection: OpaquePointer
    func wake() { unsafe MHD_resume_connection(connection) }
  }

  private struct State {
    var body: [UInt8] = []
    var fault: HTTPFault?
    var response: HTTPResponse?
    /// Whether it is being answered.
    var hasBegun = false
    var sleeper: Waiting?
    /// Bytes of the body that were not kept.
    var forgotten = 0
  }

  let head: RequestHead
  private let bodyLimit: Int
  private let state: Mutex<State>

  init(_ head: RequestHead, fault: HTTPFault?, bodyLimit: Int) {
    self.head = head
    self.bodyLimit = bodyLimit
    state = Mutex(State(fault: fault))
  }

  /// Takes a piece of the body. What is too much is read and forgotten, so that the client hears why.
  ///
  /// - Returns: `false` where it is so much that the connection had better end.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    state.withLock { state in
      if state.fault == nil, state.body.count + bytes.count > bodyLimit {
        state.fault = .tooLarge(limit: bodyLimit)
        state.body = []
      }
      if state.fault != nil {
        state.forgotten += bytes.count
        return state.forgotten <= 4 * bodyLimit
      }
      unsafe state.body.append(contentsOf: bytes)
      return true
    }
  }

  /// The whole request, or what is wrong with it. Once.
  func complete() -> Result<IncomingRequest, Fault> {
    state.withLock { state in
      state.hasBegun = true
      if let fault = state.fault { return .failure(Fault(fault: fault)) }
      defer { state.body = [] }
      return .success(IncomingRequest(head, body: state.body))
    }
  }

  struct Fault: Error { let fault: HTTPFault }

  /// The answer, if there is one by now.
  var response: HTTPResponse? { state.withLock { $0.response } }

  /// Whether it has arrived whole, and is being answered or was.
  var hasBegun: Bool { state.withLock { $0.hasBegun } }

  func answer(_ response: HTTPResponse) {
    let sleeper = state.withLock { state in
      state.response = response
      defer { state.sleeper = nil }
      return state.sleeper
    }
    sleeper?.wake()
  }

  /// Lets the connection sleep until there is an answer, unless there is one by now.
  ///
  /// - Returns: Whether it sleeps. It may be awake again by then, and is asked once more.
  func sleep(_ connection: OpaquePointer) -> Bool {
    state.withLock { state in
      guard state.response == nil else { return false }
      // Under the lock: whoever wakes it comes after it fell asleep.
      unsafe MHD_suspend_connection(connection)
      unsafe state.sleeper = Waiting(connection: connection)
      return true
    }
  }

  /// Has an answer made.
  ///
  /// - Parameter beginsHere: Whether this thread does the work until that first waits: a thread less to be woken.
  func run(
    beginsHere: Bool = false, _ work: @escaping @Sendable () async -> HTTPResponse,
    whenAwake: @escaping @Sendable () -> Void
  ) {
    let answering: @Sendable () async -> Void = { [self] in
      answer(await work())
      whenAwake()
    }
    if beginsHere { Task.immediate(operation: answering) } else { Task(operation: answering) }
  }
}
