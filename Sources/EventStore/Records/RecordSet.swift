// Records of a kind that belong together: read at one moment, and changed only as long as nobody else changed them since.
//
// A counter stands before them in their table and rises with every change. It tells who remembers them, at the cost of
// one look, whether they still are as he knows them; also after a change by another process.
internal import Bytes
internal import LMDB
internal import Synchronization

/// Records as they were at one moment.
public struct RecordSet: Sendable {
  /// How often any record of the kind had been changed.
  public var version: UInt64 = 0
  /// The records, by the bytes of their keys. One without a value is damaged.
  public var records: [(key: [UInt8], value: [UInt8]?)] = []

  /// The counter's key: before all others.
  static let versionKey = RecordTable.counterKey

  static func version(of value: RawSpan) throws(DamagedBytes) -> UInt64 {
    var reader = ByteReader(value)
    return try reader.readUInt64()
  }
}

/// What becomes of one record.
public struct RecordChange: Sendable {
  let key: [UInt8]
  let value: [UInt8]?

  /// A record is kept, in place of the one that was kept at its key.
  ///
  /// - Parameter key: 1…500 bytes; not a single 0.
  public static func keep(_ value: [UInt8], at key: [UInt8]) -> RecordChange { RecordChange(key: key, value: value) }

  /// A record is taken away.
  public static func remove(at key: [UInt8]) -> RecordChange { RecordChange(key: key, value: nil) }
}

/// Something a work of the writer comes to besides being done: also a damage that is nobody else's concern.
final class WorkOutcome<Value: Sendable>: Sendable {
  private let stored = Mutex<Result<Value, StorageError>?>(nil)

  func set(_ result: Result<Value, StorageError>) { stored.withLock { $0 = result } }

  func get() throws(StorageError) -> Value {
    guard let result = stored.withLock({ $0 }) else { throw .failed(reason: "the writer did not do its work") }
    return try result.get()
  }
}

private struct ChangeRecords: WriterWork {
  let kind: StoreRecords
  let changes: [RecordChange]
  let expected: UInt64
  /// Whether they were as expected, and are changed now.
  let outcome = WorkOutcome<Bool>()

  func run(in context: inout WriterContext) throws(StorageError) {
    let table = try context.tables.table(of: kind)
    let version: UInt64
    do throws(StorageError) { version = try context.transaction.recordVersion(in: table) } catch .corrupt {
      return outcome.set(.failure(.damagedRecord(of: kind)))
    }
    guard version == expected else { return outcome.set(.success(false)) }
    var counter = ByteWriter(capacity: 8)
    counter.write(version + 1)
    try table.keep(counter.bytes, at: RecordSet.versionKey, in: &context.transaction)
    for change in changes {
      if let value = change.value {
        try table.keep(value, at: change.key, in: &context.transaction)
      } else {
        try context.transaction.remove(change.key, from: table.table)
      }
    }
    context.hasWritten = true
    outcome.set(.success(true))
  }
}

extension StorageError {
  static func damagedRecord(of kind: StoreRecords) -> StorageError {
    .corrupt(reason: "a record of \(kind.rawValue) is damaged", position: nil)
  }
}

extension Transaction where Self: ~Copyable {
  func recordVersion(in records: RecordTable) throws(StorageError) -> UInt64 {
    let name = records.kind.tableName
    // The counter is never sealed: it is asked for often, and says nothing.
    guard let value = try fetchIndexed(RecordSet.versionKey, from: records.table, named: name) else { return 0 }
    return try decoding(name) { () throws(DamagedBytes) in try RecordSet.version(of: value) }
  }
}

extension EventLog {
  /// How often records of a kind have been changed by ``changeRecords(_:in:expecting:)``, in whatever process.
  ///
  /// - Complexity: Below a microsecond.
  public func recordVersion(of kind: StoreRecords) throws(StorageError) -> UInt64 {
    guard let table = tables.records(of: kind) else { return 0 }
    let transaction = try readRecords()
    return try transaction.recordVersion(in: table)
  }

  /// Records of a kind as they are now: those whose keys begin with `prefix`.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where the counter is damaged; of a damaged record the others
  ///   are still told.
  public func recordSet(of kind: StoreRecords, prefix: [UInt8] = []) throws(StorageError) -> RecordSet {
    guard let table = tables.records(of: kind) else { return RecordSet() }
    let transaction = try readRecords()
    var found = RecordSet()
    found.version = try transaction.recordVersion(in: table)
    var cursor = try transaction.scan(table.table)
    var next = try prefix.isEmpty ? cursor.toNext() : cursor.to(atOrAfter: prefix)
    while let entry = next {
      guard entry.key.byteCount >= prefix.count, entry.key.extracting(first: prefix.count).isSame(as: prefix.rawSpan)
      else { break }
      if !entry.key.isSame(as: RecordSet.versionKey.rawSpan) {
        found.records.append((entry.key.array(), table.value(entry)))
      }
      next = try cursor.toNext()
    }
    return found
  }

  /// Changes records of a kind, unless any of the kind was changed since they were read. Once this returns, it is on disk.
  ///
  /// - Parameter version: The ``RecordSet/version`` they had when it was decided.
  /// - Returns: Whether they are changed. Where not: read again, decide again.
  public func changeRecords(
    _ changes: [RecordChange], in kind: StoreRecords, expecting version: UInt64
  ) async throws(StorageError) -> Bool {
    let work = ChangeRecords(kind: kind, changes: changes, expected: version)
    try await performed(work)
    return try work.outcome.get()
  }

  /// The same, and blocks the thread until it is done: for programs without tasks.
  package func changeRecordsAndWait(
    _ changes: [RecordChange], in kind: StoreRecords, expecting version: UInt64
  ) throws(StorageError) -> Bool {
    let work = ChangeRecords(kind: kind, changes: changes, expected: version)
    try perform(work)
    return try work.outcome.get()
  }
}
