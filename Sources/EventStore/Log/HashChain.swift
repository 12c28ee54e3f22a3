// What proves that no event was changed, dropped, reordered or inserted, also after a payload was lawfully removed.
//
//   payload digest  P = H(secret; type name ‖ metadata ‖ payload)       each with its length before it
//   session digest  S = H(secret; session name), or 0
//   stream digest   U = H(secret; namespace ‖ user)                     each with its length before it
//   event digest    D = H(U ‖ S ‖ P ‖ id ‖ occurred-at ‖ type version ‖ type code)
//   stream's chain  h(v) = H(h(v−1) ‖ D ‖ v),  h(0) = 0
//   log's chain     L = H(L of the request before ‖ first position ‖ recorded-at ‖ D of each event of the request)
//
// H is BLAKE2b-256, keyed where a secret stands first. The secret is random, one a stream: without it nobody can guess
// a short text from its digest, and destroying it makes the digests of an erased stream mean nothing.
// An event's digest covers what its caller handed in and nothing of this store, so an import elsewhere has the same.
internal import Bytes
internal import Sodium

enum HashChain {
  static func streamDigest(_ name: StreamName, secret: Bytes32) -> Bytes32 {
    var writer = ByteWriter(capacity: 64)
    writer.writeString(name.namespace.description)
    writer.writeString(name.user.description)
    return BLAKE2b.digest(writer.bytes.rawSpan, key: secret)
  }

  static func sessionDigest(_ session: SessionID, secret: Bytes32) -> Bytes32 {
    var writer = ByteWriter(capacity: 64)
    writer.writeString(session.description)
    return BLAKE2b.digest(writer.bytes.rawSpan, key: secret)
  }

  static func payloadDigest(typeName: RawSpan, metadata: RawSpan, payload: RawSpan, secret: Bytes32)
    -> Bytes32
  {
    var writer = ByteWriter(capacity: typeName.byteCount + metadata.byteCount + payload.byteCount + 12)
    writer.writeLengthPrefixed(typeName)
    writer.writeLengthPrefixed(metadata)
    writer.writeLengthPrefixed(payload)
    return payloadDigest(writer.bytes.rawSpan, secret: secret)
  }

  /// The same of type name, metadata and payload that lie behind each other so.
  static func payloadDigest(_ content: RawSpan, secret: Bytes32) -> Bytes32 { BLAKE2b.digest(content, key: secret) }

  static func eventDigest(
    stream: Bytes32, session: Bytes32, payload: Bytes32, id: EventID, occurredAt: Timestamp,
    type: EventTypeCode,
    typeVersion: UInt16
  ) -> Bytes32 {
    // 123 bytes: one block of BLAKE2b.
    var block = HashBlock()
    block.append(stream)
    block.append(session)
    block.append(payload)
    block.append(id.high.byteSwapped)
    block.append(id.low.byteSwapped)
    block.append(UInt64(bitPattern: occurredAt.microseconds))
    block.append(last: UInt64(typeVersion) | UInt64(type.number) << 16, byteCount: 3)
    return BLAKE2b.digest(block)
  }

  /// The stream's chain after the event of `digest` at `version`.
  static func step(_ chain: Bytes32, _ digest: Bytes32, _ version: StreamVersion) -> Bytes32 {
    var block = HashBlock()
    block.append(chain)
    block.append(digest)
    block.append(version.number)
    return BLAKE2b.digest(block)
  }

  /// The log's chain after a request.
  static func step(
    _ chain: Bytes32, first position: LogPosition, recordedAt: Timestamp, digests: [Bytes32]
  ) -> Bytes32 {
    var writer = ByteWriter(capacity: 48 + 32 * digests.count)
    chain.write(into: &writer)
    writer.write(position.number)
    writer.write(UInt64(bitPattern: recordedAt.microseconds))
    for digest in digests { digest.write(into: &writer) }
    return BLAKE2b.digest(writer.bytes.rawSpan)
  }
}
