// The server: a store, behind HTTP.
public import HTTPServer
public import Memoir
import Platform

/// How a server serves.
public struct MemoirServerOptions: Sendable {
  /// Where and how it listens.
  public var http: HTTPServerOptions
  /// Takes lines of the log: JSON, each with its line end.
  public var log: @Sendable ([UInt8]) -> Void = { _ in }
  /// The program's version, as the page at `/` shows it.
  public var version = "unknown"
  /// Requests a second that a key may make, or an address where there are no keys; `nil` for as many as it likes. Ten
  /// seconds' worth may come at once.
  public var rateLimit: Int?
  /// How often sessions that nobody ended are looked for, and closed; `nil` for never. With it, vectors are made for an
  /// embedder that the store has, and what is older than a namespace's policy says is taken out once a day.
  public var sweepInterval: Duration?

  /// What is usual, at an address.
  public init(_ address: ListenAddress) { http = HTTPServerOptions(address) }
}

/// A store behind HTTP.
public final class MemoirServer: Sendable {
  private let service: Service
  private let server: HTTPServer
  private let upkeep: Upkeep?

  /// Begins to serve. The store stays the caller's: it closes it after ``end(within:)``.
  public init(_ store: MemoirStore, _ options: MemoirServerOptions) throws(HTTPServerError) {
    let service = Service(store, options, routes: Self.routes, log: RequestLog(options.log))
    self.service = service
    server = try HTTPServer(
      options.http, refuse: { service.refuse($0, $1) }, handle: { service.handle($0) })
    upkeep = options.sweepInterval.map { Upkeep(store, every: $0, log: service.log) }
    service.door.set(server)
    upkeep?.start()
  }

  deinit { upkeep?.cancel() }

  /// Where it listens, with the port it got.
  public var address: ListenAddress { server.address }

  /// Uses another certificate for connections to come.
  public func use(_ certificate: TLSCertificate) throws(HTTPServerError) { try server.use(certificate) }

  /// Takes no more requests, and ends once those under way are answered. Blocks.
  ///
  /// - Parameter patience: How long they may take.
  public func end(within patience: Duration = .seconds(8)) {
    let deadline = MonotonicClock.nanoseconds + UInt64(clamping: patience.components.seconds) * 1_000_000_000
    service.end()
    upkeep?.cancel()
    server.end(within: patience)
    upkeep?.wait(until: deadline)
  }

  /// All that is served.
  static let routes: [Route] =
    eventRoutes + stateRoutes + memoryRoutes + trustRoutes + liveRoutes + retentionRoutes + dakeraRoutes + mcpRoutes
    + healthRoutes
    + metricRoutes + pageRoutes + [OpenAPI.route]
}
