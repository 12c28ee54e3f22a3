// The connections that stand: how many from where, and until when each may take for what it does.
internal import CMemoirHTTPD
internal import Glibc
internal import Platform
internal import Synchronization

/// One connection.
final class Connection: Sendable {
  /// Where it comes from, e.g. `127.0.0.1`.
  let peer: String
  private struct State {
    var socket: Int32
    var deadline: UInt64
    var isCut = false
    /// Since when it rests after an answer, until it was looked at once.
    var restsSince: UInt64?
  }

  private let state: Mutex<State>
  /// After an answer, the next request may be there already: this long after, it is.
  private static let pause: UInt64 = 100_000_000

  init(socket: Int32, peer: String, deadline: UInt64) {
    self.peer = peer
    state = Mutex(State(socket: socket, deadline: deadline))
  }

  /// A request has begun to arrive.
  func begin(until deadline: UInt64) {
    state.withLock { state in
      state.restsSince = nil
      state.deadline = deadline
    }
  }

  /// An answer was sent.
  func rest(until deadline: UInt64) {
    state.withLock { state in
      state.restsSince = MonotonicClock.nanoseconds
      state.deadline = deadline
    }
  }

  /// From now on it has until `deadline`; `.max` for as long as it likes.
  func allow(until deadline: UInt64) { state.withLock { $0.deadline = deadline } }

  /// Ends it if its time is over, or if it rests and the client has said that it sends no more.
  ///
  /// That is looked for once after each answer: libmicrohttpd overlooks an end that came together with the request, and
  /// sees every later one by itself.
  func cut(at now: UInt64) {
    state.withLock { state in
      guard state.socket >= 0, !state.isCut else { return }
      var isOver = now >= state.deadline
      if let since = state.restsSince, now >= since + Self.pause {
        state.restsSince = nil
        if memoir_httpd_sends_no_more(state.socket) { isOver = true }
      }
      guard isOver else { return }
      state.isCut = true
      shutdown(state.socket, Int32(SHUT_RDWR))
    }
  }

  /// Its socket is about to be closed: the number may be another's then.
  func end() { state.withLock { $0.socket = -1 } }
}

/// All of a server.
final class Connections: Sendable {
  private struct State {
    var all: [ObjectIdentifier: Connection] = [:]
    var counts: [String: Int] = [:]
  }

  private let limitPerPeer: Int
  private let state = Mutex(State())

  init(limitPerPeer: Int) { self.limitPerPeer = limitPerPeer }

  var count: Int { state.withLock { $0.all.count } }

  /// Whether one more may come from there. This machine has no limit of its own: a proxy brings everybody's.
  func admits(_ peer: String) -> Bool {
    isLoopback(peer) || state.withLock { $0.counts[peer, default: 0] < limitPerPeer }
  }

  func add(_ connection: Connection) {
    state.withLock { state in
      state.all[ObjectIdentifier(connection)] = connection
      state.counts[connection.peer, default: 0] += 1
    }
  }

  func remove(_ connection: Connection) {
    connection.end()
    state.withLock { state in
      state.all[ObjectIdentifier(connection)] = nil
      let rest = state.counts[connection.peer, default: 1] - 1
      state.counts[connection.peer] = rest > 0 ? rest : nil
    }
  }

  /// Ends those whose time is over.
  func cut(at now: UInt64) {
    for connection in state.withLock({ Array($0.all.values) }) { connection.cut(at: now) }
  }

  private func isLoopback(_ peer: String) -> Bool { peer.hasPrefix("127.") || peer == "::1" }
}

/// The text of an address of 4 or 16 bytes; empty of none.
func addressText(_ fill: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
  var bytes = [UInt8](repeating: 0, count: 16)
  let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
    unsafe buffer.baseAddress.map { unsafe fill($0) } ?? 0
  }
  if count == 4 { return bytes.prefix(4).map { String($0) }.joined(separator: ".") }
  guard count == 16 else { return "" }
  var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
  unsafe inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count))
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
