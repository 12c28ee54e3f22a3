// Signals that ask the process to end: noticed, and acted upon when it suits.
internal import Glibc
internal import Synchronization

/// Signals that ask the process to end (SIGINT, SIGTERM), noticed instead of obeyed.
public enum Interruption {
  // Touched by the signal handler: a plain atomic, made before it is installed.
  private static let received = Atomic<Int32>(0)
  private static let isWatching = Mutex(false)

  /// Begins to watch SIGINT and SIGTERM. The second one of the same kind ends the process as ever.
  ///
  /// - Throws: ``PlatformError`` where the system refuses the handler.
  public static func watch() throws(PlatformError) {
    try isWatching.withLock { (isWatching) throws(PlatformError) in
      if isWatching { return }
      received.store(0, ordering: .sequentiallyConsistent)
      for number in [SIGINT, SIGTERM] {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { number in
          // Runs inside a signal: an atomic only.
          Interruption.received.store(number, ordering: .sequentiallyConsistent)
        }
        // Once: the next one finds the default, so that a person can always get out.
        action.sa_flags = Int32(bitPattern: UInt32(bitPattern: SA_RESTART) | UInt32(SA_RESETHAND))
        try system("sigaction") { unsafe sigaction(number, &action, nil) }
      }
      isWatching = true
    }
  }

  private static let hangups = Atomic<Bool>(false)

  /// Begins to watch SIGHUP, which asks a server to read its settings anew.
  ///
  /// - Throws: ``PlatformError`` where the system refuses the handler.
  public static func watchHangups() throws(PlatformError) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in
      Interruption.hangups.store(true, ordering: .sequentiallyConsistent)
    }
    action.sa_flags = SA_RESTART
    try system("sigaction") { unsafe sigaction(SIGHUP, &action, nil) }
  }

  /// Whether one came since this was asked last.
  public static func takeHangup() -> Bool { hangups.exchange(false, ordering: .sequentiallyConsistent) }

  /// The signal that came, `nil` where none did.
  public static var signal: Int32? {
    let number = received.load(ordering: .sequentiallyConsistent)
    return number == 0 ? nil : number
  }
}
