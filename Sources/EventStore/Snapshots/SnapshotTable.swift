// Stored states: where to begin folding. All of them can be dropped at any time.
//
//   key    stream, order (0: by version, 1: by occurred-at), version or occurred-at, projector (8 bytes)
//   value  checksum (XXH3 of the rest, seeded with that of the key), format, projector (8 more bytes),
//          highest version, state
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
    try remove(
      from: prefix(stream, .occurred, from: UInt64(time.microseconds)), prefixed: 5, &transaction, tables)
  }

  /// Drops the states by version from `version` on.
  static func remove(
    from version: StreamVersion, of stream: StreamNumber, _ transaction: inout WriteTransaction,
    _ tables: Tables
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

/// A snapshot that was found.
struct StoredSnapshot {
  /// The version or the occurred-at it stands for.
  var number: UInt64
  var state: [UInt8]
}

extension SnapshotTable {
  private static let format: UInt8 = 1
  private static let keyLength = 21

  static func key(_ snapshot: DueSnapshot) -> [UInt8] {
    var writer = ByteWriter(capacity: keyLength)
    writer.write(contentsOf: prefix(snapshot.stream, snapshot.order, from: snapshot.number))
    writer.writeBigEndian(snapshot.projector.high)
    return writer.bytes
  }

  static func value(_ snapshot: DueSnapshot, key: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(capacity: snapshot.state.count + 28)
    writer.write(0 as UInt64)
    writer.write(format)
    writer.write(snapshot.projector.low)
    writer.writeVarint(snapshot.highest.number)
    writer.write(contentsOf: snapshot.state)
    let checksum = checksum(writer.bytes.rawSpan.extracting(droppingFirst: 8), key: key)
    writer.overwrite(checksum, at: 0)
    return writer.bytes
  }

  private static func checksum(_ bytes: RawSpan, key: [UInt8]) -> UInt64 {
    XXH3.hash(bytes, seed: XXH3.hash(key.rawSpan))
  }

  /// The highest version and the state in `value`, where it belongs to the projector and is whole; else `nil`: it can be folded anew.
  @_lifetime(copy value)
  static func state(_ value: RawSpan, key: [UInt8], _ projector: ProjectorKey) -> RawSpan? {
    var reader = ByteReader(value)
    guard let checksum = try? reader.readUInt64(), let form = try? reader.readUInt8(),
      let low = try? reader.readUInt64(), form == format, low == projector.low,
      Self.checksum(value.extracting(droppingFirst: 8), key: key) == checksum
    else { return nil }
    return reader.readRest()
  }

  /// Whether the bytes are those that were stored, whatever projector they belong to.
  static func isWhole(_ value: RawSpan, key: [UInt8]) -> Bool {
    var reader = ByteReader(value)
    guard let checksum = try? reader.readUInt64() else { return false }
    return Self.checksum(value.extracting(droppingFirst: 8), key: key) == checksum
  }

  /// The latest snapshot of a stream by any projector, and the size of its state.
  static func latest(
    of stream: StreamNumber, _ order: Order, _ view: borrowing LogView
  ) throws(StorageError) -> (number: UInt64, stateBytes: Int)? {
    var cursor = try view.transaction.scan(view.tables.snapshots)
    var upper = ByteWriter(capacity: keyLength)
    upper.write(contentsOf: prefix(stream, order, from: .max))
    upper.write(UInt64.max)
    guard let entry = try cursor.to(atOrBefore: upper.bytes) else { return nil }
    guard entry.key.byteCount == keyLength, entry.key.array().starts(with: prefix(stream, order).prefix(5))
    else {
      return nil
    }
    var reader = ByteReader(entry.key.extracting(droppingFirst: 5))
    guard let number = try? reader.readUInt64().byteSwapped else { return nil }
    return (number, max(0, entry.value.byteCount - valueOverhead))
  }

  /// What a value holds before the state.
  private static let valueOverhead = 17

  /// The nearest snapshots at or before `number`, nearest first, until `body` takes one.
  static func nearest<Result>(
    of stream: StreamNumber, _ order: Order, atOrBefore number: UInt64, _ projector: ProjectorKey,
    _ view: borrowing LogView, _ body: (UInt64, RawSpan) -> Result?
  ) throws(StorageError) -> Result? {
    let start = prefix(stream, order)
    var upper = ByteWriter(capacity: keyLength)
    upper.write(contentsOf: prefix(stream, order, from: number))
    upper.write(UInt64.max)
    var cursor = try view.transaction.scan(view.tables.snapshots)
    var entry = try cursor.to(atOrBefore: upper.bytes)
    while let current = entry {
      let key = current.key.array()
      guard key.count == keyLength, key.starts(with: start.prefix(5)) else { return nil }
      var reader = ByteReader(current.key.extracting(droppingFirst: 5))
      guard let found = try? reader.readUInt64().byteSwapped, let high = try? reader.readUInt64().byteSwapped
      else {
        return nil
      }
      if high == projector.high, let state = state(current.value, key: key, projector),
        let result = body(found, state)
      {
        return result
      }
      entry = try cursor.toPrevious()
    }
    return nil
  }
}
