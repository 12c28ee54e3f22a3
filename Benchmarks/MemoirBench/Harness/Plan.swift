// How much of what is measured.

/// What a run is to do.
struct Plan {
  var events = 1_000_000
  var users = 10_000
  var fewUsers = 500
  var rounds = 3
  var appends = SlicePlan()
  /// Of 64 writers, for the distribution of latencies: slices and their length.
  var latencies = SlicePlan(slices: 20, tries: 40, seconds: 0.5)
  /// Of the one long history that as-of reads are asked of.
  var historyEvents = 1_000_000
  /// In the tail of the store that is opened: as many as there are before a block ends.
  var tailEvents = 65_536
  var asOfReads = 1_000
  var streamPicks = 4_000
  var statePicks = 200_000
  var readerSeconds = 1.0
  /// Real conversations as JSON Lines.
  var dialogues: String?
  /// Where stores are made; removed at the end.
  var folder: String?
  var questions = Question.allCases

  /// Small enough for a test.
  static var quick: Plan {
    var plan = Plan()
    plan.events = 3_000
    plan.users = 80
    plan.fewUsers = 10
    plan.rounds = 1
    plan.appends = SlicePlan(slices: 1, tries: 1, seconds: 0.02)
    plan.latencies = SlicePlan(slices: 1, tries: 1, seconds: 0.05)
    plan.historyEvents = 4_000
    plan.tailEvents = 3_000
    plan.asOfReads = 20
    plan.streamPicks = 50
    plan.statePicks = 100
    plan.readerSeconds = 0.05
    return plan
  }
}

/// What can be asked.
enum Question: String, CaseIterable, Sendable {
  case bulk, scan, stream, few, cold, byStream = "by-stream", replay, head, readers, append, latency, asOf = "as-of"
  case `import`, open, growth, dialogues

  var text: String {
    switch self {
    case .bulk: "1,000 events a commit; bytes on disk, bytes written"
    case .scan: "the whole log in its order"
    case .stream: "one user's events, users at random"
    case .few: "the same with few users, whose streams are long"
    case .cold: "the same with an empty page cache"
    case .byStream: "every user's events, one user after the other"
    case .replay: "every user to the context state, by one job and by two; memory"
    case .head: "the state of now, again and again"
    case .readers: "readers with and without a writer"
    case .append: "durable appends by 1, 8 and 64 writers; 64 events a commit"
    case .latency: "how long 64 writers wait, at worst too"
    case .asOf: "states at random points of one long history, by four axes"
    case .import: "JSON Lines from the command line, and proving what was stored; memory"
    case .open: "opening with a full tail, and after a clean close"
    case .growth: "what the same costs as the log grows"
    case .dialogues: "real conversations, where a file of them is given"
    }
  }
}
