// What becomes of the name of somebody who was erased: a hash under a random key of the store's own.
//
// It leads back to the stream when somebody asks for that name again, and tells a tombstone whose it is. Without the key,
// and so without the store, no name can be tried.
internal import Bytes
internal import LMDB
internal import Sodium

struct NameKey: Equatable, Sendable {
  let key: Bytes32

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
