// Looking after the file: who reads it, copying it, checking it, how large it is.
internal import CMemoirLMDB
internal import Glibc

extension Environment {
  /// Frees the reader slots of processes that died, whose pages could otherwise never be used again.
  ///
  /// - Returns: How many there were.
  @discardableResult
  public func clearDeadReaders() throws(LMDBError) -> Int {
    try transactionBegins()
    defer { transactionEnded() }
    var dead: Int32 = 0
    try LMDBError.check(perform(.readerCheck) { unsafe mdb_reader_check(handle, &dead) }, .readerCheck)
    return Int(dead)
  }

  /// A reader slot in use, of this process or another.
  public struct Reader: Sendable, Hashable {
    /// The process it belongs to.
    public let process: Int32
    /// The commit it sees, and whose pages it keeps; `nil` where it sees none at the moment.
    public let transaction: UInt64?
  }

  /// All readers there are, dead processes' among them until ``clearDeadReaders()``.
  ///
  /// The smallest `transaction` compared with ``Information/lastTransaction`` tells how many commits' pages wait for it.
  public func readers() throws(LMDBError) -> [Reader] {
    try transactionBegins()
    defer { transactionEnded() }
    // LMDB tells them as lines of text: process, thread, transaction or "-"; the first one is a heading.
    var text = ""
    let code = unsafe withUnsafeMutablePointer(to: &text) { text in
      perform(.readerList) {
        unsafe mdb_reader_list(
          handle,
          { line, context in
            guard let line = unsafe line, let context = unsafe context else { return -1 }
            unsafe context.assumingMemoryBound(to: String.self).pointee += String(cString: line)
            return 0
          }, text)
      }
    }
    // A negative code is what the callback returned.
    if code < 0, code > -30000 { throw .outOfMemory(.readerList) }
    if code > 0 || code <= -30000 { throw LMDBError(code: code, .readerList) }
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count == 3, let process = Int32(fields[0]) else { return nil }
      return Reader(process: process, transaction: UInt64(fields[2]))
    }
  }

  /// Copies the last commit to a new file, while others read and write. The file is on the disk when this returns.
  ///
  /// - Parameters:
  ///   - path: A file that does not exist yet; made with mode 0600, and removed again where copying fails.
  ///   - isCompacting: Whether free pages, and what may still be read in them, are left out.
  /// - Precondition: This thread has no write transaction: copying waits for the writer.
  /// - Throws: ``LMDBError/diskFull(_:)``, and what the system says.
  public func copy(to path: String, isCompacting: Bool = true) throws(LMDBError) {
    checkNotWriting()
    try transactionBegins()
    defer { transactionEnded() }
    let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw LMDBError(code: errno, .fileOpen) }
    defer { Glibc.close(descriptor) }
    do throws(LMDBError) {
      let flags = isCompacting ? UInt32(MDB_CP_COMPACT) : 0
      try LMDBError.check(
        perform(.environmentCopy) { unsafe mdb_env_copyfd2(handle, descriptor, flags) }, .environmentCopy)
      try LMDBError.check(perform(.fileSync) { fsync(descriptor) == 0 ? 0 : errno }, .fileSync)
    } catch {
      unsafe unlink(path)
      throw error
    }
  }

  /// Checks the last commit with a plain look at the pages; see ``FileCheck``. Others may read and write meanwhile.
  ///
  /// - Throws: ``LMDBError`` where it cannot be read; damage is not thrown but reported.
  public func check(_ depth: FileCheck.Depth) throws(LMDBError) -> FileCheck.Report {
    while true {
      // The reader keeps the pages of its commit from being used anew.
      let reader = try beginRead()
      let report = try FileCheck.run(dataPath, depth: depth, transaction: reader.id)
      _ = reader.id
      if let report { return report }
    }
  }

  /// Lends the file and its meta pages, the newer one first, to `body`, for walks without a limit.
  ///
  /// - Throws: ``LMDBError/damaged(_:)`` for a problem that it throws, and what the system says.
  func walkPages<Result>(
    _ body: (borrowing PageFile, [MetaPage]) throws(PageWalk.Stop) -> Result
  ) throws(LMDBError) -> Result {
    let file = try PageFile(path: dataPath)
    do throws(PageWalk.Stop) {
      return try body(file, MetaPage.readBoth(of: file).sorted { $0.transaction > $1.transaction })
    } catch {
      switch error {
      case .problem(let problem): throw .damaged(problem)
      case .system(let error): throw error
      case .limit: preconditionFailure("the walk has no limit")
      }
    }
  }

  /// What the environment takes up.
  public func information() throws(LMDBError) -> Information {
    try transactionBegins()
    defer { transactionEnded() }
    var info = unsafe MDB_envinfo()
    var stat = MDB_stat()
    try LMDBError.check(
      perform(.environmentInfo) { unsafe mdb_env_info(handle, &info) }, .environmentInfo)
    try LMDBError.check(unsafe mdb_env_stat(handle, &stat), .environmentInfo)
    return unsafe Information(
      mapSize: info.me_mapsize, pages: info.me_last_pgno + 1, pageSize: Int(stat.ms_psize),
      lastTransaction: UInt64(info.me_last_txnid), readerSlots: Int(info.me_maxreaders),
      readersUsed: Int(info.me_numreaders))
  }

  /// The number of the last commit, by whatever process: that of a transaction which would begin now, or the one to come
  /// while that commit is being made visible.
  ///
  /// - Complexity: O(1), without a transaction.
  public func lastCommit() throws(LMDBError) -> UInt64 {
    try transactionBegins()
    defer { transactionEnded() }
    var info = unsafe MDB_envinfo()
    try LMDBError.check(
      perform(.environmentInfo) { unsafe mdb_env_info(handle, &info) }, .environmentInfo)
    return unsafe UInt64(info.me_last_txnid)
  }
}
