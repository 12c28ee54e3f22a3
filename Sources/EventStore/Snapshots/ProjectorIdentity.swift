// Whose a snapshot is: which projector folded it, in which version, and from which form of the events.
internal import Bytes
internal import Sodium

/// What a state depends on besides the events. A snapshot serves only the identity that it was folded by; that of
/// another can still be looked at, and compared.
public struct ProjectorIdentity: Hashable, Sendable, CustomStringConvertible {
  /// The projector's name.
  public let name: String
  /// The projector's version.
  public let version: Int
  /// The projector's parameters.
  public let parameters: String
  /// Stands for the event types in whose form the projector is given the events.
  public let schema: UInt64

  /// That of a projector in a program that knows these event types.
  public init(_ projector: some Projector, schema: EventSchema) {
    self.init(projector, schema: schema.fingerprint)
  }

  init(_ projector: some Projector, schema: UInt64) {
    name = projector.name
    version = projector.version
    parameters = projector.parameters
    self.schema = schema
  }

  /// Name and version, and the parameters where there are any: `context 1 (window=20)`.
  public var description: String { "\(name) \(version)" + (parameters.isEmpty ? "" : " (\(parameters))") }
}

extension ProjectorIdentity {
  func encode(into writer: inout ByteWriter) {
    writer.writeString(name)
    writer.writeVarint(UInt64(bitPattern: Int64(version)))
    writer.writeString(parameters)
    writer.write(schema)
  }

  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    encode(into: &writer)
    return writer.bytes
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    name = try reader.readString()
    guard let version = Int(exactly: Int64(bitPattern: try reader.readVarint())) else { throw DamagedBytes() }
    self.version = version
    parameters = try reader.readString()
    schema = try reader.readUInt64()
  }
}

/// Tells a projector's snapshots from all others': a digest of its identity.
struct ProjectorKey: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  init(_ identity: ProjectorIdentity) {
    let digest = BLAKE2b.digest(identity.encoded.rawSpan)
    high = digest.prefix64
    low = digest.suffix64
  }

  init(_ projector: some Projector, _ schema: EventSchema) {
    self.init(ProjectorIdentity(projector, schema: schema))
  }
}
