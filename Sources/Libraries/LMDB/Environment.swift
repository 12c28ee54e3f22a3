// One file of LMDB: opening it safely, and beginning transactions on it.
internal import CMemoirLMDB
internal import Glibc
internal import Synchronization

/// An open data file with its tables, for many readers and one writer at a time, in this and in other processes.
///
/// Every commit is durable when it returns: LMDB's own order of syncs is never relaxed. The file is checked before LMDB
/// touches it, since LMDB believes what it reads (see ``FileCheck``).
@safe
public final class Environment: Sendable {
  /// How to open.
  public struct Options: Sendable {
    /// What to do where there is no data.
    public enum Creation: Sendable {
      /// A missing file is an error, and so is an empty one.
      case never
      /// A missing file is made; an empty one is an error, since it may have been a store.
      case ifMissing
      /// A missing or empty file is made. For the first opening of a new store, which a crash may have cut short.
      case ifMissingOrEmpty
    }

    /// Address space for the file, and the limit of its size. The file itself grows with its content. Halved until the
    /// system grants it.
    public var mapSize = 1 << 40
    /// How many tables may be opened.
    public var maxTables = 64
    /// How many readers there may be at a time, in all processes; who opens first decides.
    public var readerSlots = 512
    /// Whether writing is refused.
    public var isReadOnly = false
    /// Whether readers are noted in `lock.mdb`, so that no writer uses their pages again. Without, as on a disk that
    /// can't be written, the caller has to keep all writers out. Only for reading.
    public var notesReaders = true
    /// What to do where there is no data.
    public var creation = Creation.ifMissing
    /// How much of the file is looked at before it is opened.
    public var check = FileCheck.Depth.metaOnly

    /// The options as they are best for most.
    public init() {}
  }

  /// What the environment takes up.
  public struct Information: Sendable, Hashable {
    /// Bytes of address space, and the limit of the file's size.
    public let mapSize: Int
    /// Pages used so far, free ones among them.
    public let pages: Int
    /// Bytes of one page.
    public let pageSize: Int
    /// The number of the last commit.
    public let lastTransaction: UInt64
    /// Reader slots there are.
    public let readerSlots: Int
    /// Reader slots used at least once.
    public let readersUsed: Int
  }

  /// Where LMDB's handle is valid: until the last transaction has ended after `close`.
  // SAFETY: LMDB lets threads share an environment; it is ended once, when `users` says that nobody is left.
  nonisolated(unsafe) let handle: OpaquePointer
  /// Tells this environment from all others of this process.
  let number: UInt32
  /// Whether writing is refused.
  public let isReadOnly: Bool

  let dataPath: String
  /// Bytes of one page.
  let pageSize: Int
  private let identities: [FileIdentity]
  private let generation = Forks.generation
  // Twice the number of transactions alive, plus one once closed: who brings it to one ends the handle.
  private let users = Atomic<Int>(0)
  private let stopped = Atomic<Int32>(0)
  private let writer = Atomic<UInt>(0)
  /// Of what scrub the page memory of this process was cleared last; see ``clearPageMemory()``.
  private let clearedFor = Atomic<UInt64>(0)
  /// How many bytes of the file were in use when the last write transaction began.
  private let usedBytes = Atomic<Int>(0)
  private let tables = Mutex<[String: Table]>([:])

  /// Opens `data.mdb` and `lock.mdb` in `folder`, which exists.
  ///
  /// - Throws: ``LMDBError/alreadyOpen``, ``LMDBError/damaged(_:)``, ``LMDBError/noSuchFile(_:)`` where the folder or
  ///   a file that must exist does not, and what the system says.
  public init(folder: String, options: Options = Options()) throws(LMDBError) {
    Forks.watch()
    let dataPath = folder + "/data.mdb"
    let lockPath = folder + "/lock.mdb"
    // The registry stays locked all along: two threads opening the same file must not both find it unopened.
    let opened = try unsafe Registry.current.open { (registered) throws(LMDBError) in
      for path in [dataPath, lockPath] {
        guard let identity = FileIdentity(path: path) else { continue }
        if registered.contains(identity) { throw LMDBError.alreadyOpen }
      }
      let isNew = try Environment.checkFile(dataPath, options)
      let handle = try unsafe Environment.open(folder, options)
      let identities = [dataPath, lockPath].compactMap { FileIdentity(path: $0) }
      do throws(LMDBError) {
        if isNew { try Environment.syncFolder(folder) }
      } catch {
        // Not registered yet: left open, it would not be known to a second opening.
        unsafe mdb_env_close(handle)
        throw error
      }
      return unsafe Registry.Opened(handle: handle, identities: identities)
    }
    unsafe handle = opened.handle
    self.dataPath = dataPath
    pageSize = unsafe Environment.pageSize(of: opened.handle)
    identities = opened.identities
    number = opened.number
    isReadOnly = options.isReadOnly
    _ = try clearDeadReaders()
  }

  deinit { close() }

  /// Closes the file: at once, or when the last transaction has ended. Closing again does nothing.
  public func close() {
    // In a child of a fork, closing would clear the parent's readers.
    guard !isForked else { return }
    if users.bitwiseOr(1, ordering: .acquiringAndReleasing).oldValue == 0 { end() }
  }

  private func end() {
    // Out of the registry last: only then may the file be opened anew.
    unsafe Registry.current.close(identities) { unsafe mdb_env_close(handle) }
  }

  /// Whether this process was forked from the one that opened.
  public var isForked: Bool { generation != Forks.generation }

  func transactionEnded() {
    if users.subtract(2, ordering: .acquiringAndReleasing).newValue == 1 { end() }
  }

  func transactionBegins() throws(LMDBError) {
    if isForked { throw .usedAfterFork }
    var seen = users.load(ordering: .relaxed)
    while true {
      // Once closed, nobody comes in any more: the handle is ended once, by the last to leave.
      if seen & 1 == 1 { throw .closed }
      let (isIn, now) = users.weakCompareExchange(
        expected: seen, desired: seen + 2, ordering: .acquiringAndReleasing)
      if isIn { return }
      seen = now
    }
  }

  // MARK: Transactions

  /// Begins reading the last commit.
  ///
  /// - Throws: ``LMDBError/readersFull(_:)``, ``LMDBError/mapResized(_:)``, ``LMDBError/closed``,
  ///   ``LMDBError/usedAfterFork``.
  /// - Complexity: A few hundred nanoseconds.
  public func beginRead() throws(LMDBError) -> ReadTransaction {
    try transactionBegins()
    do throws(LMDBError) {
      return try unsafe ReadTransaction(self, handle: begin(flags: UInt32(MDB_RDONLY)))
    } catch {
      transactionEnded()
      throw error
    }
  }

  /// Begins writing. Waits while another writer, in this or another process, is at work.
  ///
  /// - Precondition: This thread has no write transaction: it would wait for itself.
  /// - Throws: ``LMDBError/readOnly(_:)``, ``LMDBError/writesStopped(after:)``, ``LMDBError/mapResized(_:)``,
  ///   ``LMDBError/closed``, ``LMDBError/usedAfterFork``.
  public func beginWrite() throws(LMDBError) -> WriteTransaction {
    if isReadOnly { throw .readOnly(.transactionBegin) }
    if isForked { throw .usedAfterFork }
    checkNotWriting()
    try transactionBegins()
    do throws(LMDBError) {
      try checkWriting()
      let transaction = try unsafe beginWithClearMemory()
      do throws(LMDBError) {
        // Another thread's commit may have stopped writing while this one waited for the lock.
        try checkWriting()
        try prepareFile()
      } catch {
        unsafe mdb_txn_abort(transaction)
        throw error
      }
      writer.store(UInt(pthread_self()), ordering: .relaxed)
      return unsafe WriteTransaction(self, handle: transaction)
    } catch {
      transactionEnded()
      if case .panic = error { throw .writesStopped(after: MDB_PANIC) }
      throw error
    }
  }

  /// Waits until the writer that is at work, in this or another process, has committed. Where nobody can write any more,
  /// there is nothing to wait for.
  ///
  /// - Precondition: This thread has no write transaction.
  public func awaitWriter() {
    checkNotWriting()
    guard !isReadOnly, !isForked, (try? transactionBegins()) != nil else { return }
    defer { transactionEnded() }
    if let transaction = try? unsafe begin(flags: 0) { unsafe mdb_txn_abort(transaction) }
  }

  // LMDB's lock does not notice that it waits for itself.
  func checkNotWriting() {
    precondition(
      writer.load(ordering: .relaxed) != UInt(pthread_self()), "this thread has a write transaction already")
  }

  private func checkWriting() throws(LMDBError) {
    let code = stopped.load(ordering: .acquiring)
    if code != 0 { throw .writesStopped(after: code) }
  }

  /// Begins writing with pages in whose memory nothing stands that was scrubbed since they were last written.
  private func beginWithClearMemory() throws(LMDBError) -> OpaquePointer {
    while true {
      let transaction = try unsafe begin(flags: 0)
      let count: UInt64
      do throws(LMDBError) { count = try scrubCount() } catch {
        unsafe mdb_txn_abort(transaction)
        throw error
      }
      if count == clearedFor.load(ordering: .relaxed) { return unsafe transaction }
      unsafe mdb_txn_abort(transaction)
      try clearPageMemory()
      clearedFor.store(count, ordering: .relaxed)
    }
  }

  func begin(flags: UInt32) throws(LMDBError) -> OpaquePointer {
    var transaction: OpaquePointer?
    try LMDBError.check(
      perform(.transactionBegin) { unsafe mdb_txn_begin(handle, nil, flags, &transaction) },
      .transactionBegin)
    guard let transaction = unsafe transaction else { throw .outOfMemory(.transactionBegin) }
    return unsafe transaction
  }

  /// Gives the file the size its page count says, and room for the commits to come.
  ///
  /// LMDB does not write pages that were taken and freed in one transaction, so a whole file may end before its last
  /// page, and looks like one that was cut off until it is walked through in full. Only under the writer's lock: nobody
  /// else lengthens the file meanwhile.
  private func prepareFile() throws(LMDBError) {
    let info = try information()
    let needed = info.pages * info.pageSize
    let descriptor = try descriptor()
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw LMDBError(code: errno, .fileStatus) }
    if status.st_size < needed {
      try LMDBError.check(
        perform(.fileExtend) { ftruncate(descriptor, off_t(needed)) == 0 ? 0 : errno }, .fileExtend)
    }
    let grown = needed - usedBytes.exchange(needed, ordering: .relaxed)
    if grown > 0 { WriteAhead.makeRoom(in: descriptor, size: Int(status.st_size), used: needed, grown: grown) }
  }

  /// The data file, as LMDB has it open for reading and writing.
  func descriptor() throws(LMDBError) -> Int32 {
    var descriptor: mdb_filehandle_t = -1
    try LMDBError.check(unsafe mdb_env_get_fd(handle, &descriptor), .environmentInfo)
    return descriptor
  }

  /// Takes note of how a commit ended; stops writing where it is unknown what reached the disk.
  func commitEnded(_ code: Int32) -> LMDBError? {
    var code = code
    // LMDB reports a write cut short as EIO, whatever cut it short.
    if code == EIO, isDiskFull() { code = ENOSPC }
    switch code {
    case 0: return nil
    // Found out before a page was written, or while writing pages that nothing leads to yet.
    case MDB_MAP_FULL, MDB_TXN_FULL, MDB_BAD_TXN, ENOSPC, EDQUOT, EFBIG, ENOMEM: break
    default: stopWriting(after: code)
    }
    return LMDBError(code: code, .transactionCommit)
  }

  /// Nobody writes any more until the file is opened again.
  func stopWriting(after code: Int32) {
    _ = stopped.compareExchange(expected: 0, desired: code, ordering: .acquiringAndReleasing)
  }

  /// Whether there is next to no room on the disk of the file, or below the size that files of this process may have.
  private func isDiskFull() -> Bool {
    var limit = rlimit()
    var file = stat()
    if unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
      unsafe stat(dataPath, &file) == 0,
      limit.rlim_cur < rlim_t(file.st_size) + (1 << 20)
    {
      return true
    }
    var status = statvfs()
    guard unsafe statvfs(dataPath, &status) == 0 else { return false }
    let blocks = geteuid() == 0 ? status.f_bfree : status.f_bavail
    return blocks < (1 << 20) / max(1, status.f_frsize)
  }

  /// Lets the writer's thread begin again; before LMDB's lock is let go, or it might clear another's mark.
  func writeEnds() {
    writer.store(0, ordering: .relaxed)
  }

  /// Reads the last commit in `body`.
  ///
  /// - Throws: As ``beginRead()``, or what `body` throws.
  @inlinable
  public func read<Result: ~Copyable>(_ body: (borrowing ReadTransaction) throws -> Result) throws -> Result {
    try body(beginRead())
  }

  /// Makes the changes of `body`, and commits them unless it throws.
  ///
  /// - Throws: As ``beginWrite()`` and ``WriteTransaction/commit()``, or what `body` throws.
  @inlinable
  public func write<Result: ~Copyable>(_ body: (inout WriteTransaction) throws -> Result) throws -> Result {
    var transaction = try beginWrite()
    let result = try body(&transaction)
    try transaction.commit()
    return result
  }

  // MARK: Tables

  /// Opens tables, and makes those that are missing where writing is allowed.
  ///
  /// Every transaction begun after it may use them. Opening again gives the same table.
  ///
  /// - Returns: The tables in the order of `names`.
  /// - Throws: ``LMDBError/tableMissing(_:)`` where read-only; ``LMDBError/tablesFull(_:)``.
  public func openTables(_ names: [String]) throws(LMDBError) -> [Table] {
    if isForked { throw .usedAfterFork }
    return try tables.withLock { (known) throws(LMDBError) in
      var missing = names.filter { known[$0] == nil }
      if !missing.isEmpty { missing = try open(missing, into: &known, creating: false) }
      if let name = missing.first {
        if isReadOnly { throw LMDBError.tableMissing(name) }
        _ = try open(missing, into: &known, creating: true)
      }
      return names.compactMap { known[$0] }
    }
  }

  /// Opens what there is of `names`, and returns the others.
  private func open(
    _ names: [String], into known: inout [String: Table], creating: Bool
  ) throws(LMDBError) -> [String] {
    try transactionBegins()
    defer { transactionEnded() }
    if creating { try checkWriting() }
    let transaction = try unsafe creating ? beginWithClearMemory() : begin(flags: UInt32(MDB_RDONLY))
    var opened: [String: Table] = [:]
    var missing: [String] = []
    for name in names {
      var table: MDB_dbi = 0
      let code = perform(.tableOpen) {
        unsafe mdb_dbi_open(transaction, name, creating ? UInt32(MDB_CREATE) : 0, &table)
      }
      if code == MDB_NOTFOUND {
        missing.append(name)
      } else if code != 0 {
        unsafe mdb_txn_abort(transaction)
        throw LMDBError(code: code, .tableOpen)
      } else {
        opened[name] = Table(handle: table, owner: number)
      }
    }
    // Also a reader commits: an abort would close what it opened.
    let code = unsafe mdb_txn_commit(transaction)
    if let error = commitEnded(code) { throw error }
    known.merge(opened) { _, new in new }
    return missing
  }

  /// Makes the list of tables usable as a table: LMDB crashes in it while no table was opened.
  func openTableList(_ transaction: OpaquePointer) throws(LMDBError) -> MDB_dbi {
    var table: MDB_dbi = 0
    try LMDBError.check(perform(.tableOpen) { unsafe mdb_dbi_open(transaction, nil, 0, &table) }, .tableOpen)
    return table
  }

  /// Tables that are open, by their names.
  func names(of tables: [Table]) -> [String: Table] {
    self.tables.withLock { known in known.filter { tables.contains($0.value) } }
  }

  /// The names of all tables in the file, in the order of their bytes.
  public func tableNames() throws(LMDBError) -> [String] {
    let transaction = try beginRead()
    var cursor = try transaction.cursor(in: Table(handle: 1, owner: number))
    var names: [String] = []
    while let entry = try cursor.next() {
      names.append(unsafe entry.key.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) })
    }
    return names
  }

  // MARK: Opening

  /// Looks at the file before LMDB does; returns whether it will be made.
  private static func checkFile(_ path: String, _ options: Options) throws(LMDBError) -> Bool {
    let creation = options.isReadOnly ? .never : options.creation
    do throws(LMDBError) {
      let report = try FileCheck.run(path, depth: options.check)
      if let problem = report.problem { throw LMDBError.damaged(problem) }
      return false
    } catch .noSuchFile where creation != .never {
      return true
    } catch .damaged(let problem) where problem.reason == .empty && creation == .ifMissingOrEmpty {
      return true
    }
  }

  private static func open(_ folder: String, _ options: Options) throws(LMDBError) -> OpaquePointer {
    var mapSize = max(options.mapSize & ~0xffff, 1 << 16)
    while true {
      do throws(LMDBError) {
        return try unsafe open(folder, options, mapSize: mapSize)
      } catch .outOfMemory where mapSize > 1 << 24 {
        // A limit of the address space, e.g. `ulimit -v`.
        mapSize /= 2
      }
    }
  }

  private static func open(
    _ folder: String, _ options: Options, mapSize: Int
  ) throws(LMDBError) -> OpaquePointer {
    var created: OpaquePointer?
    try LMDBError.check(
      perform(.environmentCreate) { unsafe mdb_env_create(&created) }, .environmentCreate)
    guard let handle = unsafe created else { throw .outOfMemory(.environmentCreate) }
    do throws(LMDBError) {
      let locking = options.isReadOnly && !options.notesReaders ? MDB_NOLOCK : 0
      let flags = UInt32(MDB_NOTLS | (options.isReadOnly ? MDB_RDONLY : 0) | locking)
      for code in [
        unsafe mdb_env_set_mapsize(handle, mapSize),
        unsafe mdb_env_set_maxdbs(handle, MDB_dbi(clamping: options.maxTables)),
        unsafe mdb_env_set_maxreaders(handle, UInt32(clamping: options.readerSlots)),
      ] { try LMDBError.check(code, .environmentConfigure) }
      try LMDBError.check(
        perform(.environmentOpen) { unsafe mdb_env_open(handle, folder, flags, 0o600) }, .environmentOpen)
    } catch {
      // LMDB asks for this also after a failed opening.
      unsafe mdb_env_close(handle)
      throw error
    }
    return unsafe handle
  }

  private static func pageSize(of handle: OpaquePointer) -> Int {
    var stat = MDB_stat()
    // Of an open environment it always answers.
    unsafe mdb_env_stat(handle, &stat)
    return Int(stat.ms_psize)
  }

  // A new file is durable only once its folder is.
  private static func syncFolder(_ folder: String) throws(LMDBError) {
    let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBError(code: errno, .fileOpen) }
    defer { Glibc.close(descriptor) }
    try LMDBError.check(perform(.fileSync) { fsync(descriptor) == 0 ? 0 : errno }, .fileSync)
  }
}
