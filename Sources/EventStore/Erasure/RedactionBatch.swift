// Taking the payloads out of many records with one commit.
internal import LMDB

/// Redacts events of any streams, in order.
private struct RedactionBatch: WriterWork {
  let places: [(stream: StreamName, version: StreamVersion)]

  func run(in context: inout WriterContext) throws(StorageError) {
    for place in places { try Redaction(stream: place.stream, version: place.version).run(in: &context) }
  }
}

/// Takes records away that quote what was redacted.
private struct RecordRedaction: WriterWork {
  let kind: StoreRecords
  let keys: [[UInt8]]

  func run(in context: inout WriterContext) throws(StorageError) {
    let table = try context.tables.table(of: kind)
    for key in keys { try context.transaction.remove(key, from: table) }
    try Redactions.add(.records(kind, keys), &context.transaction, context.tables)
    context.hasWritten = true
  }
}

extension EventLog {
  /// Removes the payloads of events for good, all with one commit; see ``redact(_:of:)``.
  ///
  /// - Complexity: O(n) pages; other appends wait meanwhile, so not too many at once.
  package func redact(_ places: [(stream: StreamName, version: StreamVersion)]) async throws(StorageError) {
    if places.isEmpty { return }
    try await performed(RedactionBatch(places: places))
  }

  /// Takes records away for good, all with one commit, and counts it as a redaction.
  package func redactRecords(at keys: [[UInt8]], in kind: StoreRecords) async throws(StorageError) {
    if keys.isEmpty { return }
    try await performed(RecordRedaction(kind: kind, keys: keys))
  }
}
