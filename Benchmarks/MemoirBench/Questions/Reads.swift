// Reading: the log, streams, states; warm, cold, and beside a writer.
import Memoir
import Platform
import Sodium
import Synchronization

extension Bench {
  func askScan(_ contestants: [any Contestant]) throws {
    say("scan")
    for contestant in contestants { _ = try ReadingBench(contestant, workload).scan() }
    for contestant in contestants {
      results.add("scan", contestant.kind, try ReadingBench(contestant, workload).scan())
    }
  }

  func askStream(_ contestants: [any Contestant]) throws {
    say("streams")
    for contestant in contestants {
      let rate = try ReadingBench(contestant, workload).streams(picks: plan.streamPicks)
      results.add("stream", contestant.kind, rate)
    }
  }

  func askByStream(_ contestants: [any Contestant]) throws {
    say("whole store by stream")
    for contestant in contestants {
      let rate = try ReadingBench(contestant, workload).scanByStream()
      results.add("by-stream", contestant.kind, rate)
      guard let memoir = contestant as? MemoirContestant else {
        results.add("by-stream-replay", contestant.kind, rate)
        continue
      }
      // The same answers by the call that is made for it.
      let replay = try memoir.log.replayAll(by: TallyProjector(), jobs: 1)
      guard replay.digest == workload.replayDigest else { throw BenchError("the replay of tallies is wrong") }
      results.add("by-stream-replay", .memoir, Double(replay.events) / replay.seconds)
    }
  }

  func askHead(_ contestants: [any Contestant]) throws {
    say("head states")
    for contestant in contestants {
      try contestant.prepareStates()
      let rate = try ReadingBench(contestant, workload).points(picks: plan.statePicks)
      results.add("head", contestant.kind, rate)
      let reader = contestant.makeReader()
      let size = try (0..<workload.users).reduce(0) { try $0 + reader.state(of: $1) }
      results.add("head-size", contestant.kind, Double(size) / Double(workload.users))
    }
  }

  func askCold(_ contestants: [any Contestant]) throws {
    say("cold streams")
    for contestant in contestants where contestant.kind != .sqlite {
      let rate = try ReadingBench(contestant, workload).coldStreams(readsAhead: false)
      results.add("stream-cold", contestant.kind, rate)
    }
  }

  /// Few users, whose streams are long.
  func askFew() throws {
    say("\(plan.fewUsers) users")
    let workload = try Workload(events: plan.events, users: plan.fewUsers)
    let contestants = try makeContestants(workload, kinds: [.memoir, .lmdb])
    defer { try? discard(contestants) }
    for contestant in contestants { _ = try workload.load(into: contestant) }
    for contestant in contestants {
      // As many events as with many users.
      let picks = max(10, plan.streamPicks * plan.fewUsers / plan.users)
      let rate = try ReadingBench(contestant, workload).streams(picks: picks)
      results.add("stream-few", contestant.kind, rate)
    }
  }

  /// Two threads that read streams, first alone, then beside one that commits 64 events at a time.
  func askReaders(_ contestants: [AppendingContestant]) async throws {
    say("readers and a writer")
    for contestant in contestants {
      let kind = contestant.contestant.kind
      let readers = try ReaderCrew(2, contestant.contestant, users: workload.users)
      MonotonicClock.sleep(nanoseconds: UInt64(plan.readerSeconds * 1e9))
      results.add("readers", kind, try readers.finish())
      let others = try ReaderCrew(2, contestant.contestant, users: workload.users)
      let (slice, _) = try await contestant.commit(size: 64, seconds: plan.readerSeconds)
      results.add("readers-written", kind, try others.finish())
      results.add("readers-writer", kind, slice.rate)
    }
  }
}

extension Workload {
  /// The digest of a right replay by ``TallyProjector``.
  fileprivate var replayDigest: String {
    var sum = Bytes32.zero
    for (user, tally) in tallies.enumerated() where heads[user] > 0 {
      var state = TallyState()
      state.tally = tally
      sum = sum.adding(.ofStream(Self.name(of: user), at: UInt64(heads[user]), state))
    }
    return sum.hexadecimal
  }
}

/// Threads that read streams until they are told to end.
private final class ReaderCrew: Sendable {
  private struct State {
    var isEnding = false
    var events: UInt64 = 0
    var error: (any Error)?
  }

  private let state = Mutex(State())
  private let watch = Stopwatch()
  private let threads = Mutex<[DedicatedThread]>([])

  init(_ count: Int, _ contestant: any Contestant, users: Int) throws {
    for number in 0..<count {
      let thread = try DedicatedThread(name: "reader-\(number)") { [self] in
        do {
          try read(contestant, users, seed: UInt64(number) + 90)
        } catch {
          state.withLock { $0.error = error }
        }
      }
      threads.withLock { $0.append(thread) }
    }
  }

  private func read(_ contestant: any Contestant, _ users: Int, seed: UInt64) throws {
    let reader = contestant.makeReader()
    var random = SplitMix64(seed: seed)
    var events: UInt64 = 0
    while !state.withLock({ $0.isEnding }) {
      var tally = TallyState().tally
      events += try reader.stream(of: random.below(users), into: &tally)
    }
    state.withLock { $0.events += events }
  }

  /// Ends them; events a second of all together.
  func finish() throws -> Double {
    state.withLock { $0.isEnding = true }
    for thread in threads.withLock({ $0 }) { thread.join() }
    let seconds = watch.seconds
    return try state.withLock { state in
      if let error = state.error { throw error }
      return Double(state.events) / seconds
    }
  }
}
