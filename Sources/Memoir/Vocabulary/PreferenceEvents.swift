// What the person prefers.
internal import Bytes
public import EventStore
public import JSON

/// `PreferenceUpdated`: a preference has a value from now on.
public struct PreferenceUpdated: JSONContent {
  static var type: EventTypeCode { .preferenceUpdated }

  /// Which preference. The profile knows `name`, `preferred_name`, `communication_style` and `technical_level`.
  public let key: String
  /// Its value: any JSON, `null` included.
  public let value: JSONText
  /// The value before, as the caller believes; the true one is the fold's to say.
  public let previousValue: JSONText?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where the key is empty or too long.
  public init(key: String, value: JSONText, previousValue: JSONText? = nil) throws(InvalidValue) {
    try TextRule.check(key, field: "data.key")
    self.key = key
    self.value = value
    self.previousValue = previousValue
  }

  enum Field {
    static let key: UInt8 = 1, value: UInt8 = 2, previousValue: UInt8 = 3
  }

  static let keys = [
    DataKey("key", Field.key), DataKey("previous_value", Field.previousValue), DataKey("value", Field.value),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(key, field: Field.key)
    writer.write(value, field: Field.value)
    writer.write(previousValue, field: Field.previousValue)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var key: String? = nil
    var value: JSONText? = nil
    var previousValue: JSONText? = nil
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      switch field.number {
      case otherFieldsNumber: otherFields = try field.json()
      case Field.key: key = try field.text()
      case Field.value: value = try field.json()
      case Field.previousValue: previousValue = try field.json()
      default: break
      }
    }
    guard let key, let value else { throw DamagedBytes() }
    self.key = key
    self.value = value
    self.previousValue = previousValue
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      key: data.text("key"), value: data.json("value"),
      previousValue: data.value("previous_value") == nil ? nil : data.optionalJSON("previous_value"))
    otherFields = try data.others(besides: Self.keys)
  }
}
