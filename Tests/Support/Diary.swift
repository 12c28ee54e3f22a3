// A toy vocabulary: enough kinds of types for everything the engine does with types, and no more.
package import Bytes
package import EventStore
import JSON

/// Event types of a make-believe application that keeps notes by key.
package enum Diary {
  /// A note is there: key and text. Version 1 had both in one text, `key:text`.
  package static let written = EventTypeCode(1)
  /// A note is gone: key.
  package static let removed = EventTypeCode(2)
  /// A note of so many bytes is there: key and number. So a small event makes a large state.
  package static let sized = EventTypeCode(3)
  /// A note of JSON is there: key and value.
  package static let valued = EventTypeCode(4)
  /// Everything before it was erased: by whom, how many events.
  package static let erased = EventTypeCode(5)
  /// A type of the application's own that the schema knows: a text.
  package static let mood = "app.Mood"
  /// A type with a code that no schema here knows.
  package static let unheardOf = EventTypeCode(77)

  /// What the application knows today.
  package static let schema = EventSchema(types(upTo: 2), erasure: erasure)
  /// What it knew in its first version.
  package static let firstSchema = EventSchema(types(upTo: 1), erasure: erasure)
  /// What it will know in its next version.
  package static let nextSchema = EventSchema(types(upTo: 3), erasure: erasure)

  private static let erasure = ErasureRules(
    noting: erased,
    payload: { tombstone in
      var writer = PayloadWriter()
      writer.write(tombstone.by, field: 0)
      writer.write(tombstone.events, field: 1)
      return writer.bytes
    },
    records: { person in
      [
        RecordErasure(of: .receipts, isCounted: false) { _, value, _ in
          value == Array(person.user.description.utf8) ? .remove : .keep
        }
      ]
    })

  private static func types(upTo version: UInt16) -> [EventTypeDefinition] {
    [
      EventTypeDefinition(
        code: written, name: "Written", version: version,
        upcasters: [
          Upcaster(from: 1) { (payload) throws(DamagedBytes) in try split(payload) },
          Upcaster(from: 2) { (payload) throws(DamagedBytes) in try mark(payload) },
        ].filter { $0.version < version }),
      EventTypeDefinition(code: removed, name: "Removed"),
      EventTypeDefinition(code: sized, name: "Sized"),
      EventTypeDefinition(code: valued, name: "Valued"),
      EventTypeDefinition(code: erased, name: "Erased"),
      EventTypeDefinition(code: .custom, name: mood),
    ]
  }

  /// From version 1 of `Written` to version 2: the key and the text apart.
  package static func split(_ payload: RawSpan) throws(DamagedBytes) -> [UInt8] {
    var reader = PayloadReader(payload)
    guard let field = try reader.next(), field.number == 0 else { throw DamagedBytes() }
    let parts = try field.text().split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else { throw DamagedBytes() }
    return writtenPayload(String(parts[0]), String(parts[1]))
  }

  /// From version 2 of `Written` to version 3: with a mark.
  package static func mark(_ payload: RawSpan) throws(DamagedBytes) -> [UInt8] {
    var reader = PayloadReader(payload)
    guard let key = try reader.next(), let text = try reader.next() else { throw DamagedBytes() }
    var writer = PayloadWriter()
    writer.write(try key.text(), field: 0)
    writer.write(try text.text(), field: 1)
    writer.write(1, field: 2)
    return writer.bytes
  }

  private static func writtenPayload(_ key: String, _ text: String) -> [UInt8] {
    var writer = PayloadWriter()
    writer.write(key, field: 0)
    writer.write(text, field: 1)
    return writer.bytes
  }

  /// A `Written` of today's version.
  package static func written(_ key: String, _ text: String, id: EventID) -> EventData {
    EventData(id: id, type: written, typeVersion: 2, payload: writtenPayload(key, text))
  }

  /// A `Written` as the first version wrote it.
  package static func firstWritten(_ key: String, _ text: String, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write("\(key):\(text)", field: 0)
    return EventData(id: id, type: written, typeVersion: 1, payload: writer.bytes)
  }

  /// A `Written` as the next version will write it.
  package static func nextWritten(_ key: String, _ text: String, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write(key, field: 0)
    writer.write(text, field: 1)
    writer.write(1, field: 2)
    return EventData(id: id, type: written, typeVersion: 3, payload: writer.bytes)
  }

  /// A `Removed`.
  package static func removed(_ key: String, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write(key, field: 0)
    return EventData(id: id, type: removed, payload: writer.bytes)
  }

  /// A `Sized`.
  package static func sized(_ key: String, _ sizeInBytes: Int, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write(key, field: 0)
    writer.write(UInt64(sizeInBytes), field: 1)
    return EventData(id: id, type: sized, payload: writer.bytes)
  }

  /// A `Valued`; `json` is canonical.
  package static func valued(_ key: String, _ json: String, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write(key, field: 0)
    writer.write(json: Array(json.utf8).rawSpan, field: 1)
    return EventData(id: id, type: valued, payload: writer.bytes)
  }

  /// An event of the application's own type, by default one that the schema knows.
  package static func custom(_ text: String, named name: String = mood, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write(text, field: 0)
    return EventData(id: id, type: .custom, customType: name, payload: writer.bytes)
  }

  /// An event whose code no schema here knows.
  package static func unheardOf(_ text: String, id: EventID) -> EventData {
    var writer = PayloadWriter()
    writer.write(text, field: 0)
    return EventData(id: id, type: unheardOf, payload: writer.bytes)
  }
}

extension EventData {
  /// The same in a session.
  package func inSession(_ session: SessionID?) -> EventData {
    var copy = self
    copy.session = session
    return copy
  }

  /// The same at a time.
  package func occurring(at time: Timestamp?) -> EventData {
    var copy = self
    copy.occurredAt = time
    return copy
  }

  /// The same with metadata, given as canonical JSON.
  package func with(metadata: String) -> EventData {
    var copy = self
    copy.metadata = JSONText(canonical: Array(metadata.utf8))
    return copy
  }
}
