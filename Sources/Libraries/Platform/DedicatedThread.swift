// A thread of its own, for work that must stay on one or that waits in the system.
internal import Glibc
internal import Synchronization

/// A thread of its own, beside the ones Swift's tasks run on.
public final class DedicatedThread: Sendable {
  private final class Work: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }

    // The kernel's file for it: the call of glibc is not among those Swift imports.
    func nameThread() {
      let bytes = Array(name.utf8.prefix(15))
      try? Descriptor(opening: "/proc/thread-self/comm", for: .updating).write(RawSpan(_elements: bytes.span))
    }
  }

  private let thread: Mutex<pthread_t?>

  /// Starts a thread that runs `body` and ends with it.
  ///
  /// - Parameter name: As tools show it; cut after 15 bytes.
  /// - Throws: ``PlatformError`` where the system has no more threads.
  public init(name: String, _ body: @escaping @Sendable () -> Void) throws(PlatformError) {
    let work = unsafe Unmanaged.passRetained(Work(name: name, body: body))
    var started = pthread_t()
    let code = unsafe pthread_create(
      &started, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        work.nameThread()
        work.body()
        return nil
      }, work.toOpaque())
    if code != 0 { unsafe work.release() }
    thread = Mutex(code == 0 ? started : nil)
    try check("pthread_create", code)
  }

  /// Whether it is the thread that asks.
  public var isCurrent: Bool {
    thread.withLock { thread in thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
  }

  /// Waits until `body` has ended. Later calls return at once.
  ///
  /// - Precondition: Not called by the thread itself.
  public func join() {
    thread.withLock { thread in
      guard let running = thread else { return }
      precondition(pthread_equal(running, pthread_self()) == 0, "a thread cannot wait for its own end")
      pthread_join(running, nil)
      thread = nil
    }
  }

  deinit {
    // Whoever lets it go before its end lets it run on.
    if let running = thread.withLock({ $0 }) { pthread_detach(running) }
  }
}
