// What comes in, and what goes out.

/// A request whose head and body have arrived whole.
public struct IncomingRequest: Sendable {
  /// Its head.
  public let head: RequestHead
  /// What was sent with it.
  public let body: [UInt8]

  /// A request.
  public init(_ head: RequestHead, body: [UInt8]) {
    self.head = head
    self.body = body
  }
}

/// Everything of a request but its body.
public struct RequestHead: Sendable {
  /// As sent, e.g. `GET`.
  public let method: String
  /// As sent, percent signs and all; without the query.
  public let path: String
  /// As sent, save that `+` has become a space; in order. The value is `nil` where there was no `=`.
  public let query: [(name: String, value: String?)]
  /// In order.
  public let headers: HTTPHeaders
  /// Who sent it, e.g. `127.0.0.1`; empty where that is not known.
  public let peer: String

  /// A head.
  public init(
    method: String, path: String, query: [(name: String, value: String?)] = [], headers: HTTPHeaders = HTTPHeaders(),
    peer: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.peer = peer
  }
}

/// Header fields, found by their names in any case.
public struct HTTPHeaders: Sendable {
  /// Names in lower case, and values, in order.
  public private(set) var fields: [(name: String, value: String)] = []

  /// No fields.
  public init() {}

  /// The first of a name, which is in lower case.
  public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

  /// All of a name, which is in lower case.
  public func values(of name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  /// Adds a field.
  public mutating func add(_ name: String, _ value: String) { fields.append((name.lowercased(), value)) }
}

/// An answer.
public struct HTTPResponse: Sendable {
  /// What is sent after the head.
  public enum Body: Sendable {
    /// All at once.
    case bytes([UInt8])
    /// As it comes about.
    case live(LiveBody)
  }

  /// E.g. 200.
  public var status: Int
  /// In order; `Content-Length`, `Date` and `Connection` are added by the server.
  public var headers: [(name: String, value: String)]
  /// What follows.
  public var body: Body
  /// Whether the connection ends with it.
  public var closes = false

  /// An answer.
  public init(status: Int, headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// Why the server does not let a request through.
public enum HTTPFault: Hashable, Sendable {
  /// Its head is not what HTTP asks for, or could be read in two ways; `reason` ends a sentence.
  case malformed(reason: String)
  /// Its body has more than so many bytes.
  case tooLarge(limit: Int)
  /// As many requests are being answered as may be at a time.
  case overloaded
  /// The server is about to end.
  case ending
}

/// How a request is going to be answered.
public enum HTTPHandling: Sendable {
  /// At once: it took no more than some microseconds.
  case now(HTTPResponse)
  /// Later; other requests go on meanwhile.
  case later(@Sendable () async -> HTTPResponse)
  /// Later; it is begun at once, and took no more than some microseconds when it begins to wait.
  case soon(@Sendable () async -> HTTPResponse)
}
