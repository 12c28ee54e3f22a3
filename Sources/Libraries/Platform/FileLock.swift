// A lock between processes, tied to a file.
internal import Glibc
internal import Synchronization

/// A lock between processes (and between two of these in one process), tied to a file.
///
/// It binds only those who ask for it, ends with its owner however that ends, and works on local disks (`flock`).
public final class FileLock: Sendable {
  /// Kinds of locks.
  public enum Mode: Sendable, Hashable {
    /// Together with other shared ones.
    case shared
    /// Alone.
    case exclusive
  }

  private let descriptor: Descriptor
  private let held = Mutex<Mode?>(nil)

  /// Opens the file of the lock, and makes it where it is missing (0600). Does not lock yet.
  ///
  /// The file should stay: a removed one no longer keeps newcomers out.
  public init(path: String) throws(PlatformError) {
    descriptor = try Descriptor(opening: path, for: .appending)
  }

  /// Opens the file of a lock that may be read and not written, as on a disk that is read-only.
  public init(readingOnly path: String) throws(PlatformError) {
    descriptor = try Descriptor(opening: path, for: .reading)
  }

  /// What is held by this object.
  public var mode: Mode? { held.withLock { $0 } }

  /// Locks, and waits while others do not allow it.
  ///
  /// Going over from one mode to the other lets go in between.
  public func lock(_ mode: Mode) throws(PlatformError) {
    try held.withLock { (held) throws(PlatformError) in
      if held == mode { return }
      held = nil
      try operate(mode == .shared ? LOCK_SH : LOCK_EX)
      held = mode
    }
  }

  /// Locks where nobody is in the way.
  ///
  /// - Returns: Whether it is locked. Where it is not, the mode held before is held again, but not without a gap.
  public func tryLock(_ mode: Mode) throws(PlatformError) -> Bool {
    try held.withLock { (held) throws(PlatformError) in
      if held == mode { return true }
      let before = held
      held = nil
      do throws(PlatformError) {
        try operate((mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB)
      } catch {
        guard error.code == EWOULDBLOCK else { throw error }
        // A refused change drops what was held (flock(2)).
        if let before {
          try operate(before == .shared ? LOCK_SH : LOCK_EX)
          held = before
        }
        return false
      }
      held = mode
      return true
    }
  }

  /// Goes from shared to exclusive where nobody else is in the way; see ``tryLock(_:)``.
  public func tryUpgrade() throws(PlatformError) -> Bool { try tryLock(.exclusive) }

  /// Lets go.
  public func unlock() throws(PlatformError) {
    try held.withLock { (held) throws(PlatformError) in
      try operate(LOCK_UN)
      held = nil
    }
  }

  private func operate(_ operation: Int32) throws(PlatformError) {
    let number = descriptor.number
    try system("flock") { flock(number, operation) }
  }
}
