// Signals that ask the process to end: noticed, and acted upon when it suits.
internal import Glibc
internal import Synchronization

/// Signals that ask the process to end (SIGINT, SIGTERM), noticed instead of obeyed.
public enum Interruption {
  /// What ended a wait.
  public enum Event: Sendable, Hashable {
    /// There is something to read, or the end.
    case readable
    /// A watched signal came.
    case interrupted
    /// The time is over.
    case timedOut
  }

  // Touched by the signal handler: plain atomics, made before it is installed.
  private static let received = Atomic<Int32>(0)
  private static let writeEnd = Atomic<Int32>(-1)
  private static let readEnd = Atomic<Int32>(-1)
  private static let isWatching = Mutex(false)

  /// Begins to watch SIGINT and SIGTERM. The second one of the same kind ends the process as ever.
  ///
  /// - Throws: ``PlatformError`` where the system has no more descriptors.
  public static func watch() throws(PlatformError) {
    try isWatching.withLock { (isWatching) throws(PlatformError) in
      if isWatching { return }
      var ends: [Int32] = [-1, -1]
      try system("pipe") { unsafe pipe(&ends) }
      for end in ends {
        try system("fcntl") { fcntl(end, F_SETFD, FD_CLOEXEC) }
        try system("fcntl") { fcntl(end, F_SETFL, O_NONBLOCK) }
      }
      readEnd.store(ends[0], ordering: .sequentiallyConsistent)
      writeEnd.store(ends[1], ordering: .sequentiallyConsistent)
      received.store(0, ordering: .sequentiallyConsistent)
      for number in [SIGINT, SIGTERM] {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { number in Interruption.handle(number) }
        // Once: the next one finds the default, so that a person can always get out.
        action.sa_flags = Int32(bitPattern: UInt32(bitPattern: SA_RESTART) | UInt32(SA_RESETHAND))
        try system("sigaction") { unsafe sigaction(number, &action, nil) }
      }
      isWatching = true
    }
  }

  // Runs inside a signal: atomics and `write` only, and errno as it was.
  private static func handle(_ number: Int32) {
    let before = errno
    received.store(number, ordering: .sequentiallyConsistent)
    var byte: UInt8 = 1
    _ = unsafe write(writeEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
    errno = before
  }

  /// The signal that came, `nil` where none did.
  public static var signal: Int32? {
    let number = received.load(ordering: .sequentiallyConsistent)
    return number == 0 ? nil : number
  }

  /// A descriptor that becomes readable, and stays so, when a watched signal comes; -1 before ``watch()``.
  public static var descriptor: Int32 { readEnd.load(ordering: .sequentiallyConsistent) }

  /// Waits until `source` can be read or a watched signal comes.
  ///
  /// - Parameter timeout: In milliseconds; `nil` waits for ever.
  public static func wait(
    for source: borrowing Descriptor, timeout: Int32? = nil
  ) throws(PlatformError) -> Event {
    if signal != nil { return .interrupted }
    let number = source.number
    let deadline = timeout.map { MonotonicClock.nanoseconds + UInt64(max(0, $0)) * 1_000_000 }
    var polled = [
      pollfd(fd: number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    let ready = try system("poll") {
      let rest = deadline.map { deadline in
        let now = MonotonicClock.nanoseconds
        return deadline > now ? Int32(clamping: (deadline - now + 999_999) / 1_000_000) : 0
      }
      return unsafe poll(&polled, 2, rest ?? -1)
    }
    if signal != nil { return .interrupted }
    return ready == 0 ? .timedOut : .readable
  }
}
