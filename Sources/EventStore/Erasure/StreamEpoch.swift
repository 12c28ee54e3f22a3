// Under which name and secret a stretch of a stream was written: from its beginning, or from an erasure on.
//
// An erasure ends an epoch: its name and secret are taken out of the record that began it. The next one is the tombstone's
// own, without a name; when the person comes back, another begins with a name and a new secret.
internal import Bytes
internal import Sodium

/// What stands in the log for a stream's name that was erased.
struct ErasedName: Hashable, Sendable {
  /// The name's hash under the store's ``NameKey``: leads to the stream when the person comes back.
  var hash: Bytes32
  /// The stream digest of the epoch, which the chains need and nobody can make again.
  var digest: Bytes32

  static let digestSize = 32, sizeInBytes = 64

  init(hash: Bytes32, digest: Bytes32) {
    self.hash = hash
    self.digest = digest
  }

  init(reading reader: inout ByteReader) throws(DamagedBytes) {
    hash = try Bytes32(reading: &reader)
    digest = try Bytes32(reading: &reader)
  }

  func write(into writer: inout ByteWriter) {
    hash.write(into: &writer)
    digest.write(into: &writer)
  }
}

/// An epoch of a stream.
struct StreamEpoch: Equatable, Sendable {
  /// Without a user where that was erased.
  var name: StreamName
  /// Zero where it was destroyed, or is not in the log: see ``stored``.
  var secret: Bytes32
  /// Where the name was erased.
  var erased: ErasedName?
  /// What the content of its events is sealed with, where the store is encrypted.
  var dataKey: DataKey?

  /// The stream digest that its events' digests begin with.
  var digest: Bytes32 { erased?.digest ?? HashChain.streamDigest(name, secret: secret) }

  /// As the log and its index have it: in an encrypted store without its keys, which stand in ``SecretTable``.
  var stored: StreamEpoch {
    StreamEpoch(name: name, secret: dataKey == nil ? secret : .zero, erased: erased)
  }
}

extension RecordView {
  /// The epoch that the record begins; `nil` where it begins none.
  func epoch() throws(DamagedBytes) -> StreamEpoch? {
    guard let secret, let name = try name() else { return nil }
    return StreamEpoch(name: name, secret: secret, erased: try nameErased())
  }

  /// What stands for the stream's name, where it was here and was erased.
  func nameErased() throws(DamagedBytes) -> ErasedName? {
    if erasedName.isEmpty { return nil }
    var reader = ByteReader(erasedName)
    return try ErasedName(reading: &reader)
  }

  /// The digest of the session that begins here, where its name was erased.
  func digestOfSession() throws(DamagedBytes) -> Bytes32? {
    guard flags.contains([.namesSession, .namesErased]) else { return nil }
    var reader = ByteReader(sessionName)
    return try Bytes32(reading: &reader)
  }

  /// Whether it says that what came before it was erased. It stays as it is, whatever is erased later.
  var isTombstone: Bool { flags.isSuperset(of: [.namesStream, .namesErased]) && !flags.contains(.redacted) }
}

extension StreamName {
  /// A stream whose user was erased.
  package init(namelessIn namespace: Namespace) { self.init(UserID(unchecked: ""), in: namespace) }

  /// Whether the person was erased: whose it was, the store does not know any more.
  public var isNameless: Bool { user.description.isEmpty }
}
