// Makes a chosen call of the storage fail, so that a full disk is an ordinary test. Nothing of it is in a release build.
#if DEBUG
internal import Glibc
internal import Synchronization

/// A call of the storage that returns a chosen code instead of running.
///
/// To fail every call in turn:
/// ```swift
/// for n in 1... {
///   let fired = try Failpoint.with(occurrence: n, code: ENOSPC) { … }
///   if !fired { break }
/// }
/// ```
package enum Failpoint {
  /// Whose calls are counted.
  package enum Scope: Sendable {
    /// Those of the thread that asks, so that tests side by side do not meet.
    case thread
    /// Those of all threads: for what commits on a thread of its own, in tests that run alone.
    case process
  }

  private struct Plan {
    let call: LMDBError.Call?
    let thread: pthread_t?
    var remaining: Int
    let code: Int32
    var fired = false
  }

  private static let armed = Atomic<Int>(0)
  private static let plans = Mutex<[Int: Plan]>([:])

  /// Runs `body` while the given call is made to fail.
  ///
  /// - Parameters:
  ///   - call: The call to fail; `nil` counts calls of every kind.
  ///   - occurrence: Which of them, from 1.
  ///   - code: What it returns, an errno or one of LMDB's.
  ///   - scope: Whose calls are counted.
  /// - Returns: Whether the call was reached. Where it was not, `body` ran as it always does.
  package static func with<E: Error>(
    call: LMDBError.Call? = nil, occurrence: Int = 1, code: Int32, scope: Scope = .thread,
    _ body: () throws(E) -> Void
  ) throws(E) -> Bool {
    let thread = scope == .thread ? pthread_self() : nil
    let id = plans.withLock { plans in
      let id = (plans.keys.max() ?? 0) + 1
      plans[id] = Plan(call: call, thread: thread, remaining: occurrence, code: code)
      return id
    }
    armed.add(1, ordering: .sequentiallyConsistent)
    defer {
      armed.subtract(1, ordering: .sequentiallyConsistent)
      plans.withLock { $0[id] = nil }
    }
    try body()
    return plans.withLock { $0[id]?.fired ?? false }
  }

  /// The code to return instead of making this call.
  static func code(for call: LMDBError.Call) -> Int32? {
    // In the child of a fork another thread's lock would stay locked for ever.
    guard armed.load(ordering: .acquiring) > 0, Forks.generation == 0 else { return nil }
    return plans.withLock { plans in
      for (id, var plan) in plans where !plan.fired && (plan.call == nil || plan.call == call) {
        if let thread = plan.thread, pthread_equal(thread, pthread_self()) == 0 { continue }
        plan.remaining -= 1
        plan.fired = plan.remaining == 0
        plans[id] = plan
        if plan.fired { return plan.code }
      }
      return nil
    }
  }
}
#endif

/// Makes a call and returns its code, unless a failpoint answers in its place.
@inline(__always)
func perform(_ call: LMDBError.Call, _ body: () -> Int32) -> Int32 {
  #if DEBUG
  if let code = Failpoint.code(for: call) { return code }
  #endif
  return body()
}
