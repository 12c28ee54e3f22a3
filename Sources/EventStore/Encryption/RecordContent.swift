// What an event says, out of its record: as it lies there, or opened where the store is encrypted.
//
// In a sealed record, metadata and payload are one ciphertext. Its nonce is the beginning of the value that the stream's
// chain has at the event: two histories that differ have not one such value in common, also where a store was restored
// at an earlier point and went on otherwise, and the log stays what its requests make it. What it is bound to is all in
// the event's digest, too, so the same nonce never comes with anything else. The key is the stream's own.
internal import Bytes
internal import LMDB
internal import Sodium

/// What an event says.
struct RecordContent: ~Escapable, BitwiseCopyable {
  /// Canonical JSON, an object; empty where there is none.
  let metadata: RawSpan
  let payload: RawSpan

  @_lifetime(copy metadata, copy payload)
  init(metadata: RawSpan, payload: RawSpan) {
    self.metadata = metadata
    self.payload = payload
  }
}

/// What the ciphertext of an event is bound to.
private func writeBinding(
  version: StreamVersion, id: EventID, occurredAt: Timestamp, type: EventTypeCode, typeVersion: UInt16,
  typeName: RawSpan, into writer: inout ByteWriter
) {
  writer.bytes.removeAll(keepingCapacity: true)
  writer.write(version.number)
  id.write(into: &writer)
  writer.write(UInt64(bitPattern: occurredAt.microseconds))
  writer.write(UInt32(typeVersion) << 8 | UInt32(type.number))
  writer.write(typeName)
}

/// Seals what events say.
struct RecordSealer {
  private var known: (data: DataKey, sealing: SealingKey)?
  private var binding = ByteWriter()

  /// Appends what the event of `fields` says, sealed.
  ///
  /// - Parameters:
  ///   - content: Metadata and payload, each with its length before it.
  ///   - chain: The stream's chain after the event.
  mutating func seal(
    _ content: RawSpan, of fields: RecordFields, typeName: RawSpan, with key: DataKey, chain: Bytes32,
    into writer: inout ByteWriter
  ) {
    let sealing: SealingKey
    if let known, known.data == key {
      sealing = known.sealing
    } else {
      sealing = key.sealing
      known = (key, sealing)
    }
    writeBinding(
      version: fields.version, id: fields.id, occurredAt: fields.occurredAt, type: fields.type,
      typeVersion: fields.typeVersion, typeName: typeName, into: &binding)
    sealing.seal(content, nonce: chain, binding: binding.bytes.rawSpan, into: &writer.bytes)
  }
}

/// Reads what records say: first ``open(_:_:)`` a record, then ask for its ``content(of:)``.
///
/// It keeps the keys of some streams and one buffer at hand, so opening a record allocates nothing. It is good for one
/// transaction: later ones may have other keys.
struct ContentReader {
  private var last: (stream: StreamNumber, data: DataKey, sealing: SealingKey)?
  private var others: [StreamNumber: (data: DataKey, sealing: SealingKey)] = [:]
  private var binding = ByteWriter()
  private var buffer: [UInt8] = []
  /// Whose content is in the buffer.
  private var opened: LogPosition?

  private static let largestCount = 1_024

  /// Makes the content of a record readable.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where it is sealed, and not with its stream's key and for its
  ///   place; or where it says something and is not sealed, as it would be if the store had written it.
  @inline(__always)
  mutating func open(_ record: borrowing RecordView, _ view: borrowing LogView) throws(StorageError) {
    // The view's index is large: to hand it on means a copy, which most records do without.
    if record.flags.contains(.sealed) {
      try openSealed(record, view)
    } else if view.tables.cipher != nil, !record.isTombstone {
      try refuseUnsealed(record)
    }
  }

  /// The same where the epoch it was written in is known.
  mutating func open(_ record: borrowing RecordView, in epoch: StreamEpoch) throws(StorageError) {
    guard record.flags.contains(.sealed) else {
      if epoch.dataKey != nil { try refuseUnsealed(record) }
      return
    }
    guard let data = epoch.dataKey else { throw .locked(at: record.position) }
    if last?.stream != record.stream || last?.data != data { use(data, of: record.stream) }
    try open(record)
  }

  /// Nobody puts words into an encrypted store who has not its key.
  private func refuseUnsealed(_ record: borrowing RecordView) throws(StorageError) {
    guard record.flags.contains(.redacted) else {
      throw .corrupt(reason: "it is not encrypted, as the store is", position: record.position)
    }
  }

  private mutating func openSealed(_ record: borrowing RecordView, _ view: borrowing LogView) throws(StorageError) {
    if last?.stream != record.stream {
      if let known = others[record.stream] {
        last = (record.stream, known.data, known.sealing)
      } else {
        guard let data = try view.index.epoch(of: record.stream, view.transaction).dataKey else {
          throw .locked(at: record.position)
        }
        use(data, of: record.stream)
      }
    }
    try open(record)
  }

  private mutating func use(_ data: DataKey, of stream: StreamNumber) {
    let known = others[stream].flatMap { $0.data == data ? $0.sealing : nil }
    let sealing = known ?? data.sealing
    last = (stream, data, sealing)
    if known == nil {
      if others.count >= Self.largestCount { others.removeAll(keepingCapacity: true) }
      others[stream] = (data, sealing)
    }
  }

  private mutating func open(_ record: borrowing RecordView) throws(StorageError) {
    opened = nil
    writeBinding(
      version: record.version, id: record.id, occurredAt: record.occurredAt, type: record.type,
      typeVersion: record.typeVersion, typeName: record.typeName, into: &binding)
    let binding = binding.bytes
    guard let sealing = last?.sealing, sealing.open(record.sealed, binding: binding.rawSpan, into: &buffer) else {
      throw .locked(at: record.position)
    }
    opened = record.position
  }

  /// What a record says that was opened last.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where it does not hold what it should.
  @inline(__always) @_lifetime(copy record, borrow self)
  func content(of record: borrowing RecordView) throws(StorageError) -> RecordContent {
    guard record.flags.contains(.sealed) else {
      return RecordContent(metadata: record.metadata, payload: record.payload)
    }
    precondition(opened == record.position, "a record is opened before its content is read")
    var reader = ByteReader(buffer.rawSpan)
    guard let metadata = try? reader.readLengthPrefixed(), let payload = try? reader.readLengthPrefixed() else {
      throw .corrupt(reason: "what was encrypted is not what it should be", position: record.position)
    }
    return RecordContent(metadata: metadata, payload: payload)
  }

  /// The payload digest of a record that was opened last, or of one from which the payload was removed.
  func payloadDigest(of record: borrowing RecordView, secret: Bytes32) throws(StorageError) -> Bytes32 {
    if let known = record.redactedDigest { return known }
    let content = try content(of: record)
    return HashChain.payloadDigest(
      typeName: record.typeName, metadata: content.metadata, payload: content.payload, secret: secret)
  }
}

extension StorageError {
  fileprivate static func locked(at position: LogPosition) -> StorageError {
    .corrupt(reason: "what the record says does not open with its stream's key", position: position)
  }
}
