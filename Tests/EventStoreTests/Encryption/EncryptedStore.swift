// A store that is encrypted, and what is done to its bytes behind the engine's back.
import Bytes
import Foundation
import LMDB
import Sodium
import TestSupport
import Testing

@testable import EventStore

extension MasterKey {
  /// A key that is told from others by a number.
  static func numbered(_ number: UInt8) throws -> MasterKey {
    try #require(MasterKey(bytes: Array(repeating: number, count: MasterKey.size)))
  }
}

extension EventLog.Options {
  /// Of an encrypted store.
  static func encrypted(_ number: UInt8 = 1, _ algorithm: SealingAlgorithm? = nil) throws -> EventLog.Options {
    var options = EventLog.Options()
    options.masterKey = try .numbered(number)
    options.algorithm = algorithm
    return options
  }
}

/// Has `body` change the entries of a closed store.
private func changeEntries(in path: String, _ body: (inout WriteTransaction, Tables) throws -> Void) throws {
  let environment = try Environment(folder: path)
  defer { environment.close() }
  let later = try environment.openTables(Tables.laterNames)
  let tables = Tables(
    try environment.openTables(Tables.tableNames),
    later: Dictionary(uniqueKeysWithValues: zip(Tables.laterNames, later)))
  try environment.write { transaction in try body(&transaction, tables) }
}

extension EventLog {
  /// All events.
  func keptEvents() throws -> [KeptEvent] { try readAll(limit: 65_000).events.map { KeptEvent($0) } }
}

extension TemporaryStore {
  /// The files of the store that hold a text.
  func files(holding text: String) throws -> [String] { try files(holding: Array(text.utf8)) }

  /// The files of the store that hold these bytes.
  func files(holding bytes: [UInt8]) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
      try Data(contentsOf: URL(filePath: path + "/" + name)).range(of: Data(bytes)) != nil
    }
  }

  /// Closes the store, has `body` change its entries, and opens it again.
  func tamper(_ body: (inout WriteTransaction, Tables) throws -> Void) throws {
    try reopen { try changeEntries(in: path, body) }
  }

  /// Gives a record what another one has sealed, with a checksum that is right.
  func giveRecord(at position: LogPosition, whatIsSealedAt other: LogPosition) throws {
    try changeSealed(at: position) { log in
      let bytes = try log.bytes(at: other)
      return try RecordView(bytes.rawSpan, at: other).sealed.array()
    }
  }

  /// Puts other bytes in the place of what a record has sealed, with a checksum that is right.
  func changeSealed(at position: LogPosition, _ change: (StoredLog) throws -> [UInt8]) throws {
    try reopen {
      try StoredLog.change(in: path) { log in
        let bytes = try log.bytes(at: position)
        let size = try RecordView(bytes.rawSpan, at: position).sealed.byteCount
        log.put(Self.withChecksum(bytes.dropLast(size) + (try change(log)), at: position), at: position)
      }
    }
  }

  static func withChecksum(_ bytes: [UInt8], at position: LogPosition) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(contentsOf: bytes)
    let covered = Array(bytes.dropFirst(RecordFormat.checksummedFrom))
    writer.overwrite(XXH3.hash(covered.rawSpan, seed: position.number), at: 0)
    return writer.bytes
  }

  /// What every record has sealed, by its position.
  func sealed() throws -> [LogPosition: [UInt8]] {
    let view = try log.view()
    var found: [LogPosition: [UInt8]] = [:]
    for number in stride(from: 1, through: view.last.number, by: 1) {
      let record = try view.record(at: LogPosition(number))
      if record.flags.contains(.sealed) { found[record.position] = record.sealed.array() }
    }
    return found
  }
}
