// Records of the log under a right checksum: what no damage of the disk is, but what a hand that wrote them may be.
//
// An input is a byte that chooses the position, and what follows the checksum.
import Bytes
import EventStore
import Memoir
import Sodium
import TestSupport

@testable import EventStore
@testable import Memoir

struct RecordTarget: FuzzTarget {
  static let name = "record"
  private static let positions: [LogPosition] = [1, 70_000, LogPosition(.max)]
  private let projector = ContextProjector()
  /// Not encrypted: what is sealed does not open.
  private let store: FuzzStore

  init() throws { store = try FuzzStore() }

  func check(_ bytes: [UInt8]) throws -> Bool {
    guard let first = bytes.first else { return false }
    let position = Self.positions[Int(first) % Self.positions.count]
    let stored = Self.stored(bytes.dropFirst(), at: position)
    guard let record = try? RecordView(stored.rawSpan, at: position) else { return false }
    try checkLink(of: record, in: stored)
    try fold(record)
    guard let again = try? record.encodedAgain() else { return false }
    let second = try RecordView(again.rawSpan, at: position)
    try checkSame(record, second)
    try hold(try second.encodedAgain() == again, "a record that was read and written is not what it was")
    _ = try? IndexEntry(record, seed: 1)
    return true
  }

  /// A record with its checksum before it.
  private static func stored(_ rest: ArraySlice<UInt8>, at position: LogPosition) -> [UInt8] {
    var writer = ByteWriter(capacity: rest.count + 8)
    writer.write(0 as UInt64)
    writer.write(contentsOf: Array(rest))
    let checksum = XXH3.hash(
      writer.bytes.rawSpan.extracting(droppingFirst: RecordFormat.checksummedFrom), seed: position.number)
    writer.overwrite(checksum, at: 0)
    return writer.bytes
  }

  private func checkLink(of record: borrowing RecordView, in stored: [UInt8]) throws {
    try hold(record.sizeInBytes == stored.count, "a record takes all its bytes")
    let spans =
      record.sessionName.byteCount + record.typeName.byteCount + record.metadata.byteCount + record.namespace.byteCount
      + record.user.byteCount + record.erasedName.byteCount + record.payload.byteCount + record.sealed.byteCount
    try hold(spans < stored.count, "a record lends more than it has")
    try hold(record.version > 0 && record.session <= record.version, "a session begins after its event")
    try hold(record.previous < record.position, "a record comes after the one before it")
    try hold(RecordLink.stream(of: stored.rawSpan) == record.stream, "the stream alone is the record's")
    // What leads back is stricter: no stream has more events than the log.
    guard let link = try? RecordLink(stored.rawSpan, at: record.position) else { return }
    try hold(
      link.stream == record.stream && link.version == record.version && link.previous == record.previous,
      "what leads back is the record's")
  }

  private func fold(_ record: borrowing RecordView) throws {
    var state = projector.initialState()
    do throws(StorageError) {
      let view = try store.store.log.view()
      var contents = ContentReader()
      try EventSchema.memoir.withView(of: record, &contents, view) { event throws(DamagedBytes) in
        if event.isRedacted {
          try projector.applyRedacted(event, to: &state)
        } else {
          try projector.apply(event, to: &state)
        }
      }
    } catch { return }
    try hold(state.encoded().count == state.encodedSize, "a state has the size that it says")
  }

  private func checkSame(_ a: borrowing RecordView, _ b: borrowing RecordView) throws {
    try hold(
      a.type == b.type && a.tag == b.tag && a.id == b.id && a.stream == b.stream && a.version == b.version
        && a.previous == b.previous && a.typeVersion == b.typeVersion && a.recordedAt == b.recordedAt
        && a.occurredAt == b.occurredAt && a.session == b.session && a.secret == b.secret
        && a.redactedDigest == b.redactedDigest && a.chain == b.chain, "the fields of a record are not what they were")
    try hold(
      a.typeName.isSame(as: b.typeName) && a.metadata.isSame(as: b.metadata) && a.namespace.isSame(as: b.namespace)
        && a.user.isSame(as: b.user) && a.erasedName.isSame(as: b.erasedName) && a.payload.isSame(as: b.payload)
        && a.sessionName.isSame(as: b.sessionName), "the texts of a record are not what they were")
  }

  // MARK: Seeds

  static func seeds() throws -> [[UInt8]] {
    var all: [RecordFields] = []
    var fields = RecordFields(
      type: .messageAdded, typeVersion: 1, tag: 7, recordedAt: Timestamp(clamping: 1 << 50),
      occurredAt: Timestamp(clamping: 1 << 49), id: .number(1), stream: 1, version: 1, position: 70_000, previous: 0)
    fields.name = .bob
    fields.secret = .zero
    fields.chain = .zero
    all.append(fields)
    fields.session = 1
    fields.sessionName = .named("s-1")
    all.append(fields)
    (fields.name, fields.secret, fields.sessionName) = (nil, nil, nil)
    (fields.stream, fields.version, fields.session, fields.previous) = (300, 1_000, 900, 60_000)
    fields.flags = [.isLate]
    all.append(fields)
    fields.redactedDigest = .zero
    fields.chain = nil
    all.append(fields)
    fields.name = StreamName(namelessIn: .default)
    fields.secret = .zero
    fields.erasedName = ErasedName(hash: .zero, digest: .zero)
    fields.session = 1_000
    fields.sessionDigest = .zero
    all.append(fields)
    fields = RecordFields(
      flags: [.sealed], type: .messageAdded, typeVersion: 1, tag: 7, recordedAt: Timestamp(clamping: 1 << 50),
      occurredAt: Timestamp(clamping: 1 << 49), id: .number(2), stream: 1, version: 2, position: 70_000, previous: 1)
    all.append(fields)
    return all.map { fields in
      var writer = ByteWriter()
      let isWhole = fields.redactedDigest == nil
      var payload = PayloadWriter()
      payload.write(1, field: 1)
      payload.write("Hello", field: 2)
      let typeName = Array((isWhole && fields.session == 900 ? "App.Thing" : "").utf8)
      let metadata = Array((isWhole && !fields.flags.contains(.sealed) ? #"{"agent":"web"}"# : "").utf8)
      let said = isWhole ? payload.bytes : []
      fields.encode(typeName: typeName.rawSpan, metadata: metadata.rawSpan, payload: said.rawSpan, into: &writer)
      return [1] + writer.bytes.dropFirst(RecordFormat.checksummedFrom)
    }
  }
}

extension RecordView {
  /// Its bytes, from its fields.
  ///
  /// - Throws: Where its names are no text.
  fileprivate func encodedAgain() throws(DamagedBytes) -> [UInt8] {
    var fields = RecordFields(
      flags: flags.intersection([.isLate, .sealed]), type: type, typeVersion: typeVersion, tag: tag,
      recordedAt: recordedAt,
      occurredAt: occurredAt, id: id, stream: stream, version: version, position: position, previous: previous)
    fields.session = session
    fields.sessionName = try nameOfSession()
    fields.sessionDigest = try digestOfSession()
    if fields.sessionDigest != nil, sessionName.byteCount != ErasedName.digestSize { throw DamagedBytes() }
    fields.name = try name()
    fields.secret = secret
    fields.erasedName = try nameErased()
    fields.redactedDigest = redactedDigest
    fields.chain = chain
    var writer = ByteWriter(capacity: sizeInBytes)
    let rest = flags.contains(.sealed) ? sealed : payload
    fields.encode(typeName: typeName, metadata: metadata, payload: rest, into: &writer)
    return writer.bytes
  }
}
