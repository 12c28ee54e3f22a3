// Lines of a log on their way out, written by a thread of their own.
import JSON
import Memoir
public import Platform

/// Takes lines of a log, and writes them in large pieces on a thread of its own.
///
/// Nobody who answers a request waits for whoever reads the log: where that one is too slow, lines are left out, and the
/// log says how many.
public final class LogQueue: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var lost = 0
    var isClosed = false, hasEnded = false
  }

  private let limit: Int
  private let state: Monitor<State>

  /// Begins.
  ///
  /// - Parameter limit: Bytes that may wait.
  /// - Parameter write: Writes lines; called on the queue's thread.
  public init(limit: Int = 4 << 20, _ write: @escaping @Sendable ([UInt8]) -> Void) throws(PlatformError) {
    self.limit = limit
    let state = Monitor(State())
    self.state = state
    _ = try DedicatedThread(name: "memoir-log") {
      while let (bytes, lost) = Self.next(state) {
        if !bytes.isEmpty { write(bytes) }
        if lost > 0 {
          RequestLog(write).line("log_lines_lost", level: "warning") { $0.member("lines", lost) }
        }
      }
      state.change { $0.hasEnded = true }
    }
  }

  deinit { state.change { $0.isClosed = true } }

  /// Takes a line, with its end.
  public func add(_ line: [UInt8]) {
    let isFirst = state.withLock { state in
      let isFirst = state.bytes.isEmpty && state.lost == 0
      if state.isClosed || state.bytes.count + line.count > limit {
        state.lost += 1
      } else {
        state.bytes += line
      }
      return isFirst
    }
    if isFirst { state.wake() }
  }

  /// Writes what is there, and ends. Blocks, but not for longer than two seconds: whoever should read the log may never
  /// do so.
  public func close() {
    state.change { $0.isClosed = true }
    _ = state.wait(until: MonotonicClock.nanoseconds + 2_000_000_000) { $0.hasEnded ? () : nil }
  }

  private static func next(_ state: Monitor<State>) -> (bytes: [UInt8], lost: Int)? {
    let isThere = state.wait { state -> Bool? in
      state.bytes.isEmpty && state.lost == 0 ? (state.isClosed ? false : nil) : true
    }
    guard isThere == true else { return nil }
    // Others come along: a piece for many lines costs as much as one for a single one.
    _ = state.wait(until: MonotonicClock.nanoseconds + interval) { $0.isClosed ? () : nil }
    return state.withLock { state in
      defer { (state.bytes, state.lost) = ([], 0) }
      return (state.bytes, state.lost)
    }
  }

  /// Nanoseconds for which a line waits for others.
  private static let interval: UInt64 = 5_000_000
}
