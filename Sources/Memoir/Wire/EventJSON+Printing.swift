// Printing events: members in the contract's order, `data` in canonical order.
public import Bytes
public import EventStore
public import JSON

extension EventJSON {
  /// Prints an event. What is absent is left out; one whose payload is gone says `"redacted":true`.
  ///
  /// - Throws: ``DamagedBytes`` where the payload is none.
  public static func write(_ event: RecordedEvent, to writer: inout JSONWriter) throws(DamagedBytes) {
    writer.beginObject()
    try writeMembers(of: event, to: &writer)
    writer.endObject()
  }

  /// Prints the members of an event, within an object that may have more.
  static func writeMembers(of event: RecordedEvent, to writer: inout JSONWriter) throws(DamagedBytes) {
    writer.key("id")
    writer.write(event.id)
    writer.key("namespace")
    writer.string(event.stream.namespace.description)
    if !event.stream.isNameless {
      writer.key("user")
      writer.string(event.stream.user.description)
    }
    if let session = event.session {
      writer.key("session")
      writer.string(session.description)
    }
    writer.key("version")
    writer.integer(event.version.number)
    writer.key("position")
    writer.integer(event.position.number)
    writer.key("type")
    writer.string(event.typeName)
    writer.key("occurred_at")
    writer.write(event.occurredAt)
    writer.key("recorded_at")
    writer.write(event.recordedAt)
    if event.isRedacted {
      writer.key("redacted")
      writer.bool(true)
    } else {
      writer.key("data")
      try writeData(of: event, to: &writer)
      if event.metadata.utf8.count > 2 {
        writer.key("metadata")
        writer.value(event.metadata)
      }
    }
  }

  /// Prints what an event says: canonical JSON.
  ///
  /// - Throws: ``DamagedBytes`` where the payload is none.
  public static func writeData(
    of event: RecordedEvent, to writer: inout JSONWriter
  ) throws(DamagedBytes) {
    if let keys = keys(of: event.type) {
      try writeFields(event.payload, keys, to: &writer)
    } else if event.type == .custom, let data = try CustomEvent.data(of: event.payload.rawSpan) {
      writer.value(data)
    } else {
      try writeNumbered(event.payload, to: &writer)
    }
  }

  private static func keys(of type: EventTypeCode) -> [DataKey]? {
    switch type {
    case .messageAdded: MessageAdded.keys
    case .factLearned: FactLearned.keys
    case .factRevised: FactRevised.keys
    case .factForgotten: FactForgotten.keys
    case .preferenceUpdated: PreferenceUpdated.keys
    case .relationshipLearned: RelationshipLearned.keys
    case .episodeRecorded: EpisodeRecorded.keys
    case .sessionStarted: SessionStarted.keys
    case .sessionEnded: SessionEnded.keys
    case .sessionsCompacted: SessionsCompacted.keys
    case .userErased: UserErased.keys
    default: nil
    }
  }

  private static func writeFields(
    _ payload: [UInt8], _ keys: [DataKey], to writer: inout JSONWriter
  ) throws(DamagedBytes) {
    var others = PayloadReader(payload.rawSpan)
    if let first = try others.next(), first.number == otherFieldsNumber {
      return try writeFields(payload, keys, and: try first.json(), to: &writer)
    }
    writer.beginObject()
    for key in keys { try writeField(payload, key, to: &writer) }
    writer.endObject()
  }

  /// Prints known and other members in one order.
  private static func writeFields(
    _ payload: [UInt8], _ keys: [DataKey], and others: JSONText, to writer: inout JSONWriter
  ) throws(DamagedBytes) {
    var members: [(name: [UInt8], value: JSONText?, key: DataKey?)] = []
    for key in keys { members.append((Array("\(key.name)".utf8), nil, key)) }
    let count = members.count
    _ = try? JSONParser().parse(others.utf8.span) { node throws in
      var rest = node.members
      while let member = rest.next() {
        members.append((Array((member.key.string ?? "").utf8), JSONText(member.value), nil))
      }
    }
    guard others.kind == .object, members.count > count || others.utf8.count == 2 else {
      throw DamagedBytes()
    }
    members.sort { $0.name.lexicographicallyPrecedes($1.name) }
    writer.beginObject()
    for member in members {
      if let key = member.key {
        try writeField(payload, key, to: &writer)
      } else if let value = member.value {
        writer.key(utf8: member.name.span)
        writer.value(value)
      }
    }
    writer.endObject()
  }

  private static func writeField(
    _ payload: [UInt8], _ key: DataKey, to writer: inout JSONWriter
  ) throws(DamagedBytes) {
    var reader = PayloadReader(payload.rawSpan)
    while let field = try reader.next() {
      guard field.number == key.field else { continue }
      writer.key(key.name)
      try write(field, key.form, to: &writer)
      return
    }
  }

  private static func write(
    _ field: borrowing PayloadField, _ form: DataKey.Form, to writer: inout JSONWriter
  ) throws(DamagedBytes) {
    switch field.kind {
    case .text: writer.string(utf8: Span(_bytes: field.bytes))
    case .json: writer.value(canonical: Span(_bytes: field.bytes))
    case .uuid:
      var reader = ByteReader(field.bytes)
      writer.write(try EventID(reading: &reader))
    case .integer:
      switch form {
      case .number: writer.integer(field.integer)
      case .time: writer.write(try field.time())
      case .role:
        guard let role = MessageRole(rawValue: UInt8(clamping: field.integer)) else { throw DamagedBytes() }
        writer.string(role.description)
      case .memoryType:
        guard let type = MemoryType(rawValue: UInt8(clamping: field.integer)) else { throw DamagedBytes() }
        writer.string(type.description)
      }
    }
  }

  /// Prints the fields of a type that this vocabulary does not know: `{"field_01":…}`.
  private static func writeNumbered(_ payload: [UInt8], to writer: inout JSONWriter) throws(DamagedBytes) {
    writer.beginObject()
    var reader = PayloadReader(payload.rawSpan)
    while let field = try reader.next() {
      writer.key(text: "field_" + (field.number < 10 ? "0" : "") + "\(field.number)")
      try write(field, .number, to: &writer)
    }
    writer.endObject()
  }
}

extension JSONWriter {
  mutating func write(_ id: EventID) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(36)
    id.write(into: &bytes)
    string(utf8: bytes.span)
  }

  mutating func write(_ time: Timestamp) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(27)
    time.write(into: &bytes)
    string(utf8: bytes.span)
  }
}
