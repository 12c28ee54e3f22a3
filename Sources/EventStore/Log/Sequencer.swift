// The seam between callers and the writer: who comes when, and at what time.
internal import Platform
internal import Synchronization

/// Work for the writer, and whom to tell.
enum WriterJob: Sendable {
  /// An append: refused or done on its own, whatever else is in the same commit.
  case append(AppendRequest, @Sendable (Result<[AppendResult], AppendError>) -> Void)
  /// Work inside the commit that is no append: redaction, records, snapshots.
  case work(any WriterWork, @Sendable (Result<Void, StorageError>) -> Void)
}

/// Work that the writer does within a commit, in its place in the order.
protocol WriterWork: Sendable {
  func run(in context: inout WriterContext) throws(StorageError)
}

/// Gives jobs their order and their time.
///
/// Today that is a queue in this process. A log replicated over many nodes can take its place: what the
/// writer makes of jobs depends on neither clock nor random numbers, so the same jobs at the same times give the same log
/// everywhere.
protocol Sequencer: Sendable {
  /// Takes a job.
  ///
  /// - Returns: Whether it was taken; not so once closed.
  func submit(_ job: WriterJob) -> Bool
  /// Waits for jobs and gives those that are there, in order; `nil` when closed and empty.
  func next() -> [WriterJob]?
  /// The time of the jobs given last. Asked for once they are the next to be committed, by whatever process: what
  /// commits later has a later time. The log records a later one where it must, so that time never goes back.
  func time() -> Timestamp
  /// Gives only times after `time` from now on: somebody is about to be told what was recorded by then.
  func pass(_ time: Timestamp)
  /// Takes no more jobs.
  func close()
}

/// The order of arrival, and this machine's clock.
final class LocalSequencer: Sequencer {
  private struct Queue {
    var jobs: [WriterJob] = []
    var isClosed = false
  }

  /// More would make one commit's transaction larger than it need be.
  private static let largestGroup = 4_096

  private let queue = Monitor(Queue())
  private let clock: @Sendable () -> Timestamp
  /// In microseconds.
  private let passed = Atomic<Int64>(Timestamp.earliest.microseconds)

  init(clock: @escaping @Sendable () -> Timestamp) { self.clock = clock }

  func submit(_ job: WriterJob) -> Bool {
    queue.change { queue in
      guard !queue.isClosed else { return false }
      queue.jobs.append(job)
      return true
    }
  }

  func next() -> [WriterJob]? {
    let jobs = queue.wait { queue -> [WriterJob]? in
      if queue.jobs.isEmpty { return queue.isClosed ? [] : nil }
      if queue.jobs.count <= Self.largestGroup {
        let all = queue.jobs
        queue.jobs = []
        queue.jobs.reserveCapacity(min(all.count, Self.largestGroup))
        return all
      }
      let group = Array(queue.jobs.prefix(Self.largestGroup))
      queue.jobs.removeFirst(Self.largestGroup)
      return group
    }
    guard let jobs, !jobs.isEmpty else { return nil }
    return jobs
  }

  func time() -> Timestamp {
    max(clock(), Timestamp(clamping: passed.load(ordering: .acquiring) + 1))
  }

  func pass(_ time: Timestamp) { passed.max(time.microseconds, ordering: .acquiringAndReleasing) }

  func close() { queue.change { $0.isClosed = true } }
}
