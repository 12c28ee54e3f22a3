// A body that is sent as it comes about, for as long as somebody reads it.
internal import CMemoirHTTPD
internal import Synchronization

/// A body that is sent piece by piece.
///
/// Whoever writes waits while much is still to be sent: so a client that reads slowly, or not at all, costs
/// ``capacity`` bytes and a waiting task. Every piece is sent at once, as a chunk of its own or more.
public final class LiveBody: Sendable {
  /// A connection that sleeps until there is something to send.
  // SAFETY: libmicrohttpd lets any thread resume a connection, and this one stands until the body is freed.
  @safe
  private struct Sleeper: @unchecked Sendable {
    let connection: OpaquePointer
    func wake() { unsafe MHD_resume_connection(connection) }
  }

  private struct State {
    var waiting: [UInt8] = []
    var sent = 0
    var sleeper: Sleeper?
    var writer: CheckedContinuation<Void, Never>?
    var hasEnded = false
    /// Whether it ended before it was whole.
    var hasFailed = false
    var isRead = true
  }

  /// Bytes that may wait to be sent before ``write(_:)`` waits itself.
  public let capacity: Int
  private let state = Mutex(State())

  /// A body without anything in it yet.
  public init(capacity: Int = 16 << 10) { self.capacity = capacity }

  /// Sends bytes. One writer at a time.
  ///
  /// - Returns: `false` where nobody reads any more, or the server ends.
  public func write(_ bytes: [UInt8]) async -> Bool {
    guard put(bytes) else { return false }
    await withCheckedContinuation { continuation in
      let goesOn = state.withLock { state in
        if state.waiting.count - state.sent <= capacity || state.hasEnded || !state.isRead { return true }
        state.writer = continuation
        return false
      }
      if goesOn { continuation.resume() }
    }
    return state.withLock { $0.isRead && !$0.hasEnded }
  }

  /// Sends bytes if nothing else waits to be sent: a sign of life beside another writer.
  ///
  /// - Returns: `false` where nobody reads any more, or the server ends.
  public func writeIfIdle(_ bytes: [UInt8]) -> Bool {
    state.withLock({ $0.sent == $0.waiting.count }) ? put(bytes) : !isOver
  }

  /// Ends the body. What was written is still sent.
  public func end() { end(hasFailed: false) }

  /// Ends the body before it is whole: the connection ends so that the reader cannot take it for all there is.
  public func fail() { end(hasFailed: true) }

  private func end(hasFailed: Bool) {
    let (sleeper, writer) = state.withLock { state in
      state.hasFailed = state.hasFailed || hasFailed
      state.hasEnded = true
      defer { (state.sleeper, state.writer) = (nil, nil) }
      return (state.sleeper, state.writer)
    }
    sleeper?.wake()
    writer?.resume()
  }

  /// Whether it ended before it was whole.
  var isCutShort: Bool { state.withLock { $0.hasFailed } }

  /// Whether it has ended, or nobody reads it any more.
  public var isOver: Bool { state.withLock { $0.hasEnded || !$0.isRead } }

  private func put(_ bytes: [UInt8]) -> Bool {
    let (goesOn, sleeper) = state.withLock { state -> (Bool, Sleeper?) in
      guard state.isRead, !state.hasEnded else { return (false, nil) }
      state.waiting += bytes
      defer { state.sleeper = nil }
      return (true, state.sleeper)
    }
    sleeper?.wake()
    return goesOn
  }

  // MARK: The server's side

  /// Hands over what is there, or lets the connection sleep until there is something.
  ///
  /// - Returns: Bytes written to `buffer`; 0 while the connection sleeps; `nil` at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer, for connection: OpaquePointer) -> Int? {
    let (count, writer) = state.withLock { state -> (Int?, CheckedContinuation<Void, Never>?) in
      let waiting = state.waiting[state.sent...]
      if waiting.isEmpty {
        if state.hasEnded { return (nil, nil) }
        // Under the lock: whoever wakes it comes after it fell asleep.
        unsafe MHD_suspend_connection(connection)
        unsafe state.sleeper = Sleeper(connection: connection)
        return (0, nil)
      }
      let count = min(buffer.count, waiting.count)
      unsafe buffer.copyBytes(from: waiting.prefix(count))
      state.sent += count
      if state.sent == state.waiting.count {
        state.waiting.removeAll(keepingCapacity: state.waiting.capacity <= capacity)
        state.sent = 0
      }
      guard state.waiting.count - state.sent <= capacity else { return (count, nil) }
      defer { state.writer = nil }
      return (count, state.writer)
    }
    writer?.resume()
    return count
  }

  /// Nobody reads it any more: the connection is gone.
  func abandon() {
    let writer = state.withLock { state in
      state.isRead = false
      state.sleeper = nil
      state.waiting = []
      state.sent = 0
      defer { state.writer = nil }
      return state.writer
    }
    writer?.resume()
  }
}
