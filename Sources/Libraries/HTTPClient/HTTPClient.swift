// A small HTTP client: posts a body, and gives back an answer or says why there is none.
internal import CMemoirCurl
internal import Synchronization

/// A request, always a POST.
public struct HTTPRequest: Sendable {
  /// Where it goes.
  public var address: HTTPAddress
  /// Names and values, e.g. `("Content-Type", "application/json")`.
  public var headers: [(name: String, value: String)]
  /// What is sent.
  public var body: [UInt8]

  /// A request.
  public init(_ address: HTTPAddress, headers: [(name: String, value: String)] = [], body: [UInt8]) {
    self.address = address
    self.headers = headers
    self.body = body
  }
}

/// An answer, of any status but a redirection.
public struct HTTPAnswer: Sendable {
  /// E.g. 200.
  public var status: Int
  /// What was sent back.
  public var body: [UInt8]
  /// How long the server asks to wait (`Retry-After`), where it does.
  public var retryAfter: Duration?
}

/// What a request may take.
public struct HTTPLimits: Sendable {
  /// Until the connection stands.
  public var connecting: Duration
  /// Until the answer is complete.
  public var total: Duration
  /// Bytes of an answer.
  public var answerSize: Int

  /// 10 s, 60 s and 64 MiB.
  public init(
    connecting: Duration = .seconds(10), total: Duration = .seconds(60), answerSize: Int = 64 << 20
  ) {
    self.connecting = connecting
    self.total = total
    self.answerSize = answerSize
  }
}

/// Posts requests, any number at a time, and keeps connections for the next ones.
///
/// Servers are held to their certificates, and redirections are not followed. A proxy is taken from the environment as
/// everywhere (`https_proxy`), except to this machine. The work is done on a thread of its own, which the first request
/// starts.
public final class HTTPClient: Sendable {
  private let transfers = TransferThread()

  /// A client that has no thread yet.
  public init() {}

  deinit { transfers.close() }

  /// Posts a request.
  ///
  /// Ends as soon as the task is cancelled.
  public func post(_ request: HTTPRequest, limits: HTTPLimits = HTTPLimits()) async throws(HTTPClientError)
    -> HTTPAnswer
  {
    for (name, value) in request.headers {
      // What breaks a line could be another header.
      let isSafe = (name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && !name.isEmpty && !name.contains(":")
      guard isSafe else { throw .invalid(reason: "the header \(name.debugDescription) cannot be sent") }
    }
    let transfer = Transfer(request, limits)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        transfers.begin(transfer) { continuation.resume(returning: $0) }
      }
    } onCancel: {
      transfer.cancel()
      transfers.wake()
    }
    return try result.get()
  }

  /// Ends all requests as cancelled, and refuses others.
  public func close() { transfers.close() }
}
