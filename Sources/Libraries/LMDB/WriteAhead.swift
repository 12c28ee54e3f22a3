// Room at the end of the file for small commits.
internal import Glibc

/// Writes zeros past the pages in use, so that small commits fill blocks the file has already.
///
/// A sync that makes a file longer, or turns reserved blocks into written ones, has the file system's journal to write
/// too: on ext4 half as long again as one that only fills blocks written before, and LMDB makes the file longer with
/// nearly every commit. The technique is that of logs which write or keep their files in advance (PostgreSQL's
/// `wal_init_zero`). What lies past the last page means nothing to LMDB.
enum WriteAhead {
  /// Large commits make the file longer by themselves: writing their blocks twice would cost more than it saves.
  private static let largestGrowth = 128 << 10
  private static let block = 64 << 10
  private static let zeros = [UInt8](repeating: 0, count: block)

  /// Makes room where little is left. That it fails does no harm: the commit makes the file longer, or says why not.
  ///
  /// - Parameters:
  ///   - size: The length of the file.
  ///   - used: The bytes of it that pages take up.
  ///   - grown: How much of that the last commits took.
  static func makeRoom(in descriptor: Int32, size: Int, used: Int, grown: Int) {
    guard grown <= largestGrowth, size - used < grown else { return }
    // An eighth of the file, so that a small one stays small.
    let room = max(block, min(1 << 20, used / 8)) / block * block
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
      limit.rlim_cur >= rlim_t(used + room)
    else { return }
    var position = max(size, used)
    while position < used + room {
      let count = min(block, used + room - position)
      let written = unsafe zeros.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, count, off_t(position)) }
      guard written > 0 else { return }
      position += written
    }
  }
}
