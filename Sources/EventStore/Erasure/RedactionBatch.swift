// Taking the payloads out of many records with one commit.
internal import LMDB

/// Redacts events of any streams, in order, save those that are damaged.
private struct RedactionBatch: WriterWork {
  let places: [(stream: StreamName, version: StreamVersion)]
  /// The places of those that are damaged.
  let outcome = WorkOutcome<[Int]>()

  func run(in context: inout WriterContext) throws(StorageError) {
    var damaged: [Int] = []
    for (number, place) in places.enumerated() {
      do throws(StorageError) {
        try Redaction(stream: place.stream, version: place.version).run(in: &context)
      } catch {
        // Nobody else's concern.
        guard case .corrupt = error else { throw error }
        damaged.append(number)
      }
    }
    outcome.set(.success(damaged))
  }
}

/// Takes records away that quote what was redacted.
private struct RecordRedaction: WriterWork {
  let kind: StoreRecords
  let keys: [[UInt8]]

  func run(in context: inout WriterContext) throws(StorageError) {
    let table = try context.tables.table(of: kind)
    for key in keys { try context.transaction.remove(key, from: table.table) }
    try Redactions.add(.records(kind, keys), &context.transaction, context.tables)
    context.hasWritten = true
  }
}

extension EventLog {
  /// Removes the payloads of events for good, all with one commit; see ``redact(_:of:)``.
  ///
  /// - Returns: Which of them stay as they are, since they are damaged: their indices.
  /// - Complexity: O(n) pages; other appends wait meanwhile, so not too many at once.
  @discardableResult
  package func redact(
    _ places: [(stream: StreamName, version: StreamVersion)]
  ) async throws(StorageError) -> [Int] {
    if places.isEmpty { return [] }
    let work = RedactionBatch(places: places)
    try await performed(work)
    return try work.outcome.get()
  }

  /// Takes records away for good, all with one commit, and counts it as a redaction.
  package func redactRecords(at keys: [[UInt8]], in kind: StoreRecords) async throws(StorageError) {
    if keys.isEmpty { return }
    try await performed(RecordRedaction(kind: kind, keys: keys))
  }
}
