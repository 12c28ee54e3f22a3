// Why a request got no answer.

/// Why a request got no answer. No text in it comes from a header, so that none gives a key away.
public enum HTTPClientError: Error, Hashable, Sendable {
  /// The request is none that can be made: its address, or a header.
  case invalid(reason: String)
  /// No whole answer within the time limit.
  case timedOut
  /// The name is unknown, nobody listens, or the connection broke.
  case unreachable(reason: String)
  /// The other side did not prove to be who it should be.
  case insecure(reason: String)
  /// The answer is larger than `limit` bytes; what came of it is gone.
  case tooLarge(limit: Int)
  /// The answer leads elsewhere. It is not followed: the key would go with it.
  case redirected(status: Int)
  /// The task was cancelled, or the client closed.
  case cancelled
  /// Anything else, libcurl missing among it.
  case failed(reason: String)
}

extension HTTPClientError: CustomStringConvertible {
  /// One sentence for people.
  public var description: String {
    switch self {
    case .invalid(let reason): reason
    case .timedOut: "there was no whole answer within the time limit"
    case .unreachable(let reason): "the server cannot be reached: \(reason)"
    case .insecure(let reason): "the server did not prove who it is: \(reason)"
    case .tooLarge(let limit): "the answer is larger than \(limit) bytes"
    case .redirected(let status): "the server redirects (\(status)), which is not followed"
    case .cancelled: "the request was cancelled"
    case .failed(let reason): "the request failed: \(reason)"
    }
  }
}
