// Bytes sent to a server on this machine, and what it answers: the test's own client, that sends what no client would.
import Glibc
package import Platform

/// What a server answered.
package struct LoopbackReply: Sendable {
  /// E.g. 200; 0 where the connection ended without an answer.
  package var status = 0
  /// By names in lower case; the last of a name.
  package var headers: [String: String] = [:]
  /// What followed, chunks joined.
  package var body: [UInt8] = []

  /// An answer, or a part of one.
  package init(status: Int = 0, body: [UInt8] = []) {
    self.status = status
    self.body = body
  }

  /// The body as text.
  package var text: String { String(decoding: body, as: UTF8.self) }
}

/// A connection to a server on this machine. Whoever uses it waits on a thread of its own, for the server needs the
/// ones that tasks share.
package final class LoopbackConnection: Sendable {
  private let socket: Int32

  /// Connects.
  package init(port: UInt16, receiveTimeoutSeconds: Int = 120) throws(PlatformError) {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let socket = socket
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 ? 0 : errno
      }
    }
    guard code == 0 else { throw PlatformError(call: "connect", code: code) }
    var limit = timeval(tv_sec: receiveTimeoutSeconds, tv_usec: 0)
    unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  /// Sends bytes as they are.
  ///
  /// - Returns: Whether all could be sent.
  @discardableResult
  package func send(_ bytes: [UInt8]) async -> Bool {
    await onThread { [socket] in
      var sent = 0
      while sent < bytes.count {
        let count = unsafe bytes.withUnsafeBytes {
          unsafe Glibc.send(socket, $0.baseAddress.map { unsafe $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
  }

  /// Says that nothing more will be sent. Answers are still read.
  package func endSending() { shutdown(socket, Int32(SHUT_WR)) }

  /// Reads one answer: whole, or, of one that may never end, its head.
  package func receive(headOnly: Bool = false) async -> LoopbackReply {
    await onThread { [socket] in
      var reader = ReplyReader(socket)
      return reader.reply(headOnly: headOnly)
    }
  }

  /// Reads what comes next; empty at the end of the connection.
  package func receiveSome() async -> [UInt8] {
    await onThread { [socket] in
      var reader = ReplyReader(socket)
      return reader.fill() ? reader.buffer : []
    }
  }

  /// Reads until a text comes, or the end of the connection.
  package func receive(until mark: String) async -> String {
    let mark = Array(mark.utf8)
    var text: [UInt8] = []
    while text.firstRange(of: mark) == nil {
      let piece = await receiveSome()
      if piece.isEmpty { break }
      text += piece
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether the server has ended the connection, within the time limit.
  package func hasEnded() async -> Bool { await receiveSome().isEmpty }

  /// Sends a request, and reads the answer, or its head.
  package func ask(
    _ method: String, _ target: String, headers: [(String, String)] = [], body: String? = nil, headOnly: Bool = false
  ) async -> LoopbackReply {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
    guard await send(Array("\(head)\r\n\(body ?? "")".utf8)) else { return LoopbackReply() }
    return await receive(headOnly: headOnly)
  }

  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      // A test without a thread has nothing to test.
      _ = try? DedicatedThread(name: "loopback-ask") { continuation.resume(returning: body()) }
    }
  }
}

/// Reads an answer from a socket.
private struct ReplyReader {
  let socket: Int32
  var buffer: [UInt8] = []

  init(_ socket: Int32) { self.socket = socket }

  mutating func fill() -> Bool {
    var piece = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe piece.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
    guard count > 0 else { return false }
    buffer += piece.prefix(count)
    return true
  }

  private mutating func line() -> String? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = buffer[..<end].filter { $0 != UInt8(ascii: "\r") }
        buffer.removeFirst(end + 1)
        return String(decoding: line, as: UTF8.self)
      }
      guard fill() else { return nil }
    }
  }

  private mutating func take(_ count: Int) -> [UInt8]? {
    while buffer.count < count { guard fill() else { return nil } }
    defer { buffer.removeFirst(count) }
    return Array(buffer.prefix(count))
  }

  mutating func reply(headOnly: Bool) -> LoopbackReply {
    var reply = LoopbackReply()
    guard let first = line() else { return reply }
    reply.status = first.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    while let line = line(), !line.isEmpty {
      let name = line.prefix { $0 != ":" }
      reply.headers[name.lowercased()] = String(line.dropFirst(name.count + 1).drop { $0 == " " })
    }
    if headOnly { return reply }
    if reply.headers["transfer-encoding"] == "chunked" {
      while let line = line(), let size = Int(line, radix: 16), size > 0, let bytes = take(size) {
        reply.body += bytes
        _ = self.line()
      }
      _ = line()
    } else if let size = reply.headers["content-length"].flatMap({ Int($0) }) {
      reply.body = take(size) ?? []
    }
    return reply
  }
}
