// Who and what is related to whom.
internal import Bytes
public import EventStore
public import JSON

/// `RelationshipLearned`: a sentence of three parts, e.g. `Bob`, `works with`, `Alice`.
public struct RelationshipLearned: JSONContent {
  static var type: EventTypeCode { .relationshipLearned }

  /// Who or what.
  public let subject: String
  /// Stands how.
  public let predicate: String
  /// To whom or what.
  public let object: String
  /// How sure it is.
  public let confidence: Fraction?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where a part is empty or too long.
  public init(
    subject: String, predicate: String, object: String, confidence: Fraction? = nil
  ) throws(InvalidValue) {
    try TextRule.check(subject, field: "data.subject")
    try TextRule.check(predicate, field: "data.predicate")
    try TextRule.check(object, field: "data.object")
    self.subject = subject
    self.predicate = predicate
    self.object = object
    self.confidence = confidence
  }

  enum Field {
    static let subject: UInt8 = 1, predicate: UInt8 = 2, object: UInt8 = 3, confidence: UInt8 = 4
  }

  static let keys = [
    DataKey("confidence", Field.confidence), DataKey("object", Field.object),
    DataKey("predicate", Field.predicate), DataKey("subject", Field.subject),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(subject, field: Field.subject)
    writer.write(predicate, field: Field.predicate)
    writer.write(object, field: Field.object)
    writer.write(confidence, field: Field.confidence)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var subject: String? = nil
    var predicate: String? = nil
    var object: String? = nil
    var confidence: Fraction? = nil
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      switch field.number {
      case otherFieldsNumber: otherFields = try field.json()
      case Field.subject: subject = try field.text()
      case Field.predicate: predicate = try field.text()
      case Field.object: object = try field.text()
      case Field.confidence: confidence = try field.fraction()
      default: break
      }
    }
    guard let subject, let predicate, let object else { throw DamagedBytes() }
    self.subject = subject
    self.predicate = predicate
    self.object = object
    self.confidence = confidence
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      subject: data.text("subject"), predicate: data.text("predicate"), object: data.text("object"),
      confidence: data.optionalFraction("confidence"))
    otherFields = try data.others(besides: Self.keys)
  }
}
