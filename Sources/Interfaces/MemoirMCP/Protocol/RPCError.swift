// What is wrong with a message, in the numbers of JSON-RPC.
import JSON
import Memoir

/// An error that takes the place of a result. What a tool has to refuse is none: that is a result the model reads.
struct RPCError: Error, Sendable {
  let code: Int
  let message: String
  var data: JSONText?

  /// No JSON.
  static func parse(_ message: String) -> RPCError { RPCError(code: -32700, message: message) }
  /// JSON, but no message; or one that does not belong here.
  static func invalidRequest(_ message: String) -> RPCError { RPCError(code: -32600, message: message) }
  static func methodNotFound(_ method: String) -> RPCError {
    RPCError(code: -32601, message: "there is no method \(method.quoted)")
  }
  static func invalidParams(_ message: String) -> RPCError { RPCError(code: -32602, message: message) }
  /// The protocol's own, of resources.
  static func resourceNotFound(_ uri: String) -> RPCError {
    RPCError(code: -32002, message: "there is no resource \(uri.quoted)", data: .object { $0.member("uri", uri) })
  }

  /// What the memory refused, where there is no tool whose result could say it.
  init(_ error: MemoirError) {
    switch error.code {
    case .invalidArgument, .invalidJSON, .tooLarge: code = -32602
    case .notFound: code = -32002
    default: code = -32603
    }
    message = error.message
    data = .object { $0.member("code", error.code.rawValue) }
  }

  private init(code: Int, message: String, data: JSONText? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }
}

extension String {
  /// As JSON shows it, and no longer than one cares to read.
  var quoted: String {
    let most = 100
    let shown = count > most ? prefix(most) + "…" : self[...]
    return JSONText(string: String(shown)).description
  }
}
