// Why a model gave no answer: one list for embeddings and chat, since callers act on the same differences.
internal import HTTPClient

/// Why a model's server gave no answer that can be used. No text in it holds the key.
public enum ModelError: Error, Hashable, Sendable {
  /// No answer within the time limit, repeats included.
  case timedOut
  /// The server cannot be reached, or did not prove who it is.
  case unreachable(reason: String)
  /// The server wants fewer requests (429), also after repeats.
  case rateLimited
  /// The server takes neither this key nor this address (401, 403, 404): nothing will be answered until that is mended.
  case misconfigured(status: Int, reason: String)
  /// The server refuses what was sent (400 and its like): the same again would be refused again.
  case refused(status: Int, reason: String)
  /// The server is in trouble of its own (5xx), also after repeats.
  case failed(status: Int)
  /// The answer is not what the interface promises.
  case malformed(reason: String)
  /// The task was cancelled.
  case cancelled

  /// One word for logs and the metadata of events.
  public var word: String {
    switch self {
    case .timedOut: "timed_out"
    case .unreachable: "unreachable"
    case .rateLimited: "rate_limited"
    case .misconfigured: "misconfigured"
    case .refused: "refused"
    case .failed: "failed"
    case .malformed: "malformed"
    case .cancelled: "cancelled"
    }
  }

  /// Whether the same again may be answered in a while.
  var mayPass: Bool {
    switch self {
    case .timedOut, .unreachable, .rateLimited, .failed: true
    case .misconfigured, .refused, .malformed, .cancelled: false
    }
  }
}

extension ModelError: CustomStringConvertible {
  /// One sentence for people.
  public var description: String {
    switch self {
    case .timedOut: "the model's server gave no answer in time"
    case .unreachable(let reason): reason
    case .rateLimited: "the model's server wants fewer requests (429)"
    case .misconfigured(let status, let reason): "the model's server does not let us in (\(status)): \(reason)"
    case .refused(let status, let reason): "the model's server refuses the request (\(status)): \(reason)"
    case .failed(let status): "the model's server is in trouble (\(status))"
    case .malformed(let reason): "the model's answer cannot be used: \(reason)"
    case .cancelled: "the request was cancelled"
    }
  }

  init(_ error: HTTPClientError) {
    switch error {
    case .timedOut: self = .timedOut
    case .cancelled: self = .cancelled
    case .tooLarge: self = .malformed(reason: error.description)
    case .invalid, .redirected: self = .misconfigured(status: 0, reason: error.description)
    case .unreachable, .insecure, .failed: self = .unreachable(reason: error.description)
    }
  }
}
