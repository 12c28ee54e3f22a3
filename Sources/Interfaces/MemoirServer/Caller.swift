// Who asks, and what it may do.
import HTTPServer
import Memoir
import Synchronization

/// Who asks.
struct Caller: Sendable {
  /// The key it came by; `nil` where the store has none, and whoever is on this machine may do everything.
  let key: APIKey?
  private let store: MemoirStore

  /// Finds out who sent a request.
  ///
  /// - Throws: `unauthenticated`.
  init(_ head: RequestHead, to store: MemoirStore) throws(MemoirError) {
    self.store = store
    guard let given = head.headers["authorization"] else {
      guard try store.keys.isEmpty else {
        throw Self.unknown("this needs a key: 'Authorization: Bearer KEY'", "AUTHENTICATION_REQUIRED")
      }
      key = nil
      return
    }
    let words = given.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "bearer" else {
      throw Self.unknown("authorization: is not 'Bearer KEY'", "INVALID_API_KEY")
    }
    switch try store.keys.authenticate(SecretKey(String(words[1]))) {
    case .key(let key): self.key = key
    case .expired: throw Self.unknown("the key has expired", "API_KEY_EXPIRED")
    case .unknown:
      // Clients send whatever key they have been given, also to a store that has none.
      guard try store.keys.isEmpty else { throw Self.unknown("the key is not known", "INVALID_API_KEY") }
      key = nil
    }
  }

  /// Whoever asks what anybody may.
  static func anybody(_ store: MemoirStore) -> Caller { Caller(store) }

  private init(_ store: MemoirStore) {
    key = nil
    self.store = store
  }

  private static func unknown(_ message: String, _ reason: String) -> MemoirError {
    MemoirError(.unauthenticated, message, details: .members(("reason", reason)))
  }

  /// As which the access log knows it.
  var accessor: Accessor { key.map { .key($0.id) } ?? .local }

  /// Whether it may do something.
  ///
  /// - Parameter user: With whose memory; `nil`: with the namespace as a whole.
  func decide(_ scope: AccessScope, in namespace: Namespace, user: UserID?) throws(MemoirError) -> AccessDecision {
    guard let key else { return .allowed(.key) }
    return try store.decide(scope, by: key, in: namespace, user: user)
  }
}

/// Whom a call was about, and how it went: for the access log.
final class CallSubject: Sendable {
  struct Value: Sendable {
    var namespace: Namespace
    var user: UserID?
    var isDenied: Bool
  }

  private let value = Mutex<Value?>(nil)

  func note(_ namespace: Namespace, _ user: UserID?, isDenied: Bool) {
    value.withLock { $0 = Value(namespace: namespace, user: user, isDenied: isDenied) }
  }

  var noted: Value? { value.withLock { $0 } }
}
