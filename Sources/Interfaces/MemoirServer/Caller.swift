// Who asks.
import Memoir

/// Who asks, and what it may do.
struct Caller: Sendable {
  /// The name by which logs speak of it: a key's id, or `local`.
  let name: String
  /// The namespace, where it may ask about one alone.
  let onlyNamespace: Namespace?

  /// Whoever comes from this machine, while the store has no key.
  static let local = Caller(name: "local", onlyNamespace: nil)

  /// - Throws: `forbidden`; `not_found` for what it may not even know of.
  func require(_ scope: AccessScope, on stream: StreamName, at now: Timestamp) throws(MemoirError) {}
}
