// Files and folders by their paths.
internal import Glibc

/// What the file system knows of a file.
public struct FileStatus: Sendable, Hashable {
  /// Kinds of files.
  public enum Kind: Sendable, Hashable {
    /// Holds bytes.
    case file
    /// Holds files.
    case folder
    /// Leads to another.
    case link
    /// A pipe, a device, a socket.
    case other
  }

  /// The kind.
  public let kind: Kind
  /// Size of the content.
  public let sizeInBytes: Int
  /// Who may do what, e.g. `0o600`.
  public let permissions: UInt32
  /// When the content was last changed, in nanoseconds since 1970.
  public let modifiedAt: Int64

  init(of descriptor: borrowing Descriptor) throws(PlatformError) {
    var status = stat()
    let number = descriptor.number
    try system("fstat") { unsafe fstat(number, &status) }
    self.init(status)
  }

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    sizeInBytes = Int(status.st_size)
    permissions = UInt32(status.st_mode) & 0o7777
    modifiedAt = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }
}

/// Files and folders by their paths. Each function throws ``PlatformError``.
public enum Files {
  /// Makes a folder that only its owner may enter (0700), and those above it; on the disk when this returns.
  ///
  /// - Returns: Whether it was made; `false` where it was there.
  @discardableResult
  public static func makeFolder(_ path: String) throws(PlatformError) -> Bool {
    try makeFolder(path, makesParents: true)
  }

  private static func makeFolder(_ path: String, makesParents: Bool) throws(PlatformError) -> Bool {
    do throws(PlatformError) {
      try system("mkdir", path: path) { unsafe mkdir(path, 0o700) }
    } catch {
      let parent = folder(of: path)
      if error.code == ENOENT, parent != path, makesParents {
        try makeFolder(parent)
        // Only once: below /proc no folder can be made though the parent is there.
        return try makeFolder(path, makesParents: false)
      }
      if error.code == EEXIST, try status(path)?.kind == .folder { return false }
      throw error
    }
    // All that will ever be synced in it is lost without its name.
    try syncFolder(folder(of: path))
    return true
  }

  /// The folder a path lies in.
  public static func folder(of path: String) -> String {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    var parent = trimmed[..<slash]
    while parent.count > 1, parent.hasSuffix("/") { parent.removeLast() }
    return parent.isEmpty ? "/" : String(parent)
  }

  /// Where a path leads from the root, links followed. What is not there yet, at its end, is taken as it stands.
  public static func resolved(_ path: String) throws(PlatformError) -> String {
    if let found = unsafe realpath(path, nil) {
      defer { unsafe free(found) }
      return unsafe String(cString: found)
    }
    let error = PlatformError(call: "realpath", code: errno, path: path)
    let parent = folder(of: path)
    guard error.isNotFound, parent != path, let name = path.split(separator: "/").last else { throw error }
    return try resolved(parent) + "/" + name
  }

  /// What is known of a file, `nil` where there is none.
  ///
  /// - Parameter followsLinks: Whether a link stands for what it leads to.
  public static func status(_ path: String, followsLinks: Bool = true) throws(PlatformError) -> FileStatus? {
    var status = stat()
    do throws(PlatformError) {
      try system("stat", path: path) {
        unsafe followsLinks ? stat(path, &status) : lstat(path, &status)
      }
    } catch {
      if error.isNotFound { return nil }
      throw error
    }
    return FileStatus(status)
  }

  /// Whether there is something by this name.
  public static func exists(_ path: String) throws(PlatformError) -> Bool {
    try status(path) != nil
  }

  /// The whole content of a small file; `nil` where there is none.
  ///
  /// - Throws: `EFBIG` where it is longer than `limit` bytes.
  public static func read(_ path: String, limit: Int = 1 << 24) throws(PlatformError) -> [UInt8]? {
    do throws(PlatformError) {
      return try Descriptor(opening: path, for: .reading).readToEnd(limit: limit)
    } catch {
      if error.isNotFound { return nil }
      throw PlatformError(call: error.call, code: error.code, path: path)
    }
  }

  /// Puts `bytes` in a file all at once: a crash leaves the old content or the new one, on the disk when this returns.
  public static func writeAtomically(_ bytes: RawSpan, to path: String) throws(PlatformError) {
    let temporary = "\(path).\(getpid()).new"
    try remove(temporary)  // Left by a crashed process of the same number.
    do throws(PlatformError) {
      let file = try Descriptor(opening: temporary, for: .creating)
      try file.write(bytes)
      try file.sync()
      try rename(temporary, to: path)
    } catch {
      _ = try? remove(temporary)
      throw PlatformError(call: error.call, code: error.code, path: path)
    }
    try syncFolder(folder(of: path))
  }

  /// Gives a file another name, in place of what was there. Durable after ``syncFolder(_:)``.
  public static func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try system("rename", path: newPath) { unsafe Glibc.rename(path, newPath) }
  }

  /// Waits until the disk knows the names in a folder.
  public static func syncFolder(_ path: String) throws(PlatformError) {
    let folder = try Descriptor(opening: path, for: .reading)
    let number = folder.number
    try system("fsync", path: path) { fsync(number) }
  }

  /// Removes a file, or an empty folder.
  ///
  /// - Returns: Whether it was there.
  @discardableResult
  public static func remove(_ path: String) throws(PlatformError) -> Bool {
    do throws(PlatformError) {
      try system("remove", path: path) { unsafe Glibc.remove(path) }
      return true
    } catch {
      if error.isNotFound { return false }
      throw error
    }
  }

  /// Removes a folder with all that is in it; follows no links.
  public static func removeTree(_ path: String) throws(PlatformError) {
    guard let status = try status(path, followsLinks: false) else { return }
    if status.kind == .folder {
      for name in try list(path) { try removeTree(path + "/" + name) }
    }
    try remove(path)
  }

  /// The names in a folder, in the order of their bytes.
  public static func list(_ path: String) throws(PlatformError) -> [String] {
    guard let folder = unsafe opendir(path) else {
      throw PlatformError(call: "opendir", code: errno, path: path)
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(folder) else {
        if errno != 0 { throw PlatformError(call: "readdir", code: errno, path: path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }
}
