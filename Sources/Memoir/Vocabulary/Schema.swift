// The event types of the memory, and what the log writes for them. A code, once given, means that type for ever.
public import EventStore

extension EventTypeCode {
  /// `SessionStarted`
  @inlinable public static var sessionStarted: EventTypeCode { EventTypeCode(1) }
  /// `MessageAdded`
  @inlinable public static var messageAdded: EventTypeCode { EventTypeCode(2) }
  /// `FactLearned`
  @inlinable public static var factLearned: EventTypeCode { EventTypeCode(3) }
  /// `FactRevised`
  @inlinable public static var factRevised: EventTypeCode { EventTypeCode(4) }
  /// `FactForgotten`
  @inlinable public static var factForgotten: EventTypeCode { EventTypeCode(5) }
  /// `PreferenceUpdated`
  @inlinable public static var preferenceUpdated: EventTypeCode { EventTypeCode(6) }
  /// `RelationshipLearned`
  @inlinable public static var relationshipLearned: EventTypeCode { EventTypeCode(7) }
  /// `EpisodeRecorded`
  @inlinable public static var episodeRecorded: EventTypeCode { EventTypeCode(8) }
  /// `SessionEnded`
  @inlinable public static var sessionEnded: EventTypeCode { EventTypeCode(9) }
  /// `SessionsCompacted`
  @inlinable public static var sessionsCompacted: EventTypeCode { EventTypeCode(10) }
  /// `UserErased`, which only the store writes.
  @inlinable public static var userErased: EventTypeCode { EventTypeCode(11) }
}

extension EventSchema {
  /// The event types of the memory.
  public static let memoir = EventSchema(memoirTypes, erasure: .memoir)

  /// The event types of the memory, and an application's own.
  public static func memoir(with custom: [EventTypeDefinition]) -> EventSchema {
    EventSchema(memoirTypes + custom, erasure: .memoir)
  }

  private static let memoirTypes: [EventTypeDefinition] = [
    EventTypeDefinition(code: .sessionStarted, name: "SessionStarted"),
    EventTypeDefinition(code: .messageAdded, name: "MessageAdded"),
    EventTypeDefinition(
      code: .factLearned, name: "FactLearned", version: FactLearned.version,
      upcasters: [Upcasters.confidenceFromWord]),
    EventTypeDefinition(code: .factRevised, name: "FactRevised"),
    EventTypeDefinition(code: .factForgotten, name: "FactForgotten"),
    EventTypeDefinition(code: .preferenceUpdated, name: "PreferenceUpdated"),
    EventTypeDefinition(code: .relationshipLearned, name: "RelationshipLearned"),
    EventTypeDefinition(code: .episodeRecorded, name: "EpisodeRecorded"),
    EventTypeDefinition(code: .sessionEnded, name: "SessionEnded"),
    EventTypeDefinition(code: .sessionsCompacted, name: "SessionsCompacted"),
    EventTypeDefinition(code: .userErased, name: "UserErased"),
  ]
}
