// A real HTTP server on this machine that does as the test says: answers, late, never, nonsense, or hangs up.
import Glibc
package import Platform
import Synchronization

/// A request as it came.
package struct ReceivedRequest: Sendable {
  /// The path, from the slash on.
  package var path: String
  /// By names in lower case.
  package var headers: [String: String]
  /// What was sent.
  package var body: [UInt8]
  /// How many requests came before.
  package var number: Int
}

/// What the server does about a request.
package indirect enum ServerReply: Sendable {
  /// Answers.
  case answer(status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [])
  /// Announces a body of so many bytes and sends it for as long as somebody reads.
  case endless(announcing: Int?)
  /// Hangs up without an answer.
  case hangUp
  /// Says nothing until the server is closed.
  case never
  /// Waits first.
  case after(milliseconds: UInt64, ServerReply)

  /// An answer of JSON, or of what passes for it.
  package static func json(_ text: String, status: Int = 200, headers: [(String, String)] = []) -> ServerReply {
    .answer(status: status, headers: headers + [("Content-Type", "application/json")], body: Array(text.utf8))
  }
}

/// A server on a free port of 127.0.0.1, closed with the object. A thread a connection.
package final class LoopbackServer: Sendable {
  /// What it listens on.
  package let port: UInt16
  private let reply: @Sendable (ReceivedRequest) -> ServerReply
  private let sockets = Sockets()
  private let received = Mutex([ReceivedRequest]())

  /// Begins to listen; `reply` is asked about each request.
  package init(_ reply: @escaping @Sendable (ReceivedRequest) -> ServerReply) throws(PlatformError) {
    self.reply = reply
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        guard unsafe bind(socket, pointer, size) == 0, listen(socket, 64) == 0 else { return errno }
        return unsafe getsockname(socket, pointer, &size) == 0 ? 0 : errno
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard code == 0 else { throw PlatformError(call: "listen", code: code) }
    sockets.add(socket)
    do throws(PlatformError) {
      _ = try DedicatedThread(name: "loopback") { [weak self, sockets] in
        while true {
          let connection = accept(socket, nil, nil)
          if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
          guard connection >= 0 else { break }
          sockets.add(connection)
          guard let self else {
            sockets.close(connection)
            break
          }
          serve(connection)
        }
        sockets.close(socket)
      }
    } catch {
      sockets.close(socket)
      throw error
    }
  }

  deinit { close() }

  /// Its address.
  package var url: String { "http://127.0.0.1:\(port)" }
  /// The requests that came.
  package var requests: [ReceivedRequest] { received.withLock { $0 } }
  /// How many connections were made.
  package var connectionCount: Int { sockets.added - 1 }

  /// Ends all connections, and listens no more.
  package func close() { sockets.end() }

  /// Serves a connection on a thread that does not keep the server alive while it waits.
  private func serve(_ connection: Int32) {
    let thread = try? DedicatedThread(name: "loopback-peer") { [weak self, sockets] in
      var stream = ConnectionStream(connection)
      while var request = stream.nextRequest() {
        guard let reply = self?.note(&request) else { break }
        guard stream.send(reply) else { break }
      }
      sockets.close(connection)
    }
    if thread == nil { sockets.close(connection) }
  }

  private func note(_ request: inout ReceivedRequest) -> ServerReply {
    request.number = received.withLock { received in
      request.number = received.count
      received.append(request)
      return request.number
    }
    return reply(request)
  }
}

/// The sockets of a server: where it listens, and its connections. Each is closed by the thread that waits for it, and
/// under the lock under which it is ended: else its number could be another's by then, of another server for example.
private final class Sockets: Sendable {
  private let state = Mutex((open: Set<Int32>(), added: 0, hasEnded: false))

  /// How many were added.
  var added: Int { state.withLock { $0.added } }

  func add(_ socket: Int32) {
    state.withLock { state in
      state.added += 1
      state.open.insert(socket)
      if state.hasEnded { shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }

  /// By the thread that waits for it.
  func close(_ socket: Int32) {
    state.withLock { state in
      state.open.remove(socket)
      _ = Glibc.close(socket)
    }
  }

  /// Wakes whoever waits for one of them, now and later.
  func end() {
    state.withLock { state in
      state.hasEnded = true
      for socket in state.open { shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }
}

/// One connection: reads requests, sends replies.
private struct ConnectionStream {
  let connection: Int32
  private var buffer: [UInt8] = []

  init(_ connection: Int32) { self.connection = connection }

  /// `nil` at the end of the connection, or of what can be understood.
  mutating func nextRequest() -> ReceivedRequest? {
    let mark = Array("\r\n\r\n".utf8)
    var headEnd = buffer.firstIndex(of: mark)
    while headEnd == nil {
      // What begins otherwise is not HTTP, TLS for example.
      guard fill(), buffer.first == UInt8(ascii: "P") else { return nil }
      headEnd = buffer.firstIndex(of: mark)
    }
    guard let headEnd else { return nil }
    let lines = String(decoding: buffer[..<headEnd], as: UTF8.self).split(separator: "\r\n")
    buffer.removeFirst(headEnd + mark.count)
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let name = line.prefix { $0 != ":" }
      headers[name.lowercased()] = String(line.dropFirst(name.count + 1).drop { $0 == " " })
    }
    let size = headers["content-length"].flatMap { Int($0) } ?? 0
    while buffer.count < size { guard fill() else { return nil } }
    let body = Array(buffer.prefix(size))
    buffer.removeFirst(size)
    return ReceivedRequest(path: String(words[1]), headers: headers, body: body, number: 0)
  }

  private mutating func fill() -> Bool {
    var piece = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe piece.withUnsafeMutableBytes { unsafe recv(connection, $0.baseAddress, $0.count, 0) }
    guard count > 0 else { return false }
    buffer += piece.prefix(count)
    return true
  }

  /// - Returns: Whether the connection goes on.
  func send(_ reply: ServerReply) -> Bool {
    switch reply {
    case .answer(let status, let headers, let body):
      var head = "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.count)\r\n"
      for (name, value) in headers { head += "\(name): \(value)\r\n" }
      return write(Array("\(head)\r\n".utf8) + body)
    case .endless(let announced):
      let length = announced.map { "Content-Length: \($0)\r\n" } ?? ""
      guard write(Array("HTTP/1.1 200 OK\r\n\(length)\r\n".utf8)) else { return false }
      let piece = [UInt8](repeating: UInt8(ascii: " "), count: 65_536)
      while write(piece) {}
      return false
    case .hangUp: return false
    case .never:
      // Until one of the two ends it.
      var byte: UInt8 = 0
      return unsafe recv(connection, &byte, 1, 0) > 0
    case .after(let milliseconds, let reply):
      MonotonicClock.sleep(nanoseconds: milliseconds * 1_000_000)
      return send(reply)
    }
  }

  private func write(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          connection, $0.baseAddress.map { unsafe $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}

extension [UInt8] {
  /// Where `other` begins in it first.
  fileprivate func firstIndex(of other: [UInt8]) -> Int? {
    guard count >= other.count else { return nil }
    return (0...count - other.count).first { self[$0..<$0 + other.count].elementsEqual(other) }
  }
}
