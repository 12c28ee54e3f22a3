// How importance fades with time. States know no clock, so this is applied when they are shown.
public import EventStore
internal import Glibc

/// How importance fades, and when a memory is archived: not recalled any more, still in history.
public struct Decay: Hashable, Sendable {
  /// What is left of importance after a day without use.
  public var factorPerDay: Double
  /// A memory whose importance has faded below this is archived.
  public var archivedBelow: Double
  /// The importance of a memory where none was said.
  public var defaultImportance: Double

  /// 5 % a day; archived below 0.1; 0.5 where nothing was said.
  public init(factorPerDay: Double = 0.95, archivedBelow: Double = 0.1, defaultImportance: Double = 0.5) {
    self.factorPerDay = factorPerDay
    self.archivedBelow = archivedBelow
    self.defaultImportance = defaultImportance
  }

  /// The importance of a fact as it was stated last.
  public func statedImportance(of fact: Fact) -> Double { fact.importance?.value ?? defaultImportance }

  /// What is left at `time` of a fact's importance. Use is the last event that learned, revised or confirmed it.
  public func importance(of fact: Fact, at time: Timestamp) -> Double {
    importance(fact.importance?.value, usedAt: fact.updatedAt.microseconds, at: time)
  }

  /// What is left at `time` of an importance, said or not, after a use in microseconds since 1970.
  func importance(_ said: Double?, usedAt: Int64, at time: Timestamp) -> Double {
    let importance = said ?? defaultImportance
    let days = Double(time.microseconds - usedAt) / 86_400_000_000
    return days > 0 ? importance * pow(factorPerDay, days) : importance
  }

  /// Whether a fact is archived at `time`.
  public func isArchived(_ fact: Fact, at time: Timestamp) -> Bool {
    importance(of: fact, at: time) < archivedBelow
  }

  /// Whether a relationship is archived at `time`: it matters as much as any fact, and is used where it is said again.
  public func isArchived(_ relationship: Relationship, at time: Timestamp) -> Bool {
    importance(nil, usedAt: relationship.confirmedAt.microseconds, at: time) < archivedBelow
  }

  /// Whether a fact is to be recalled at `time`: neither expired nor archived. What was forgotten or superseded is no
  /// fact of the state any more.
  public func isRecallable(_ fact: Fact, at time: Timestamp) -> Bool {
    !fact.isExpired(at: time) && !isArchived(fact, at: time)
  }
}
