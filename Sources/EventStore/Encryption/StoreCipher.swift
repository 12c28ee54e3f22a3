// What an encrypted store is sealed with, once it was opened with its master key.
internal import Bytes
internal import LMDB
internal import Sodium

/// How a store is encrypted.
public struct EncryptionStatus: Sendable, Hashable {
  /// What its events and snapshots are sealed with, e.g. `AES-256-GCM`.
  public let algorithm: String
  /// The id of the master key it takes to open it.
  public let masterKeyID: String
}

/// The keys of an open store.
final class StoreCipher: Sendable {
  let algorithm: SealingAlgorithm
  let masterKeyID: String
  let wrapping: KeyWrapping
  /// Tells the store from others: what is wrapped for one does not open in another.
  let storeID: EventID
  /// What the store's records are sealed with. There is no end of them, e.g. of accesses, and their nonces are random: it
  /// is XChaCha20-Poly1305 in any store, whose nonces are long enough for that.
  private let recordKey: Bytes32
  private let records: SealingKey

  init(_ master: MasterKey, _ algorithm: SealingAlgorithm, of storeID: EventID, recordKey: Bytes32 = .random()) {
    self.algorithm = algorithm
    masterKeyID = master.id
    wrapping = KeyWrapping(master)
    self.storeID = storeID
    self.recordKey = recordKey
    records = SealingKey(recordKey, .xChaCha20Poly1305)
  }

  var status: EncryptionStatus { EncryptionStatus(algorithm: algorithm.name, masterKeyID: masterKeyID) }

  /// The same under another master key.
  func rewrapped(with master: MasterKey) -> StoreCipher {
    StoreCipher(master, algorithm, of: storeID, recordKey: recordKey)
  }

  // MARK: Values of the store's records

  private static func binding(_ table: String, _ key: RawSpan) -> [UInt8] {
    var writer = ByteWriter(capacity: table.utf8.count + key.byteCount + 1)
    writer.writeString(table)
    writer.write(key)
    return writer.bytes
  }

  /// Seals a value for its place.
  func seal(_ value: RawSpan, at key: RawSpan, in table: String) -> [UInt8] {
    Self.seal(value, at: key, in: table, with: records)
  }

  /// What was sealed for a place; `nil` where it was not, or is damaged.
  func open(_ sealed: RawSpan, at key: RawSpan, in table: String) -> [UInt8]? {
    Self.open(sealed, at: key, in: table, with: records)
  }

  /// Seals a value for its place with another key, e.g. a stream's.
  static func seal(_ value: RawSpan, at key: RawSpan, in table: String, with sealing: SealingKey) -> [UInt8] {
    var sealed: [UInt8] = []
    sealing.seal(value, nonce: .random(), binding: binding(table, key).rawSpan, into: &sealed)
    return sealed
  }

  /// What was sealed for a place with another key.
  static func open(_ sealed: RawSpan, at key: RawSpan, in table: String, with sealing: SealingKey) -> [UInt8]? {
    var value: [UInt8] = []
    return sealing.open(sealed, binding: binding(table, key).rawSpan, into: &value) ? value : nil
  }
}

// MARK: The store's row

/// The store's own row of ``SecretTable``: by what it is encrypted, and the key of its records. It stands in `meta` once
/// more: one flipped bit must not cost all of the store.
private struct StoreRow {
  static let form: UInt8 = 1

  let algorithm: UInt8
  let masterKeyID: [UInt8]
  let wrappedKey: [UInt8]

  init(_ value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    guard try reader.readUInt8() == Self.form else { throw DamagedBytes() }
    algorithm = try reader.readUInt8()
    masterKeyID = try reader.readLengthPrefixed().array()
    wrappedKey = reader.readRest().array()
  }

  /// Both copies: `nil` where there is none, an error where it is damaged.
  static func read(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> [Result<StoreRow, DamagedBytes>?] {
    func row(_ key: [UInt8], _ table: Table?) throws(StorageError) -> Result<StoreRow, DamagedBytes>? {
      guard let table, let value = try transaction.fetch(key, from: table) else { return nil }
      do throws(DamagedBytes) {
        return .success(try StoreRow(try IndexValue.open(value, at: key.rawSpan)))
      } catch {
        return .failure(error)
      }
    }
    return [
      try row(SecretTable.storeKey, tables.secrets), try row(Key.meta(.encryption), tables.meta),
    ]
  }

  static func binding(_ storeID: EventID, _ algorithm: UInt8) -> [UInt8] {
    var writer = ByteWriter(capacity: 32)
    writer.writeString("store")
    storeID.write(into: &writer)
    writer.write(algorithm)
    return writer.bytes
  }
}

extension StoreCipher {
  /// Writes the store's row, in both places.
  func store(in transaction: inout WriteTransaction, _ tables: Tables) throws(StorageError) {
    var key = ByteWriter(capacity: 32)
    recordKey.write(into: &key)
    var row = ByteWriter(capacity: 100)
    row.write(StoreRow.form)
    row.write(algorithm.rawValue)
    row.writeString(masterKeyID)
    row.write(contentsOf: wrapping.wrap(key.bytes, binding: StoreRow.binding(storeID, algorithm.rawValue)))
    try transaction.storeIndexed(row.bytes, at: SecretTable.storeKey, in: try tables.secretTable())
    try transaction.storeIndexed(row.bytes, at: Key.meta(.encryption), in: tables.meta)
  }

  /// Whether the store's row is whole in both places.
  static func isRowWhole(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> Bool {
    try StoreRow.read(in: transaction, tables).allSatisfy { row in
      if case .success = row { true } else { false }
    }
  }

  /// What a store is encrypted with; `nil` where it is not.
  ///
  /// - Parameter identity: What the store says of itself.
  /// - Throws: ``StorageError/wrongKey(reason:)`` unless `master` is its master key, or it has none and none is given.
  static func open(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables, of identity: StoreIdentity,
    with master: MasterKey?
  ) throws(StorageError) -> StoreCipher? {
    let storeID = identity.storeID
    let found = try StoreRow.read(in: transaction, tables).compactMap(\.self)
    guard (identity.format == StoreFormat.encrypted) == !found.isEmpty else {
      throw .corrupt(reason: "the data file does not say whether it is encrypted, and with what", position: nil)
    }
    let row = found.lazy.compactMap { try? $0.get() }.first
    guard row != nil || found.isEmpty else {
      throw .corrupt(
        reason: "what says how the store is encrypted is damaged, in both places: nothing of it can be read; restore a"
          + " backup", position: nil)
    }
    guard let row else {
      guard master == nil else {
        throw .wrongKey(
          reason: "the store is not encrypted, and a master key was given: open it without, or make a new store with it"
        )
      }
      return nil
    }
    let wanted = String(decoding: row.masterKeyID, as: UTF8.self)
    guard let master else {
      throw .wrongKey(reason: "the store is encrypted: it takes the master key \(wanted) to open it")
    }
    guard master.id == wanted else {
      throw .wrongKey(
        reason: "the store is encrypted with the master key \(wanted), and \(master.id) was given: give that one")
    }
    guard let algorithm = SealingAlgorithm(rawValue: row.algorithm) else {
      throw .wrongKey(reason: "the store is encrypted in a way that this program does not know: use a newer one")
    }
    guard algorithm.isAvailable else {
      throw .wrongKey(
        reason: "the store is encrypted with \(algorithm.name), which this processor cannot do: open it where one can")
    }
    guard
      let key = master.unwrapped(row.wrappedKey, StoreRow.binding(storeID, row.algorithm))
    else {
      throw .corrupt(reason: "the key of the store's records is damaged: restore a backup", position: nil)
    }
    return StoreCipher(master, algorithm, of: storeID, recordKey: key)
  }
}

extension MasterKey {
  fileprivate func unwrapped(_ wrapped: [UInt8], _ binding: [UInt8]) -> Bytes32? {
    guard let bytes = KeyWrapping(self).unwrap(wrapped.rawSpan, binding: binding) else { return nil }
    var reader = ByteReader(bytes.rawSpan)
    return try? Bytes32(reading: &reader)
  }
}
