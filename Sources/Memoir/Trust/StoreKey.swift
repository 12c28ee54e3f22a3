// The store's own key: what it says of its history and of what it hands out, it signs.
//
// It is made when something is to be signed for the first time. The seed it is made of is a record of the store: in the
// data file, in backups, and nowhere else.
internal import Bytes
public import EventStore
package import Sodium

/// What signatures of a store are checked with: 64 hexadecimal digits, which anybody may know.
public struct PublicKey: Hashable, Sendable, CustomStringConvertible {
  let bytes: Bytes32

  init(_ bytes: Bytes32) { self.bytes = bytes }

  /// Reads 64 hexadecimal digits.
  ///
  /// - Throws: ``InvalidValue`` for anything else.
  public init(_ text: String, field: String = "public_key") throws(InvalidValue) {
    guard let bytes = Bytes32(hexadecimal: text) else {
      throw InvalidValue(field: field, reason: "must be 64 hexadecimal digits")
    }
    self.bytes = bytes
  }

  /// As it is printed.
  public var description: String { bytes.hexadecimal }

  /// Whether the owner of this key has signed `message`.
  package func hasSigned(_ message: [UInt8], as signature: Signature) -> Bool {
    signature.isValid(of: message.rawSpan, by: bytes)
  }

  /// Whether the owner of this key has signed `message`, by the bytes of a signature that may be none.
  func hasSigned(_ message: [UInt8], as signature: [UInt8]) -> Bool {
    let digits = signature.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return Signature(hexadecimal: digits).map { hasSigned(message, as: $0) } ?? false
  }
}

/// The key that a store signs with.
public struct StoreKey: Sendable, CustomStringConvertible {
  private let key: SigningKey

  fileprivate init(seed: Bytes32) { key = SigningKey(seed: seed) }

  /// What its signatures are checked with.
  public var publicKey: PublicKey { PublicKey(key.publicKey) }
  /// The public key: the secret is never printed.
  public var description: String { publicKey.description }

  /// Signs a text. It should say what it is, so that a signature for one thing is none for another.
  package func sign(_ message: [UInt8]) -> Signature { key.sign(message.rawSpan) }
}

extension MemoirStore {
  /// The store's key; `nil` where nothing was signed yet.
  ///
  /// - Throws: `corrupt` where it is damaged: then nobody can sign for this store any more.
  public func storeKey() throws(MemoirError) -> StoreKey? {
    do throws(StorageError) { return try StoreKey.read(in: log).key } catch { throw MemoirError(error) }
  }

  /// The store's key, made where there is none. It is on disk when this returns.
  ///
  /// - Throws: `forbidden` where there is none and the store was opened for reading only; `corrupt`.
  public func signingKey() throws(MemoirError) -> StoreKey {
    do throws(StorageError) {
      while true {
        let (key, version) = try StoreKey.read(in: log)
        if let key { return key }
        let seed = Bytes32.random()
        var writer = ByteWriter(capacity: 33)
        writer.write(StoreKey.form)
        seed.write(into: &writer)
        // Where another process was first, its key counts.
        let made = RecordChange.keep(writer.bytes, at: StoreKey.recordKey)
        if try log.changeRecordsAndWait([made], in: .signing, expecting: version) { return StoreKey(seed: seed) }
      }
    } catch {
      throw MemoirError(error)
    }
  }
}

extension StoreKey {
  fileprivate static let form: UInt8 = 1
  fileprivate static let recordKey: [UInt8] = [1]

  /// The key that is kept, and how often it was changed.
  static func read(in log: EventLog) throws(StorageError) -> (key: StoreKey?, version: UInt64) {
    let set = try log.recordSet(of: .signing)
    guard let record = set.records.first(where: { $0.key == Self.recordKey }) else { return (nil, set.version) }
    do throws(DamagedBytes) {
      guard let value = record.value else { throw DamagedBytes() }
      var reader = ByteReader(value.rawSpan)
      guard try reader.readUInt8() == Self.form else { throw DamagedBytes() }
      return (StoreKey(seed: try Bytes32(reading: &reader)), set.version)
    } catch {
      throw .corrupt(reason: "the store's key is damaged", position: nil)
    }
  }
}
