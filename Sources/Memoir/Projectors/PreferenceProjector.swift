// Preferences: the value of each key, and the value before.
public import Bytes
public import EventStore
public import JSON

/// What the person prefers in one matter.
public struct Preference: Sendable {
  /// Which matter.
  public let key: String
  /// The value.
  public fileprivate(set) var value: JSONText
  /// The value before, in the order of the fold.
  public fileprivate(set) var previousValue: JSONText?
  /// When the value was set.
  public fileprivate(set) var updatedAt: Timestamp
  /// The event that set the value.
  public fileprivate(set) var origin: EventReference

  var encodedSize: Int {
    EncodedSize.string(key) + EncodedSize.json(value) + EncodedSize.optional(previousValue)
      + EncodedSize.time(updatedAt) + origin.encodedSize
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeString(key)
    writer.writeLengthPrefixed(value.utf8)
    writer.writeOptional(previousValue)
    writer.write(updatedAt)
    origin.encode(into: &writer)
  }
}

extension Preference {
  /// - Returns: By how many bytes the encoded form grew.
  mutating func update(_ value: JSONText, _ event: borrowing EventView) -> Int {
    let before = encodedSize
    previousValue = self.value
    self.value = value
    updatedAt = event.occurredAt
    origin = EventReference(event)
    return encodedSize - before
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    key = try reader.readString()
    value = try reader.readJSON()
    previousValue = try reader.readOptionalJSON()
    updatedAt = try reader.readTime()
    origin = try EventReference(decoding: &reader)
  }
}

/// All preferences.
public struct PreferencesState: ProjectionState {
  private var preferences: [ItemKey: Preference] = [:]
  private var size = 0

  init() {}

  /// The preferences, by the bytes of their keys.
  ///
  /// - Complexity: O(n log n)
  public var all: [Preference] {
    preferences.values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  /// The preference with this key.
  public subscript(key: String) -> Preference? { preferences[ItemKey(text: key)] }

  /// Folds an event.
  ///
  /// - Returns: The key of the preference that has a value now.
  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) -> ItemKey? {
    guard event.type == .preferenceUpdated else { return nil }
    var found: ItemKey? = nil
    var value: JSONText? = nil
    var reader = PayloadReader(event.payload)
    while let field = try reader.next() {
      switch field.number {
      case PreferenceUpdated.Field.key: found = try ItemKey(field)
      case PreferenceUpdated.Field.value: value = try field.json()
      default: break
      }
    }
    guard let key = found, let value else { throw DamagedBytes() }
    if let index = preferences.index(forKey: key) {
      size += preferences.values[index].update(value, event)
    } else {
      let preference = Preference(
        key: try Self.name(in: event.payload), value: value, previousValue: nil, updatedAt: event.occurredAt,
        origin: EventReference(event))
      size += preference.encodedSize
      preferences[key] = preference
    }
    return key
  }

  /// The key as a text, which only the first event with it needs.
  private static func name(in payload: RawSpan) throws(DamagedBytes) -> String {
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      if field.number == PreferenceUpdated.Field.key { return try field.text() }
    }
    throw DamagedBytes()
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int { EncodedSize.varint(preferences.count) + size }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    writer.writeVarint(preferences.count)
    for preference in all { preference.encode(into: &writer) }
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount()
    preferences.reserveCapacity(reader.plausible(count, ofSize: 20))
    for _ in 0..<count {
      let preference = try Preference(decoding: &reader)
      size += preference.encodedSize
      guard preferences.updateValue(preference, forKey: ItemKey(text: preference.key)) == nil else {
        throw DamagedBytes()
      }
    }
  }
}

/// Folds preferences.
public struct PreferenceProjector: Projector {
  /// Its name on every surface.
  public let name = "preferences"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 1

  /// Makes the projector.
  public init() {}

  /// The state before the first event.
  public func initialState() -> PreferencesState { PreferencesState() }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout PreferencesState) throws(DamagedBytes) {
    _ = try state.apply(event)
  }
}
