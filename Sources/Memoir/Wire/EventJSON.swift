// An event's one form as JSON: in files, over HTTP, in exports, live.
internal import Bytes
public import EventStore
public import JSON

/// An event as a caller hands it in, with whose it is where the JSON says so.
public struct IncomingEvent: Sendable {
  /// The namespace, where the event names one.
  public var namespace: Namespace?
  /// The user, where the event names one.
  public var user: UserID?
  /// The event.
  public var event: EventData
}

/// Reads and prints events.
public enum EventJSON {
  /// Reads one event, e.g. a line of a file.
  ///
  /// - Parameters:
  ///   - now: For the id of an event that has none.
  /// - Throws: `invalid_json`, `invalid_argument` or `too_large`, naming the field.
  public static func read(
    _ text: Span<UInt8>, with parser: JSONParser, now: Timestamp
  ) throws(MemoirError) -> IncomingEvent {
    let limits = JSONLimits(depth: Limits.depth, sizeInBytes: Limits.eventSize)
    return try parser.parse(text, limits: limits, refusal: { MemoirError($0) }) {
      node throws(MemoirError) in try read(node, now: now)
    }
  }

  /// Reads one event that is part of a larger text.
  ///
  /// - Throws: `invalid_argument` or `too_large`, naming the field.
  public static func read(_ node: JSONNode, now: Timestamp) throws(MemoirError) -> IncomingEvent {
    do {
      return try readEvent(node, now: now)
    } catch let error as MemoirError {
      throw error
    } catch let error as InvalidValue {
      throw MemoirError(error)
    } catch {
      throw MemoirError(.internal, "\(error)")
    }
  }

  private static func readEvent(_ node: JSONNode, now: Timestamp) throws -> IncomingEvent {
    guard node.kind == .object else { throw MemoirError(.invalidArgument, "an event must be an object") }
    try refuseUnknownFields(of: node)
    let fields = try DataReader(node, path: "")
    let id = try eventID(fields)
    let namespace = try fields.id("namespace", Namespace.init)
    let user = try fields.id("user", UserID.init)
    let session = try fields.id("session", SessionID.init)
    let occurredAt = try fields.optionalTime("occurred_at")
    let metadata = try fields.optionalMetadata("metadata") ?? .emptyObject
    guard let type = fields.value("type") else { throw MemoirError.invalid(field: "type", "is missing") }
    guard type.kind == .string else { throw MemoirError.invalid(field: "type", "must be a string") }
    guard let data = node["data"] else { throw MemoirError.invalid(field: "data", "is missing") }

    let content = try EventType.content(type, data)
    if content.needsSession, session == nil { throw MemoirError.invalid(field: "session", "is missing") }
    let size = content.payload.count + metadata.utf8.count
    guard size <= Limits.eventSize else {
      throw MemoirError.tooLarge(field: "data", count: size, limit: Limits.eventSize)
    }
    return IncomingEvent(
      namespace: namespace, user: user,
      event: EventData(
        id: id ?? .generate(at: now), type: content.type, customType: content.customType,
        typeVersion: content.version, session: session, occurredAt: occurredAt, metadata: metadata,
        payload: content.payload))
  }

  private static func eventID(_ fields: borrowing DataReader) throws -> EventID? {
    guard let value = fields.value("id") else { return nil }
    if let text = value.utf8, let id = EventID(utf8: text) { return id }
    return try fields.id("id") { text, field throws(InvalidValue) in try EventID(text, field: field) }
  }

  /// Whether an event has such a member; those the store gives, or an export, are ignored on input.
  private static func isKnown(_ member: borrowing JSONMember) -> Bool {
    switch member.key.utf8?.count {
    case 2: member.hasKey("id")
    case 4: member.hasKey("type") || member.hasKey("data") || member.hasKey("user")
    case 5: member.hasKey("proof")
    case 6: member.hasKey("stored")
    case 7: member.hasKey("session") || member.hasKey("version")
    case 8: member.hasKey("position") || member.hasKey("metadata")
    case 9: member.hasKey("namespace")
    case 11: member.hasKey("occurred_at") || member.hasKey("recorded_at")
    default: false
    }
  }

  private static func refuseUnknownFields(of node: JSONNode) throws(MemoirError) {
    var unknown: [String] = []
    var members = node.members
    while let member = members.next() {
      if isKnown(member) { continue }
      if member.hasKey("redacted"), member.value.bool == true {
        throw .invalid(
          field: "redacted", "what it said was taken out; only an export has what is needed to take it in again")
      }
      unknown.append(member.key.string ?? "")
    }
    if !unknown.isEmpty { throw .unknownFields(unknown) }
  }
}

extension JSONNode {
  /// Refuses an object that has any other member.
  ///
  /// - Throws: `invalid_argument`, naming them.
  package func refuseOthers(than known: [String]) throws(MemoirError) {
    var unknown: [String] = []
    var members = self.members
    while let member = members.next() {
      let name = member.key.string ?? ""
      if !known.contains(name) { unknown.append(name) }
    }
    if !unknown.isEmpty { throw .unknownFields(unknown) }
  }
}

extension MemoirError {
  /// `invalid_argument` for an event of a type that only the store writes.
  static var ownType: MemoirError { .invalid(field: "type", "is the store's own; erase the user instead") }

  /// `invalid_argument`, naming fields or parameters that mean nothing.
  public static func unknownFields(_ names: [String]) -> MemoirError {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("field")
    writer.string(names.first ?? "")
    writer.key("fields")
    writer.beginArray()
    for name in names { writer.string(name) }
    writer.endArray()
    writer.endObject()
    return MemoirError(
      .invalidArgument,
      names.count == 1
        ? "\(names[0]): is no known field" : "no known fields: \(names.joined(separator: ", "))",
      details: JSONText(canonical: writer.finish()))
  }
}

/// What an event's type makes of its `data`.
private enum EventType {
  struct Content {
    var type: EventTypeCode
    var customType: String?
    var version: UInt16
    var needsSession: Bool
    var payload: [UInt8]
  }

  static func content(_ type: JSONNode, _ data: JSONNode) throws -> Content {
    if type.isString("MessageAdded") { return try content(MessageAdded.self, data) }
    if type.isString("FactLearned") { return try content(FactLearned.self, data) }
    if type.isString("PreferenceUpdated") { return try content(PreferenceUpdated.self, data) }
    if type.isString("SessionStarted") { return try content(SessionStarted.self, data) }
    if type.isString("SessionEnded") { return try content(SessionEnded.self, data) }
    if type.isString("FactRevised") { return try content(FactRevised.self, data) }
    if type.isString("FactForgotten") { return try content(FactForgotten.self, data) }
    if type.isString("RelationshipLearned") { return try content(RelationshipLearned.self, data) }
    if type.isString("EpisodeRecorded") { return try content(EpisodeRecorded.self, data) }
    if type.isString("SessionsCompacted") { return try content(SessionsCompacted.self, data) }
    if type.isString("UserErased") { throw MemoirError.ownType }
    return try custom(type.string ?? "", data)
  }

  private static func content<C: JSONContent>(_ kind: C.Type, _ data: JSONNode) throws -> Content {
    let content = try C(reading: DataReader(data))
    var writer = PayloadWriter()
    content.write(into: &writer)
    return Content(
      type: C.type, customType: nil, version: C.version, needsSession: C.needsSession, payload: writer.bytes)
  }

  private static func custom(_ type: String, _ data: JSONNode) throws -> Content {
    try CustomEvent.check(type: type)
    let json = try DataReader.json(data, field: "data")
    if json.utf8.contains(UInt8(ascii: "$")) { try CustomEvent.check(data: data, field: "data") }
    var writer = PayloadWriter()
    CustomEvent(uncheckedType: type, data: json).write(into: &writer)
    return Content(type: .custom, customType: type, version: 1, needsSession: false, payload: writer.bytes)
  }
}
