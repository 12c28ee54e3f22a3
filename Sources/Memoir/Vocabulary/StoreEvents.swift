// What the store itself has to say.
internal import Bytes
internal import EventStore
public import JSON

/// `UserErased`: everything before it was taken out of the log. Only the store writes it.
public struct UserErased: EventContent {
  static var type: EventTypeCode { .userErased }

  /// What the store notes about it: an object.
  public let details: JSONText?
  static let keys: [DataKey] = []
  var otherFields: JSONText? { details }

  /// Makes the content of a tombstone.
  public init(details: JSONText? = nil) { self.details = details }

  /// What an erasure is noted with: `{"by","erased_at","events"}`.
  init(_ tombstone: Tombstone) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("by")
    writer.string(tombstone.by)
    writer.key("erased_at")
    writer.write(tombstone.erasedAt)
    writer.key("events")
    writer.integer(tombstone.events)
    writer.endObject()
    details = JSONText(canonical: writer.finish())
  }

  func write(into writer: inout PayloadWriter) {
    writer.write(details, field: otherFieldsNumber)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var details: JSONText? = nil
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      if field.number == otherFieldsNumber { details = try field.json() }
    }
    self.details = details
  }
}
