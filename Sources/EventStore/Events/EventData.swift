// Events as callers hand them in, and as the log gives them back.
internal import Bytes
public import JSON
package import Sodium

/// An event handed in.
public struct EventData: Sendable {
  /// Its id; unique within its user's stream for ever.
  public var id: EventID
  /// Its type's code in the schema, ``EventTypeCode/custom`` where ``customType`` names it.
  public var type: EventTypeCode
  /// The name of an application's own type; else `nil`.
  public var customType: String?
  /// The version of the payload's form.
  public var typeVersion: UInt16
  /// Its session.
  public var session: SessionID?
  /// When it happened; without one, when it was handed in.
  public var occurredAt: Timestamp?
  /// Small JSON about the event: an object.
  public var metadata: JSONText
  /// Its fields, as a ``PayloadWriter`` wrote them.
  public var payload: [UInt8]
  /// Whether its payload was taken out of the log that it comes from: then ``payload`` is the digest of that payload, and
  /// type name and metadata are gone with it.
  package private(set) var isRedacted = false

  /// Makes an event.
  public init(
    id: EventID, type: EventTypeCode, customType: String? = nil, typeVersion: UInt16 = 1,
    session: SessionID? = nil, occurredAt: Timestamp? = nil, metadata: JSONText = .emptyObject,
    payload: [UInt8]
  ) {
    self.id = id
    self.type = type
    self.customType = customType
    self.typeVersion = typeVersion
    self.session = session
    self.occurredAt = occurredAt
    self.metadata = metadata
    self.payload = payload
  }

  /// An event of which only its place and the digest of its payload are left.
  package init(
    redacted digest: Bytes32, id: EventID, type: EventTypeCode, typeVersion: UInt16, session: SessionID?,
    occurredAt: Timestamp
  ) {
    var writer = ByteWriter(capacity: 32)
    digest.write(into: &writer)
    self.init(
      id: id, type: type, typeVersion: typeVersion, session: session, occurredAt: occurredAt, payload: writer.bytes)
    isRedacted = true
  }
}

/// An event given back.
public struct RecordedEvent: Sendable {
  /// Whose it is.
  public var stream: StreamName
  /// Its version in its stream.
  public var version: StreamVersion
  /// Its place in the log.
  public var position: LogPosition
  /// Its id.
  public var id: EventID
  /// Its type's code.
  public var type: EventTypeCode
  /// Its type's name.
  public var typeName: String
  /// The version of its payload's form, after upcasting.
  public var typeVersion: UInt16
  /// Its session.
  public var session: SessionID?
  /// When it happened.
  public var occurredAt: Timestamp
  /// When the log took it.
  public var recordedAt: Timestamp
  /// Canonical JSON, an object.
  public var metadata: JSONText
  /// Its fields, to be read by a ``PayloadReader``; empty where redacted.
  public var payload: [UInt8]
  /// Whether its payload was taken out of the log.
  public var isRedacted: Bool
}
