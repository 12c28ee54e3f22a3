// Reading: a view of one commit, which no writer disturbs.
internal import CMemoirLMDB

/// A view of the last commit, unchanged for as long as it lives.
///
/// Readers block nobody and are blocked by nobody; but pages that an old one can see are not used again, so a long read
/// lets the file grow. One thread at a time may use it, and it may be handed from one to another (it is not `Sendable`,
/// so that the compiler sees to both).
@safe
public struct ReadTransaction: ~Copyable, Transaction {
  // MDB_NOTLS: the reader slot belongs to the transaction, not to the thread that began it.
  private let handle: TransactionHandle

  init(_ environment: Environment, handle: OpaquePointer) {
    unsafe self.handle = TransactionHandle(pointer: handle, environment: environment)
  }

  deinit {
    // After a fork the slot is the parent's, and ending it here would end it there.
    let environment = handle.environment
    guard !environment.isForked else { return }
    unsafe mdb_txn_abort(handle.pointer)
    environment.transactionEnded()
  }

  /// The number of the commit it sees.
  public var id: UInt64 { handle.id }

  /// The value of `key`, where it lies in the file; see ``Transaction/value(of:in:)``.
  @_lifetime(borrow self)
  public func value(of key: RawSpan, in table: Table) throws(LMDBError) -> RawSpan? {
    guard let bytes = try unsafe handle.value(of: key, in: table) else { return nil }
    // The map stays as it is until this transaction ends.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// A cursor over `table`, standing before its first entry.
  @_lifetime(borrow self)
  public func cursor(in table: Table) throws(LMDBError) -> Cursor {
    try unsafe _overrideLifetime(Cursor(handle.openCursor(in: table)), borrowing: self)
  }

  /// What `table` takes up, as this transaction sees it.
  public func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
    try handle.statistics(of: table)
  }

  /// Lets go of the commit but keeps the reader slot, so that ``renew()`` is cheap.
  ///
  /// Until then reading throws ``LMDBError/badTable(_:)``.
  public mutating func reset() {
    guard !handle.environment.isForked else { return }
    unsafe mdb_txn_reset(handle.pointer)
  }

  /// Moves on to the last commit. Nothing lent before is left: the compiler sees to it.
  ///
  /// - Throws: ``LMDBError/usedAfterFork``, and what ``Environment/beginRead()`` throws.
  public mutating func renew() throws(LMDBError) {
    guard !handle.environment.isForked else { throw .usedAfterFork }
    unsafe mdb_txn_reset(handle.pointer)
    try LMDBError.check(
      perform(.transactionRenew) { unsafe mdb_txn_renew(handle.pointer) }, .transactionRenew)
  }
}

@available(*, unavailable)
extension ReadTransaction: Sendable {}
