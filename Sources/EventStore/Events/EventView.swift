// An event as projectors see it: borrowed from the log, nothing copied.

/// The type of an event: a small number for the types a schema names, or the name itself.
@frozen public struct EventTypeCode: Hashable, Sendable {
  /// 1…254 for a type of the schema; 0 for one that carries its name.
  public let number: UInt8
  /// Makes a code.
  @inlinable public init(_ number: UInt8) { self.number = number }
  /// The type's name is in ``EventView/customType``.
  public static let custom = EventTypeCode(0)
}

/// Which session an event belongs to.
///
/// A session is known by a number: the version of the event that first named it. So it costs two bytes an event and
/// compares in one step; its name is there where a fold can need it.
@frozen public struct SessionReference: ~Escapable, BitwiseCopyable {
  /// The version of the event that first named the session in the log.
  public let number: StreamVersion
  /// Whether that event comes at this place of the fold or before it. Always so, except where a fold goes by
  /// occurred-at and events came in late.
  public let isNamedBefore: Bool
  /// The session's name (UTF-8), at the event that first named it, and at events that a fold by occurred-at meets
  /// before that one. `nil` at all others: who began the session has noted its name; and where it was erased.
  public let name: RawSpan?

  @inlinable @_lifetime(copy name)
  package init(number: StreamVersion, isNamedBefore: Bool, name: RawSpan?) {
    self.number = number
    self.isNamedBefore = isNamedBefore
    self.name = name
  }
}

/// An event as the log holds it, for the time of one call.
@frozen public struct EventView: ~Escapable, BitwiseCopyable {
  /// Its version in its stream.
  public let version: StreamVersion
  /// Its place in the log.
  public let position: LogPosition
  /// Its id.
  public let id: EventID
  /// Its type.
  public let type: EventTypeCode
  /// Whether its payload was taken out of the log. ``payload`` and ``metadata`` are empty then.
  public let isRedacted: Bool
  /// The version of its type's form, after upcasting.
  public let typeVersion: UInt16
  /// When it happened, as the caller said.
  public let occurredAt: Timestamp
  /// When the log took it.
  public let recordedAt: Timestamp
  /// The type's name (UTF-8), where ``type`` is ``EventTypeCode/custom`` and it was not redacted; else empty.
  public let customType: RawSpan
  /// Canonical JSON, an object; empty where there is none.
  public let metadata: RawSpan
  /// Fields, to be read by a ``PayloadReader``.
  public let payload: RawSpan

  @usableFromInline let sessionNumber: UInt64  // 0: no session
  @usableFromInline let isSessionNamedBefore: Bool
  @usableFromInline let hasSessionName: Bool
  @usableFromInline let sessionName: RawSpan

  /// Its session, where it has one.
  @inlinable public var session: SessionReference? {
    @_lifetime(copy self) get {
      if sessionNumber == 0 { return nil }
      return SessionReference(
        number: StreamVersion(sessionNumber), isNamedBefore: isSessionNamedBefore,
        name: hasSessionName ? sessionName : nil)
    }
  }

  @inlinable @inline(__always) @_lifetime(copy customType, copy metadata, copy payload, copy sessionName)
  package init(
    version: StreamVersion, position: LogPosition, id: EventID, type: EventTypeCode, isRedacted: Bool,
    typeVersion: UInt16, occurredAt: Timestamp, recordedAt: Timestamp, customType: RawSpan, metadata: RawSpan,
    payload: RawSpan, sessionNumber: UInt64, isSessionNamedBefore: Bool, hasSessionName: Bool,
    sessionName: RawSpan
  ) {
    self.version = version
    self.position = position
    self.id = id
    self.type = type
    self.isRedacted = isRedacted
    self.typeVersion = typeVersion
    self.occurredAt = occurredAt
    self.recordedAt = recordedAt
    self.customType = customType
    self.metadata = metadata
    self.payload = payload
    self.sessionNumber = sessionNumber
    self.isSessionNamedBefore = isSessionNamedBefore
    self.hasSessionName = hasSessionName
    self.sessionName = sessionName
  }
}
