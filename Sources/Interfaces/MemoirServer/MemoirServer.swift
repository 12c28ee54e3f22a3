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

  /// What is usual, at an address.
  public init(_ address: ListenAddress) { http = HTTPServerOptions(address) }
}

/// A store behind HTTP.
public final class MemoirServer: Sendable {
  private let service: Service
  private let server: HTTPServer

  /// Begins to serve. The store stays the caller's: it closes it after ``end(within:)``.
  public init(_ store: MemoirStore, _ options: MemoirServerOptions) throws(HTTPServerError) {
    let service = Service(store, options, routes: Self.routes, log: RequestLog(options.log))
    self.service = service
    server = try HTTPServer(
      options.http, refuse: { service.refuse($0, $1) }, handle: { service.handle($0) })
  }

  /// Where it listens, with the port it got.
  public var address: ListenAddress { server.address }

  /// Uses another certificate for connections to come.
  public func use(_ certificate: TLSCertificate) throws(HTTPServerError) { try server.use(certificate) }

  /// Takes no more requests, and ends once those under way are answered. Blocks.
  public func end(within patience: Duration = .seconds(10)) {
    service.end()
    server.end(within: patience)
  }

  /// All that is served.
  static let routes: [Route] =
    eventRoutes + stateRoutes + memoryRoutes + liveRoutes + dakeraRoutes + mcpRoutes + healthRoutes + [OpenAPI.route]
}
