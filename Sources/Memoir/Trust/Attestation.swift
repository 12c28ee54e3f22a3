// Attestations: what the log's history was at one moment, signed by the store.
//
//   {"chain":…,"memoir_attestation":1,"position":…,"public_key":…,"recorded_at":…,"signature":…,"store_id":…}
//
// Kept where whoever holds the store cannot reach it, one of them proves later that nothing up to its position was changed,
// left out, moved or put in. The signature is Ed25519, over the same canonical JSON without the member `signature`.
internal import Bytes
public import EventStore
internal import JSON
internal import Sodium

/// What the log's history was at one moment, signed by the store.
///
/// ```swift
/// let kept = try store.attest().text
/// // … later:
/// let report = try store.verify(since: try Attestation(kept))
/// ```
public struct Attestation: Hashable, Sendable {
  /// Whose history it is.
  public let storeID: EventID
  /// Where the log ended, and the value of its chain there.
  public let head: LogHead
  /// The key that it says it is signed with.
  public let publicKey: PublicKey
  let signature: Signature

  private static let form = 1
  private static let members = [
    "chain", "memoir_attestation", "position", "public_key", "recorded_at", "signature", "store_id",
  ]

  fileprivate init(_ head: LogHead, of storeID: EventID, by key: StoreKey) {
    self.storeID = storeID
    self.head = head
    publicKey = key.publicKey
    signature = key.sign(Self.unsigned(head, storeID, publicKey))
  }

  /// Reads an attestation, and checks that it is signed with the key it names; whose key that is, is another question.
  ///
  /// - Throws: `invalid_json`, or `invalid_argument` naming `field`, where it is none, or has been changed since it was signed.
  public init(_ text: [UInt8], field: String = "attestation") throws(MemoirError) {
    do {
      self = try JSONParser().parse(text.span, limits: JSONLimits(depth: 4, sizeInBytes: 4_096)) { node throws in
        try Attestation(node, field)
      }
    } catch let error as JSONError {
      let refusal = MemoirError(error)
      throw MemoirError(refusal.code, "\(field): \(refusal.message)", details: .object("field", field))
    } catch {
      throw MemoirError(error)
    }
    guard publicKey.hasSigned(Self.unsigned(head, storeID, publicKey), as: signature) else {
      throw .invalid(field: field, "its signature is not of what it says: it was changed, or never signed")
    }
  }

  private init(_ node: JSONNode, _ field: String) throws {
    guard node.kind == .object, let form = node["memoir_attestation"] else {
      throw MemoirError.invalid(field: field, "is no attestation")
    }
    guard form.int64 == Int64(Self.form) else {
      throw MemoirError.invalid(field: field, "is an attestation of a newer form; use a newer program")
    }
    try node.refuseOthers(than: Self.members)
    let fields = try DataReader(node, path: "")
    storeID = try fields.requiredID("store_id") { text, field throws(InvalidValue) in try EventID(text, field: field) }
    guard let position = try fields.optionalCount("position") else {
      throw MemoirError.invalid(field: "position", "is missing")
    }
    guard let chain = Bytes32(hexadecimal: try fields.text("chain")) else {
      throw MemoirError.invalid(field: "chain", "must be 64 hexadecimal digits")
    }
    let recordedAt = try fields.optionalTime("recorded_at")
    head = LogHead(position: LogPosition(position), recordedAt: recordedAt, chain: chain.hexadecimal)
    publicKey = try fields.requiredID("public_key") { text, field throws(InvalidValue) in
      try PublicKey(text, field: field)
    }
    guard let signature = Signature(hexadecimal: try fields.text("signature")) else {
      throw MemoirError.invalid(field: "signature", "must be 128 hexadecimal digits")
    }
    self.signature = signature
  }

  /// As it is kept: a line of canonical JSON, without an end of line.
  public var text: [UInt8] { Self.text(head, storeID, publicKey, signature) }

  /// What is signed.
  private static func unsigned(_ head: LogHead, _ storeID: EventID, _ publicKey: PublicKey) -> [UInt8] {
    text(head, storeID, publicKey, nil)
  }

  private static func text(
    _ head: LogHead, _ storeID: EventID, _ publicKey: PublicKey, _ signature: Signature?
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("chain")
    writer.string(head.chain)
    writer.key("memoir_attestation")
    writer.integer(form)
    writer.key("position")
    writer.integer(head.position.number)
    writer.key("public_key")
    writer.string(publicKey.description)
    if let recordedAt = head.recordedAt {
      writer.key("recorded_at")
      writer.write(recordedAt)
    }
    if let signature {
      writer.key("signature")
      writer.string(signature.hexadecimal)
    }
    writer.key("store_id")
    writer.write(storeID)
    writer.endObject()
    return writer.finish()
  }
}

extension MemoirStore {
  /// Attests the history up to now.
  ///
  /// - Throws: `forbidden` where the store has no key yet and was opened for reading only; `corrupt`.
  public func attest() throws(MemoirError) -> Attestation {
    let key = try signingKey()
    do throws(StorageError) {
      return Attestation(try log.head(), of: log.storeID, by: key)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Refuses an attestation that is not this store's.
  ///
  /// - Parameter pinned: The key that it must be signed with; `nil`: the one the store has. Whoever can write the store's
  ///   file can give it another key, so a key that was kept elsewhere proves more.
  /// - Throws: `invalid_argument` naming `field`.
  public func check(
    _ attestation: Attestation, pinned: PublicKey? = nil, field: String = "attestation"
  ) throws(MemoirError) {
    guard attestation.storeID == log.storeID else {
      throw .invalid(field: field, "is of another store, \(attestation.storeID)")
    }
    if let pinned {
      guard attestation.publicKey == pinned else {
        throw .invalid(field: field, "is signed with another key than the one given")
      }
      return
    }
    guard let own = try storeKey() else {
      throw .invalid(field: field, "is signed, and this store has no key; give the key it was signed with")
    }
    guard attestation.publicKey == own.publicKey else {
      throw .invalid(field: field, "is signed with another key than this store's")
    }
  }

  /// Verifies the store, and that its history up to an attestation is the one that was attested.
  ///
  /// Erasures and retention since make no difference: the digests of what was removed stay.
  /// - Returns: What was found; a history that is another one is among the problems.
  /// - Throws: `invalid_argument` where the attestation is not this store's; see ``check(_:pinned:field:)``.
  /// - Complexity: As ``EventLog/verify(against:in:signedBy:progress:)``.
  public func verify(
    since attestation: Attestation, pinned: PublicKey? = nil,
    progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(MemoirError) -> VerifyReport {
    try check(attestation, pinned: pinned)
    return try verify(against: attestation.head, progress: progress)
  }
}
