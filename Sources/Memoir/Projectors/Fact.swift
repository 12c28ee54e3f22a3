// A fact as the state holds it.
internal import Bytes
public import EventStore
public import JSON

/// Something known of the person, after all revisions so far. Whether it has expired is judged when it is shown.
public struct Fact: Sendable {
  /// Its id.
  public let factID: FactID
  /// The event that put it there.
  public let origin: EventReference
  /// What is known.
  public fileprivate(set) var fact: String
  /// The version of the event that said it in these words.
  public fileprivate(set) var wordedAt: StreamVersion
  /// What it is about.
  public fileprivate(set) var category: String
  /// How sure it is.
  public fileprivate(set) var confidence: Fraction
  /// How much it matters, where that was said.
  public fileprivate(set) var importance: Fraction?
  /// What kind of memory it is, where that was said.
  public fileprivate(set) var memoryType: MemoryType?
  /// Words to find it by: an array of strings.
  public fileprivate(set) var tags: JSONText?
  /// The message it was learned from.
  public let sourceMessageID: MessageID?
  /// When it was learned.
  public let learnedAt: Timestamp
  /// When it was learned, revised or confirmed last, in the order of the fold.
  public fileprivate(set) var updatedAt: Timestamp
  /// From when on it no longer holds.
  public fileprivate(set) var expiresAt: Timestamp?
  /// The event that set ``expiresAt``.
  public fileprivate(set) var expirySetBy: EventReference?
  /// The application's own.
  public fileprivate(set) var metadata: JSONText?
  /// The number of the session it was learned in: the version of the event that named it first.
  public let session: StreamVersion?
  /// The events that revised it.
  public fileprivate(set) var revisedBy: Revisions

  /// Whether it no longer holds at `time`.
  public func isExpired(at time: Timestamp) -> Bool {
    guard let expiresAt else { return false }
    return expiresAt <= time
  }

  var key: ItemKey { ItemKey(factID.id) }
}

extension Fact {
  /// The fact that an event puts there.
  init(_ event: borrowing EventView, _ fields: consuming FactFields) throws(DamagedBytes) {
    guard let fact = fields.fact, let category = fields.category, let confidence = fields.confidence else {
      throw DamagedBytes()
    }
    factID = fields.factID ?? FactID(event.id)
    origin = EventReference(event)
    self.fact = fact
    wordedAt = event.version
    self.category = category
    self.confidence = confidence
    importance = fields.importance
    memoryType = fields.memoryType
    tags = fields.tags
    sourceMessageID = fields.sourceMessageID
    learnedAt = event.occurredAt
    updatedAt = event.occurredAt
    expiresAt = fields.expiresAt
    expirySetBy = fields.expiresAt == nil ? nil : origin
    metadata = fields.metadata
    session = event.session?.number
    revisedBy = Revisions()
  }

  /// What is given replaces what was known.
  ///
  /// - Returns: By how many bytes the encoded form grew.
  mutating func revise(_ event: borrowing EventView, _ fields: consuming FactFields) -> Int {
    let before = encodedSize
    let reference = EventReference(event)
    if let fact = fields.fact {
      self.fact = fact
      wordedAt = event.version
    }
    if let category = fields.category { self.category = category }
    if let confidence = fields.confidence { self.confidence = confidence }
    if let importance = fields.importance { self.importance = importance }
    if let memoryType = fields.memoryType { self.memoryType = memoryType }
    if let tags = fields.tags { self.tags = tags }
    if let metadata = fields.metadata { self.metadata = metadata }
    if let expiresAt = fields.expiresAt {
      self.expiresAt = expiresAt
      expirySetBy = reference
    }
    updatedAt = event.occurredAt
    revisedBy.append(reference)
    return encodedSize - before
  }
}

extension Fact {
  /// Which of the parts that may be absent are there.
  private struct Parts: OptionSet {
    var rawValue: UInt8
    static let ownID = Parts(rawValue: 1), importance = Parts(rawValue: 2), memoryType = Parts(rawValue: 4)
    static let tags = Parts(rawValue: 8), sourceMessageID = Parts(rawValue: 16), expiry = Parts(rawValue: 32)
    static let metadata = Parts(rawValue: 64), session = Parts(rawValue: 128)
  }

  private var parts: Parts {
    var parts: Parts = []
    if factID.id != .uuid(origin.id) { parts.insert(.ownID) }
    if importance != nil { parts.insert(.importance) }
    if memoryType != nil { parts.insert(.memoryType) }
    if tags != nil { parts.insert(.tags) }
    if sourceMessageID != nil { parts.insert(.sourceMessageID) }
    if expiresAt != nil { parts.insert(.expiry) }
    if metadata != nil { parts.insert(.metadata) }
    if session != nil { parts.insert(.session) }
    return parts
  }

  var encodedSize: Int {
    var size = 1 + origin.encodedSize + revisedBy.encodedSize
    size +=
      EncodedSize.string(fact) + EncodedSize.string(category) + EncodedSize.string(confidence.description)
    size += EncodedSize.time(learnedAt) + EncodedSize.time(updatedAt) + EncodedSize.varint(wordedAt.number)
    if factID.id != .uuid(origin.id) { size += EncodedSize.itemID(factID.id) }
    if let importance { size += EncodedSize.string(importance.description) }
    if memoryType != nil { size += 1 }
    if let tags { size += EncodedSize.json(tags) }
    if let sourceMessageID { size += EncodedSize.itemID(sourceMessageID.id) }
    if let expiresAt, let expirySetBy { size += EncodedSize.time(expiresAt) + expirySetBy.encodedSize }
    if let metadata { size += EncodedSize.json(metadata) }
    if let session { size += EncodedSize.varint(session.number) }
    return size
  }

  func encode(into writer: inout ByteWriter) {
    let parts = parts
    writer.write(parts.rawValue)
    origin.encode(into: &writer)
    revisedBy.encode(into: &writer)
    writer.writeString(fact)
    writer.writeString(category)
    writer.writeString(confidence.description)
    writer.write(learnedAt)
    writer.write(updatedAt)
    writer.writeVarint(wordedAt.number)
    if parts.contains(.ownID) { writer.write(factID.id) }
    if let importance { writer.writeString(importance.description) }
    if let memoryType { writer.write(memoryType.rawValue) }
    if let tags { writer.writeLengthPrefixed(tags.utf8) }
    if let sourceMessageID { writer.write(sourceMessageID.id) }
    if let expiresAt, let expirySetBy {
      writer.write(expiresAt)
      expirySetBy.encode(into: &writer)
    }
    if let metadata { writer.writeLengthPrefixed(metadata.utf8) }
    if let session { writer.writeVarint(session.number) }
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let parts = Parts(rawValue: try reader.readUInt8())
    origin = try EventReference(decoding: &reader)
    revisedBy = try Revisions(decoding: &reader)
    fact = try reader.readString()
    category = try reader.readString()
    confidence = try reader.readFraction()
    learnedAt = try reader.readTime()
    updatedAt = try reader.readTime()
    wordedAt = StreamVersion(try reader.readVarint())
    factID = parts.contains(.ownID) ? FactID(stored: try reader.readItemID()) : FactID(origin.id)
    importance = parts.contains(.importance) ? try reader.readFraction() : nil
    if parts.contains(.memoryType) {
      guard let type = MemoryType(rawValue: try reader.readUInt8()) else { throw DamagedBytes() }
      memoryType = type
    } else {
      memoryType = nil
    }
    tags = parts.contains(.tags) ? try reader.readJSON() : nil
    sourceMessageID = parts.contains(.sourceMessageID) ? MessageID(stored: try reader.readItemID()) : nil
    if parts.contains(.expiry) {
      expiresAt = try reader.readTime()
      expirySetBy = try EventReference(decoding: &reader)
    }
    metadata = parts.contains(.metadata) ? try reader.readJSON() : nil
    session = parts.contains(.session) ? StreamVersion(try reader.readVarint()) : nil
  }
}
