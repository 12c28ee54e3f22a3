// Stored states: where to begin folding. All of them can be dropped at any time.
//
//   key    stream, order (0: by version, 1: by occurred-at), version or occurred-at, projector (8 bytes)
//   value  checksum (XXH3 of key and rest), format, projector (8 more bytes), version, bytes of events so far, state
internal import Bytes
internal import LMDB

enum SnapshotTable {
  enum Order: UInt8 {
    case version = 0
    case occurred = 1
  }

  static func prefix(_ stream: StreamNumber, _ order: Order, from number: UInt64 = 0) -> [UInt8] {
    var writer = ByteWriter(capacity: 21)
    writer.writeBigEndian(stream)
    writer.write(order.rawValue)
    writer.writeBigEndian(number)
    return writer.bytes
  }

  /// Drops the states by occurred-at that an event of `time` would have been part of.
  static func removeOccurred(
    from time: Timestamp, of stream: StreamNumber, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    try remove(from: prefix(stream, .occurred, from: UInt64(time.microseconds)), prefixed: 5, &transaction, tables)
  }

  /// Drops the states by version from `version` on.
  static func remove(
    from version: StreamVersion, of stream: StreamNumber, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    try remove(from: prefix(stream, .version, from: version.number), prefixed: 5, &transaction, tables)
  }

  private static func remove(
    from start: [UInt8], prefixed count: Int, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    while true {
      var found: [UInt8]?
      do {
        var cursor = try transaction.scan(tables.snapshots)
        if let entry = try cursor.to(atOrAfter: start) { found = entry.key.array() }
      }
      guard let key = found, key.starts(with: start.prefix(count)) else { return }
      try transaction.remove(key, from: tables.snapshots)
    }
  }
}
