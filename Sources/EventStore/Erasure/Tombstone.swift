// What is left of an erasure: when, by whom, how much, and a hash by which the person would be found again.
//
// Tombstones are records of the store (`records_erasures`), and stand once more in a small file beside it: see
// ``TombstoneFile``.
//
//   key    hash of the name (32), when, microseconds (8)
//   value  form, by, events, last version erased, its position, version of the event that notes it, signature
internal import Bytes
internal import LMDB
internal import Sodium

/// That a person was erased.
public struct Tombstone: Hashable, Sendable {
  /// When.
  public let erasedAt: Timestamp
  /// By whom.
  public let by: String
  /// How many events lost what they said.
  public let events: UInt64
  /// The last version that was erased.
  public let version: StreamVersion
  /// Where that was in the log.
  public let position: LogPosition
  /// The hash of the name under the store's key for names.
  let nameHash: Bytes32
  /// The version of the event that notes it; 0 where there was nothing to be erased when it was heard of.
  package var notedAt: StreamVersion = 0
  /// The store's, over the rest; empty where the store does not sign.
  var signature: [UInt8] = []

  /// What stays the same when a restored store erases again.
  func isSame(as other: Tombstone) -> Bool {
    erasedAt == other.erasedAt && version == other.version && position == other.position && events == other.events
  }

  /// What is signed: all of it, as text.
  var statement: [UInt8] {
    Array("memoir tombstone 1\n\(erasedAt) \(nameHash.hexadecimal) \(events) \(version) \(position)\n\(by)\n".utf8)
  }
}

extension Tombstone {
  private static let form: UInt8 = 1

  static func key(_ hash: Bytes32, _ erasedAt: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 40)
    hash.write(into: &writer)
    writer.writeBigEndian(erasedAt)
    return writer.bytes
  }

  var key: [UInt8] { Self.key(nameHash, UInt64(erasedAt.microseconds)) }

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.write(Self.form)
    writer.writeString(by)
    writer.writeVarint(events)
    writer.writeVarint(version.number)
    writer.writeVarint(position.number)
    writer.writeVarint(notedAt.number)
    writer.writeLengthPrefixed(signature)
    return writer.bytes
  }

  init(key: RawSpan, decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(key)
    nameHash = try Bytes32(reading: &reader)
    guard let time = Timestamp(microseconds: Int64(clamping: try reader.readUInt64().byteSwapped)), reader.isAtEnd
    else { throw DamagedBytes() }
    erasedAt = time
    reader = ByteReader(value)
    guard try reader.readUInt8() == Self.form else { throw DamagedBytes() }
    by = try reader.readString()
    events = try reader.readVarint()
    version = StreamVersion(try reader.readVarint())
    position = LogPosition(try reader.readVarint())
    notedAt = StreamVersion(try reader.readVarint())
    signature = try reader.readLengthPrefixed().array()
  }
}

extension EventLog {
  /// All erasures, by the time they were made.
  public func tombstones() throws(StorageError) -> [Tombstone] {
    var found: [Tombstone] = []
    try forEachRecord(in: .erasures) { key, value throws(DamagedBytes) in
      found.append(try Tombstone(key: key, decoding: value))
      return true
    }
    return found.sorted { $0.erasedAt < $1.erasedAt }
  }

  /// The last erasure of somebody; `nil` where there was none.
  ///
  /// - Complexity: O(log n).
  public func lastErasure(of name: StreamName) throws(StorageError) -> Tombstone? {
    guard let table = tables.records(of: .erasures) else { return nil }
    let transaction = try readRecords()
    guard let key = try NameKey.read(in: transaction, tables) else { return nil }
    let hash = key.hash(of: name)
    var cursor = try transaction.scan(table.table)
    guard let entry = try cursor.to(atOrBefore: Tombstone.key(hash, .max)) else { return nil }
    let kind = StoreRecords.erasures.tableName
    let found = try decoding(kind) { () throws(DamagedBytes) in
      try table.withValue(entry.value, at: entry.key) { value throws(DamagedBytes) in
        try Tombstone(key: entry.key, decoding: value)
      }
    }
    return found.nameHash == hash ? found : nil
  }
}
