// Copying a stretch of the log into another store that has the same history up to there: the records as they are, each
// checked on the way, so that position, times, secrets and chains are the same.
internal import Bytes
internal import LMDB
internal import Sodium

/// Records of some whole appends.
struct CopiedRecords: Sendable {
  /// The position of the first.
  var first: LogPosition
  var records: [[UInt8]] = []
  /// How many of them there are up to the end of an append.
  var wholeCount = 0
  var sizeInBytes = 0

  /// What one commit takes.
  private static let largestCount = 16_384, largestSize = 16 << 20

  var isFull: Bool { records.count >= Self.largestCount || sizeInBytes >= Self.largestSize }

  /// The records of whole appends; those behind them stay.
  mutating func takeWhole() -> CopiedRecords? {
    guard wholeCount > 0 else { return nil }
    let whole = CopiedRecords(first: first, records: Array(records[..<wholeCount]), wholeCount: wholeCount)
    self = CopiedRecords(first: first.forward(UInt64(wholeCount)), records: Array(records[wholeCount...]))
    sizeInBytes = records.reduce(0) { $0 + $1.count }
    return whole
  }
}

/// Checks copied records against what they follow.
struct RecordCopier {
  /// The ends of the streams that were met.
  private(set) var streams: [StreamNumber: WriterStream] = [:]
  private var readers: [StreamNumber: DigestReader] = [:]
  private var contents = ContentReader()
  /// Of the append that is being copied.
  private var digests: [Bytes32] = []
  private var start: LogPosition = 0

  mutating func add(_ stream: WriterStream) {
    streams[stream.stream] = stream
    readers[stream.stream] = DigestReader(stream.stream, in: stream.epoch)
  }

  /// The digest of a record, whose place in the log's chain is the one behind `end`.
  mutating func check(
    _ record: borrowing RecordView, behind end: LogEnd, index: StreamIndex,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bytes32 {
    guard var reader = readers.removeValue(forKey: record.stream) else {
      throw .corrupt(reason: "the record is of no known stream", position: record.position)
    }
    let digest = try reader.digest(of: record, &contents, index: index, transaction)
    readers[record.stream] = reader
    guard digest.prefix32 == record.tag else {
      throw .corrupt(reason: "its content is not what was appended", position: record.position)
    }
    if digests.isEmpty { start = record.position }
    let isInTime =
      digests.isEmpty
      ? record.recordedAt > end.recordedAt || record.position == 1 : record.recordedAt == end.recordedAt
    guard isInTime else {
      throw .corrupt(reason: "its recorded-at is not that of its place", position: record.position)
    }
    digests.append(digest)
    if let chain = record.chain {
      let value = HashChain.step(end.chain, first: start, recordedAt: record.recordedAt, digests: digests)
      guard value == chain else { throw .corrupt(reason: "the log's chain breaks here", position: record.position) }
      digests.removeAll(keepingCapacity: true)
    }
    return digest
  }
}

/// Appends copied records, in one commit.
private struct AppendCopies: WriterWork {
  let batch: CopiedRecords

  func run(in context: inout WriterContext) throws(StorageError) {
    guard context.end.position.next == batch.first else {
      throw .failed(reason: "somebody else has appended to the copy")
    }
    var copier = RecordCopier()
    for record in batch.records { try context.copy(record, by: &copier) }
  }
}

extension EventLog {
  /// Appends to this log what another one has after the same history: whole appends only, in commits of their own.
  ///
  /// - Parameter isWanted: Asked for each record in order; what comes after the first one that is not is left out.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where a record of `source` is missing, or not what was written.
  ///   What was copied before stays.
  func copyRecords(
    of source: EventLog, while isWanted: (borrowing RecordView) -> Bool = { _ in true }
  ) throws(StorageError) {
    let last = try source.lastPosition()
    var next = try lastPosition().next
    var batch = CopiedRecords(first: next)
    var goesOn = true
    while next <= last, goesOn {
      let view = try source.view()
      let window = try LogWindow(next...last, in: view)
      while next <= window.last, goesOn {
        guard let bytes = window.bytes(at: next, in: view) else {
          throw .corrupt(reason: "the record is missing", position: next)
        }
        let record = try RecordView.stored(bytes, at: next)
        goesOn = isWanted(record)
        if !goesOn { break }
        batch.records.append(bytes.array())
        batch.sizeInBytes += bytes.byteCount
        if record.chain != nil { batch.wholeCount = batch.records.count }
        if batch.isFull, let whole = batch.takeWhole() { try perform(AppendCopies(batch: whole)) }
        next = next.next
      }
    }
    if let whole = batch.takeWhole() { try perform(AppendCopies(batch: whole)) }
  }
}
