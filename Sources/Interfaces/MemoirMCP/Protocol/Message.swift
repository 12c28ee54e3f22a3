// JSON-RPC 2.0: what a client may send, and the two forms of a reply.
import JSON
import Memoir

/// The id of a request, as the client wrote it: a string or a number.
typealias RequestID = JSONText

/// One message of a client.
enum Message: Sendable {
  /// Wants a reply.
  case request(id: RequestID, method: String, params: JSONText)
  /// Wants none.
  case notification(method: String, params: JSONText)
  /// Answers a request of ours. We make none, so it is of no use.
  case response
  /// Is none of these. The id is the one it names, where it names one.
  case invalid(id: RequestID?, RPCError)
}

/// What arrives at once.
enum Incoming: Sendable {
  case one(Message)
  case batch([Message])

  /// The most messages in one array. Each of them is answered, so a short array may make a long reply.
  static let mostMessages = 1_000

  /// Reads the bytes of one message, or of an array of them.
  ///
  /// - Throws: An error that no id can be told for.
  init(_ bytes: [UInt8]) throws(RPCError) {
    let limits = JSONLimits(depth: Limits.depth, sizeInBytes: MCPSession.messageSize)
    self = try JSONParser().parse(bytes.span, limits: limits, refusal: Self.refusal) { node throws(RPCError) in
      guard node.kind == .array else { return .one(Message(node)) }
      guard node.count > 0 else { throw .invalidRequest("an empty array says nothing") }
      guard node.count <= Self.mostMessages else {
        throw .invalidRequest("\(node.count) messages at once; at most \(Self.mostMessages) are allowed")
      }
      var messages: [Message] = []
      var elements = node.elements
      while let element = elements.next() { messages.append(Message(element)) }
      return .batch(messages)
    }
  }

  private static func refusal(_ error: JSONError) -> RPCError {
    switch error.kind {
    // It is JSON, but more of it than is taken.
    case .tooDeep, .tooLarge: .invalidRequest(error.description)
    default: .parse(error.description)
    }
  }
}

extension Message {
  init(_ node: JSONNode) {
    guard node.kind == .object else {
      self = .invalid(id: nil, .invalidRequest("a message is an object"))
      return
    }
    let idNode = node["id"]
    let id: RequestID? =
      if let idNode, idNode.kind == .string || idNode.kind == .number { JSONText(idNode) } else { nil }
    guard let version = node["jsonrpc"], version.isString("2.0") else {
      self = .invalid(id: id, .invalidRequest("\"jsonrpc\" must be \"2.0\""))
      return
    }
    guard let method = node["method"] else {
      let isResponse = node["result"] != nil || node["error"] != nil
      self = isResponse ? .response : .invalid(id: id, .invalidRequest("\"method\" is missing"))
      return
    }
    guard let method = method.string else {
      self = .invalid(id: id, .invalidRequest("\"method\" must be a string"))
      return
    }
    let params = if let params = node["params"] { JSONText(params) } else { JSONText.emptyObject }
    if let id {
      self = .request(id: id, method: method, params: params)
    } else if idNode == nil {
      self = .notification(method: method, params: params)
    } else {
      self = .invalid(id: nil, .invalidRequest("\"id\" must be a string or a number"))
    }
  }
}

/// Writes replies.
enum Reply {
  /// `{"jsonrpc","id","result"}`
  static func result(_ result: JSONText, to id: RequestID) -> [UInt8] {
    message(id) { writer in
      writer.key("result")
      writer.value(result)
    }
  }

  /// `{"jsonrpc","id","error":{"code","message","data"}}`; the id is null where none could be told.
  static func error(_ error: RPCError, to id: RequestID?) -> [UInt8] {
    message(id) { writer in
      writer.key("error")
      writer.beginObject()
      writer.key("code")
      writer.integer(error.code)
      writer.member("message", error.message)
      if let data = error.data {
        writer.key("data")
        writer.value(data)
      }
      writer.endObject()
    }
  }

  /// `[…]`, of what was answered to the messages of an array.
  static func batch(_ replies: [[UInt8]]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for reply in replies { writer.value(canonical: reply.span) }
    writer.endArray()
    return writer.finish()
  }

  private static func message(_ id: RequestID?, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("jsonrpc", "2.0")
    writer.key("id")
    writer.value(id ?? .null)
    body(&writer)
    writer.endObject()
    return writer.finish()
  }
}
