// What is known of the person: learned, revised, forgotten.
internal import Bytes
public import EventStore
public import JSON

/// What kind of memory a fact is.
public enum MemoryType: UInt8, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  /// What happened.
  case episodic = 1
  /// What is so.
  case semantic = 2
  /// How something is done.
  case procedural = 3
  /// What matters only now.
  case working = 4

  /// The word in JSON.
  public var description: String {
    switch self {
    case .episodic: "episodic"
    case .semantic: "semantic"
    case .procedural: "procedural"
    case .working: "working"
    }
  }
}

/// The payload fields of facts; learned and revised share them.
enum FactField {
  static let fact: UInt8 = 1, category: UInt8 = 2, confidence: UInt8 = 3, factID: UInt8 = 4
  static let importance: UInt8 = 5, memoryType: UInt8 = 6, tags: UInt8 = 7, sourceMessageID: UInt8 = 8
  static let expiresAt: UInt8 = 9, metadata: UInt8 = 10, supersededBy: UInt8 = 11, reason: UInt8 = 12
}

/// `FactLearned`: something became known.
public struct FactLearned: JSONContent {
  static var type: EventTypeCode { .factLearned }
  /// Version 1 had the confidence as one of the words `low`, `medium`, `high`.
  static var version: UInt16 { 2 }

  /// What is known, as a sentence.
  public let fact: String
  /// What it is about, e.g. `food`. The profile knows `interest` and `goal`.
  public let category: String
  /// How sure it is.
  public let confidence: Fraction
  /// Its id; without one, the id of the event.
  public let factID: FactID?
  /// How much it matters.
  public let importance: Fraction?
  /// What kind of memory it is.
  public let memoryType: MemoryType?
  /// Words to find it by.
  public let tags: [String]?
  /// The message it was learned from.
  public let sourceMessageID: MessageID?
  /// From when on it no longer holds.
  public let expiresAt: Timestamp?
  /// The application's own: an object.
  public let metadata: JSONText?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` that names the field, e.g. `data.fact`.
  public init(
    fact: String, category: String, confidence: Fraction, factID: FactID? = nil, importance: Fraction? = nil,
    memoryType: MemoryType? = nil, tags: [String]? = nil, sourceMessageID: MessageID? = nil,
    expiresAt: Timestamp? = nil, metadata: JSONText? = nil
  ) throws(InvalidValue) {
    try TextRule.check(fact, field: "data.fact")
    try TextRule.check(category, field: "data.category")
    try TextRule.check(tags, field: "data.tags")
    try TextRule.check(metadata: metadata, field: "data.metadata")
    self.fact = fact
    self.category = category
    self.confidence = confidence
    self.factID = factID
    self.importance = importance
    self.memoryType = memoryType
    self.tags = tags
    self.sourceMessageID = sourceMessageID
    self.expiresAt = expiresAt
    self.metadata = metadata
  }

  static let keys = [
    DataKey("category", FactField.category), DataKey("confidence", FactField.confidence),
    DataKey("expires_at", FactField.expiresAt, .time), DataKey("fact", FactField.fact),
    DataKey("fact_id", FactField.factID), DataKey("importance", FactField.importance),
    DataKey("memory_type", FactField.memoryType, .memoryType), DataKey("metadata", FactField.metadata),
    DataKey("source_message_id", FactField.sourceMessageID), DataKey("tags", FactField.tags),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(fact, field: FactField.fact)
    writer.write(category, field: FactField.category)
    writer.write(confidence, field: FactField.confidence)
    writer.write(factID?.description, field: FactField.factID)
    writer.write(importance, field: FactField.importance)
    if let memoryType { writer.write(UInt64(memoryType.rawValue), field: FactField.memoryType) }
    writer.write(tags, field: FactField.tags)
    writer.write(sourceMessageID?.description, field: FactField.sourceMessageID)
    writer.write(expiresAt, field: FactField.expiresAt)
    writer.write(metadata, field: FactField.metadata)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var fields = FactFields()
    try fields.read(payload)
    guard let fact = fields.fact, let category = fields.category, let confidence = fields.confidence else {
      throw DamagedBytes()
    }
    self.fact = fact
    self.category = category
    self.confidence = confidence
    factID = fields.factID
    importance = fields.importance
    memoryType = fields.memoryType
    tags = try fields.tagTexts()
    sourceMessageID = fields.sourceMessageID
    expiresAt = fields.expiresAt
    metadata = fields.metadata
    otherFields = fields.otherFields
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      fact: data.text("fact"), category: data.text("category"), confidence: data.fraction("confidence"),
      factID: data.id("fact_id", FactID.init), importance: data.optionalFraction("importance"),
      memoryType: data.optionalWord("memory_type", of: MemoryType.self), tags: data.optionalTexts("tags"),
      sourceMessageID: data.id("source_message_id", MessageID.init),
      expiresAt: data.optionalTime("expires_at"), metadata: data.optionalMetadata("metadata"))
    otherFields = try data.others(besides: Self.keys)
  }
}

/// `FactRevised`: what is given replaces what was known; nothing given confirms the fact as it is.
public struct FactRevised: JSONContent {
  static var type: EventTypeCode { .factRevised }

  /// Which fact.
  public let factID: FactID
  /// What is known now.
  public let fact: String?
  /// What it is about now.
  public let category: String?
  /// How sure it is now.
  public let confidence: Fraction?
  /// How much it matters now.
  public let importance: Fraction?
  /// What kind of memory it is now.
  public let memoryType: MemoryType?
  /// Words to find it by from now on.
  public let tags: [String]?
  /// From when on it no longer holds.
  public let expiresAt: Timestamp?
  /// The application's own from now on: an object.
  public let metadata: JSONText?
  /// The fact that takes its place; with it this one is live no more.
  public let supersededBy: FactID?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` that names the field, e.g. `data.superseded_by` where it is the fact itself.
  public init(
    factID: FactID, fact: String? = nil, category: String? = nil, confidence: Fraction? = nil,
    importance: Fraction? = nil, memoryType: MemoryType? = nil, tags: [String]? = nil,
    expiresAt: Timestamp? = nil, metadata: JSONText? = nil, supersededBy: FactID? = nil
  ) throws(InvalidValue) {
    try TextRule.check(fact, field: "data.fact")
    try TextRule.check(category, field: "data.category")
    try TextRule.check(tags, field: "data.tags")
    try TextRule.check(metadata: metadata, field: "data.metadata")
    if supersededBy == factID {
      throw InvalidValue(field: "data.superseded_by", reason: "must not be the fact itself")
    }
    self.factID = factID
    self.fact = fact
    self.category = category
    self.confidence = confidence
    self.importance = importance
    self.memoryType = memoryType
    self.tags = tags
    self.expiresAt = expiresAt
    self.metadata = metadata
    self.supersededBy = supersededBy
  }

  static let keys = [
    DataKey("category", FactField.category), DataKey("confidence", FactField.confidence),
    DataKey("expires_at", FactField.expiresAt, .time), DataKey("fact", FactField.fact),
    DataKey("fact_id", FactField.factID), DataKey("importance", FactField.importance),
    DataKey("memory_type", FactField.memoryType, .memoryType), DataKey("metadata", FactField.metadata),
    DataKey("superseded_by", FactField.supersededBy),
    DataKey("tags", FactField.tags),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(fact, field: FactField.fact)
    writer.write(category, field: FactField.category)
    writer.write(confidence, field: FactField.confidence)
    writer.write(factID.description, field: FactField.factID)
    writer.write(importance, field: FactField.importance)
    if let memoryType { writer.write(UInt64(memoryType.rawValue), field: FactField.memoryType) }
    writer.write(tags, field: FactField.tags)
    writer.write(expiresAt, field: FactField.expiresAt)
    writer.write(metadata, field: FactField.metadata)
    writer.write(supersededBy?.description, field: FactField.supersededBy)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var fields = FactFields()
    try fields.read(payload)
    guard let factID = fields.factID else { throw DamagedBytes() }
    self.factID = factID
    fact = fields.fact
    category = fields.category
    confidence = fields.confidence
    importance = fields.importance
    memoryType = fields.memoryType
    tags = try fields.tagTexts()
    expiresAt = fields.expiresAt
    metadata = fields.metadata
    supersededBy = fields.supersededBy
    otherFields = fields.otherFields
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      factID: data.requiredID("fact_id", FactID.init), fact: data.optionalText("fact"),
      category: data.optionalText("category"), confidence: data.optionalFraction("confidence"),
      importance: data.optionalFraction("importance"),
      memoryType: data.optionalWord("memory_type", of: MemoryType.self), tags: data.optionalTexts("tags"),
      expiresAt: data.optionalTime("expires_at"), metadata: data.optionalMetadata("metadata"),
      supersededBy: data.id("superseded_by", FactID.init))
    otherFields = try data.others(besides: Self.keys)
  }
}

/// `FactForgotten`: the fact is live no more; history keeps it.
public struct FactForgotten: JSONContent {
  static var type: EventTypeCode { .factForgotten }

  /// Which fact.
  public let factID: FactID
  /// Why.
  public let reason: String?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where the reason is too long.
  public init(factID: FactID, reason: String? = nil) throws(InvalidValue) {
    try TextRule.check(reason, field: "data.reason", mayBeEmpty: true)
    self.factID = factID
    self.reason = reason
  }

  static let keys = [DataKey("fact_id", FactField.factID), DataKey("reason", FactField.reason)]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(factID.description, field: FactField.factID)
    writer.write(reason, field: FactField.reason)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var fields = FactFields()
    try fields.read(payload)
    guard let factID = fields.factID else { throw DamagedBytes() }
    self.factID = factID
    reason = fields.reason
    otherFields = fields.otherFields
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      factID: data.requiredID("fact_id", FactID.init), reason: data.optionalText("reason", mayBeEmpty: true))
    otherFields = try data.others(besides: Self.keys)
  }
}

/// The payload fields of any event about a fact, as they stand there.
struct FactFields {
  var fact: String?
  var category: String?
  var confidence: Fraction?
  var factID: FactID?
  var importance: Fraction?
  var memoryType: MemoryType?
  /// An array of strings, not taken apart: a fold only passes it on.
  var tags: JSONText?
  var sourceMessageID: MessageID?
  var expiresAt: Timestamp?
  var metadata: JSONText?
  var supersededBy: FactID?
  var reason: String?
  var otherFields: JSONText?

  mutating func read(_ payload: RawSpan) throws(DamagedBytes) {
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      switch field.number {
      case otherFieldsNumber: otherFields = try field.json()
      case FactField.fact: fact = try field.text()
      case FactField.category: category = try field.text()
      case FactField.confidence: confidence = try field.fraction()
      case FactField.factID: factID = FactID(stored: try field.itemID())
      case FactField.importance: importance = try field.fraction()
      case FactField.memoryType: memoryType = MemoryType(rawValue: UInt8(clamping: field.integer))
      case FactField.tags: tags = try field.json()
      case FactField.sourceMessageID: sourceMessageID = MessageID(stored: try field.itemID())
      case FactField.expiresAt: expiresAt = try field.time()
      case FactField.metadata: metadata = try field.json()
      case FactField.supersededBy: supersededBy = FactID(stored: try field.itemID())
      case FactField.reason: reason = try field.text()
      default: break
      }
    }
  }

  func tagTexts() throws(DamagedBytes) -> [String]? {
    guard let tags else { return nil }
    guard let texts = tags.strings else { throw DamagedBytes() }
    return texts
  }
}
