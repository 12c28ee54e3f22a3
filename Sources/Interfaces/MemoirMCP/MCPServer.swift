// The server: a store as the Model Context Protocol shows it. It knows nothing of the wire.
//
// A transport makes a session for each client and hands it the bytes of each message; what comes back it sends.
import JSON
package import Memoir

/// A store, shown to clients of the protocol.
package struct MCPServer: Sendable {
  /// The store.
  package let store: MemoirStore
  /// In which all users are.
  package let namespace: Namespace
  /// The person it is all about; `nil`: each call names one.
  package let user: UserID?
  /// The version of the program.
  package let programVersion: String

  /// Shows `store`.
  package init(_ store: MemoirStore, user: UserID? = nil, in namespace: Namespace = .default, programVersion: String) {
    self.store = store
    self.user = user
    self.namespace = namespace
    self.programVersion = programVersion
  }

  /// A session for one client.
  package func session() -> MCPSession { MCPSession(self) }

  /// The names of all tools.
  package static var toolNames: [String] { Tool.all.map(\.name) }

  /// What a model is told about all of it.
  var instructions: String {
    let whose = user.map { "the memory of one person, \($0.description.onOneLine)" } ?? "the memories of people"
    let user = user == nil ? " Every call names the 'user': an id that never changes for a person." : ""
    return """
      Memoir keeps \(whose), across conversations.\(user) Begin a conversation with 'start_session': it gives what is \
      known. 'remember' what will matter later, as soon as you learn it; 'recall' before you answer what may depend on \
      the past. End it with 'end_session' and its messages. Nothing is lost: 'state', 'recall' and 'context' answer as \
      of any earlier time, 'changes' says what is new, 'history' says where a memory comes from.
      """
  }
}
