// How fresh an item is: states know no clock, so this is judged when it is shown.
public import EventStore
public import JSON

/// How old an item is, and whether it should be looked at again.
public struct Staleness: Hashable, Sendable {
  /// The seconds since the item was learned, set, confirmed or written last.
  public let ageInSeconds: Int64
  /// The age up to which it is valid.
  public let thresholdInSeconds: Int64
  /// Whether it is no older than that; else it is stale.
  public let isValid: Bool
  /// Whether it should be refreshed: it is stale, or soon will be.
  public let needsRefresh: Bool

  /// Prints `{"age_seconds","refresh","threshold_seconds","valid"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("age_seconds")
    writer.integer(ageInSeconds)
    writer.key("refresh")
    writer.bool(needsRefresh)
    writer.key("threshold_seconds")
    writer.integer(thresholdInSeconds)
    writer.key("valid")
    writer.bool(isValid)
    writer.endObject()
  }
}

/// Up to which age items are valid, in seconds.
public struct StalenessRule: Hashable, Sendable {
  /// Of a preference: 30 days.
  public var preference: Int64 = 30 * 86_400
  /// Of a fact: 7 days.
  public var fact: Int64 = 7 * 86_400
  /// Of a session's summary: an hour.
  public var sessionSummary: Int64 = 3_600
  /// Of a fact of the category `task`: 5 minutes.
  public var activeTask: Int64 = 300
  /// The share of the threshold past which an item should be refreshed: 0.8.
  public var refreshShare = 0.8

  /// The defaults.
  public init() {}

  /// How fresh a fact is at `time`: since it was learned, revised or confirmed.
  public func staleness(of fact: Fact, at time: Timestamp) -> Staleness {
    staleness(since: fact.updatedAt, at: time, fact.category == FactCategory.task ? activeTask : self.fact)
  }

  /// How fresh a preference is at `time`: since it was set.
  public func staleness(of preference: Preference, at time: Timestamp) -> Staleness {
    staleness(since: preference.updatedAt, at: time, self.preference)
  }

  /// How fresh a session's summary is at `time`: since the session ended. `nil` where it has none.
  public func staleness(of session: Session, at time: Timestamp) -> Staleness? {
    guard let end = session.end, end.summary != nil else { return nil }
    return staleness(ofSummaryAt: end.endedAt, at: time)
  }

  /// How fresh the summary of a session that ended at `end` is at `time`.
  public func staleness(ofSummaryAt end: Timestamp, at time: Timestamp) -> Staleness {
    staleness(since: end, at: time, sessionSummary)
  }

  /// How fresh something that was written at `start` is at `time`. What has not happened yet is of age 0.
  private func staleness(since start: Timestamp, at time: Timestamp, _ threshold: Int64) -> Staleness {
    let age = max(0, time.microseconds - start.microseconds)
    let limit = threshold * 1_000_000
    return Staleness(
      ageInSeconds: age / 1_000_000, thresholdInSeconds: threshold, isValid: age <= limit,
      needsRefresh: Double(age) > refreshShare * Double(limit))
  }
}
