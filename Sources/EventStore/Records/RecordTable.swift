// A table of the store's records, and what seals their values where the store is encrypted.
internal import Bytes
internal import LMDB

/// Where records of a kind are.
///
/// Their keys are in the clear, and so is how often they were changed, which stands at a single zero; in a journal that is
/// its end, and sealed like the rest.
struct RecordTable {
  let kind: StoreRecords
  let table: Table
  fileprivate let cipher: StoreCipher?

  static let counterKey: [UInt8] = [0]

  private func sealing(_ key: RawSpan) -> StoreCipher? {
    kind != .access && key.isSame(as: Self.counterKey.rawSpan) ? nil : cipher
  }

  /// Lends a stored value to `body`.
  ///
  /// - Throws: ``DamagedBytes`` where it is not what was stored at that key, or what `body` throws.
  func withValue<Result>(
    _ stored: RawSpan, at key: RawSpan, _ body: (RawSpan) throws(DamagedBytes) -> Result
  ) throws(DamagedBytes) -> Result {
    let value = try IndexValue.open(stored, at: key)
    guard let cipher = sealing(key) else { return try body(value) }
    guard let opened = cipher.open(value, at: key, in: kind.tableName) else { throw DamagedBytes() }
    return try body(opened.rawSpan)
  }

  /// A stored value; `nil` where it is damaged.
  func value(_ entry: Entry) -> [UInt8]? {
    try? withValue(entry.value, at: entry.key) { value throws(DamagedBytes) in value.array() }
  }

  /// The value at a key; `nil` where there is none.
  func value(at key: [UInt8], in transaction: borrowing some Transaction & ~Copyable) throws(StorageError) -> [UInt8]? {
    guard let stored = try transaction.fetch(key, from: table) else { return nil }
    return try decoding(kind.tableName) { () throws(DamagedBytes) in
      try withValue(stored, at: key.rawSpan) { value throws(DamagedBytes) in value.array() }
    }
  }

  func keep(_ value: [UInt8], at key: [UInt8], in transaction: inout WriteTransaction) throws(StorageError) {
    let sealed = sealing(key.rawSpan)?.seal(value.rawSpan, at: key.rawSpan, in: kind.tableName)
    try transaction.storeIndexed(sealed ?? value, at: key, in: table)
  }
}

extension Tables {
  /// The records of a kind; `nil` in a store of before there were such, while it can only be read.
  func records(of kind: StoreRecords) -> RecordTable? {
    later[kind.tableName].map { RecordTable(kind: kind, table: $0, cipher: cipher) }
  }

  /// The records of a kind, to be written.
  func table(of kind: StoreRecords) throws(StorageError) -> RecordTable {
    guard let records = records(of: kind) else {
      throw .full(reason: "there was no room for the table \(kind.tableName) when the store was opened")
    }
    return records
  }
}
