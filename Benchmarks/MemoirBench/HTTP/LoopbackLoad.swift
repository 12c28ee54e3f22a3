// Many connections to a server on this machine, all driven by one thread: as little as can be, so that it is the server
// that is measured.
import Glibc
import Platform

/// A connection that asks and waits in turn.
final class LoadConnection {
  let socket: Int32
  fileprivate(set) var buffer: [UInt8] = []
  fileprivate var began: UInt64 = 0

  init(port: UInt16) throws {
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
    guard code == 0 else { throw BenchError("connect: \(code)") }
    var yes: Int32 = 1
    unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    // What hangs is a failure, too.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  func send(_ bytes: [UInt8]) throws {
    began = MonotonicClock.nanoseconds
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(socket, $0.baseAddress.map { unsafe $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw BenchError("send: \(errno)") }
      sent += count
    }
  }

  /// Reads what is there.
  func receive() throws {
    let socket = socket
    let count = unsafe withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { room in
      let count = unsafe recv(socket, room.baseAddress, room.count, 0)
      if count > 0 { unsafe buffer.append(contentsOf: room.prefix(count)) }
      return count
    }
    guard count > 0 else { throw BenchError("the server hung up: \(errno)") }
  }

  /// Takes an answer, where it is there whole.
  ///
  /// - Returns: Its status and the bytes of its body.
  func takeAnswer() throws -> (status: Int, body: Int)? {
    // Byte by byte: making strings of it would cost as much as the server does.
    var lineStart = 0
    var length: Int?
    for index in buffer.indices where buffer[index] == UInt8(ascii: "\n") {
      let line = buffer[lineStart..<index]
      lineStart = index + 1
      if line.count > 1 {
        if length == nil { length = Self.contentLength(line) }
        continue
      }
      guard let status = Self.number(buffer.dropFirst("HTTP/1.1 ".utf8.count)), let length else {
        throw BenchError("no answer: \(String(decoding: buffer[..<index], as: UTF8.self))")
      }
      guard buffer.count >= lineStart + length else { return nil }
      buffer.removeFirst(lineStart + length)
      return (status, length)
    }
    return nil
  }

  private static func contentLength(_ line: ArraySlice<UInt8>) -> Int? {
    let name = "content-length: ".utf8
    guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return nil }
    return number(line.dropFirst(name.count))
  }

  /// The number that stands at the beginning.
  private static func number(_ text: ArraySlice<UInt8>) -> Int? {
    let digits = text.prefix { 0x30...0x39 ~= $0 }
    return digits.isEmpty ? nil : digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
  }

  /// Takes lines, without the last one if it has no end yet.
  func takeLines(_ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    var start = 0
    while let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
      try body(buffer[start..<end])
      start = end + 1
    }
    buffer.removeFirst(start)
  }
}

/// Runs what waits in the system on a thread of its own: the ones that tasks share are the server's.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    do {
      _ = try DedicatedThread(name: "bench-load") {
        continuation.resume(with: Swift.Result { try body() })
      }
    } catch {
      continuation.resume(throwing: error)
    }
  }
}

/// Waits for any of several connections.
struct LoadPoll {
  private var sockets: [pollfd]

  init(_ connections: [LoadConnection]) {
    sockets = connections.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) }
  }

  /// The numbers of those that have something to read; none after a time.
  mutating func wait(milliseconds: Int32) -> [Int] {
    guard unsafe poll(&sockets, nfds_t(sockets.count), milliseconds) > 0 else { return [] }
    return sockets.indices.filter { sockets[$0].revents != 0 }
  }
}

/// Connections that ask as fast as they are answered.
struct LoopbackLoad: Sendable {
  struct Result: Sendable {
    var count = 0
    var seconds = 0.0
    var bodyBytes = 0
    var microseconds: [Float] = []
    var rate: Double { Double(count) / seconds }
  }

  let port: UInt16
  let connections: Int

  /// Asks for a time.
  ///
  /// - Parameter request: The next request of a connection.
  /// - Throws: ``BenchError`` where an answer has another status than `status`.
  func run(
    seconds: Double, status: Int, request: @escaping @Sendable (_ connection: Int) -> [UInt8]
  ) async throws -> Result {
    try await onThread { try asking(seconds: seconds, status: status, request: request) }
  }

  private func asking(seconds: Double, status: Int, request: (_ connection: Int) -> [UInt8]) throws -> Result {
    let all = try (0..<connections).map { _ in try LoadConnection(port: port) }
    var poll = LoadPoll(all)
    var result = Result()
    let watch = Stopwatch()
    for (number, connection) in all.enumerated() { try connection.send(request(number)) }
    var waiting = all.count
    while waiting > 0 {
      let ready = poll.wait(milliseconds: 60_000)
      guard !ready.isEmpty else { throw BenchError("the server does not answer") }
      for number in ready {
        let connection = all[number]
        try connection.receive()
        guard let answer = try connection.takeAnswer() else { continue }
        guard answer.status == status else { throw BenchError("answered with \(answer.status), not \(status)") }
        result.microseconds.append(Float(MonotonicClock.nanoseconds - connection.began) / 1_000)
        result.count += 1
        result.bodyBytes = answer.body
        if watch.seconds < seconds { try connection.send(request(number)) } else { waiting -= 1 }
      }
    }
    result.seconds = watch.seconds
    return result
  }
}
