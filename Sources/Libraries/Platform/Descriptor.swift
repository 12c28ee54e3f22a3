// An open file, pipe or terminal.
internal import Glibc

/// An open file, pipe or terminal, closed when it goes.
public struct Descriptor: ~Copyable, Sendable {
  /// How to open a file.
  public enum Access: Sendable, Hashable {
    /// An existing file, to read.
    case reading
    /// A file to write on at its end, made with mode 0600 where it is missing.
    case appending
    /// A file that must not exist yet, to read and write; mode 0600.
    case creating
    /// An existing file, to read and write in place.
    case updating
  }

  /// The system's number for it.
  public let number: Int32
  private let isOwned: Bool

  /// Standard input; not closed.
  public static var standardInput: Descriptor { Descriptor(number: 0, isOwned: false) }
  /// Standard output; not closed.
  public static var standardOutput: Descriptor { Descriptor(number: 1, isOwned: false) }
  /// Standard error; not closed.
  public static var standardError: Descriptor { Descriptor(number: 2, isOwned: false) }

  private init(number: Int32, isOwned: Bool) {
    self.number = number
    self.isOwned = isOwned
  }

  /// Takes over an open descriptor.
  public init(owning number: Int32) { self.init(number: number, isOwned: true) }

  /// Opens a file. Programs started from here do not inherit it.
  ///
  /// - Throws: ``PlatformError``.
  public init(opening path: String, for access: Access) throws(PlatformError) {
    let flags =
      switch access {
      case .reading: O_RDONLY
      // Not to wait for a reader where someone put a pipe in its place.
      case .appending: O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK
      case .creating: O_RDWR | O_CREAT | O_EXCL
      case .updating: O_RDWR
      }
    let number = try system("open", path: path) { unsafe open(path, flags | O_CLOEXEC, 0o600) }
    self.init(number: number, isOwned: true)
  }

  // A failed close leaves nothing to do, and after EINTR the number is gone on Linux: never repeated.
  deinit { if isOwned { close(number) } }

  /// Whether it is a terminal.
  public var isTerminal: Bool { isatty(number) == 1 }

  /// Whether whoever read the other end of a pipe or socket went away, so that nothing more can be written.
  public var isReaderGone: Bool {
    var question = pollfd(fd: number, events: 0, revents: 0)
    return unsafe poll(&question, 1, 0) > 0 && Int32(question.revents) & (POLLERR | POLLHUP) != 0
  }

  /// The size of the file.
  public borrowing func sizeInBytes() throws(PlatformError) -> Int {
    try FileStatus(of: self).sizeInBytes
  }

  /// Waits until there is something to read, or the end; no longer than so many milliseconds.
  ///
  /// - Returns: Whether there is; `false` also where a signal came.
  public borrowing func waitToRead(milliseconds: Int) throws(PlatformError) -> Bool {
    var question = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    let count = unsafe poll(&question, 1, Int32(clamping: milliseconds))
    if count < 0, errno != EINTR { throw PlatformError(call: "poll", code: errno) }
    return count > 0
  }

  /// Reads what there is, at most `count` bytes; waits for the first. Empty at the end.
  public borrowing func read(upTo count: Int) throws(PlatformError) -> [UInt8] {
    try unsafe filled(count) { buffer throws(PlatformError) in
      try system("read") { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
    }
  }

  /// Reads `count` bytes at `offset`, fewer only at the end of the file.
  public borrowing func read(_ count: Int, at offset: Int) throws(PlatformError) -> [UInt8] {
    try unsafe filled(count) { buffer throws(PlatformError) in
      var done = 0
      while done < count {
        let read = try system("pread") {
          unsafe pread(number, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
        }
        if read == 0 { break }
        done += read
      }
      return done
    }
  }

  /// Reads to the end.
  ///
  /// - Throws: ``PlatformError`` with `EFBIG` where there is more than `limit` bytes.
  public borrowing func readToEnd(limit: Int = .max) throws(PlatformError) -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let chunk = try read(upTo: 1 << 16)
      if chunk.isEmpty { return all }
      guard chunk.count <= limit - all.count else { throw PlatformError(call: "read", code: EFBIG) }
      all += chunk
    }
  }

  /// Writes all of `bytes`, however many calls it takes.
  ///
  /// - Throws: ``PlatformError``; part of the bytes may be written then. A reader that went away is `EPIPE`, and ends the
  ///   process before unless ``CurrentProcess/ignoreBrokenPipes()`` was called.
  public borrowing func write(_ bytes: RawSpan) throws(PlatformError) {
    var done = 0
    while done < bytes.byteCount {
      done += try system("write") {
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe Glibc.write(number, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        }
      }
    }
  }

  /// Writes all of `text` as UTF-8.
  public borrowing func write(_ text: String) throws(PlatformError) {
    let bytes = Array(text.utf8)
    try write(RawSpan(_elements: bytes.span))
  }

  /// Writes all of `bytes` at `offset`.
  public borrowing func write(_ bytes: RawSpan, at offset: Int) throws(PlatformError) {
    var done = 0
    while done < bytes.byteCount {
      done += try system("pwrite") {
        unsafe bytes.withUnsafeBytes { buffer in
          let start = unsafe buffer.baseAddress?.advanced(by: done)
          return unsafe pwrite(number, start, buffer.count - done, off_t(offset + done))
        }
      }
    }
  }

  /// Waits until the disk has content and size of the file.
  public borrowing func sync() throws(PlatformError) {
    try system("fsync") { fsync(number) }
  }

  /// Cuts the file off, or lengthens it with zeros.
  public borrowing func setSize(_ sizeInBytes: Int) throws(PlatformError) {
    try system("ftruncate") { ftruncate(number, off_t(sizeInBytes)) }
  }

  private func filled(
    _ count: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws(PlatformError) -> Int
  ) throws(PlatformError) -> [UInt8] {
    try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, done throws(PlatformError) in
      let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      done = try unsafe body(room)
    }
  }
}
