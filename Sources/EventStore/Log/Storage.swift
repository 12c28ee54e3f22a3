// LMDB's calls as the engine makes them: the same, with errors in the engine's terms.
internal import Bytes
internal import LMDB

extension Transaction where Self: ~Copyable {
  /// The value of `key`, or `nil`.
  @_lifetime(borrow self)
  func fetch(_ key: [UInt8], from table: Table) throws(StorageError) -> RawSpan? {
    do throws(LMDBError) { return try value(of: key.rawSpan, in: table) } catch { throw StorageError(error) }
  }

  /// The value of `key`, or `nil`.
  @_lifetime(borrow self)
  func fetch(_ key: borrowing BigEndianKey, from table: Table) throws(StorageError) -> RawSpan? {
    do throws(LMDBError) { return try value(of: key.rawSpan, in: table) } catch { throw StorageError(error) }
  }

  /// The value of `key` in a table that folds the log, or `nil`.
  @_lifetime(borrow self)
  func fetchIndexed(_ key: [UInt8], from table: Table, named name: String) throws(StorageError) -> RawSpan? {
    guard let value = try fetch(key, from: table) else { return nil }
    do throws(DamagedBytes) { return try IndexValue.open(value, at: key.rawSpan) } catch {
      throw StorageError.damagedIndex(name)
    }
  }

  /// A cursor over `table`.
  @_lifetime(borrow self)
  func scan(_ table: Table) throws(StorageError) -> Cursor {
    do throws(LMDBError) { return try cursor(in: table) } catch { throw StorageError(error) }
  }
}

extension Cursor {
  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func toLast() throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try last() } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func toNext() throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try next() } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func toPrevious() throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try previous() } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func to(atOrAfter key: [UInt8]) throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try seek(atOrAfter: key.rawSpan) } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func to(atOrBefore key: [UInt8]) throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try seek(atOrBefore: key.rawSpan) } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func to(atOrAfter key: borrowing BigEndianKey) throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try seek(atOrAfter: key.rawSpan) } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func to(atOrBefore key: borrowing BigEndianKey) throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try seek(atOrBefore: key.rawSpan) } catch { throw StorageError(error) }
  }

  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func to(exactly key: [UInt8]) throws(StorageError) -> Entry? {
    do throws(LMDBError) { return try seek(exactly: key.rawSpan) } catch { throw StorageError(error) }
  }
}

extension WriteTransaction {
  mutating func store(_ value: [UInt8], at key: [UInt8], in table: Table) throws(StorageError) {
    do throws(LMDBError) { try put(value.rawSpan, at: key.rawSpan, in: table) } catch {
      throw StorageError(error)
    }
  }

  /// Stores a value of a table that folds the log.
  mutating func storeIndexed(_ value: [UInt8], at key: [UInt8], in table: Table) throws(StorageError) {
    try store(IndexValue.seal(value, at: key), at: key, in: table)
  }

  /// Stores a value behind all others of a table.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where the table ends with a later key: that is damaged.
  mutating func append(_ value: [UInt8], at key: borrowing BigEndianKey, to table: Table) throws(StorageError) {
    do throws(LMDBError) {
      try append(value.rawSpan, at: key.rawSpan, in: table)
    } catch .keyExists {
      throw .corrupt(reason: "the last key of a table is damaged", position: nil)
    } catch { throw StorageError(error) }
  }

  @discardableResult
  mutating func remove(_ key: [UInt8], from table: Table) throws(StorageError) -> Bool {
    do throws(LMDBError) { return try delete(key.rawSpan, in: table) } catch { throw StorageError(error) }
  }

  mutating func empty(_ table: Table) throws(StorageError) {
    do throws(LMDBError) { try drop(table) } catch { throw StorageError(error) }
  }
}
