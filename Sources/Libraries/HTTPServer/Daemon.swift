// libmicrohttpd's daemon, and what it calls.
internal import CMemoirHTTPD
internal import Glibc
internal import Synchronization

/// A daemon of libmicrohttpd: some threads that read requests and write answers.
// SAFETY: what is called on the daemon, any thread may call; `isStopped` has it stopped once.
@safe
final class Daemon: @unchecked Sendable {
  private let handle: OpaquePointer
  private let core: ServerCore
  private let isStopped = Atomic<Bool>(false)

  init(_ core: ServerCore, certificate: TLSCertificate?) throws(HTTPServerError) {
    self.core = core
    let chain = certificate.map { $0.chain.utf8CString }
    let key = certificate.map { $0.key.utf8CString }
    var options = unsafe memoir_httpd_options()
    unsafe options.threads = UInt32(max(1, core.options.threads))
    unsafe options.connection_limit = UInt32(max(1, core.options.connectionLimit))
    unsafe options.idle_limit = UInt32(clamping: max(1, core.options.idleLimit.components.seconds))
    unsafe options.connection_memory = core.options.headLimit
    unsafe options.handle = { owner, connection, path, method, version, bytes, count, context in
      guard let core = unsafe theCore(owner), let connection = unsafe connection, let count = unsafe count,
        let context = unsafe context, let path = unsafe path, let method = unsafe method,
        let version = unsafe version
      else { return .NO }
      let line = unsafe RequestLine(path: path, method: method, version: version)
      return unsafe Daemon.handle(core, connection, line, UnsafeRawPointer(bytes), count, context)
    }
    unsafe options.completed = { owner, connection, context, _ in
      guard let core = unsafe theCore(owner), let connection = unsafe connection, let context = unsafe context,
        let pointer = unsafe context.pointee, unsafe pointer != memoir_httpd_unreadable_target
      else { return }
      let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
      unsafe context.pointee = nil
      unsafe core.ended(exchange, on: link(of: connection))
    }
    unsafe options.connection_changed = { owner, connection, context, change in
      guard let core = unsafe theCore(owner), let connection = unsafe connection, let context = unsafe context else {
        return
      }
      if change == .CONNECTION_NOTIFY_STARTED {
        unsafe context.pointee = Unmanaged.passRetained(core.opened(connection)).toOpaque()
      } else if let pointer = unsafe context.pointee {
        unsafe core.connections.remove(Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue())
        unsafe context.pointee = nil
      }
    }
    // Kept by the daemon for as long as it may call.
    unsafe options.owner = Unmanaged.passUnretained(core).toOpaque()
    let started = unsafe withCString(chain) { chain in
      unsafe withCString(key) { key in
        unsafe options.certificate = chain
        unsafe options.key = key
        return unsafe memoir_httpd_start(&options)
      }
    }
    guard let started = unsafe started else { throw certificate == nil ? .failed : .certificate }
    unsafe handle = started
  }

  /// Takes in a connection, whose number is the daemon's from now on. One that is too many is closed.
  func add(_ connection: Int32, from address: UnsafePointer<sockaddr>, _ size: socklen_t) {
    unsafe MHD_add_connection(handle, connection, address, size)
  }

  /// Ends it, if it has no connection any more.
  ///
  /// - Returns: Whether it had none.
  func endIfIdle() -> Bool {
    guard unsafe memoir_httpd_connection_count(handle) == 0 else { return false }
    stop()
    return true
  }

  /// Ends it, and the connections that still stand. None may wait for an answer.
  func stop() {
    if !isStopped.exchange(true, ordering: .acquiringAndReleasing) { unsafe MHD_stop_daemon(handle) }
  }

  // MARK: Requests

  private static func handle(
    _ core: ServerCore, _ connection: OpaquePointer, _ line: RequestLine, _ bytes: UnsafeRawPointer?,
    _ count: UnsafeMutablePointer<Int>, _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> MHD_Result {
    let link = unsafe link(of: connection)
    guard let pointer = unsafe context.pointee, unsafe pointer != memoir_httpd_unreadable_target else {
      // The head is there.
      let isReadable = unsafe context.pointee == nil
      let (head, fault) = unsafe RequestHead.read(
        from: connection, line, isTargetReadable: isReadable, peer: link?.peer ?? "")
      let exchange = core.begin(head, fault, on: link)
      unsafe context.pointee = Unmanaged.passRetained(exchange).toOpaque()
      // What could be read in two ways is not read on.
      guard let fault else { return .YES }
      exchange.answer(core.refusal(head, fault))
      return unsafe send(exchange, core, on: connection, link)
    }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
    if unsafe count.pointee > 0 {
      let goesOn = unsafe exchange.receive(UnsafeRawBufferPointer(start: bytes, count: count.pointee))
      unsafe count.pointee = 0
      return goesOn ? .YES : .NO
    }
    // A connection that is not put to sleep is asked again at once. Only then it may sleep: the first time it still
    // waits to be read, which it would be when it wakes, and one that sends no more would be closed unanswered.
    if !exchange.hasBegun {
      core.complete(exchange, link)
    } else if unsafe exchange.sleep(connection) {
      return .YES
    }
    return exchange.response == nil ? .YES : unsafe send(exchange, core, on: connection, link)
  }

  private static func send(
    _ exchange: Exchange, _ core: ServerCore, on connection: OpaquePointer, _ link: Connection?
  ) -> MHD_Result {
    guard let answer = exchange.response else { return .NO }
    core.sending(answer, on: link)
    let made: OpaquePointer?
    switch answer.body {
    case .bytes(let bytes):
      unsafe made = bytes.withUnsafeBytes { bytes in
        unsafe MHD_create_response_from_buffer(
          bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
      }
    case .live(let body): unsafe made = stream(body, to: connection)
    }
    guard let response = unsafe made else { return .NO }
    defer { unsafe MHD_destroy_response(response) }
    for (name, value) in answer.headers { unsafe MHD_add_response_header(response, name, value) }
    if answer.closes { unsafe MHD_add_response_header(response, "Connection", "close") }
    return unsafe MHD_queue_response(connection, UInt32(answer.status), response)
  }

  private static func stream(_ body: LiveBody, to connection: OpaquePointer) -> OpaquePointer? {
    let reader = unsafe Unmanaged.passRetained(LiveReader(body, connection)).toOpaque()
    return unsafe memoir_httpd_stream(
      4 << 10,
      { owner, _, buffer, count in
        guard let owner = unsafe owner, let buffer = unsafe buffer else { return memoir_httpd_end_of_stream }
        let reader = unsafe Unmanaged<LiveReader>.fromOpaque(owner).takeUnretainedValue()
        let room = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: count)
        if let count = unsafe reader.body.read(into: room, for: reader.connection) { return count }
        return reader.body.isCutShort ? memoir_httpd_end_with_error : memoir_httpd_end_of_stream
      },
      { owner in
        if let owner = unsafe owner { unsafe Unmanaged<LiveReader>.fromOpaque(owner).release() }
      }, reader)
  }
}

/// A live body, and the connection that sends it.
@safe
private final class LiveReader {
  let body: LiveBody
  let connection: OpaquePointer

  init(_ body: LiveBody, _ connection: OpaquePointer) {
    self.body = body
    unsafe self.connection = connection
  }

  deinit { body.abandon() }
}

private func theCore(_ owner: UnsafeMutableRawPointer?) -> ServerCore? {
  unsafe owner.map { unsafe Unmanaged<ServerCore>.fromOpaque($0).takeUnretainedValue() }
}

private func link(of connection: OpaquePointer) -> Connection? {
  unsafe memoir_httpd_context(connection).map { unsafe Unmanaged<Connection>.fromOpaque($0).takeUnretainedValue() }
}

private func withCString<Result>(_ text: ContiguousArray<CChar>?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
  guard let text else { return body(nil) }
  return unsafe text.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
}
