// Makes a chosen call of the storage fail, so that a full disk is an ordinary test. Nothing of it is in a release build.
#if DEBUG
internal import Synchronization

/// A call of the storage that returns a chosen code instead of running.
///
/// Counts for the whole process, one at a time: tests using it run serially.
///
/// To fail every call in turn:
/// ```swift
/// for n in 1... {
///   let fired = Failpoint.with(occurrence: n, code: ENOSPC) { … }
///   if !fired { break }
/// }
/// ```
package enum Failpoint {
  private struct Plan {
    var call: LMDBError.Call?
    var remaining: Int
    var code: Int32
    var fired = false
  }

  private static let isArmed = Atomic<Bool>(false)
  private static let plan = Mutex<Plan?>(nil)

  /// Runs `body` while the given call is made to fail.
  ///
  /// - Parameters:
  ///   - call: The call to fail; `nil` counts calls of every kind.
  ///   - occurrence: Which of them, from 1.
  ///   - code: What it returns, an errno or one of LMDB's.
  /// - Returns: Whether the call was reached. Where it was not, `body` ran as it always does.
  package static func with<E: Error>(
    call: LMDBError.Call? = nil, occurrence: Int, code: Int32, _ body: () throws(E) -> Void
  ) throws(E) -> Bool {
    plan.withLock { $0 = Plan(call: call, remaining: occurrence, code: code) }
    isArmed.store(true, ordering: .sequentiallyConsistent)
    defer { isArmed.store(false, ordering: .sequentiallyConsistent) }
    try body()
    return plan.withLock { plan in
      defer { plan = nil }
      return plan?.fired ?? false
    }
  }

  /// The code to return instead of making this call.
  static func code(for call: LMDBError.Call) -> Int32? {
    guard isArmed.load(ordering: .acquiring) else { return nil }
    return plan.withLock { plan in
      guard let call_ = plan, !call_.fired, call_.call == nil || call_.call == call else { return nil }
      plan?.remaining -= 1
      guard plan?.remaining == 0 else { return nil }
      plan?.fired = true
      return call_.code
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
