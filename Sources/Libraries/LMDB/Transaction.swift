// What reading is, in either kind of transaction.
internal import CMemoirLMDB

/// A consistent view of all tables: everything committed before it began, nothing after.
///
/// What it lends (values, cursors) cannot outlive it: the compiler refuses.
public protocol Transaction: ~Copyable {
  /// The value of `key`, where it lies in the file; nothing is copied.
  ///
  /// - Returns: `nil` where the key does not exist.
  /// - Throws: ``LMDBError/valueSizeWrong(_:)`` for an empty key.
  /// - Complexity: O(log *n*) pages.
  @_lifetime(borrow self)
  func value(of key: RawSpan, in table: Table) throws(LMDBError) -> RawSpan?

  /// A cursor over `table`, standing before its first entry.
  @_lifetime(borrow self)
  func cursor(in table: Table) throws(LMDBError) -> Cursor

  /// What `table` takes up, as this transaction sees it.
  func statistics(of table: Table) throws(LMDBError) -> TableStatistics

  /// The number of the transaction; for a reader, of the commit it sees.
  var id: UInt64 { get }
}

extension Transaction where Self: ~Copyable {
  /// Whether `key` exists.
  @inlinable
  public func contains(_ key: RawSpan, in table: Table) throws(LMDBError) -> Bool {
    try value(of: key, in: table) != nil
  }
}

extension MDB_val {
  @unsafe init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  /// The bytes as LMDB lent them, valid until the transaction ends or writes.
  @unsafe var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_data == nil ? 0 : mv_size)
  }
}

/// The handle of a transaction and the reading that both kinds share.
@safe
struct TransactionHandle {
  let pointer: OpaquePointer
  let environment: Environment

  @unsafe init(pointer: OpaquePointer, environment: Environment) {
    unsafe self.pointer = unsafe pointer
    self.environment = environment
  }

  func check(_ table: Table) {
    precondition(table.owner == environment.number, "the table belongs to another environment")
  }

  func value(of key: RawSpan, in table: Table) throws(LMDBError) -> UnsafeRawBufferPointer? {
    check(table)
    var value = unsafe MDB_val()
    let code = unsafe key.withUnsafeBytes { bytes in
      var key = unsafe MDB_val(bytes)
      return perform(.get) { unsafe mdb_get(pointer, table.handle, &key, &value) }
    }
    if code == MDB_NOTFOUND { return nil }
    try LMDBError.check(code, .get)
    return unsafe value.bytes
  }

  func openCursor(in table: Table) throws(LMDBError) -> OpaquePointer {
    check(table)
    var cursor: OpaquePointer?
    try LMDBError.check(
      perform(.cursorOpen) { unsafe mdb_cursor_open(pointer, table.handle, &cursor) }, .cursorOpen)
    guard let cursor = unsafe cursor else { throw .outOfMemory(.cursorOpen) }
    return unsafe cursor
  }

  func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
    check(table)
    var stat = MDB_stat()
    try LMDBError.check(
      perform(.statistics) { unsafe mdb_stat(pointer, table.handle, &stat) }, .statistics)
    // What the file says, damaged or not: more than there can be must not overflow in whoever adds it up.
    func count(_ stored: Int) -> Int { min(Int(bitPattern: UInt(bitPattern: stored) & UInt(Int.max)), 1 << 40) }
    return TableStatistics(
      entries: count(stat.ms_entries), depth: Int(stat.ms_depth), branchPages: count(stat.ms_branch_pages),
      leafPages: count(stat.ms_leaf_pages), overflowPages: count(stat.ms_overflow_pages),
      pageSize: Int(stat.ms_psize))
  }

  var id: UInt64 { unsafe UInt64(mdb_txn_id(pointer)) }
}
