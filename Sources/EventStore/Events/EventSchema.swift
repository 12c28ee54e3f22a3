// Which event types an application knows, in which version, and how older versions become today's.
public import Bytes

/// Turns the payload of version *n* of an event type into that of version *n* + 1.
///
/// It must be a pure function: the log keeps the old bytes, and every reading upcasts them anew.
public struct Upcaster: Sendable {
  /// The version it takes.
  public let version: UInt16
  let transform: @Sendable (RawSpan) throws(DamagedBytes) -> [UInt8]

  /// Makes a step from `version` to the next.
  public init(
    from version: UInt16, _ transform: @escaping @Sendable (RawSpan) throws(DamagedBytes) -> [UInt8]
  ) {
    self.version = version
    self.transform = transform
  }
}

/// An event type of a schema.
public struct EventTypeDefinition: Sendable {
  /// What the log writes for it: 1…254, never to be given to another type. 0 for a type of the application's own,
  /// which is written by name.
  public let code: EventTypeCode
  /// Its name on every surface.
  public let name: String
  /// Today's version of its payload, from 1.
  public let version: UInt16
  /// A step for each older version that may be in a log.
  public let upcasters: [Upcaster]

  /// Describes a type.
  public init(code: EventTypeCode, name: String, version: UInt16 = 1, upcasters: [Upcaster] = []) {
    precondition(
      (1..<version).allSatisfy { old in upcasters.contains { $0.version == old } },
      "\(name) needs an upcaster for every version before \(version)")
    self.code = code
    self.name = name
    self.version = version
    self.upcasters = upcasters
  }
}

/// The event types an application knows. Events of other types are kept, shown, and skipped by projectors.
public struct EventSchema: Sendable {
  private var byCode: [EventTypeDefinition?]
  private var versions: [UInt16]
  private var custom: [String: EventTypeDefinition]
  /// Every type, in the order given.
  public let types: [EventTypeDefinition]
  /// How people are erased; `nil`: they can't be.
  public let erasure: ErasureRules?
  /// Equal for schemas that bring events into the same form.
  let fingerprint: UInt64

  /// Collects types; no two may share a code or a name.
  ///
  /// - Parameter erasure: How people are erased; `nil`: they can't be.
  public init(_ types: [EventTypeDefinition], erasure: ErasureRules? = nil) {
    byCode = Array(repeating: nil, count: 256)
    versions = Array(repeating: 0, count: 256)
    custom = [:]
    self.types = types
    self.erasure = erasure
    var writer = ByteWriter(capacity: 16 * types.count)
    var names: Set<String> = []
    for type in types {
      precondition(names.insert(type.name).inserted, "two types are named \(type.name)")
      writer.write(type.code.number)
      writer.writeString(type.name)
      writer.write(type.version)
      if type.code == .custom {
        custom[type.name] = type
      } else {
        precondition(byCode[Int(type.code.number)] == nil, "two types have the code \(type.code.number)")
        byCode[Int(type.code.number)] = type
        versions[Int(type.code.number)] = type.version
      }
    }
    fingerprint = XXH3.hash(writer.bytes.rawSpan)
  }

  /// The definition of a type that has a code.
  public func definition(of code: EventTypeCode) -> EventTypeDefinition? { byCode[Int(code.number)] }
  /// Today's version of a type that has a code; 0 for one this schema does not know.
  func version(of code: EventTypeCode) -> UInt16 { versions[Int(code.number)] }
  /// The definition of a type that is written by name.
  public func definition(ofCustom name: String) -> EventTypeDefinition? { custom[name] }
  /// Whether any type that is written by name is known.
  var hasCustomTypes: Bool { !custom.isEmpty }

  /// The name of a type that has a code; `type-17` for one this schema does not know.
  public func name(of code: EventTypeCode) -> String {
    definition(of: code)?.name ?? "type-\(code.number)"
  }
}

extension EventSchema {
  /// A payload in today's form.
  ///
  /// Of a type this schema does not know, it is left as it is.
  /// - Throws: ``StorageError/unsupportedVersion(type:version:position:)`` for a known type in a newer version, and
  ///   ``StorageError/corrupt(reason:position:)`` where an upcaster cannot read it.
  func upcast(
    _ payload: [UInt8], of code: EventTypeCode, named customType: String?, from version: UInt16,
    at position: LogPosition
  ) throws(StorageError) -> (payload: [UInt8], version: UInt16) {
    let known = code == .custom ? customType.flatMap { definition(ofCustom: $0) } : definition(of: code)
    guard let known else { return (payload, version) }
    guard version <= known.version else {
      throw .unsupportedVersion(type: known.name, version: version, position: position)
    }
    var payload = payload
    for step in version..<known.version {
      guard let upcaster = known.upcasters.first(where: { $0.version == step }) else {
        throw .unsupportedVersion(type: known.name, version: version, position: position)
      }
      do throws(DamagedBytes) {
        payload = try upcaster.transform(payload.rawSpan)
      } catch {
        throw .corrupt(reason: "the payload is not a \(known.name) of version \(step)", position: position)
      }
    }
    return (payload, known.version)
  }
}
