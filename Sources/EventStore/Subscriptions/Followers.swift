// Waking whoever waits for the next event.
internal import Synchronization

/// Those who wait for events that this process appends. Appends of other processes are looked for on a timer.
final class Followers: Sendable {
  private struct State {
    var waiting: [UInt64: @Sendable () -> Void] = [:]
    var next: UInt64 = 0
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Calls `wake` once, at the next append or when the store closes.
  ///
  /// - Returns: A number for ``remove(_:)``; `nil` where the store is closed already.
  func add(_ wake: @escaping @Sendable () -> Void) -> UInt64? {
    state.withLock { state in
      if state.isClosed { return nil }
      state.next += 1
      state.waiting[state.next] = wake
      return state.next
    }
  }

  func remove(_ number: UInt64) {
    _ = state.withLock { $0.waiting.removeValue(forKey: number) }
  }

  func wake() {
    let waiting = state.withLock { state -> [@Sendable () -> Void] in
      guard !state.waiting.isEmpty else { return [] }
      defer { state.waiting.removeAll(keepingCapacity: true) }
      return Array(state.waiting.values)
    }
    for wake in waiting { wake() }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    wake()
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }
}
