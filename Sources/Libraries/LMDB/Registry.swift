// What this process has open, and whether it is still the process that opened it.
internal import Glibc
internal import Synchronization

/// A file as the kernel knows it, whatever its path.
struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64

  init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

/// The files open in this process.
///
/// POSIX drops a process's locks on a file when any descriptor of it is closed: a second environment over the same
/// files would, on closing, take away the lock by which other processes know that we are here.
final class Registry: Sendable {
  /// An opened environment on its way to its owner.
  @safe
  struct Opened {
    let handle: OpaquePointer
    let identities: [FileIdentity]
    var number: UInt32 = 0

    @unsafe init(handle: OpaquePointer, identities: [FileIdentity]) {
      unsafe self.handle = unsafe handle
      self.identities = identities
    }
  }

  private struct State {
    var open: Set<FileIdentity> = []
    var count: UInt32 = 0
  }

  /// The registry of this process.
  // SAFETY: replaced only in the child of a fork, which has but one thread then.
  nonisolated(unsafe) fileprivate(set) static var current = Registry()

  private let state = Mutex(State())

  func open(
    _ body: (Set<FileIdentity>) throws(LMDBError) -> sending Opened
  ) throws(LMDBError) -> sending Opened {
    try state.withLock { (state) throws(LMDBError) in
      var opened = try body(state.open)
      state.open.formUnion(opened.identities)
      state.count += 1
      opened.number = state.count
      return opened
    }
  }

  func close(_ identities: [FileIdentity], _ body: () -> Void) {
    state.withLock { state in
      body()
      state.open.subtract(identities)
    }
  }
}

/// Counts the forks between the first process and this one.
enum Forks {
  private static let count = Atomic<Int>(0)
  private static let registration: Int32 = pthread_atfork(nil, nil) {
    // Locks are not inherited, so what the parent has open is not open here; and its mutex may be held by a thread
    // that does not exist here.
    unsafe Registry.current = Registry()
    Forks.count.add(1, ordering: .relaxed)
  }

  /// Begins to watch; without it `generation` stays as it is.
  static func watch() { _ = registration }

  /// Differs between a process and its children.
  static var generation: Int { count.load(ordering: .relaxed) }
}
