// Relationships: each subject, predicate and object once. Learning one again confirms it.
public import Bytes
public import EventStore

/// A subject stands in a relation to an object.
public struct Relationship: Sendable {
  /// Who or what.
  public let subject: String
  /// Stands how.
  public let predicate: String
  /// To whom or what.
  public let object: String
  /// How sure it is, as last said.
  public fileprivate(set) var confidence: Fraction?
  /// When it was learned first, in the order of the fold.
  public let learnedAt: Timestamp
  /// When it was said last, in the order of the fold.
  public fileprivate(set) var confirmedAt: Timestamp
  /// The event that put it there.
  public let origin: EventReference
  /// The events that said it again.
  public fileprivate(set) var revisedBy = Revisions()

  var key: ItemKey {
    var writer = ByteWriter()
    writer.writeString(subject)
    writer.writeString(predicate)
    writer.writeString(object)
    let bytes = writer.bytes
    return ItemKey(name: bytes.rawSpan)
  }

  var encodedSize: Int {
    EncodedSize.string(subject) + EncodedSize.string(predicate) + EncodedSize.string(object)
      + EncodedSize.optional(confidence?.description) + EncodedSize.time(learnedAt)
      + EncodedSize.time(confirmedAt) + origin.encodedSize + revisedBy.encodedSize
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeString(subject)
    writer.writeString(predicate)
    writer.writeString(object)
    writer.writeOptional(confidence?.description)
    writer.write(learnedAt)
    writer.write(confirmedAt)
    origin.encode(into: &writer)
    revisedBy.encode(into: &writer)
  }
}

extension Relationship {
  /// - Returns: By how many bytes the encoded form grew.
  mutating func confirm(_ again: Relationship) -> Int {
    let before = encodedSize
    if let confidence = again.confidence { self.confidence = confidence }
    confirmedAt = again.confirmedAt
    revisedBy.append(again.origin)
    return encodedSize - before
  }

  init(_ event: borrowing EventView) throws(DamagedBytes) {
    let content = try RelationshipLearned(payload: event.payload)
    subject = content.subject
    predicate = content.predicate
    object = content.object
    confidence = content.confidence
    learnedAt = event.occurredAt
    confirmedAt = event.occurredAt
    origin = EventReference(event)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    subject = try reader.readString()
    predicate = try reader.readString()
    object = try reader.readString()
    confidence = try reader.readOptionalText().map(Fraction.init(stored:))
    learnedAt = try reader.readTime()
    confirmedAt = try reader.readTime()
    origin = try EventReference(decoding: &reader)
    revisedBy = try Revisions(decoding: &reader)
  }
}

/// All relationships.
public struct RelationshipsState: ProjectionState {
  private var relationships: [ItemKey: Relationship] = [:]
  private var size = 0

  init() {}

  /// The relationships, in the order of the versions that put them there.
  ///
  /// - Complexity: O(n log n)
  public var all: [Relationship] { relationships.values.sorted { $0.origin < $1.origin } }

  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) {
    guard event.type == .relationshipLearned else { return }
    let relationship = try Relationship(event)
    let key = relationship.key
    guard let index = relationships.index(forKey: key) else {
      size += relationship.encodedSize
      relationships[key] = relationship
      return
    }
    size += relationships.values[index].confirm(relationship)
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int { EncodedSize.varint(relationships.count) + size }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    writer.writeVarint(relationships.count)
    for relationship in all { relationship.encode(into: &writer) }
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount()
    relationships.reserveCapacity(reader.plausible(count, ofSize: 20))
    var last: StreamVersion = 0
    for _ in 0..<count {
      let relationship = try Relationship(decoding: &reader)
      size += relationship.encodedSize
      // In the order of the events that they come from, one each: else equal states would not encode to equal bytes.
      guard relationship.origin.version > last,
        relationships.updateValue(relationship, forKey: relationship.key) == nil
      else { throw DamagedBytes() }
      last = relationship.origin.version
    }
  }
}

/// Folds relationships.
public struct RelationshipProjector: Projector {
  /// Its name on every surface.
  public let name = "relationships"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 2

  /// Makes the projector.
  public init() {}

  /// The state before the first event.
  public func initialState() -> RelationshipsState { RelationshipsState() }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout RelationshipsState) throws(DamagedBytes) {
    try state.apply(event)
  }
}
