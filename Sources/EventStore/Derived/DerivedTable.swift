// What was made of single events at some cost, e.g. by asking a model. All of it can be dropped at any time.
//
//   key    kind (8 bytes), stream, version
//   value  what was made of the event at that version, in an encrypted store sealed with the stream's key for that place,
//          and a checksum; see IndexValue
internal import Bytes
internal import LMDB
internal import Sodium

/// Tells things that are made of events from each other: what they are, in which form, made by what.
///
/// Another name is another kind: what an older program or another model has made is not found under it.
package struct DerivedKind: Hashable, Sendable {
  /// Its name.
  package let name: String
  let key: UInt64

  /// The kind of that name.
  package init(_ name: String) {
    self.name = name
    key = XXH3.hash(Array(name.utf8).rawSpan)
  }
}

enum DerivedTable {
  static let name = "derived"
  private static let keyLength = 20

  /// What a key stands for.
  struct Place: Equatable {
    var kind: UInt64
    var stream: StreamNumber
    var version: StreamVersion

    init(_ kind: UInt64, _ stream: StreamNumber, _ version: StreamVersion) {
      self.kind = kind
      self.stream = stream
      self.version = version
    }

    init?(_ key: RawSpan) {
      var reader = ByteReader(key)
      guard key.byteCount == keyLength, let kind = try? reader.readUInt64().byteSwapped,
        let stream = try? reader.readUInt32().byteSwapped, let version = try? reader.readUInt64().byteSwapped
      else { return nil }
      self.init(kind, stream, StreamVersion(version))
    }

    var key: [UInt8] {
      var writer = ByteWriter(capacity: keyLength)
      writer.writeBigEndian(kind)
      writer.writeBigEndian(stream)
      writer.writeBigEndian(version.number)
      return writer.bytes
    }
  }

  /// Lends what was made of an event to `body`.
  ///
  /// - Parameter sealing: The stream's key, where the store is encrypted.
  /// - Throws: ``DamagedBytes`` where the entry is damaged, or what `body` throws.
  static func withValue<Result>(
    _ entry: Entry, _ sealing: SealingKey?, _ body: (RawSpan) throws(DamagedBytes) -> Result
  ) throws(DamagedBytes) -> Result {
    let value = try IndexValue.open(entry.value, at: entry.key)
    guard let sealing else { return try body(value) }
    guard let opened = StoreCipher.open(value, at: entry.key, in: name, with: sealing) else { throw DamagedBytes() }
    return try body(opened.rawSpan)
  }

  /// Drops what was made of one event, of every kind.
  static func remove(
    _ version: StreamVersion, of stream: StreamNumber, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    guard let table = tables.derived else { return }
    for kind in try kinds(in: transaction, table) {
      try transaction.remove(Place(kind, stream, version).key, from: table)
    }
  }

  /// Drops what was made of all events of a stream.
  static func removeAll(
    of stream: StreamNumber, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    guard let table = tables.derived else { return }
    for kind in try kinds(in: transaction, table) {
      do throws(LMDBError) {
        try transaction.sweep(table, from: Place(kind, stream, 0).key.rawSpan) { entry in
          guard let place = Place(entry.key), place.kind == kind, place.stream == stream else { return .stop }
          return .remove
        }
      } catch {
        throw StorageError(error)
      }
    }
  }

  /// The kinds that there is anything of: few, so each is found by one step.
  private static func kinds(
    in transaction: borrowing WriteTransaction, _ table: Table
  ) throws(StorageError) -> [UInt64] {
    var kinds: [UInt64] = []
    var cursor = try transaction.scan(table)
    var next: UInt64? = 0
    while let start = next, let entry = try cursor.to(atOrAfter: Place(start, 0, 0).key) {
      // A damaged key: whatever lies behind it is found by `verify`.
      guard let kind = Place(entry.key)?.kind else { break }
      kinds.append(kind)
      next = kind == .max ? nil : kind + 1
    }
    return kinds
  }
}
