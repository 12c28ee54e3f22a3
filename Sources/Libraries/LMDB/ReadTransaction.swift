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
  /// The commit it sees, by which it knows what it lent.
  private let owner: ValueOwner

  init(_ environment: Environment, handle: OpaquePointer) {
    let handle = unsafe TransactionHandle(pointer: handle, environment: environment)
    self.handle = handle
    owner = ValueOwner(commit: handle.id, environment: environment.number)
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

  /// Where the value of `key` lies: for looking at it later, by ``value(at:)``, without searching again.
  public func find(_ key: RawSpan, in table: Table) throws(LMDBError) -> ValueReference? {
    guard let value = try value(of: key, in: table) else { return nil }
    return ValueReference(to: value, owner)
  }

  /// The value that was found.
  ///
  /// - Precondition: Found by this transaction, or by one that sees the same commit.
  @_lifetime(borrow self)
  public func value(at reference: ValueReference) -> RawSpan {
    precondition(reference.owner == owner, "a value is looked at only by a transaction that sees it")
    // It was in the map of this commit when it was found, and its pages stay as they are while a reader sees them.
    let bytes = unsafe UnsafeRawBufferPointer(
      start: UnsafeRawPointer(bitPattern: reference.address), count: reference.byteCount)
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// A cursor over `table`, standing before its first entry.
  @_lifetime(borrow self)
  public func cursor(in table: Table) throws(LMDBError) -> Cursor {
    try unsafe _overrideLifetime(Cursor(handle.openCursor(in: table), owner: owner), borrowing: self)
  }

  /// What `table` takes up, as this transaction sees it.
  public func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
    try handle.statistics(of: table)
  }
}

/// The commit of an environment.
struct ValueOwner: Hashable, Sendable {
  let commit: UInt64
  let environment: UInt32
}

/// Where a value lies, as one commit has it.
public struct ValueReference: Sendable {
  fileprivate let address: UInt
  fileprivate let byteCount: Int
  fileprivate let owner: ValueOwner

  init(to value: RawSpan, _ owner: ValueOwner) {
    address = unsafe value.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    byteCount = value.byteCount
    self.owner = owner
  }
}

@available(*, unavailable)
extension ReadTransaction: Sendable {}
