// A server of HTTP/1.1: takes whole requests, and hands them to a function that says what to answer.
internal import CMemoirHTTPD
internal import Glibc
public import Platform
internal import Synchronization

/// What a server may take, and where it listens.
public struct HTTPServerOptions: Sendable {
  /// Where it listens.
  public var address: ListenAddress
  /// Threads that read and write; requests are answered on others.
  public var threads = 2
  /// Bytes of a body.
  public var bodyLimit = 16 << 20
  /// Bytes of a head, from the first line to the empty one, and of what the server needs besides.
  public var headLimit = 32 << 10
  /// How long a connection may be idle, or take for the head of a request.
  public var headTimeLimit: Duration = .seconds(60)
  /// How long a request's body may take, however it drips.
  public var bodyTimeLimit: Duration = .seconds(60)
  /// How long the sending of an answer may take; live ones are held to ``idleLimit`` alone.
  public var answerTimeLimit: Duration = .seconds(120)
  /// How long nothing may move in either direction.
  public var idleLimit: Duration = .seconds(60)
  /// Connections at a time.
  public var connectionLimit = 4_096
  /// Connections at a time from one address; this machine's own have no limit.
  public var connectionLimitPerPeer = 256
  /// Requests being answered at a time; others are told to come again.
  public var requestLimit = 1_024
  /// A certificate and its key.
  public var certificate: TLSCertificate?

  /// What is usual, at an address.
  public init(_ address: ListenAddress) { self.address = address }
}

/// A certificate, with those that vouch for it after it, and its private key: the texts of PEM files.
public struct TLSCertificate: Sendable {
  /// The chain.
  public let chain: String
  /// The private key.
  public let key: String

  /// A certificate and its key.
  public init(chain: String, key: String) {
    self.chain = chain
    self.key = key
  }
}

/// Why there is no server.
public enum HTTPServerError: Error, Hashable, Sendable {
  /// The system does not let it listen there.
  case system(PlatformError)
  /// It could not be started with this certificate and key.
  case certificate
  /// It could not be started.
  case failed
}

/// A server of HTTP/1.1, with or without TLS.
///
/// It holds requests to their form: a head that a proxy could read differently is refused, and the connection ends.
/// Requests are answered side by side; a connection's own come one after the other.
public final class HTTPServer: Sendable {
  private struct State {
    var acceptor: Acceptor
    var daemon: Daemon?
    /// Those that a new certificate replaced: they end when their connections do.
    var earlier: [Daemon] = []
  }

  /// Where it listens, with the port it got.
  public let address: ListenAddress
  private let core: ServerCore
  private let options: HTTPServerOptions
  private let state: Mutex<State>

  /// Begins to listen.
  ///
  /// - Parameter refuse: Makes the answer to what is not let through; the connection ends with it where the fault is
  ///   one of the request's own.
  /// - Parameter handle: Says how a request is answered. It is called on the threads that read and write, so it must
  ///   not take long.
  public init(
    _ options: HTTPServerOptions, refuse: @escaping @Sendable (RequestHead, HTTPFault) -> HTTPResponse,
    handle: @escaping @Sendable (IncomingRequest) -> HTTPHandling
  ) throws(HTTPServerError) {
    self.options = options
    core = ServerCore(options, refuse: refuse, handle: handle)
    let socket: Int32
    do {
      (socket, address) = try options.address.listen()
    } catch {
      throw .system(error)
    }
    do throws(HTTPServerError) {
      let daemon = try Daemon(core, certificate: options.certificate)
      try core.watch()
      state = Mutex(State(acceptor: try Acceptor(socket, core, daemon), daemon: daemon))
    } catch {
      close(socket)
      throw error
    }
  }

  deinit { end(within: .zero) }

  /// Connections that stand.
  public var connectionCount: Int { core.connections.count }
  /// Requests being answered.
  public var requestCount: Int { core.running.load(ordering: .relaxed) }
  /// Live answers being sent.
  public var liveCount: Int { core.liveCount }

  /// Uses another certificate for connections to come. Those that stand go on.
  public func use(_ certificate: TLSCertificate) throws(HTTPServerError) {
    try state.withLock { state throws(HTTPServerError) in
      guard let old = state.daemon else { return }
      // The new one first: with a certificate that is none, the old one goes on.
      let new = try Daemon(core, certificate: certificate)
      state.acceptor.use(new)
      state.daemon = new
      state.earlier.append(old)
      state.earlier.removeAll { $0.endIfIdle() }
    }
  }

  /// Stops listening, ends live bodies, lets other answers be made and sent for as long as `patience`, and ends. Blocks.
  public func end(within patience: Duration) {
    let daemons = state.withLock { state in
      let all = ([state.daemon] + state.earlier).compactMap { $0 }
      if !all.isEmpty { state.acceptor.end() }
      (state.daemon, state.earlier) = (nil, [])
      return all
    }
    guard !daemons.isEmpty else { return }
    core.end()
    let deadline = MonotonicClock.nanoseconds + patience.nanoseconds
    while MonotonicClock.nanoseconds < deadline, core.isBusy { MonotonicClock.sleep(nanoseconds: 2_000_000) }
    // A connection that still waits for its answer cannot be taken from libmicrohttpd: its daemon is left to the end
    // of the process.
    for daemon in daemons where core.running.load(ordering: .acquiring) == 0 { daemon.stop() }
  }
}

extension Duration {
  /// None below zero.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
      &+ UInt64(attoseconds / 1_000_000_000)
  }
}
