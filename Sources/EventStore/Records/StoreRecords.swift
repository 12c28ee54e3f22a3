// The store's own records: what is no event, and can't be made of events either. No repair drops them; backups hold them.
internal import Bytes
internal import LMDB

/// A kind of records that the store keeps.
public enum StoreRecords: String, CaseIterable, Hashable, Sendable {
  /// What was handed out as context, and when.
  case receipts
  /// Keys by which services come in.
  case keys
  /// Who may reach whose memory besides.
  case grants
  /// Who was told what about whom: a journal, bound by hashes.
  case access
  /// The store's own key, with which it signs.
  case signing
  /// Who was erased: tombstones.
  case erasures
  /// How long what is kept of whom, and how far that was seen to.
  case retention

  /// The table they are in.
  var tableName: String { "records_\(rawValue)" }
}

/// Keeps a record, or takes it away.
struct ChangeRecord: WriterWork {
  let kind: StoreRecords
  let key: [UInt8]
  let value: [UInt8]?

  func run(in context: inout WriterContext) throws(StorageError) {
    let table = try context.tables.table(of: kind)
    if let value {
      try table.keep(value, at: key, in: &context.transaction)
    } else {
      try context.transaction.remove(key, from: table.table)
    }
    context.hasWritten = true
  }
}

extension EventLog {
  /// What was committed last: records need nothing of the log.
  func readRecords() throws(StorageError) -> ReadTransaction {
    do throws(LMDBError) { return try environment.beginRead() } catch { throw StorageError(error) }
  }

  /// Keeps a record. Once this returns, it is on disk.
  ///
  /// - Parameter key: 1…500 bytes; a record that was kept under it before is replaced.
  public func keepRecord(_ value: [UInt8], at key: [UInt8], in kind: StoreRecords) async throws(StorageError) {
    try await performed(ChangeRecord(kind: kind, key: key, value: value))
  }

  /// Takes a record away. Does nothing where there is none.
  public func removeRecord(at key: [UInt8], in kind: StoreRecords) async throws(StorageError) {
    try await performed(ChangeRecord(kind: kind, key: key, value: nil))
  }

  /// A record; `nil` where there is none.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where it is damaged.
  public func record(at key: [UInt8], in kind: StoreRecords) throws(StorageError) -> [UInt8]? {
    guard let table = tables.records(of: kind) else { return nil }
    let transaction = try readRecords()
    return try table.value(at: key, in: transaction)
  }

  /// Lends records to `body`, by the bytes of their keys, until it returns `false`.
  ///
  /// - Parameters:
  ///   - first: Begins with the first key that is not before this.
  ///   - damaged: Told the key of a damaged one, or of what `body` finds damaged; then it goes on behind it.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` for such a record where nobody is to be told.
  public func forEachRecord(
    in kind: StoreRecords, from first: [UInt8] = [], damaged: ((RawSpan) -> Void)? = nil,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws(DamagedBytes) -> Bool
  ) throws(StorageError) {
    guard let table = tables.records(of: kind) else { return }
    let transaction = try readRecords()
    var cursor = try transaction.scan(table.table)
    var next = try first.isEmpty ? cursor.toNext() : cursor.to(atOrAfter: first)
    while let entry = next {
      do throws(StorageError) {
        let goesOn = try decoding(kind.tableName) { () throws(DamagedBytes) in
          try table.withValue(entry.value, at: entry.key) { value throws(DamagedBytes) in try body(entry.key, value) }
        }
        if !goesOn { return }
      } catch {
        guard let damaged else { throw error }
        damaged(entry.key)
      }
      next = try cursor.toNext()
    }
  }
}
