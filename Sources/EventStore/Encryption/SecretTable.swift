// The keys that an encrypted store holds, each wrapped with its master key.
//
//   key     value
//   0       form, algorithm, id of the master key, wrapped: the key of the store's records
//   stream  wrapped: the stream's data key, the secret of its digests
//
// Keys are four bytes. A stream has a row as long as it has something to say: an erasure takes it away, and with it all
// that could ever be read; who comes back gets another. The log itself holds no key and no secret then, so that another
// master key changes these rows and nothing else.
internal import Bytes
internal import LMDB
internal import Sodium

enum SecretTable {
  static let name = "records_secrets"
  static let storeKey = Key.stream(0)
}

/// What the content of a stream's events is sealed with.
struct DataKey: Hashable, Sendable {
  let key: Bytes32
  let algorithm: SealingAlgorithm

  /// Made ready for use.
  var sealing: SealingKey { SealingKey(key, algorithm) }
}

/// What an encrypted store keeps of a stream beside the log.
struct StreamSecrets: Equatable {
  var dataKey: DataKey
  /// That of the digests.
  var secret: Bytes32
}

extension Tables {
  /// Empty where the store is not encrypted.
  var secrets: Table? { later[SecretTable.name] }

  func secretTable() throws(StorageError) -> Table {
    guard let secrets else {
      throw .full(reason: "there was no room for the table \(SecretTable.name) when the store was opened")
    }
    return secrets
  }
}

extension StoreCipher {
  /// Under another name, or for another stream, the keys do not open.
  private func binding(_ stream: StreamNumber, _ name: StreamName) -> [UInt8] {
    var writer = ByteWriter(capacity: 80)
    writer.writeString("stream")
    storeID.write(into: &writer)
    writer.write(stream)
    writer.write(contentsOf: Key.name(name))
    return writer.bytes
  }

  /// The keys of a stream; `nil` where there are none.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where they were wrapped for another, or are damaged.
  func secrets(
    of stream: StreamNumber, named name: StreamName, in transaction: borrowing some Transaction & ~Copyable,
    _ tables: Tables
  ) throws(StorageError) -> StreamSecrets? {
    guard let table = tables.secrets, let value = try transaction.fetch(Key.stream(stream), from: table) else {
      return nil
    }
    let key = Key.stream(stream)
    guard let wrapped = try? IndexValue.open(value, at: key.rawSpan).array(),
      let keys = wrapping.unwrap(wrapped.rawSpan, binding: binding(stream, name))
    else { throw .damagedSecrets(of: stream) }
    var reader = ByteReader(keys.rawSpan)
    guard let dataKey = try? Bytes32(reading: &reader), let secret = try? Bytes32(reading: &reader) else {
      throw .damagedSecrets(of: stream)
    }
    return StreamSecrets(dataKey: DataKey(key: dataKey, algorithm: algorithm), secret: secret)
  }

  /// Keeps the keys of a stream, in place of what was kept.
  func keep(
    _ secrets: StreamSecrets, of stream: StreamNumber, named name: StreamName, in transaction: inout WriteTransaction,
    _ tables: Tables
  ) throws(StorageError) {
    var keys = ByteWriter(capacity: 64)
    secrets.dataKey.key.write(into: &keys)
    secrets.secret.write(into: &keys)
    let wrapped = wrapping.wrap(keys.bytes, binding: binding(stream, name))
    try transaction.storeIndexed(wrapped, at: Key.stream(stream), in: try tables.secretTable())
  }
}

extension StreamIndex {
  /// An epoch as the log has it, with the keys that an encrypted store holds beside the log.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where they are gone or damaged.
  func unlocked(
    _ epoch: StreamEpoch, of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamEpoch {
    // Whose name was erased has nothing left to be read; a tombstone speaks of nobody.
    guard let cipher = tables.cipher, epoch.erased == nil else { return epoch }
    guard let secrets = try cipher.secrets(of: stream, named: epoch.name, in: transaction, tables) else {
      throw .damagedSecrets(of: stream)
    }
    var epoch = epoch
    epoch.secret = secrets.secret
    epoch.dataKey = secrets.dataKey
    return epoch
  }

  /// What is made of a stream's events is sealed with this; `nil` where the store is not encrypted, or the stream has
  /// nothing to say.
  func sealing(
    of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> SealingKey? {
    if tables.cipher == nil { return nil }
    return try epoch(of: stream, transaction).dataKey?.sealing
  }
}

extension EventLog {
  /// Refuses to take the place of a backup as long as somebody's keys are damaged or gone: the backup may have them.
  ///
  /// - Complexity: O(streams), about five microseconds each.
  func refuseLostKeys() throws(StorageError) {
    guard tables.cipher != nil else { return }
    let view = try view()
    for name in try view.streamNames() {
      let (stream, _) = try view.listed(name)
      let epoch = try view.index.storedEpoch(of: stream, view.transaction)
      do throws(StorageError) { _ = try view.index.unlocked(epoch, of: stream, view.transaction) } catch .corrupt {
        throw .damagedSecrets(ofCopied: name)
      }
    }
  }
}

extension StorageError {
  static func damagedSecrets(ofCopied stream: StreamName) -> StorageError {
    .corrupt(
      reason: "the keys of \(stream.user) are damaged or gone, and the backup may have them still: it is left as it is;"
        + " restore it, or back up into another folder", position: nil)
  }

  static func damagedSecrets(of stream: StreamNumber) -> StorageError {
    .corrupt(reason: "the keys of stream \(stream) are damaged or gone: what it says cannot be read", position: nil)
  }
}
