// What time it is.
internal import Glibc

/// The time of day, which may be set back and forth.
public enum WallClock {
  /// Microseconds since the beginning of 1970, UTC.
  public static var microseconds: Int64 {
    let time = now(CLOCK_REALTIME)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// Time that only goes forward, for measuring and waiting.
public enum MonotonicClock {
  /// Nanoseconds since some moment before the process began.
  public static var nanoseconds: UInt64 {
    let time = now(CLOCK_MONOTONIC)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Lets this thread sleep, also when signals come.
  public static func sleep(nanoseconds: UInt64) {
    // Until a moment, not for a time: what a signal interrupts goes on without growing longer.
    var end = timespec(nanoseconds: self.nanoseconds + nanoseconds)
    while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR {}
  }
}

extension timespec {
  init(nanoseconds: UInt64) {
    self.init(
      tv_sec: time_t(clamping: nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}

private func now(_ clock: clockid_t) -> timespec {
  var time = timespec()
  unsafe clock_gettime(clock, &time)
  return time
}
