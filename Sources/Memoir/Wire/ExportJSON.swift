// The lines of an export: the events of a user, between a line that says what they are and one that proves it.
//
//   {"memoir_export":1,"namespace":…,"user":…,"store_id":…,"public_key":…,"secret":…,
//    "from_version":…,"to_version":…,"chain_before":…,"chain_after":…}
//   {"id":…, …, "proof":"9f86d081884c7d65"}                                 an event, as it is printed everywhere
//   {"id":…, …, "stored":{"payload":"<base64>","type_version":1},"proof":…}    stored otherwise than its JSON is read
//   {"id":…, …, "redacted":true,"payload_digest":…,"type_version":1,"proof":…} its payload was removed
//   {"memoir_export_end":1,"proof":…,"signature":…}
//
// Each line is bound to all before it: E = H(E of the line before ‖ line), of the first line H(zeros ‖ line), where H is
// BLAKE2b-256 and the line is taken without its end of line; that of an event only up to its member `proof`, which is the
// last and holds the first 16 digits of E. The last line holds all 64 of the E before it, and the signature of the store's
// key over itself without the member `signature`.
internal import Bytes
internal import EventStore
internal import JSON
internal import Sodium

/// The first line of an export.
struct ExportHeader: Hashable, Sendable {
  var storeID: EventID
  var publicKey: PublicKey
  var proof: StreamProof

  static let form = 1
  static let beginning = Array(#"{"memoir_export":"#.utf8)
  private static let members = [
    "memoir_export", "namespace", "user", "store_id", "public_key", "secret", "from_version", "to_version",
    "chain_before", "chain_after",
  ]

  init(storeID: EventID, publicKey: PublicKey, proof: StreamProof) {
    self.storeID = storeID
    self.publicKey = publicKey
    self.proof = proof
  }

  init(_ node: JSONNode) throws {
    guard node["memoir_export"]?.int64 == Int64(Self.form) else {
      throw MemoirError.invalid(field: "memoir_export", "is not \(Self.form): use a newer program")
    }
    try node.refuseOthers(than: Self.members)
    let fields = try DataReader(node, path: "")
    let namespace = try fields.requiredID("namespace", Namespace.init)
    let user = try fields.requiredID("user", UserID.init)
    storeID = try fields.requiredID("store_id", EventID.init)
    publicKey = try fields.requiredID("public_key", PublicKey.init)
    guard let first = try fields.optionalCount("from_version"), first > 0 else {
      throw MemoirError.invalid(field: "from_version", "must be a whole number from 1 on")
    }
    guard let last = try fields.optionalCount("to_version"), last >= first - 1, last < UInt64.max else {
      throw MemoirError.invalid(field: "to_version", "must be a whole number from \(first - 1) on")
    }
    proof = StreamProof(
      stream: StreamName(user, in: namespace), secret: try Self.digest(fields, "secret"), first: StreamVersion(first),
      last: StreamVersion(last), chainBefore: try Self.digest(fields, "chain_before"),
      chainAfter: try Self.digest(fields, "chain_after"))
  }

  static func digest(_ fields: borrowing DataReader, _ key: StaticString) throws -> Bytes32 {
    guard let value = Bytes32(hexadecimal: try fields.text(key)) else {
      throw MemoirError.invalid(field: key.description, "must be 64 hexadecimal digits")
    }
    return value
  }

  /// The line, without an end.
  var line: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("memoir_export")
    writer.integer(Self.form)
    writer.key("namespace")
    writer.string(proof.stream.namespace.description)
    writer.key("user")
    writer.string(proof.stream.user.description)
    writer.key("store_id")
    writer.write(storeID)
    writer.key("public_key")
    writer.string(publicKey.description)
    writer.key("secret")
    writer.string(proof.secret.hexadecimal)
    writer.key("from_version")
    writer.integer(proof.first.number)
    writer.key("to_version")
    writer.integer(proof.last.number)
    writer.key("chain_before")
    writer.string(proof.chainBefore.hexadecimal)
    writer.key("chain_after")
    writer.string(proof.chainAfter.hexadecimal)
    writer.endObject()
    return writer.finish()
  }
}

/// The last line of an export.
struct ExportEnd: Hashable, Sendable {
  var proof: Bytes32
  var signature: Signature

  static let form = 1
  static let beginning = Array(#"{"memoir_export_end":"#.utf8)

  init(proof: Bytes32, signedBy key: StoreKey) {
    self.proof = proof
    signature = key.sign(Self.line(proof, nil))
  }

  init(_ node: JSONNode) throws {
    guard node["memoir_export_end"]?.int64 == Int64(Self.form) else {
      throw MemoirError.invalid(field: "memoir_export_end", "is not \(Self.form)")
    }
    try node.refuseOthers(than: ["memoir_export_end", "proof", "signature"])
    let fields = try DataReader(node, path: "")
    proof = try ExportHeader.digest(fields, "proof")
    guard let signature = Signature(hexadecimal: try fields.text("signature")) else {
      throw MemoirError.invalid(field: "signature", "must be 128 hexadecimal digits")
    }
    self.signature = signature
  }

  /// Whether the owner of `key` has signed it.
  func isSigned(by key: PublicKey) -> Bool { key.hasSigned(Self.line(proof, nil), as: signature) }

  /// The line, without an end.
  var line: [UInt8] { Self.line(proof, signature) }

  private static func line(_ proof: Bytes32, _ signature: Signature?) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("memoir_export_end")
    writer.integer(form)
    writer.key("proof")
    writer.string(proof.hexadecimal)
    if let signature {
      writer.key("signature")
      writer.string(signature.hexadecimal)
    }
    writer.endObject()
    return writer.finish()
  }
}

/// The binding of each line of an export to all before it.
struct LineChain {
  private(set) var value = Bytes32.zero

  /// Before the digits of an event's proof, and behind them.
  private static let opening = Array(#","proof":""#.utf8), closing = Array(#""}"#.utf8)
  private static let digitCount = 16

  private mutating func step(_ text: ArraySlice<UInt8>) {
    var writer = ByteWriter(capacity: text.count + 32)
    value.write(into: &writer)
    writer.write(contentsOf: Array(text))
    value = BLAKE2b.digest(writer.bytes.rawSpan)
  }

  /// Goes on by the first line.
  mutating func append(header line: [UInt8]) { step(line[...]) }

  /// Goes on by an event.
  ///
  /// - Parameter line: The object that it is, without its last brace.
  /// - Returns: The line, its proof in it.
  mutating func append(event line: [UInt8]) -> [UInt8] {
    step(line[...])
    return line + Self.opening + value.hexadecimal.utf8.prefix(Self.digitCount) + Self.closing
  }

  /// Goes on by an event as it was found.
  ///
  /// - Returns: Whether it is the line that the proof in it was made for, behind all those before it.
  mutating func check(event line: [UInt8]) -> Bool {
    let length = Self.opening.count + Self.digitCount + Self.closing.count
    guard line.count > length else { return false }
    let (text, proof) = (line.dropLast(length), line.suffix(length))
    step(text)
    return Array(proof) == Self.opening + value.hexadecimal.utf8.prefix(Self.digitCount) + Self.closing
  }
}

/// The line of one event.
enum ExportedEvent {
  /// Whether the JSON of an event leads to another digest than the log has must be said by the caller.
  ///
  /// - Returns: The object, without its last brace.
  static func line(_ stored: StoredEvent, saysForm: Bool) throws -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    try EventJSON.writeMembers(of: stored.event, to: &writer)
    if stored.event.isRedacted {
      writer.key("payload_digest")
      writer.string(stored.payloadDigest.hexadecimal)
      writer.key("type_version")
      writer.integer(UInt64(stored.typeVersion))
    } else if saysForm {
      writer.key("stored")
      writer.beginObject()
      writer.key("payload")
      writer.string(Base64.encode(stored.payload))
      writer.key("type_version")
      writer.integer(UInt64(stored.typeVersion))
      writer.endObject()
    }
    writer.endObject()
    return writer.finish().dropLast()
  }

  /// The event of a line, as it was stored where it comes from.
  ///
  /// - Throws: ``MemoirError``, naming the field.
  static func read(
    _ node: JSONNode, _ schema: EventSchema, now: Timestamp
  ) throws -> (event: IncomingEvent, version: StreamVersion?) {
    let version = node["version"]?.uint64.map { StreamVersion($0) }
    if node["redacted"]?.bool == true { return (try redacted(node, schema), version) }
    // What is printed must be a right event also where its stored form says more.
    guard let stored = node["stored"] else { return (try EventJSON.read(node, now: now), version) }
    let fields = try DataReader(node, path: "")
    let (payload, typeVersion) = try form(stored)
    let (code, customType) = try type(fields, schema)
    let event = EventData(
      id: try fields.requiredID("id", EventID.init), type: code, customType: customType, typeVersion: typeVersion,
      session: try fields.id("session", SessionID.init), occurredAt: try time(fields),
      metadata: try fields.optionalMetadata("metadata") ?? .emptyObject, payload: payload)
    return (try incoming(event, fields), version)
  }

  /// Whether an event says what `data` of the line says that it comes from.
  static func isShown(_ event: EventData, by node: JSONNode, of stream: StreamName, _ schema: EventSchema) -> Bool {
    guard let shown = schema.shown(event, of: stream), let data = node["data"] else { return false }
    var writer = JSONWriter()
    guard (try? EventJSON.writeData(of: shown, to: &writer)) != nil else { return false }
    return writer.finish() == JSONText(data).utf8
  }

  private static func redacted(_ node: JSONNode, _ schema: EventSchema) throws -> IncomingEvent {
    let fields = try DataReader(node, path: "")
    guard let typeVersion = try fields.optionalCount("type_version").flatMap({ UInt16(exactly: $0) }) else {
      throw MemoirError.invalid(field: "type_version", "is missing, or no version of a type")
    }
    let event = EventData(
      redacted: try ExportHeader.digest(fields, "payload_digest"), id: try fields.requiredID("id", EventID.init),
      type: try type(fields, schema).code, typeVersion: typeVersion,
      session: try fields.id("session", SessionID.init), occurredAt: try time(fields))
    return try incoming(event, fields)
  }

  /// The type that a line names. An export begins behind the last erasure: what only that writes is in none.
  private static func type(
    _ fields: borrowing DataReader, _ schema: EventSchema
  ) throws -> (code: EventTypeCode, customType: String?) {
    let type = schema.code(ofTypeNamed: try fields.text("type"))
    guard type.code != .userErased else { throw MemoirError.ownType }
    return type
  }

  private static func form(_ node: JSONNode) throws -> (payload: [UInt8], typeVersion: UInt16) {
    guard let text = node["payload"]?.utf8, let payload = Base64.decode(text) else {
      throw MemoirError.invalid(field: "stored.payload", "must be base64")
    }
    guard let version = node["type_version"]?.uint64.flatMap({ UInt16(exactly: $0) }) else {
      throw MemoirError.invalid(field: "stored.type_version", "is missing, or no version of a type")
    }
    return (payload, version)
  }

  private static func time(_ fields: borrowing DataReader) throws -> Timestamp {
    guard let time = try fields.optionalTime("occurred_at") else {
      throw MemoirError.invalid(field: "occurred_at", "is missing")
    }
    return time
  }

  private static func incoming(_ event: EventData, _ fields: borrowing DataReader) throws -> IncomingEvent {
    IncomingEvent(
      namespace: try fields.id("namespace", Namespace.init), user: try fields.id("user", UserID.init), event: event)
  }
}
