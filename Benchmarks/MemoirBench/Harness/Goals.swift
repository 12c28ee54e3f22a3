// Every line of the table, and what it is to reach.

/// What a value must be.
enum Goal: Sendable {
  /// So many times another's, at least.
  case atLeast(Double, times: ContestantKind)
  /// So many times another's, at most.
  case atMost(Double, times: ContestantKind)
  /// At least that much.
  case atLeastValue(Double)
  /// At most that much.
  case atMostValue(Double)
}

/// A line of the table.
struct Row: Sendable {
  var id: String
  var text: String
  var unit: String
  var goals: [Goal] = []

  init(_ id: String, _ text: String, _ unit: String, _ goals: Goal...) {
    self.id = id
    self.text = text
    self.unit = unit
    self.goals = goals
  }

  /// All lines, in the order they are shown in.
  static let all = [
    Row("append1", "durable append, 1 writer", "events/s", .atLeast(1.3, times: .lmdb), .atLeast(0.7, times: .sqlite)),
    Row("append1-sync", "1 writer, for each bare sync", "events"),
    Row("append8", "durable append, 8 writers", "events/s", .atLeast(1.4, times: .lmdb), .atLeast(1.2, times: .sqlite)),
    Row("append8-sync", "8 writers, for each bare sync", "events"),
    Row(
      "append64", "durable append, 64 writers", "events/s", .atLeast(2.0, times: .lmdb),
      .atLeast(2.5, times: .sqlite)),
    Row("append64-sync", "64 writers, for each bare sync", "events"),
    Row("p50", "64 writers with snapshots: median", "ms"),
    Row("p99", "64 writers with snapshots: p99", "ms", .atMost(1, times: .lmdb)),
    Row("p999", "64 writers with snapshots: p99.9", "ms"),
    Row("longest", "64 writers with snapshots: longest", "ms", .atMostValue(15)),
    Row("group64", "64 events a commit, one thread", "events/s", .atLeast(2.5, times: .lmdb)),
    Row(
      "bulk", "bulk, 1,000 a commit, from domain values", "events/s", .atLeast(3.5, times: .lmdb),
      .atLeast(6, times: .sqlite)),
    Row("bulk-median", "bulk, by the median commit", "events/s"),
    Row(
      "import", "import of JSON Lines by the command line", "events/s", .atLeastValue(250_000),
      .atLeast(5, times: .sqlite)),
    Row("import-memory", "import, memory of its own at most", "MiB"),
    Row("verify", "verify by the command line", "events/s"),
    Row("verify-memory", "verify, memory of its own at most", "MiB"),
    Row(
      "scan", "scan in global order", "events/s", .atLeast(0.4, times: .lmdb), .atLeast(2, times: .sqlite)),
    Row(
      "stream", "one user's stream, users at random", "events/s", .atLeast(5, times: .lmdb),
      .atLeast(7, times: .sqlite)),
    Row("stream-few", "one user's stream, 500 users", "events/s", .atLeast(9, times: .lmdb)),
    Row("stream-cold", "one user's stream, nothing in memory", "events/s", .atLeast(4, times: .lmdb)),
    Row("by-stream", "whole store by stream", "events/s", .atLeast(8, times: .lmdb)),
    Row("by-stream-replay", "whole store by stream, as one replay", "events/s"),
    Row("replay", "full replay to context state, 1 job", "events/s", .atLeast(12, times: .sqlite)),
    Row("replay-2", "full replay to context state, 2 jobs", "events/s"),
    Row("replay-gain", "full replay, 2 jobs over 1", "×", .atLeastValue(1.7)),
    Row("replay-memory", "full replay, memory of its own at most", "MiB"),
    Row("replay-resident", "full replay, with the mapped file's pages", "MiB"),
    Row("head", "head state, hot", "states/s", .atLeast(0.7, times: .lmdb), .atLeast(6, times: .sqlite)),
    Row("head-size", "head state, its size", "bytes"),
    Row("as-of-version", "as of a version, p99", "ms", .atMostValue(1)),
    Row("as-of-position", "as of a position, p99", "ms", .atMostValue(1)),
    Row("as-of-recorded", "as of a recorded time, p99", "ms", .atMostValue(1)),
    Row("as-of-occurred", "as of an occurred time, p99", "ms", .atMostValue(1)),
    Row("head-read", "the head from its snapshot, median", "ms"),
    Row("as-of-ratio", "as-of by the slowest axis over head, medians", "×", .atMostValue(2)),
    Row(
      "disk", "bytes on disk, free pages and ids included", "bytes/event", .atMost(1.0, times: .lmdb),
      .atMost(0.85, times: .sqlite)),
    Row("amplification", "bytes written for a byte packed", "×", .atMost(0.3, times: .lmdb)),
    Row("open", "open with a full tail, to the first answer", "ms", .atMostValue(100)),
    Row("open-tail", "open with a full tail: events in it", "events"),
    Row("open-closed", "open after a clean close", "ms", .atMostValue(10)),
    Row("readers", "2 readers of streams, no writer", "events/s"),
    Row("readers-written", "2 readers of streams beside a writer", "events/s"),
    Row("readers-writer", "the writer beside 2 readers, 64 a commit", "events/s"),
    Row("dialogues-import", "real conversations: import", "events/s"),
    Row("dialogues-replay", "real conversations: full replay, 1 job", "events/s"),
  ]
}
