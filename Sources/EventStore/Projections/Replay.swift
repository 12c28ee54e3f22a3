// Folding every stream through a projector: to rebuild, to time, and to compare.
internal import Bytes
internal import LMDB
internal import Platform
internal import Sodium
internal import Synchronization

/// How to replay.
public struct ReplayOptions: Sendable {
  /// Only these streams, each once; `nil`: all.
  public var streams: [StreamName]?
  /// Only streams of this namespace; `nil`: all.
  public var namespace: Namespace?
  /// As of when each state is folded. A version beyond a stream's head is its head; a stream that had no event yet is
  /// left out.
  public var point: AsOf = .head
  /// Where `false`, every stream is folded from its first event, and nothing is left behind.
  public var usesSnapshots = true
  /// Threads at work.
  public var jobs = 1
  /// Go on where a replay of the same kind was interrupted. Only for replays of all streams.
  public var resumes = true

  /// All streams, at the head, with snapshots.
  public init() {}
}

/// How far a replay has come.
public struct ReplayProgress: Sendable {
  /// Streams done.
  public var streams: Int
  /// Streams there are.
  public var totalStreams: Int
  /// Events of the streams done.
  public var events: UInt64
  /// Events there are, as far as the log's size tells.
  public var totalEvents: UInt64
  /// Since the start.
  public var seconds: Double
}

/// What a replay came to.
public struct ReplayResult: Sendable {
  /// Streams folded.
  public var streams: Int
  /// Events that their states are made of.
  public var events: UInt64
  /// Events that were folded one by one; fewer where snapshots, or an interrupted replay, had done so before.
  public var eventsFolded: UInt64
  /// Streams taken over from an interrupted replay.
  public var resumedStreams: Int
  /// Time taken.
  public var seconds: Double
  /// Stands for all states: equal for equal histories, with and without snapshots, by one job or many.
  public var digest: String
}

extension EventLog {
  /// Folds every stream through `projector`, in parallel, while appends go on.
  ///
  /// What it sees is the log as it is at the start. A stream is taken up after the one before is done, so memory holds as
  /// many states as there are jobs. Where `options.resumes`, a replay that was killed goes on after the streams it had
  /// finished.
  ///
  /// - Parameter progress: Told after streams are done, at most ten times a second, on some thread.
  /// - Throws: ``ReadError``: the first one that any job met.
  public func replay<P: Projector>(
    by projector: P, _ options: ReplayOptions = ReplayOptions(),
    progress: @escaping @Sendable (ReplayProgress) -> Void = { _ in }
  ) throws(ReadError) -> ReplayResult {
    let start = MonotonicClock.nanoseconds
    let names: [StreamName]
    let end: LogPosition
    let redactions: UInt64
    do throws(StorageError) {
      let view = try view(asOf: options.point)
      end = view.last
      redactions = view.redactions
      if let streams = options.streams {
        names = Set(streams).sorted()
      } else {
        names = try view.sortedByNumber(view.streamNames(in: options.namespace))
      }
    } catch {
      throw .storage(error)
    }
    let key = ProjectorKey(projector, schema)
    let covers = options.streams == nil
    let ledger =
      covers && !self.options.isReadOnly
      ? ReplayLedger(
        "\(folder)/\(StoreFolder.replayName)",
        kind: "\(storeID) \(key.high) \(key.low) \(options.point) \(options.usesSnapshots) \(redactions)",
        resumes: options.resumes, cipher: tables.cipher) : nil
    let run = ReplayRun(
      totalStreams: names.count, totalEvents: covers && options.namespace == nil ? end.number : 0)
    _ = try inParallel(names, jobs: options.jobs) { [self] name throws(ReadError) in
      let outcome = try replay(name, by: projector, options, end: end, ledger)
      if let step = run.finish(outcome, at: MonotonicClock.nanoseconds, since: start) { progress(step) }
    }
    ledger?.finish()
    let seconds = Double(MonotonicClock.nanoseconds - start) / 1e9
    return run.result(seconds: seconds)
  }

  private func replay<P: Projector>(
    _ name: StreamName, by projector: P, _ options: ReplayOptions, end: LogPosition, _ ledger: ReplayLedger?
  ) throws(ReadError) -> StreamOutcome? {
    try reading { () throws(StorageError) in
      let view = try view()
      let stream: StreamNumber
      let head: StreamPlace
      if options.streams == nil {
        (stream, head) = try view.listed(name)
      } else {
        guard let found = try view.stream(name), let place = try view.head(of: found) else { return .success(nil) }
        (stream, head) = (found, place)
      }
      // The log as it was at the start, whatever has been appended since.
      let last = try version(of: stream, atOrBefore: end, head: head, view)
      guard last > 0 else { return .success(nil) }
      if let known = ledger?.outcome(of: stream, at: last) { return .success(known) }
      let target: AsOfTarget
      switch try resolve(options.point, of: stream, head: head, endingWith: last, view) {
      case .success(let found): target = found
      case .failure(let invalid): return .failure(invalid)
      }
      let folded = try state(
        of: stream, named: name, head: last, by: projector, at: target, options.usesSnapshots, view)
      // At that point there was no such stream: a log that ends there does not have it either.
      guard folded.version > 0 else { return .success(nil) }
      let outcome = StreamOutcome(
        name, stream, folded.version, folded.state, eventsFolded: folded.eventsFolded)
      ledger?.add(outcome, at: last)
      return .success(outcome)
    }
  }
}

extension LogView {
  /// Names in the order in which runs hold the streams: those that follow each other lie on the same pages.
  fileprivate func sortedByNumber(_ names: [StreamName]) throws(StorageError) -> [StreamName] {
    var numbered: [(number: StreamNumber, name: StreamName)] = []
    numbered.reserveCapacity(names.count)
    for name in names { numbered.append((try stream(name) ?? 0, name)) }
    numbered.sort { $0.number < $1.number }
    return numbered.map(\.name)
  }
}

/// What has come of the streams of a replay.
final class ReplayRun: Sendable {
  private struct State {
    var streams = 0
    var events: UInt64 = 0
    var eventsFolded: UInt64 = 0
    var resumed = 0
    var digest = Bytes32.zero
    var lastTold: UInt64 = 0
  }

  private let totalStreams: Int
  private let totalEvents: UInt64
  private let state = Mutex(State())

  init(totalStreams: Int, totalEvents: UInt64) {
    self.totalStreams = totalStreams
    self.totalEvents = totalEvents
  }

  func finish(_ outcome: StreamOutcome?, at now: UInt64, since start: UInt64) -> ReplayProgress? {
    state.withLock { state in
      if let outcome {
        state.streams += 1
        state.events += outcome.version.number
        state.eventsFolded += UInt64(outcome.eventsFolded)
        state.resumed += outcome.isResumed ? 1 : 0
        // A sum, so that the order in which jobs finish does not matter.
        state.digest = state.digest.adding(outcome.digest)
      }
      // Another job may have told of a later time meanwhile.
      guard now >= state.lastTold + 100_000_000 else { return nil }
      state.lastTold = now
      return ReplayProgress(
        streams: state.streams, totalStreams: totalStreams, events: state.events, totalEvents: totalEvents,
        seconds: Double(now - start) / 1e9)
    }
  }

  func result(seconds: Double) -> ReplayResult {
    state.withLock { state in
      ReplayResult(
        streams: state.streams, events: state.events, eventsFolded: state.eventsFolded,
        resumedStreams: state.resumed, seconds: seconds, digest: state.digest.hexadecimal)
    }
  }
}
