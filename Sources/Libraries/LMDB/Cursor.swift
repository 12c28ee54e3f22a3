// Walking a table in the order of its keys.
internal import CMemoirLMDB

/// A key and its value, where they lie in the file.
public struct Entry: ~Escapable, BitwiseCopyable {
  /// The key.
  public let key: RawSpan
  /// The value.
  public let value: RawSpan

  /// The commit that it belongs to; `nil` in a write transaction, whose pages move.
  let owner: ValueOwner?

  /// Has the processor fetch the value, which is to be read from end to end: its lines are else waited for one by one.
  public func prefetchValue() {
    let start = unsafe value.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    memoir_prefetch(start, value.byteCount)
  }

  @_lifetime(copy key, copy value)
  init(key: RawSpan, value: RawSpan, owner: ValueOwner? = nil) {
    self.key = key
    self.value = value
    self.owner = owner
  }
}

/// A place in a table, from which one can go on in the order of the keys.
///
/// Entries stay valid while the cursor moves on; they end with the loan of the transaction. A cursor that has not moved
/// yet stands before the first entry for ``next()`` and after the last one for ``previous()``.
@safe
public struct Cursor: ~Copyable, ~Escapable {
  private let handle: OpaquePointer
  private let owner: ValueOwner?

  @_lifetime(immortal)
  @unsafe
  init(_ handle: OpaquePointer, owner: ValueOwner?) {
    unsafe self.handle = unsafe handle
    self.owner = owner
  }

  deinit { unsafe mdb_cursor_close(handle) }

  /// Goes to the first entry; `nil` where the table is empty.
  @_lifetime(copy self)
  public mutating func first() throws(LMDBError) -> Entry? { try move(MDB_FIRST) }

  /// Goes to the last entry; `nil` where the table is empty.
  @_lifetime(copy self)
  public mutating func last() throws(LMDBError) -> Entry? { try move(MDB_LAST) }

  /// Goes one entry on; `nil` at the end.
  @_lifetime(copy self)
  public mutating func next() throws(LMDBError) -> Entry? { try move(MDB_NEXT) }

  /// Goes one entry back; `nil` at the beginning.
  @_lifetime(copy self)
  public mutating func previous() throws(LMDBError) -> Entry? { try move(MDB_PREV) }

  /// Goes to the first entry whose key is `key` or comes after it; `nil` where there is none.
  @_lifetime(copy self)
  public mutating func seek(atOrAfter key: RawSpan) throws(LMDBError) -> Entry? {
    try move(MDB_SET_RANGE, key: key)
  }

  /// Goes to the last entry whose key is `key` or comes before it; `nil` where there is none.
  @_lifetime(copy self)
  public mutating func seek(atOrBefore key: RawSpan) throws(LMDBError) -> Entry? {
    // LMDB knows only "at or after": one too far is one back.
    guard let entry = try move(MDB_SET_RANGE, key: key) else { return try move(MDB_LAST) }
    let isEqual = unsafe entry.key.withUnsafeBytes { found in
      unsafe key.withUnsafeBytes { wanted in
        unsafe found.count == wanted.count && found.elementsEqual(wanted)
      }
    }
    return isEqual ? entry : try move(MDB_PREV)
  }

  /// Goes to `key`; `nil` where it does not exist, and then the place is undefined.
  @_lifetime(copy self)
  public mutating func seek(exactly key: RawSpan) throws(LMDBError) -> Entry? {
    try move(MDB_SET_KEY, key: key)
  }

  @_lifetime(copy self)
  private mutating func move(
    _ operation: MDB_cursor_op, key: RawSpan = RawSpan()
  ) throws(LMDBError) -> Entry? {
    guard let (key, value) = try unsafe moveCursor(handle, operation, key: key) else { return nil }
    return unsafe _overrideLifetime(
      Entry(key: RawSpan(_unsafeBytes: key), value: RawSpan(_unsafeBytes: value), owner: owner), copying: self
    )
  }
}

@unsafe
func moveCursor(
  _ cursor: OpaquePointer, _ operation: MDB_cursor_op, key: RawSpan
) throws(LMDBError) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
  var found = unsafe MDB_val()
  var value = unsafe MDB_val()
  let code = unsafe key.withUnsafeBytes { bytes in
    unsafe found = MDB_val(bytes)
    return perform(.cursorGet) { unsafe mdb_cursor_get(cursor, &found, &value, operation) }
  }
  if code == MDB_NOTFOUND { return nil }
  try LMDBError.check(code, .cursorGet)
  return unsafe (found.bytes, value.bytes)
}
