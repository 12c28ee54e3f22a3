// Reading back: the whole log, streams, states; each answer checked.
import PeerBench

/// What is read from a contestant, and whether it is right.
struct ReadingBench {
  let contestant: any Contestant
  let workload: Workload
  /// The last version of each user; more than the workload's once there were appends.
  var heads: [UInt32]

  init(_ contestant: any Contestant, _ workload: Workload, heads: [UInt32]? = nil) {
    self.contestant = contestant
    self.workload = workload
    self.heads = heads ?? workload.heads
  }

  private func expect(_ isRight: Bool, _ what: String) throws {
    if !isRight { throw BenchError("\(contestant.kind.rawValue): a wrong answer: \(what)") }
  }

  /// Events a second, in global order.
  func scan() throws -> Double {
    let reader = contestant.makeReader()
    var tally = PeerTally()
    var count: UInt64 = 0
    let time = try seconds { count = try reader.scan(into: &tally) }
    try expect(count == UInt64(workload.events.count), "\(count) events in the log")
    try expect(tally.digest == workload.total.digest, "the digest of the log")
    return Double(count) / time
  }

  /// Events a second, user after user.
  func scanByStream() throws -> Double {
    try read(Array(0..<workload.users), checksDigests: true)
    return try read(Array(0..<workload.users), checksDigests: false)
  }

  /// Events a second, of users at random. The first pass checks the answers and warms, the second is timed.
  func streams(picks: Int, checksDigests: Bool = true) throws -> Double {
    var random = SplitMix64(seed: 7)
    let users = (0..<picks).map { _ in random.below(workload.users) }
    try read(users, checksDigests: checksDigests)
    return try read(users, checksDigests: false)
  }

  @discardableResult
  func read(_ users: [Int], checksDigests: Bool) throws -> Double {
    let reader = contestant.makeReader()
    var events: UInt64 = 0
    var wrong = 0
    let time = try seconds {
      for user in users {
        var tally = PeerTally()
        let count = try reader.stream(of: user, into: &tally)
        events += count
        if count != UInt64(heads[user]) || tally.events != count { wrong += 1 }
        if checksDigests, tally.digest != workload.tallies[user].digest { wrong += 1 }
      }
    }
    try expect(wrong == 0, "\(wrong) of \(users.count) streams")
    return Double(events) / time
  }

  /// Head states a second.
  func points(picks: Int) throws -> Double {
    let reader = contestant.makeReader()
    var time = 0.0
    for _ in 0..<2 {  // The first pass warms.
      var random = SplitMix64(seed: 8)
      var wrong = 0
      time = try seconds {
        for _ in 0..<picks where try reader.state(of: random.below(workload.users)) == 0 { wrong += 1 }
      }
      try expect(contestant.kind == .memoir || wrong == 0, "\(wrong) states")
    }
    return Double(picks) / time
  }

  /// Events a second of ten users at random, with nothing of the store in memory. The middle one of three passes.
  ///
  /// - Parameter readsAhead: Whether the kernel may read more than was asked for.
  func coldStreams(readsAhead: Bool) throws -> Double {
    Machine.setReadahead(of: contestant.folder, readsAhead)
    defer { Machine.setReadahead(of: contestant.folder, true) }
    return try (0..<3).map { pass in
      var random = SplitMix64(seed: 70 + UInt64(pass) * 7)
      let users = (0..<10).map { _ in random.below(workload.users) }
      Machine.dropCached(contestant.folder)
      return try read(users, checksDigests: false)
    }.median
  }
}
