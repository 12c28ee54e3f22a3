// Taking the payload out of one record, for good, while the chains go on proving that the event was there.
internal import Bytes
internal import LMDB

/// How many payloads were ever removed. States held in memory from before are void.
enum Redactions {
  static func count(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> UInt64 {
    guard let value = try transaction.fetch(Key.meta(.redactions), from: tables.meta) else { return 0 }
    return try decoding("meta") { () throws(DamagedBytes) in
      var reader = ByteReader(value)
      return try reader.readUInt64()
    }
  }

  static func add(_ transaction: inout WriteTransaction, _ tables: Tables) throws(StorageError) {
    var writer = ByteWriter(capacity: 8)
    writer.write(try count(in: transaction, tables) + 1)
    try transaction.store(writer.bytes, at: Key.meta(.redactions), in: tables.meta)
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
    let secret = try index.epoch(of: number, context.transaction).secret
    var writer = ByteWriter(capacity: 256)
    let occurredAt: Timestamp
    let position: LogPosition
    do {
      let record = try index.record(of: version, in: number, context.transaction)
      position = record.position
      guard !record.flags.contains(.redacted), !record.isTombstone else { return }
      occurredAt = record.occurredAt
      let digest = HashChain.payloadDigest(
        typeName: record.typeName, metadata: record.metadata, payload: record.payload, secret: secret)
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
    try Redactions.add(&context.transaction, tables)
    context.hasWritten = true
  }
}
