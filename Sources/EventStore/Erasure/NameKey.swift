// What becomes of the name of somebody who was erased: a hash under a key of the store's own.
//
// It leads back to the stream when somebody asks for that name again, and tells a tombstone whose it is. The key is in the
// store, in its backups and in its file of tombstones: whoever has one of them can try names.
internal import Bytes
internal import LMDB
internal import Sodium

struct NameKey: Equatable, Sendable {
  let key: Bytes32

  init(key: Bytes32) { self.key = key }

  /// That of a store which has none yet: the same in all copies of the store, so that each understands the tombstones of
  /// the others. Only who has a copy knows the seed.
  init(of store: EventID, seed: UInt64) {
    var writer = ByteWriter(capacity: 40)
    writer.write(contentsOf: Array("memoir names".utf8))
    store.write(into: &writer)
    writer.write(seed)
    key = BLAKE2b.digest(writer.bytes.rawSpan)
  }

  func hash(of name: StreamName) -> Bytes32 { HashChain.streamDigest(name, secret: key) }

  /// The store's; `nil` where nobody was erased yet.
  static func read(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> NameKey? {
    guard let value = try transaction.fetchIndexed(Key.meta(.nameKey), from: tables.meta, named: "meta") else {
      return nil
    }
    return try decoding("meta") { () throws(DamagedBytes) in
      var reader = ByteReader(value)
      return NameKey(key: try Bytes32(reading: &reader))
    }
  }

  func store(in transaction: inout WriteTransaction, _ tables: Tables) throws(StorageError) {
    var writer = ByteWriter(capacity: 32)
    key.write(into: &writer)
    try transaction.storeIndexed(writer.bytes, at: Key.meta(.nameKey), in: tables.meta)
  }
}
