// State shared by threads that wait for each other.
internal import Glibc

/// State that threads change in turn, and whose changes they can wait for.
///
/// For dedicated threads: a Swift task must not wait here, it would hold one of the few threads that tasks share.
@safe
// SAFETY: `state` is touched only while `mutex` is held.
public final class Monitor<State>: @unchecked Sendable {
  private var state: State
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// State that begins as `state`.
  public init(_ state: sending State) {
    self.state = state
    // On the heap: both must stay where they are.
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    // Waiting must not depend on the time of day.
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Wakes all who wait, so that they look at the state again: after a change by ``withLock(_:)`` that matters to them.
  public func wake() { unsafe pthread_cond_broadcast(condition) }

  /// Reads or changes the state. Nobody waiting is woken.
  public func withLock<Result: ~Copyable, E: Error>(
    _ body: (inout sending State) throws(E) -> sending Result
  ) throws(E) -> sending Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&state)
  }

  /// Changes the state and wakes all who wait, so that they look at it again.
  public func change<Result: ~Copyable, E: Error>(
    _ body: (inout sending State) throws(E) -> sending Result
  ) throws(E) -> sending Result {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(condition)
      unsafe pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Waits until `body` gives a result: it is asked at once, and after every ``change(_:)`` and ``wake()``.
  ///
  /// - Parameter deadline: When to stop waiting, in nanoseconds of the ``MonotonicClock``; `nil` waits for ever.
  /// - Returns: What `body` gave; `nil` after the deadline.
  public func wait<Result: ~Copyable>(
    until deadline: UInt64? = nil, for body: (inout sending State) -> sending Result?
  ) -> sending Result? {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      if let deadline {
        if MonotonicClock.nanoseconds >= deadline { return nil }
        var time = timespec(nanoseconds: deadline)
        unsafe pthread_cond_timedwait(condition, mutex, &time)
      } else {
        unsafe pthread_cond_wait(condition, mutex)
      }
    }
  }
}

/// Lets one thread sleep until another has something for it, or until a deadline.
///
/// A wake before the sleep is not lost; several become one.
public final class Wakeup: Sendable {
  private let isPending = Monitor(false)

  /// One that nobody has called yet.
  public init() {}

  /// Wakes the sleeper, now or when it goes to sleep.
  public func wake() { isPending.change { $0 = true } }

  /// Sleeps until ``wake()``.
  ///
  /// - Parameter deadline: When to stop waiting, in nanoseconds of the ``MonotonicClock``; `nil` waits for ever.
  /// - Returns: Whether it was woken; `false` after the deadline.
  @discardableResult
  public func wait(until deadline: UInt64? = nil) -> Bool {
    isPending.wait(until: deadline) { pending -> Bool? in
      guard pending else { return nil }
      pending = false
      return true
    } ?? false
  }
}
