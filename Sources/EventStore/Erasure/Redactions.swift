// Taking the payload out of one record, for good, while the chains go on proving that the event was there.
internal import Bytes
internal import LMDB
internal import Sodium

/// What was ever removed from a store: how often, and a digest of what, by which two copies of it are told apart.
///
/// States held in memory from before the last removal are void.
struct Redactions: Equatable {
  private(set) var count: UInt64 = 0
  /// Zero where nothing was removed since there are digests.
  private(set) var digest = Bytes32.zero

  /// What is removed.
  enum Subject {
    case event(StreamNumber, StreamVersion)
    /// All events of a stream up to a version.
    case events(StreamNumber, StreamVersion)
    case records(StoreRecords, [[UInt8]])
  }

  static func read(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> Redactions {
    var redactions = Redactions()
    guard let value = try transaction.fetch(Key.meta(.redactions), from: tables.meta) else { return redactions }
    try decoding("meta") { () throws(DamagedBytes) in
      var reader = ByteReader(value)
      redactions.count = try reader.readUInt64()
      if !reader.isAtEnd { redactions.digest = try Bytes32(reading: &reader) }
    }
    return redactions
  }

  /// Notes that something is removed, and that its bytes are to be overwritten.
  static func add(
    _ subject: Subject, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    var redactions = try read(in: transaction, tables)
    redactions.count += 1
    redactions.digest = BLAKE2b.digest(subject.encoded.rawSpan, key: redactions.digest)
    var writer = ByteWriter(capacity: 40)
    writer.write(redactions.count)
    redactions.digest.write(into: &writer)
    try transaction.store(writer.bytes, at: Key.meta(.redactions), in: tables.meta)
    try ScrubDue.set(redactions.count, in: &transaction, tables)
  }
}

extension Redactions.Subject {
  fileprivate var encoded: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .event(let stream, let version):
      writer.write(1 as UInt8)
      writer.writeVarint(UInt64(stream))
      writer.writeVarint(version.number)
    case .events(let stream, let version):
      writer.write(2 as UInt8)
      writer.writeVarint(UInt64(stream))
      writer.writeVarint(version.number)
    case .records(let kind, let keys):
      writer.write(3 as UInt8)
      writer.writeString(kind.rawValue)
      for key in keys { writer.writeLengthPrefixed(key.rawSpan) }
    }
    return writer.bytes
  }
}

/// Replaces payload, metadata and an application's type name of one event by their digest.
struct Redaction: WriterWork {
  let stream: StreamName
  let version: StreamVersion

  func run(in context: inout WriterContext) throws(StorageError) {
    let index = context.index
    let tables = context.tables
    guard let number = try index.stream(stream, in: context.transaction),
      let head = try index.head(of: number, in: context.transaction), version >= 1, version <= head.version
    else { return }
    let epoch = try index.epoch(of: number, context.transaction)
    var contents = ContentReader()
    var writer = ByteWriter(capacity: 256)
    let occurredAt: Timestamp
    let position: LogPosition
    do {
      let record = try index.record(of: version, in: number, context.transaction)
      position = record.position
      guard !record.flags.contains(.redacted), !record.isTombstone else { return }
      occurredAt = record.occurredAt
      try contents.open(record, in: epoch)
      let digest = try contents.payloadDigest(of: record, secret: epoch.secret)
      var fields = RecordFields(
        flags: record.flags.intersection([.isLate]), type: record.type, typeVersion: record.typeVersion,
        tag: record.tag, recordedAt: record.recordedAt, occurredAt: record.occurredAt, id: record.id,
        stream: record.stream, version: record.version, position: position, previous: record.previous)
      fields.session = record.session
      do throws(DamagedBytes) {
        fields.sessionName = try record.nameOfSession()
        fields.name = try record.name()
      } catch {
        throw .corrupt(reason: "the record's names are no text", position: position)
      }
      fields.secret = record.secret
      fields.redactedDigest = digest
      fields.chain = record.chain
      fields.encode(typeName: RawSpan(), metadata: RawSpan(), payload: RawSpan(), into: &writer)
    }
    var copies = 0
    if let table = index.catalog.table(of: position, tables) {
      try context.transaction.store(writer.bytes, at: Key.position(position), in: table)
      copies += 1
    }
    // Also where it is being copied to.
    for run in index.catalog.copies(of: position) {
      let entry = RunEntry(writer.bytes.rawSpan, at: position)
      if try RunChunk.replace(entry, in: run, &context.transaction, tables) { copies += 1 }
    }
    guard copies > 0 else { throw .corrupt(reason: "the record is missing", position: position) }
    // Whatever was folded from the payload goes with it.
    try SnapshotTable.remove(from: version, of: number, &context.transaction, tables)
    try SnapshotTable.removeOccurred(from: occurredAt, of: number, &context.transaction, tables)
    try DerivedTable.remove(version, of: number, &context.transaction, tables)
    try Redactions.add(.event(number, version), &context.transaction, tables)
    context.hasWritten = true
  }
}
