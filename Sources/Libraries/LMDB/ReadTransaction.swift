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

  /// Room for the places of `count` values, to be looked at later by ``value(at:of:)`` without searching again.
  public func references(count: Int) -> ValueReferences { ValueReferences(count: count, owner) }

  /// A value whose place was kept; `nil` where none was.
  ///
  /// - Precondition: Kept by this transaction, or by one that sees the same commit.
  @_lifetime(borrow self)
  public func value(at index: Int, of references: ValueReferences) -> RawSpan? {
    precondition(references.owner == owner, "a value is looked at only by a transaction that sees it")
    let place = references.places[index]
    guard place.address != 0 else { return nil }
    // It was in the map of this commit when it was found, and its pages stay as they are while a reader sees them.
    let bytes = unsafe UnsafeRawBufferPointer(
      start: UnsafeRawPointer(bitPattern: place.address), count: Int(place.byteCount))
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// Has the processor fetch a value that is to be looked at soon, where its place was kept: values that lie far apart are
  /// else waited for one by one.
  public func prefetch(at index: Int, of references: ValueReferences) {
    guard references.places.indices.contains(index) else { return }
    let place = references.places[index]
    memoir_prefetch(place.address, Int(place.byteCount))
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

/// Where values lie, as one commit has them: sixteen bytes each.
public struct ValueReferences: Sendable {
  fileprivate var places: [(address: UInt, byteCount: UInt32)]
  fileprivate let owner: ValueOwner

  fileprivate init(count: Int, _ owner: ValueOwner) {
    places = Array(repeating: (0, 0), count: count)
    self.owner = owner
  }

  /// How many there is room for.
  public var count: Int { places.count }

  /// Keeps the place of a part of an entry's value.
  ///
  /// - Precondition: The entry was lent by a transaction that sees the same commit; `part` is not empty and lies in it.
  public mutating func keep(_ part: Range<Int>, of entry: borrowing Entry, at index: Int) {
    precondition(entry.owner == owner, "a place is kept only of what a reader of the same commit lent")
    precondition(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= entry.value.byteCount)
    let start = unsafe entry.value.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    places[index] = (start + UInt(part.lowerBound), UInt32(part.count))
  }
}

@available(*, unavailable)
extension ReadTransaction: Sendable {}
