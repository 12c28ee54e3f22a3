// What an application says about erasing: how the log notes it, and which of the store's records speak of the person.
/// What becomes of a record when a person is erased.
public enum RecordFate: Sendable {
  /// It says nothing of the person.
  case keep
  /// It goes.
  case remove
  /// It stays, with this in its place.
  case replace([UInt8])
  /// It stays as it is while the store knows any of these, and is about them; else the other becomes of it.
  indirect case keepWhileKnown([StreamName], else: RecordFate)
}

/// How a person is erased from records of a kind.
public struct RecordErasure: Sendable {
  let kind: StoreRecords
  let isCounted: Bool
  let fate: @Sendable (_ key: [UInt8], _ value: [UInt8], _ erasedAt: Timestamp) -> RecordFate

  /// Looks at every record of a kind.
  ///
  /// - Parameters:
  ///   - isCounted: Whether records of the kind are changed by ``EventLog/changeRecords(_:in:expecting:)``, so that who
  ///     remembers them must hear of it.
  ///   - fate: Says what becomes of a record.
  public init(
    of kind: StoreRecords, isCounted: Bool,
    fate: @escaping @Sendable (_ key: [UInt8], _ value: [UInt8], _ erasedAt: Timestamp) -> RecordFate
  ) {
    self.kind = kind
    self.isCounted = isCounted
    self.fate = fate
  }
}

/// What an application says about erasing.
public struct ErasureRules: Sendable {
  let type: EventTypeCode
  let payload: @Sendable (Tombstone) -> [UInt8]
  let records: @Sendable (StreamName) -> [RecordErasure]
  let recordsAfter: @Sendable (LogPosition) -> [RecordErasure]
  let isSigned: @Sendable (_ log: EventLog, _ statement: [UInt8], _ signature: [UInt8]) -> Bool

  /// - Parameters:
  ///   - type: The type of the event that says that everything before it was erased.
  ///   - payload: What that event says, in the current version of its type.
  ///   - records: The kinds of records that may speak of a person.
  ///   - isSigned: Whether a log's owner has signed a tombstone: else it is not believed that comes from a file.
  ///   - recordsAfter: Those that may speak of events after a position, in a copy of the store that ends there.
  public init(
    noting type: EventTypeCode, payload: @escaping @Sendable (Tombstone) -> [UInt8],
    records: @escaping @Sendable (StreamName) -> [RecordErasure] = { _ in [] },
    recordsAfter: @escaping @Sendable (LogPosition) -> [RecordErasure] = { _ in [] },
    isSigned: @escaping @Sendable (_ log: EventLog, _ statement: [UInt8], _ signature: [UInt8]) -> Bool = { _, _, _ in
      true
    }
  ) {
    self.type = type
    self.payload = payload
    self.records = records
    self.recordsAfter = recordsAfter
    self.isSigned = isSigned
  }
}
