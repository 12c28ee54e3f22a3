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

  /// A place of the source that makes a call.
  package struct Site: Hashable, Sendable, CustomStringConvertible {
    let file: String
    let line: UInt
    let call: LMDBError.Call

    /// E.g. `LMDB/Scrub.swift:79 fsync`.
    package var description: String { "\(file):\(line) \(call.rawValue)" }
  }

  private struct Plan {
    let call: LMDBError.Call?
    let site: Site?
    let thread: pthread_t?
    var remaining: Int
    let code: Int32
    var fired = false

    /// Whether a call is one of those that are counted.
    func counts(_ called: Site) -> Bool {
      guard !fired, call == nil || call == called.call, site == nil || site == called else { return false }
      return thread.map { pthread_equal($0, pthread_self()) != 0 } ?? true
    }
  }

  private static let seen = Mutex<Set<Site>?>(nil)
  private static let armed = Atomic<Int>(0)
  private static let plans = Mutex<[Int: Plan]>([:])

  /// Runs `body` while the given call is made to fail.
  ///
  /// - Parameters:
  ///   - call: The call to fail; `nil` counts calls of every kind.
  ///   - site: The place that makes it; `nil` counts those of every place.
  ///   - occurrence: Which of them, from 1.
  ///   - code: What it returns, an errno or one of LMDB's.
  ///   - scope: Whose calls are counted.
  /// - Returns: Whether the call was reached. Where it was not, `body` ran as it always does.
  package static func with<E: Error>(
    call: LMDBError.Call? = nil, at site: Site? = nil, occurrence: Int = 1, code: Int32, scope: Scope = .thread,
    _ body: () throws(E) -> Void
  ) throws(E) -> Bool {
    let thread = scope == .thread ? pthread_self() : nil
    let id = plans.withLock { plans in
      let id = (plans.keys.max() ?? 0) + 1
      plans[id] = Plan(call: call, site: site, thread: thread, remaining: occurrence, code: code)
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

  /// The places of the source from which calls were made in `body`, by any thread.
  package static func sites<E: Error>(in body: () throws(E) -> Void) throws(E) -> Set<Site> {
    seen.withLock { $0 = [] }
    armed.add(1, ordering: .sequentiallyConsistent)
    defer {
      armed.subtract(1, ordering: .sequentiallyConsistent)
      seen.withLock { $0 = nil }
    }
    try body()
    return seen.withLock { $0 } ?? []
  }

  /// The code to return instead of making this call.
  static func code(for call: LMDBError.Call, _ file: StaticString, _ line: UInt) -> Int32? {
    // In the child of a fork another thread's lock would stay locked for ever.
    guard armed.load(ordering: .acquiring) > 0, Forks.generation == 0 else { return nil }
    let site = Site(file: "\(file)", line: line, call: call)
    seen.withLock { _ = $0?.insert(site) }
    return plans.withLock { plans in
      for (id, var plan) in plans where plan.counts(site) {
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
func perform(
  _ call: LMDBError.Call, file: StaticString = #fileID, line: UInt = #line, _ body: () -> Int32
) -> Int32 {
  #if DEBUG
  if let code = Failpoint.code(for: call, file, line) { return code }
  #endif
  return body()
}
