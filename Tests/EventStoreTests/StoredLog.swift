// The records of a closed store, wherever they lie, to be changed behind the engine's back.
import Bytes
import Foundation
import LMDB
import Testing

@testable import EventStore

/// Every record by its position. What is changed is put back where it was: into its block, or into its run, sorted by what
/// the records say of themselves.
struct StoredLog {
  private(set) var records: [LogPosition: [UInt8]] = [:]
  let catalog: RunCatalog

  /// Lets `body` change the records of the store in `folder`.
  static func change(in folder: String, _ body: (inout StoredLog) throws -> Void) throws {
    let environment = try Environment(folder: folder)
    defer { environment.close() }
    let tables = Tables(try environment.openTables(Tables.tableNames))
    var transaction = try environment.beginWrite()
    var log = try StoredLog(transaction, tables)
    let before = log.records
    try body(&log)
    guard log.records != before else { return }
    try log.write(&transaction, tables)
    try transaction.commit()
  }

  init(_ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables) throws {
    catalog = try RunCatalog.read(in: transaction, tables)
    for run in catalog.runs {
      var cursor = try transaction.scan(run, tables)
      var entry = try cursor.seek(0, 0)
      while let found = entry {
        records[found.position] = found.bytes.array()
        entry = try cursor.next()
      }
    }
    for index in catalog.blocks.indices {
      var cursor = try transaction.scan(catalog.table(ofBlock: index, tables))
      while let entry = try cursor.toNext() { records[try Key.position(of: entry.key)] = entry.value.array() }
    }
  }

  private func write(_ transaction: inout WriteTransaction, _ tables: Tables) throws {
    for table in tables.runs + tables.blocks { try transaction.drop(table) }
    for run in catalog.runs {
      let positions = records.keys.filter { run.first <= $0 && $0 <= run.last }
      let places = positions.map { position -> (StreamNumber, UInt64, LogPosition) in
        let bytes = records[position] ?? []
        let link = try? RecordLink(bytes.rawSpan, at: position)
        return (link?.stream ?? 0, link?.version.number ?? 0, position)
      }
      var chunk = ChunkBuilder()
      var last: StreamNumber?
      for (stream, _, position) in places.sorted(by: <) {
        let bytes = records[position] ?? []
        let isFirst = last != stream
        last = stream
        let entry = RunEntry(bytes.rawSpan, at: position)
        while !chunk.add(entry, to: run, isFirst: isFirst) { try chunk.flush(to: run, &transaction, tables) }
      }
      if !chunk.isEmpty { try chunk.flush(to: run, &transaction, tables) }
    }
    for (position, bytes) in records {
      guard let table = catalog.table(of: position, tables) else { continue }
      try transaction.put(bytes.rawSpan, at: Key.position(position).rawSpan, in: table)
    }
  }

  func bytes(at position: LogPosition) throws -> [UInt8] { try #require(records[position]) }

  mutating func put(_ bytes: [UInt8], at position: LogPosition) { records[position] = bytes }

  mutating func remove(_ position: LogPosition) { #expect(records.removeValue(forKey: position) != nil) }

  /// Reads a record, lets `change` have its fields, and stores it at `place` with a checksum that is right there.
  mutating func rewrite(
    _ position: LogPosition, to place: LogPosition? = nil, payload: [UInt8]? = nil,
    _ change: (inout RecordFields) throws -> Void = { _ in }
  ) throws {
    let stored = try bytes(at: position)
    var writer = ByteWriter()
    let record = try RecordView(stored.rawSpan, at: position)
    var fields = RecordFields(
      flags: record.flags.intersection(.isLate), type: record.type, typeVersion: record.typeVersion,
      tag: record.tag, recordedAt: record.recordedAt, occurredAt: record.occurredAt, id: record.id,
      stream: record.stream, version: record.version, position: place ?? position, previous: record.previous)
    fields.session = record.session
    fields.sessionName = try record.nameOfSession()
    fields.sessionDigest = try record.digestOfSession()
    fields.erasedName = try record.nameErased()
    fields.name = try record.name()
    fields.secret = record.secret
    fields.chain = record.chain
    try change(&fields)
    let content = payload ?? record.payload.array()
    fields.encode(
      typeName: record.typeName, metadata: record.metadata, payload: content.rawSpan, into: &writer)
    put(writer.bytes, at: place ?? position)
  }
}
