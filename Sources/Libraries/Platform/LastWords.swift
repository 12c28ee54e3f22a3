// What the process says where the system ends it for touching memory that is not there.
internal import Glibc
internal import Synchronization

/// A last sentence for a process that a mapped file leads astray.
///
/// Whoever maps a file trusts the disk: a part that is gone raises SIGBUS, a damaged one makes a library follow a number
/// to nowhere (SIGSEGV) or give up over it (SIGABRT). There is no going on from it, but it can be said in words. Our own
/// mistakes trap by other signals, and are left alone.
public enum LastWords {
  // Touched by the signal handler: plain atomics, made before it is installed.
  private static let address = Atomic<UInt>(0)
  private static let count = Atomic<Int>(0)
  private static let exitCode = Atomic<Int32>(1)
  private static let isSaid = Atomic<Bool>(false)

  /// Has the process write `text` to standard error and exit with `code`, where it would be ended by such a signal.
  ///
  /// - Throws: ``PlatformError`` where the system refuses the handler.
  public static func prepare(_ text: String, exitCode code: Int32) throws(PlatformError) {
    let bytes = Array(text.utf8)
    // Never given back: the handler may read it at any time.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    unsafe copy.copyBytes(from: bytes)
    count.store(0, ordering: .sequentiallyConsistent)
    address.store(UInt(bitPattern: copy.baseAddress), ordering: .sequentiallyConsistent)
    count.store(bytes.count, ordering: .sequentiallyConsistent)
    exitCode.store(code, ordering: .sequentiallyConsistent)
    for number in [SIGBUS, SIGSEGV, SIGABRT] {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { _ in LastWords.say() }
      try system("sigaction") { unsafe sigaction(number, &action, nil) }
    }
  }

  // Runs inside a signal: atomics, `write`, `pause` and `_exit` only. A fault in here ends the process as ever, since its
  // own signal is blocked meanwhile.
  private static func say() {
    // Threads that fault at the same time wait for the end.
    while isSaid.exchange(true, ordering: .sequentiallyConsistent) { pause() }
    let text = unsafe UnsafeRawPointer(bitPattern: address.load(ordering: .sequentiallyConsistent))
    _ = unsafe write(STDERR_FILENO, text, count.load(ordering: .sequentiallyConsistent))
    _exit(exitCode.load(ordering: .sequentiallyConsistent))
  }
}
