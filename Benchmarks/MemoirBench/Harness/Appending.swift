// Durable appends by writers that each wait for their own: in short slices, between probes of the bare disk.
import PeerBench
import Platform
import Synchronization

/// One of several writers. Each has users of its own, so none of them meets a conflict.
struct Writer: Sendable {
  private let number: Int
  private let count: Int
  private var random: SplitMix64
  private(set) var heads: [UInt32]
  private(set) var microseconds: [Float] = []

  init(_ number: Int, of count: Int, slice: Int, heads: [UInt32]) {
    self.number = number
    self.count = count
    self.heads = heads
    random = SplitMix64(seed: 1000 + UInt64(number) + 64 * UInt64(slice))
  }

  /// What to append next.
  mutating func next(_ workload: Workload) -> Pick {
    let index = random.below(min(workload.events.count, Pick.pool))
    var event = workload.events[index]
    let user = random.below(workload.users / count) * count + number
    event.user = UInt32(user)
    event.version = heads[user] + 1
    event.id = random.uuid()
    return Pick(event: event, index: index)
  }

  /// Notes that it was stored.
  mutating func stored(_ pick: Pick, in seconds: Double) {
    heads[Int(pick.event.user)] += 1
    microseconds.append(Float(seconds * 1e6))
  }

  /// Whether a user is this writer's.
  func owns(_ user: Int) -> Bool { user % count == number }
}

/// What writers did in a short time.
struct Slice {
  /// Events a second.
  var rate: Double
  /// A bare sync before and after, in microseconds.
  var sync: Double
  var microseconds: [Float] = []

  /// Disks of shared machines have spells in which a sync takes ten times as long. What was measured in one says
  /// nothing of a store.
  static let calmMicroseconds = 600.0
}

/// Slices of one contestant: those of calm spells, and all others.
struct Slices {
  private(set) var calm: [Slice] = []
  private(set) var slow: [Slice] = []

  mutating func add(_ slice: Slice, isCalm: Bool) {
    if isCalm { calm.append(slice) } else { slow.append(slice) }
  }

  /// Whether the disk was never calm: then the slow ones must do.
  var isSlow: Bool { calm.isEmpty }
  private var used: [Slice] { isSlow ? slow : calm }

  var rate: Double { used.map(\.rate).median }
  /// Events a bare sync of the same moment: the fair number on a disk that changes.
  var ratePerSync: Double { used.map { $0.rate * $0.sync / 1e6 }.median }
  var latencies: Latencies {
    var latencies = Latencies()
    latencies.add(used.flatMap(\.microseconds))
    return latencies
  }
}

/// How appends are measured.
struct SlicePlan {
  /// Calm slices wanted.
  var slices = 8
  /// Slices at most.
  var tries = 24
  var seconds = 0.25
}

/// A contestant that is appended to.
final class AppendingContestant {
  let contestant: any Contestant
  private let workload: Workload
  /// The last version of each user.
  private(set) var heads: [UInt32]
  private var slice = 0

  init(_ contestant: any Contestant, _ workload: Workload) {
    self.contestant = contestant
    self.workload = workload
    heads = workload.heads
  }

  private func bracketed(_ body: () async throws -> Slice) async throws -> (slice: Slice, isCalm: Bool) {
    let folder = Files.folder(of: contestant.folder)
    let before = Machine.syncMicroseconds(in: folder)
    var slice = try await body()
    let after = Machine.syncMicroseconds(in: folder)
    slice.sync = (before + after) / 2
    return (slice, max(before, after) < Slice.calmMicroseconds)
  }

  /// Lets `count` writers append for some time; each at least once.
  func append(writers count: Int, seconds: Double) async throws -> (slice: Slice, isCalm: Bool) {
    slice += 1
    let writers = (0..<count).map { Writer($0, of: count, slice: slice, heads: heads) }
    let result = try await bracketed {
      let watch = Stopwatch()
      let end = MonotonicClock.nanoseconds + UInt64(seconds * 1e9)
      let done =
        contestant.hasTasks
        ? try await Self.asTasks(writers, contestant, workload, until: end)
        : try Self.asThreads(writers, contestant, workload, until: end)
      for (user, _) in heads.enumerated() { heads[user] = done[user % count].heads[user] }
      let times = done.flatMap(\.microseconds)
      return Slice(rate: Double(times.count) / watch.seconds, sync: 0, microseconds: times)
    }
    return result
  }

  private static func asTasks(
    _ writers: [Writer], _ contestant: any Contestant, _ workload: Workload, until end: UInt64
  ) async throws -> [Writer] {
    try await withThrowingTaskGroup(of: (Int, Writer).self) { group in
      for (number, writer) in writers.enumerated() {
        group.addTask {
          var writer = writer
          repeat {
            let pick = writer.next(workload)
            let watch = Stopwatch()
            try await contestant.append(pick)
            writer.stored(pick, in: watch.seconds)
          } while MonotonicClock.nanoseconds < end
          return (number, writer)
        }
      }
      var done = writers
      for try await (number, writer) in group { done[number] = writer }
      return done
    }
  }

  private static func asThreads(
    _ writers: [Writer], _ contestant: any Contestant, _ workload: Workload, until end: UInt64
  ) throws -> [Writer] {
    let done = Mutex<(writers: [Writer], error: (any Error)?)>((writers, nil))
    let threads = try writers.indices.map { number in
      try DedicatedThread(name: "writer-\(number)") {
        var writer = done.withLock { $0.writers[number] }
        do {
          repeat {
            let pick = writer.next(workload)
            let watch = Stopwatch()
            try contestant.appendAndWait(pick)
            writer.stored(pick, in: watch.seconds)
          } while MonotonicClock.nanoseconds < end
        } catch {
          done.withLock { $0.error = error }
        }
        done.withLock { $0.writers[number] = writer }
      }
    }
    for thread in threads { thread.join() }
    return try done.withLock { done in
      if let error = done.error { throw error }
      return done.writers
    }
  }

  /// Lets one thread commit `size` events at a time, for users at random.
  func commit(size: Int, seconds: Double) async throws -> (slice: Slice, isCalm: Bool) {
    slice += 1
    var random = SplitMix64(seed: UInt64(size) << 32 | UInt64(slice))
    return try await bracketed {
      let watch = Stopwatch()
      var count = 0
      repeat {
        let picks = (0..<size).map { _ in
          let index = random.below(min(workload.events.count, Pick.pool))
          var event = workload.events[index]
          event.user = UInt32(random.below(workload.users))
          heads[Int(event.user)] += 1
          event.version = heads[Int(event.user)]
          event.id = random.uuid()
          return Pick(event: event, index: index)
        }
        try contestant.commit(picks)
        count += size
      } while watch.seconds < seconds
      return Slice(rate: Double(count) / watch.seconds, sync: 0)
    }
  }
}

extension SlicePlan {
  /// Slices of all contestants in turn, until each has as many calm ones as wanted, or the limit is reached.
  func run(
    _ contestants: [AppendingContestant],
    _ body: (AppendingContestant) async throws -> (slice: Slice, isCalm: Bool)
  ) async throws -> [Slices] {
    var results = Array(repeating: Slices(), count: contestants.count)
    for _ in 0..<tries {
      for (index, contestant) in contestants.enumerated() where results[index].calm.count < slices {
        let (slice, isCalm) = try await body(contestant)
        results[index].add(slice, isCalm: isCalm)
      }
    }
    return results
  }
}
