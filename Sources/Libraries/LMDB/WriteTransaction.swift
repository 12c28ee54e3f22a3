// Writing: all of it or nothing, one writer at a time.
internal import CMemoirLMDB
internal import Glibc

/// Changes that come to be all at once with ``commit()``, or not at all.
///
/// There is one writer at a time in all processes. It must stay on the thread that began it, which holds LMDB's lock:
/// ending it elsewhere traps. Letting it go without a commit takes all its changes back.
@safe
public struct WriteTransaction: ~Copyable, Transaction {
  private let handle: TransactionHandle
  private let thread: pthread_t
  private var isOpen = true

  init(_ environment: Environment, handle: OpaquePointer) {
    unsafe self.handle = TransactionHandle(pointer: handle, environment: environment)
    self.thread = pthread_self()
  }

  deinit {
    guard isOpen else { return }
    let environment = handle.environment
    guard !environment.isForked else { return }
    checkThread()
    environment.writeEnds()
    unsafe mdb_txn_abort(handle.pointer)
    environment.transactionEnded()
  }

  // The lock is a robust mutex of this thread: unlocked elsewhere it stays locked, and every writer waits for ever.
  private func checkThread() {
    let isHere = pthread_equal(thread, pthread_self()) != 0
    precondition(isHere, "a write transaction left the thread that began it")
  }

  /// The number this commit will have.
  public var id: UInt64 { handle.id }

  /// The value of `key`, where it lies in the file; see ``Transaction/value(of:in:)``.
  @_lifetime(borrow self)
  public func value(of key: RawSpan, in table: Table) throws(LMDBError) -> RawSpan? {
    guard let bytes = try unsafe handle.value(of: key, in: table) else { return nil }
    // Pages move with the next change, which needs the transaction for itself, and so outlives this loan.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// A cursor over `table`, standing before its first entry.
  @_lifetime(borrow self)
  public func cursor(in table: Table) throws(LMDBError) -> Cursor {
    try unsafe _overrideLifetime(Cursor(handle.openCursor(in: table), owner: nil), borrowing: self)
  }

  /// What `table` takes up, as this transaction sees it.
  public func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
    try handle.statistics(of: table)
  }

  /// Stores `value` at `key`, in place of what was there.
  ///
  /// - Throws: ``LMDBError/valueSizeWrong(_:)``, ``LMDBError/mapFull(_:)``, ``LMDBError/transactionFull(_:)``,
  ///   ``LMDBError/diskFull(_:)``. After all but the first the transaction can only be let go.
  public mutating func put(_ value: RawSpan, at key: RawSpan, in table: Table) throws(LMDBError) {
    try store(value, at: key, in: table, flags: 0)
  }

  /// Stores `value` at `key`, which must come after every key of the table: faster than ``put(_:at:in:)``, and pages
  /// are filled to the brim.
  ///
  /// - Throws: ``LMDBError/keyExists(_:)`` where it does not come last; else as ``put(_:at:in:)``.
  public mutating func append(_ value: RawSpan, at key: RawSpan, in table: Table) throws(LMDBError) {
    try store(value, at: key, in: table, flags: UInt32(MDB_APPEND))
  }

  /// Removes `key`.
  ///
  /// - Returns: Whether it was there.
  public mutating func delete(_ key: RawSpan, in table: Table) throws(LMDBError) -> Bool {
    handle.check(table)
    let code = unsafe key.withUnsafeBytes { bytes in
      var key = unsafe MDB_val(bytes)
      return perform(.delete) { unsafe mdb_del(handle.pointer, table.handle, &key, nil) }
    }
    if code == MDB_NOTFOUND { return false }
    try LMDBError.check(code, .delete)
    return true
  }

  /// Removes all entries of `table`. The table stays.
  public mutating func drop(_ table: Table) throws(LMDBError) {
    handle.check(table)
    try LMDBError.check(perform(.drop) { unsafe mdb_drop(handle.pointer, table.handle, 0) }, .drop)
  }

  /// The list of tables as a table, for what is taken out of it again.
  func tableList() throws(LMDBError) -> Table {
    Table(handle: try unsafe handle.environment.openTableList(handle.pointer), owner: handle.environment.number)
  }

  /// What to do with an entry on a sweep.
  public enum Sweep: Sendable {
    /// It stays.
    case keep
    /// It goes.
    case remove
    /// It stays, and so does all that follows.
    case stop
  }

  /// Goes through `table` in the order of the keys and removes what `decide` says.
  ///
  /// - Parameter key: Where to begin; all keys before it stay. The beginning of the table where empty.
  /// - Returns: How many were removed.
  /// - Throws: ``LMDBError``; after a failed removal the transaction can only be let go.
  @discardableResult
  public mutating func sweep(
    _ table: Table, from key: RawSpan = RawSpan(), _ decide: (Entry) -> Sweep
  ) throws(LMDBError) -> Int {
    let cursor = try unsafe handle.openCursor(in: table)
    defer { unsafe mdb_cursor_close(cursor) }
    var removed = 0
    var operation = key.isEmpty ? MDB_FIRST : MDB_SET_RANGE
    while let (foundKey, value) = try unsafe moveCursor(cursor, operation, key: key) {
      operation = MDB_NEXT
      // Ended before the removal below moves the bytes of the page.
      let entry = unsafe Entry(key: RawSpan(_unsafeBytes: foundKey), value: RawSpan(_unsafeBytes: value))
      switch decide(entry) {
      case .keep: continue
      case .stop: return removed
      case .remove:
        try LMDBError.check(perform(.cursorDelete) { unsafe mdb_cursor_del(cursor, 0) }, .cursorDelete)
        removed += 1
      }
    }
    return removed
  }

  /// Makes the changes durable and visible to readers that begin from now on.
  ///
  /// Two waits for the disk: one for the pages, one for the meta page that leads to them.
  ///
  /// - Throws: ``LMDBError``; then nothing was stored. Except after a full disk, a full map or too little memory the
  ///   environment also stops writing, see ``LMDBError/writesStopped(after:)``.
  public consuming func commit() throws(LMDBError) {
    let environment = handle.environment
    if environment.isForked { throw .usedAfterFork }
    checkThread()
    isOpen = false
    environment.writeEnds()
    var code = perform(.transactionCommit) { 0 }
    if code == 0 {
      code = unsafe mdb_txn_commit(handle.pointer)
    } else {
      unsafe mdb_txn_abort(handle.pointer)
    }
    let error = environment.commitEnded(code)
    environment.transactionEnded()
    if let error { throw error }
  }

  private mutating func store(
    _ value: RawSpan, at key: RawSpan, in table: Table, flags: UInt32
  ) throws(LMDBError) {
    handle.check(table)
    let code = unsafe key.withUnsafeBytes { keyBytes in
      unsafe value.withUnsafeBytes { valueBytes in
        var key = unsafe MDB_val(keyBytes)
        var value = unsafe MDB_val(valueBytes)
        return perform(.put) { unsafe mdb_put(handle.pointer, table.handle, &key, &value, flags) }
      }
    }
    try LMDBError.check(code, .put)
  }
}

@available(*, unavailable)
extension WriteTransaction: Sendable {}
