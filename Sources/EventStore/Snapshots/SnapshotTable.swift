// Stored states: where to begin folding. All of them can be dropped at any time.
//
//   key    stream, order (0: by version, 1: by occurred-at, 2: parts by version), version or occurred-at, projector (8 bytes)
//   value  checksum (XXH3 of the rest, seeded with that of the key), format, projector (8 more bytes),
//          the projector's identity (from format 2 on), highest version, state, or the part's number and the part
//
// In an encrypted store (format 3), what follows the identity is sealed with the stream's key, for that place.
internal import Bytes
internal import LMDB
internal import Sodium

/// A stored value, taken apart.
struct SnapshotValue: ~Escapable {
  let projectorLow: UInt64
  /// Empty in format 1, which does not say whose it is.
  let identity: RawSpan
  /// Sealed where ``isSealed``.
  let highestAndState: RawSpan
  let isSealed: Bool

  /// - Throws: ``DamagedBytes`` where it has no such parts, or is of a newer format.
  @_lifetime(copy value)
  init(_ value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    _ = try reader.readUInt64()
    let format = try reader.readUInt8()
    guard 1...SnapshotTable.sealedFormat ~= format else { throw DamagedBytes() }
    isSealed = format == SnapshotTable.sealedFormat
    projectorLow = try reader.readUInt64()
    identity = format == 1 ? try reader.readSpan(count: 0) : try reader.readLengthPrefixed()
    highestAndState = reader.readRest()
  }

  /// Lends highest version and state to `body`.
  ///
  /// - Parameter sealing: The stream's key, where the store is encrypted: then none but a sealed one is taken.
  /// - Returns: `nil` where it does not open.
  func withState<Result>(at key: RawSpan, _ sealing: SealingKey?, _ body: (RawSpan) -> Result?) -> Result? {
    guard isSealed == (sealing != nil) else { return nil }
    guard let sealing else { return body(highestAndState) }
    guard let opened = StoreCipher.open(highestAndState, at: key, in: SnapshotTable.name, with: sealing) else {
      return nil
    }
    return body(opened.rawSpan)
  }
}

enum SnapshotTable {
  enum Order: UInt8 {
    case version = 0
    case occurred = 1
    /// Parts of a state that only grows, each by the version of its last event: all of them together are the snapshot.
    case part = 2
  }

  /// Drops the states by occurred-at that an event of `time` would have been part of.
  static func removeOccurred(
    from time: Timestamp, of stream: StreamNumber, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    try remove(stream, .occurred, from: UInt64(time.microseconds), &transaction, tables)
  }

  /// Drops the states by version from `version` on, and the parts that hold it or come after it.
  static func remove(
    from version: StreamVersion, of stream: StreamNumber, _ transaction: inout WriteTransaction,
    _ tables: Tables
  ) throws(StorageError) {
    try remove(stream, .version, from: version.number, &transaction, tables)
    try remove(stream, .part, from: version.number, &transaction, tables)
  }

  /// Drops all states of a stream.
  static func removeAll(
    of stream: StreamNumber, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    for order in [Order.version, .occurred, .part] { try remove(stream, order, from: 0, &transaction, tables) }
  }

  private static func remove(
    _ stream: StreamNumber, _ order: Order, from number: UInt64, _ transaction: inout WriteTransaction,
    _ tables: Tables
  ) throws(StorageError) {
    let start = key(stream, order, number)
    do throws(LMDBError) {
      try transaction.sweep(tables.snapshots, from: start.rawSpan) { entry in
        isOf(stream, order, entry.key) ? .remove : .stop
      }
    } catch {
      throw StorageError(error)
    }
  }
}

extension SnapshotTable {
  static let name = "snapshots"
  static let format: UInt8 = 2
  static let sealedFormat: UInt8 = 3
  private static let keyLength = 21

  static func key(_ snapshot: DueSnapshot) -> [UInt8] {
    key(snapshot.stream, snapshot.order, snapshot.number, ProjectorKey(snapshot.projector).high)
  }

  /// A key. Without a projector, it comes before the keys of all projectors with the same number.
  static func key(
    _ stream: StreamNumber, _ order: Order, _ number: UInt64, _ projector: UInt64 = 0
  ) -> [UInt8] {
    var writer = ByteWriter(capacity: keyLength)
    writer.writeBigEndian(stream)
    writer.write(order.rawValue)
    writer.writeBigEndian(number)
    writer.writeBigEndian(projector)
    return writer.bytes
  }

  /// Whether a key is that of a snapshot of this stream, in this order.
  static func isOf(_ stream: StreamNumber, _ order: Order, _ key: RawSpan) -> Bool {
    var reader = ByteReader(key)
    guard let owner = try? reader.readUInt32().byteSwapped, let its = try? reader.readUInt8() else {
      return false
    }
    return owner == stream && its == order.rawValue
  }

  /// What follows stream and order in a key: the version or occurred-at, and half of the projector's digest.
  static func parts(of key: RawSpan) -> (number: UInt64, projector: UInt64)? {
    var reader = ByteReader(key.extracting(droppingFirst: 5))
    guard key.byteCount == keyLength, let number = try? reader.readUInt64().byteSwapped,
      let projector = try? reader.readUInt64().byteSwapped
    else { return nil }
    return (number, projector)
  }

  /// - Parameter sealing: The stream's key, where the store is encrypted.
  static func value(_ snapshot: DueSnapshot, key: [UInt8], _ sealing: SealingKey?) -> [UInt8] {
    let identity = snapshot.projector.encoded
    var writer = ByteWriter(capacity: snapshot.state.count + identity.count + 80)
    writer.write(0 as UInt64)
    writer.write(sealing == nil ? format : sealedFormat)
    writer.write(ProjectorKey(snapshot.projector).low)
    writer.writeLengthPrefixed(identity)
    if let sealing {
      var content = ByteWriter(capacity: snapshot.state.count + 10)
      content.writeVarint(snapshot.highest.number)
      content.write(contentsOf: snapshot.state)
      writer.write(
        contentsOf: StoreCipher.seal(content.bytes.rawSpan, at: key.rawSpan, in: name, with: sealing))
    } else {
      writer.writeVarint(snapshot.highest.number)
      writer.write(contentsOf: snapshot.state)
    }
    let checksum = checksum(writer.bytes.rawSpan.extracting(droppingFirst: 8), key: key.rawSpan)
    writer.overwrite(checksum, at: 0)
    return writer.bytes
  }

  private static func checksum(_ bytes: RawSpan, key: RawSpan) -> UInt64 {
    XXH3.hash(bytes, seed: XXH3.hash(key))
  }

  /// Lends the highest version and the state in `value` to `body`, where it belongs to the projector and is whole; else
  /// it can be folded anew.
  private static func withState<Result>(
    _ value: RawSpan, key: RawSpan, _ projector: ProjectorKey, _ sealing: SealingKey?, _ body: (RawSpan) -> Result?
  ) -> Result? {
    guard let parts = try? SnapshotValue(value), parts.projectorLow == projector.low, isWhole(value, key: key)
    else { return nil }
    return parts.withState(at: key, sealing, body)
  }

  /// Whether the bytes are those that were stored, and open with the stream's key where the store is encrypted.
  static func opens(_ value: RawSpan, key: RawSpan, _ sealing: SealingKey?) -> Bool {
    guard isWhole(value, key: key) else { return false }
    guard let parts = try? SnapshotValue(value) else { return sealing == nil }
    return parts.withState(at: key, sealing) { _ in true } ?? false
  }

  /// Whether the bytes are those that were stored, whatever projector they belong to.
  static func isWhole(_ value: RawSpan, key: RawSpan) -> Bool {
    var reader = ByteReader(value)
    guard let checksum = try? reader.readUInt64() else { return false }
    return Self.checksum(value.extracting(droppingFirst: 8), key: key) == checksum
  }

  /// Whether the bytes are those that were stored, whatever projector they belong to.
  static func isWhole(_ value: RawSpan, key: [UInt8]) -> Bool { isWhole(value, key: key.rawSpan) }

  /// The latest snapshot of a stream by any projector, and the size of its state.
  static func latest(
    of stream: StreamNumber, _ order: Order, _ view: borrowing LogView
  ) throws(StorageError) -> (number: UInt64, stateBytes: Int)? {
    var cursor = try view.transaction.scan(view.tables.snapshots)
    guard let entry = try cursor.to(atOrBefore: key(stream, order, .max, .max)),
      isOf(stream, order, entry.key), let found = parts(of: entry.key)
    else { return nil }
    return (found.number, (try? SnapshotValue(entry.value).highestAndState.byteCount) ?? 0)
  }

  /// The nearest snapshots at or before `number`, nearest first, until `body` takes one.
  static func nearest<Result>(
    of stream: StreamNumber, _ order: Order, atOrBefore number: UInt64, _ projector: ProjectorKey,
    _ view: borrowing LogView, _ body: (UInt64, RawSpan) -> Result?
  ) throws(StorageError) -> Result? {
    var cursor = try view.transaction.scan(view.tables.snapshots)
    var entry = try cursor.to(atOrBefore: key(stream, order, number, .max))
    let sealing = entry == nil ? nil : try view.index.sealing(of: stream, view.transaction)
    while let current = entry {
      guard isOf(stream, order, current.key), let found = parts(of: current.key) else { return nil }
      if found.projector == projector.high {
        let result = withState(current.value, key: current.key, projector, sealing) { body(found.number, $0) }
        if let result { return result }
      }
      entry = try cursor.toPrevious()
    }
    return nil
  }

  /// Lends the parts up to `last` to `body`, in order, as long as they are whole and it wants more.
  static func forEachPart(
    of stream: StreamNumber, through last: UInt64, _ projector: ProjectorKey, _ view: borrowing LogView,
    _ body: (UInt64, RawSpan) -> Bool
  ) throws(StorageError) {
    var cursor = try view.transaction.scan(view.tables.snapshots)
    var entry = try cursor.to(atOrAfter: key(stream, .part, 0))
    let sealing = entry == nil ? nil : try view.index.sealing(of: stream, view.transaction)
    while let current = entry, isOf(stream, .part, current.key), let found = parts(of: current.key),
      found.number <= last
    {
      if found.projector == projector.high {
        let goesOn = withState(current.value, key: current.key, projector, sealing) { body(found.number, $0) }
        guard goesOn == true else { return }
      }
      entry = try cursor.toNext()
    }
  }
}
