// A record: the bytes of one event in the log, and the only place that knows their order.
//
//   0   8  checksum: XXH3-64 of all that follows, seeded with the record's position
//   8   1  format version: 2 where a name was erased, 3 where the content is sealed, else 1
//   9   2  flags
//  11   1  type code (0: the name is in the record)
//  12   4  tag: the first bytes of the event's digest, so that verification can name a record
//  16   8  recorded-at, microseconds since 1970
//  24  16  event id
//  40   …  varints: stream, version, distance to the stream's previous event (0: none), type version,
//          occurred-at as a signed distance to recorded-at
//       …  [session: version less the session's number] [session name] [type name] [metadata]
//          [namespace, user, secret] [digest of what was redacted, 32] [value of the log's chain, 32]
//          Where names were erased: the session's digest in place of its name; no user, and behind the secret, which is
//          zero unless there is a payload, the keyed hash of the name, 32, and the stream's digest, 32
//       …  payload
//          Where the content is sealed: neither metadata nor payload, but both in one, sealed (see RecordContent); the
//          secret is zero
//
// Integers are little-endian; texts and metadata have their length before them as a varint.
internal import Bytes
internal import Sodium

/// A stream's number in this store: 1, 2, 3 … in the order of their first events.
typealias StreamNumber = UInt32

/// The form of a record's bytes. Every version there ever was stays readable.
enum RecordFormat {
  static let current: UInt8 = 3
  /// A record in which no name was erased, and nothing is sealed.
  static let plain: UInt8 = 1
  /// One from which a name was erased.
  static let erased: UInt8 = 2
  /// One whose content is sealed.
  static let sealed: UInt8 = 3
  /// Where the checksum ends, and what it covers begins.
  static let checksummedFrom = 8
  /// Where the stream's number stands, and after it version and link.
  static let streamAt = 40
  /// The least a record can take.
  static let smallest = 45
}

/// What a record has besides the fields that every record has.
struct RecordFlags: OptionSet {
  let rawValue: UInt16
  /// The last event of its request: the log's chain value is here.
  static let endsRequest = RecordFlags(rawValue: 1 << 0)
  /// Payload and metadata are gone, their digest is here.
  static let redacted = RecordFlags(rawValue: 1 << 1)
  /// The first event of its stream, or of those that came after an erasure: namespace, user and the secret of what
  /// follows are here.
  static let namesStream = RecordFlags(rawValue: 1 << 2)
  static let hasSession = RecordFlags(rawValue: 1 << 3)
  /// The first event of its session: the session's name is here.
  static let namesSession = RecordFlags(rawValue: 1 << 4)
  static let hasMetadata = RecordFlags(rawValue: 1 << 5)
  static let hasTypeName = RecordFlags(rawValue: 1 << 6)
  /// Occurred before some event that came before it in its stream.
  static let isLate = RecordFlags(rawValue: 1 << 7)
  /// The names that were here were erased: in their place stands what the chains need of them.
  static let namesErased = RecordFlags(rawValue: 1 << 8)
  /// Metadata and payload are sealed.
  static let sealed = RecordFlags(rawValue: 1 << 9)
  static let known: RecordFlags = [
    .endsRequest, .redacted, .namesStream, .hasSession, .namesSession, .hasMetadata, .hasTypeName, .isLate,
    .namesErased, .sealed,
  ]
}

/// Why a record cannot be used.
enum RecordProblem: Error, Hashable {
  case damaged(String)
  case unknownFormat(UInt8)
}

/// A record's fields, borrowed from its bytes. Of what few records have, only the place is kept: every event that is read
/// is one of these, and is handed on a few times.
struct RecordView: ~Escapable, BitwiseCopyable {
  private let bytes: RawSpan
  let flags: RecordFlags
  let type: EventTypeCode
  let typeVersion: UInt16
  let tag: UInt32
  let stream: StreamNumber
  let version: StreamVersion
  let position: LogPosition
  /// The position of the stream's previous event; 0 where there is none.
  let previous: LogPosition
  let id: EventID
  let recordedAt: Timestamp
  let occurredAt: Timestamp
  /// 0 where it has no session.
  let session: StreamVersion
  private let rare: RareParts
  private let contentAt: UInt32

  /// Checks and reads the record stored at `position`.
  @inline(__always) @_lifetime(copy bytes)
  init(_ bytes: RawSpan, at position: LogPosition) throws(RecordProblem) {
    try Self.check(bytes, at: position)
    do throws(DamagedBytes) {
      self = try RecordView(fieldsOf: bytes, at: position)
    } catch {
      throw .damaged("does not hold what its flags say")
    }
  }

  /// Compares the checksum, then the format.
  static func check(_ bytes: RawSpan, at position: LogPosition) throws(RecordProblem) {
    guard bytes.byteCount >= RecordFormat.smallest else { throw .damaged("is too short") }
    var reader = ByteReader(bytes)
    guard let checksum = try? reader.readUInt64(), let format = try? reader.readUInt8() else {
      throw .damaged("is too short")
    }
    let covered = bytes.extracting(droppingFirst: RecordFormat.checksummedFrom)
    guard XXH3.hash(covered, seed: position.number) == checksum else {
      throw .damaged("has a wrong checksum")
    }
    guard RecordFormat.plain...RecordFormat.current ~= format else { throw .unknownFormat(format) }
  }

  @inline(__always) @_lifetime(copy bytes)
  private init(fieldsOf bytes: RawSpan, at position: LogPosition) throws(DamagedBytes) {
    guard RecordFormat.smallest...Int(UInt32.max) ~= bytes.byteCount else { throw DamagedBytes() }
    var reader = ByteReader(bytes)
    _ = try reader.readSpan(count: RecordFormat.checksummedFrom + 1)
    let flags = RecordFlags(rawValue: try reader.readUInt16())
    guard flags.isSubset(of: .known), !flags.isSuperset(of: [.sealed, .redacted]) else { throw DamagedBytes() }
    type = EventTypeCode(try reader.readUInt8())
    tag = try reader.readUInt32()
    let recorded = Int64(bitPattern: try reader.readUInt64())
    id = try EventID(reading: &reader)
    let streamNumber = try reader.readVarint()
    guard streamNumber > 0, streamNumber <= UInt64(StreamNumber.max) else { throw DamagedBytes() }
    stream = StreamNumber(streamNumber)
    let versionNumber = try reader.readVarint()
    guard versionNumber > 0 else { throw DamagedBytes() }
    version = StreamVersion(versionNumber)
    let distance = try reader.readVarint()
    guard distance < position.number else { throw DamagedBytes() }
    previous = distance == 0 ? 0 : LogPosition(position.number - distance)
    guard let typeVersion = UInt16(exactly: try reader.readVarint()) else { throw DamagedBytes() }
    self.typeVersion = typeVersion
    let (occurred, overflow) = recorded.addingReportingOverflow(try reader.readSignedVarint())
    guard !overflow, let recordedAt = Timestamp(microseconds: recorded),
      let occurredAt = Timestamp(microseconds: occurred)
    else { throw DamagedBytes() }
    self.recordedAt = recordedAt
    self.occurredAt = occurredAt
    if flags.contains(.hasSession) {
      let back = try reader.readVarint()
      guard back < versionNumber else { throw DamagedBytes() }
      session = StreamVersion(versionNumber - back)
    } else {
      session = 0
    }
    rare = flags.isDisjoint(with: RareParts.flags) ? RareParts() : try RareParts(of: flags, &reader)
    if flags.contains(.endsRequest) { _ = try reader.readSpan(count: Self.digestSize) }
    contentAt = UInt32(reader.consumed)
    self.bytes = bytes
    self.flags = flags
    self.position = position
  }
}

/// Where a record has what few records have; behind its session and before the chain's value.
private struct RareParts {
  /// A record with none of these has no such part.
  static let flags: RecordFlags = [.namesSession, .hasTypeName, .hasMetadata, .namesStream, .redacted]

  struct Part {
    var offset: UInt32 = 0
    var count: UInt32 = 0
  }

  var sessionName = Part()
  var typeName = Part()
  var metadata = Part()
  var namespace = Part()
  var user = Part()
  var secret = Part()
  var erasedName = Part()
  var redactedDigest = Part()

  init() {}

  init(of flags: RecordFlags, _ reader: inout ByteReader) throws(DamagedBytes) {
    func part(_ count: Int) throws(DamagedBytes) -> Part {
      let offset = UInt32(reader.consumed)
      _ = try reader.readSpan(count: count)
      return Part(offset: offset, count: UInt32(count))
    }
    func prefixed() throws(DamagedBytes) -> Part { try part(try reader.readCount()) }
    if flags.contains(.namesSession) { sessionName = try prefixed() }
    if flags.contains(.hasTypeName) { typeName = try prefixed() }
    if flags.contains(.hasMetadata) { metadata = try prefixed() }
    if flags.contains(.namesStream) {
      namespace = try prefixed()
      user = try prefixed()
      secret = try part(RecordView.digestSize)
      if flags.contains(.namesErased) { erasedName = try part(ErasedName.sizeInBytes) }
    }
    if flags.contains(.redacted) { redactedDigest = try part(RecordView.digestSize) }
  }
}

extension RecordView {
  fileprivate static let digestSize = 32

  /// The name of a session that begins here, or its digest where ``RecordFlags/namesErased``.
  var sessionName: RawSpan { @_lifetime(copy self) get { span(of: rare.sessionName) } }
  var typeName: RawSpan { @_lifetime(copy self) get { span(of: rare.typeName) } }
  var metadata: RawSpan { @_lifetime(copy self) get { span(of: rare.metadata) } }
  var namespace: RawSpan { @_lifetime(copy self) get { span(of: rare.namespace) } }
  var user: RawSpan { @_lifetime(copy self) get { span(of: rare.user) } }
  var secret: Bytes32? { digest(in: rare.secret) }
  /// What stands for a stream's name that was erased.
  var erasedName: RawSpan { @_lifetime(copy self) get { span(of: rare.erasedName) } }
  var redactedDigest: Bytes32? { digest(in: rare.redactedDigest) }
  var chain: Bytes32? {
    guard flags.contains(.endsRequest) else { return nil }
    return digest(
      in: RareParts.Part(offset: contentAt - UInt32(Self.digestSize), count: UInt32(Self.digestSize)))
  }
  /// Empty where it is sealed.
  var payload: RawSpan { @_lifetime(copy self) get { flags.contains(.sealed) ? span(of: .init()) : content } }
  /// Metadata and payload, where they are sealed; to be read by a ``ContentReader``.
  var sealed: RawSpan { @_lifetime(copy self) get { flags.contains(.sealed) ? content : span(of: .init()) } }
  /// How many bytes the record takes.
  var sizeInBytes: Int { bytes.byteCount }

  private var content: RawSpan { @_lifetime(copy self) get { bytes.extracting(droppingFirst: Int(contentAt)) } }

  @_lifetime(copy self)
  private func span(of part: RareParts.Part) -> RawSpan {
    bytes.extracting(Int(part.offset)..<Int(part.offset) + Int(part.count))
  }

  private func digest(in part: RareParts.Part) -> Bytes32? {
    var reader = ByteReader(span(of: part))
    return try? Bytes32(reading: &reader)
  }
}

/// What leads from a record to the one before it in its stream, read without the rest.
struct RecordLink {
  let stream: StreamNumber
  let version: StreamVersion
  let previous: LogPosition

  init(stream: StreamNumber, version: StreamVersion, previous: LogPosition) {
    self.stream = stream
    self.version = version
    self.previous = previous
  }

  init(_ bytes: RawSpan, at position: LogPosition) throws(DamagedBytes) {
    var reader = ByteReader(bytes)
    _ = try reader.readSpan(count: RecordFormat.streamAt)
    guard let stream = StreamNumber(exactly: try reader.readVarint()) else { throw DamagedBytes() }
    self.stream = stream
    version = StreamVersion(try reader.readVarint())
    let distance = try reader.readVarint()
    // No stream has more events than the log.
    guard version.number <= position.number, distance < position.number else { throw DamagedBytes() }
    previous = distance == 0 ? 0 : LogPosition(position.number - distance)
  }

  /// The stream alone, for passing over the records of others; 0 where the bytes say none.
  @inline(__always)
  static func stream(of bytes: RawSpan) -> StreamNumber {
    guard bytes.byteCount > RecordFormat.streamAt else { return 0 }
    var reader = ByteReader(bytes.extracting(droppingFirst: RecordFormat.streamAt))
    return (try? reader.readVarint()).flatMap { StreamNumber(exactly: $0) } ?? 0
  }
}

/// A record's fields, before they become bytes.
struct RecordFields {
  var flags: RecordFlags = []
  var type: EventTypeCode
  var typeVersion: UInt16
  var tag: UInt32
  var recordedAt: Timestamp
  var occurredAt: Timestamp
  var id: EventID
  var stream: StreamNumber
  var version: StreamVersion
  var position: LogPosition
  var previous: LogPosition
  var session: StreamVersion = 0
  var sessionName: SessionID?
  /// In place of the session's name, where that was erased.
  var sessionDigest: Bytes32?
  var name: StreamName?
  var secret: Bytes32?
  /// Beside the stream's name, where that was erased.
  var erasedName: ErasedName?
  var redactedDigest: Bytes32?
  var chain: Bytes32?

  /// Appends the record's bytes.
  func encode(typeName: RawSpan, metadata: RawSpan, payload: RawSpan, into writer: inout ByteWriter) {
    let start = writer.count
    encodeFields(flags, typeName: typeName, metadata: metadata, into: &writer)
    writer.write(payload)
    writeChecksum(from: start, into: &writer)
  }

  /// Appends the record's bytes, with its content sealed.
  ///
  /// - Parameters:
  ///   - content: Metadata and payload, each with its length before it.
  ///   - chain: The stream's chain after the event.
  func encode(
    typeName: RawSpan, sealing content: RawSpan, with key: DataKey, chain: Bytes32, by sealer: inout RecordSealer,
    into writer: inout ByteWriter
  ) {
    let start = writer.count
    encodeFields(flags.union(.sealed), typeName: typeName, metadata: RawSpan(), into: &writer)
    sealer.seal(content, of: self, typeName: typeName, with: key, chain: chain, into: &writer)
    writeChecksum(from: start, into: &writer)
  }

  private func encodeFields(
    _ given: RecordFlags, typeName: RawSpan, metadata: RawSpan, into writer: inout ByteWriter
  ) {
    var flags = given
    if chain != nil { flags.insert(.endsRequest) }
    if redactedDigest != nil { flags.insert(.redacted) }
    if name != nil { flags.insert(.namesStream) }
    if session != 0 { flags.insert(.hasSession) }
    if sessionName != nil || sessionDigest != nil { flags.insert(.namesSession) }
    if sessionDigest != nil || erasedName != nil { flags.insert(.namesErased) }
    if !metadata.isEmpty { flags.insert(.hasMetadata) }
    if !typeName.isEmpty { flags.insert(.hasTypeName) }
    writer.write(0 as UInt64)
    writer.write(
      flags.contains(.sealed)
        ? RecordFormat.sealed : flags.contains(.namesErased) ? RecordFormat.erased : RecordFormat.plain)
    writer.write(flags.rawValue)
    writer.write(type.number)
    writer.write(tag)
    writer.write(UInt64(bitPattern: recordedAt.microseconds))
    id.write(into: &writer)
    writer.writeVarint(UInt64(stream))
    writer.writeVarint(version.number)
    writer.writeVarint(previous == 0 ? 0 : position.number - previous.number)
    writer.writeVarint(UInt64(typeVersion))
    writer.writeSignedVarint(occurredAt.microseconds - recordedAt.microseconds)
    if session != 0 { writer.writeVarint(version.number - session.number) }
    if let sessionDigest {
      writer.writeVarint(ErasedName.digestSize)
      sessionDigest.write(into: &writer)
    } else if let sessionName {
      writer.writeString(sessionName.description)
    }
    if !typeName.isEmpty { writer.writeLengthPrefixed(typeName) }
    if !metadata.isEmpty { writer.writeLengthPrefixed(metadata) }
    if let name, let secret {
      writer.writeString(name.namespace.description)
      writer.writeString(name.user.description)
      secret.write(into: &writer)
      erasedName?.write(into: &writer)
    }
    redactedDigest?.write(into: &writer)
    chain?.write(into: &writer)
  }

  private func writeChecksum(from start: Int, into writer: inout ByteWriter) {
    let checksum = XXH3.hash(
      writer.bytes.rawSpan.extracting(droppingFirst: start + RecordFormat.checksummedFrom),
      seed: position.number)
    writer.overwrite(checksum, at: start)
  }
}
