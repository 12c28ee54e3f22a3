// Who may do what through the protocol, and who hears of it: the transport's to say.
package import Memoir

/// What a transport knows of who calls.
///
/// It goes with the task: a session lives longer than one request, and each request has its own caller.
package struct MCPAccess: Sendable {
  /// Of the call that is under way. Without a transport that says otherwise, everything is allowed, as by whoever has the
  /// store's files in hand.
  @TaskLocal package static var current = MCPAccess(
    allow: { _, _ in }, note: { _, _, _ in }, listsUsers: { _ in true })

  private let allow: @Sendable (AccessScope, StreamName) throws(MemoirError) -> Void
  private let note: @Sendable (String, StreamName, Int) async throws(MemoirError) -> Void
  /// Whether the names of all users of a namespace may be told.
  let listsUsers: @Sendable (Namespace) -> Bool

  /// - Parameters:
  ///   - allow: Throws what is refused.
  ///   - listsUsers: Whether the names of all users of a namespace may be told.
  ///   - note: Hears of what was answered: the name of what was asked for, about whom, and the bytes.
  package init(
    allow: @escaping @Sendable (AccessScope, StreamName) throws(MemoirError) -> Void,
    note: @escaping @Sendable (_ operation: String, _ user: StreamName, _ bytes: Int) async throws(MemoirError) -> Void,
    listsUsers: @escaping @Sendable (Namespace) -> Bool
  ) {
    self.allow = allow
    self.note = note
    self.listsUsers = listsUsers
  }

  /// Has `body` find something out about a user, if the caller may know it.
  func granting(
    _ scopes: [AccessScope], _ operation: String, about user: StreamName,
    _ body: () async throws -> JSONText
  ) async throws -> JSONText {
    for scope in scopes { try allow(scope, user) }
    let result = try await body()
    try await note(operation, user, result.utf8.count)
    return result
  }
}

extension Tool {
  /// What a caller must be allowed to.
  var scopes: [AccessScope] {
    switch name {
    case "recall", "context": [.recall]
    // It tells what is known, too.
    case "start_session": [.append, .recall]
    default: effect.isReading ? [.read] : [.append]
    }
  }
}
