// How a store treats sessions: all that can be set, in one place.

/// When sessions are closed, who distils them, and when they are combined.
public struct SessionPolicy: Sendable {
  /// A session without an event for so many seconds is closed, unless its start says otherwise; 0 closes none.
  public var idleTimeoutSeconds: UInt64 = 4 * 3_600
  /// Who distils sessions when they end.
  public var distiller: any Distiller = RuleDistiller()
  /// How long the distiller may take before the rules do its work.
  public var distillerTimeLimit: Duration = .seconds(30)
  /// How many memories of one session are kept at most.
  public var memoryLimit = 6
  /// When sessions that ended are combined.
  public var compaction = CompactionPolicy()

  /// The defaults: four hours, distilled by rules, combined by tens once more than fifty have ended.
  public init() {}
}

/// When sessions that ended are combined in one summary.
public struct CompactionPolicy: Hashable, Sendable {
  /// Nothing is combined before more sessions than these have ended and are in no combined summary.
  public var threshold = 50
  /// So many of those that ended last are never combined.
  public var keptCount = 20
  /// So many are combined at a time.
  public var groupSize = 10
  /// A combined summary has at most so many bytes.
  public var summarySize = 4_096

  /// Once more than 50 have ended, the oldest beyond the last 20, by tens.
  public init() {}
}

extension MemoirStore {
  var sessionPolicy: SessionPolicy { memory.sessions }
}
