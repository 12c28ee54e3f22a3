// The dry run of a projector: two folds of every stream, compared, while nothing in the store changes.
internal import Bytes
internal import Sodium

/// What to compare.
public struct ComparisonOptions: Sendable {
  /// Only these streams, each once; `nil`: all.
  public var streams: [StreamName]?
  /// Only streams of this namespace; `nil`: all.
  public var namespace: Namespace?
  /// As of when. A version beyond a stream's head is its head; a stream that had no event yet is left out. Snapshots are
  /// those at or before it.
  public var point: AsOf = .head
  /// Only snapshots that this version of a projector left; `nil`: the latest one of any version.
  public var snapshotVersion: Int?
  /// Threads at work.
  public var jobs = 1

  /// All streams, at the head, with the latest snapshots, by one thread.
  public init() {}
}

/// A stream of which two states differ.
public struct ComparedStream<Before: Sendable, After: Sendable>: Sendable {
  /// The stream.
  public var name: StreamName
  /// The highest version that both are folded from: the snapshot's, where one is compared with.
  public var version: StreamVersion
  /// Whose snapshot the state before is; `nil` where it was folded.
  public var snapshot: ProjectorIdentity?
  /// The state that stands; `nil` where it is in a form that cannot be read.
  public var before: Before?
  /// The state by the projector that is tried.
  public var after: After
}

/// The form in which a projector's snapshots hold a state.
///
/// An older version of a projector may have stored its state in another form, or a larger projector has it as a part:
/// whoever can read that can be compared with.
public struct SnapshotForm<State: Sendable>: Sendable {
  /// The name of the projector, of whatever version.
  public let projector: String
  let decode: @Sendable (inout ByteReader) throws(DamagedBytes) -> State

  /// - Parameter decode: Reads the state, to its last byte; throws where it is in a form that is not known.
  public init(
    of projector: String, _ decode: @escaping @Sendable (inout ByteReader) throws(DamagedBytes) -> State
  ) {
    self.projector = projector
    self.decode = decode
  }
}

/// Two folds of every stream side by side, in the order of the streams' names, a few streams at a time.
///
/// ```swift
/// var comparison = try log.comparison(of: OrderProjector(), with: NextOrderProjector())
/// while let different = try comparison.next() {
///   for stream in different { print(stream.name, stream.before, stream.after) }
/// }
/// print(comparison.checkpoint.counts)
/// ```
/// It sees the log as it was when the comparison began, and writes nothing: neither events, nor snapshots, nor a file.
/// Whoever wants to stop calls ``next()`` no more; whoever wants to go on later keeps the ``checkpoint``.
public struct Comparison<Before: Sendable, After: Sendable>: Sendable {
  /// How far it has come, and what was found.
  public private(set) var checkpoint: ComparisonCheckpoint
  /// The projector that is tried.
  public let projector: ProjectorIdentity

  private let log: EventLog
  private let options: ComparisonOptions
  private let compare: @Sendable (StreamName, LogPosition) throws(ReadError) -> StreamComparison<Before, After>
  /// The names that come next, as far as they were looked up; `nil` before the first.
  private var upcoming: ArraySlice<StreamSummary>?

  init(
    _ log: EventLog, by projector: ProjectorIdentity, with other: [String], _ options: ComparisonOptions,
    _ compare:
      @escaping @Sendable (StreamName, LogPosition) throws(ReadError) -> StreamComparison<Before, After>
  ) throws(ReadError) {
    var options = options
    options.streams = options.streams.map { Set($0).sorted() }
    let view: (end: LogPosition, redactions: UInt64)
    do throws(StorageError) {
      let found = try log.view(asOf: options.point)
      view = (found.last, found.redactions)
    } catch {
      throw .storage(error)
    }
    var kind = ByteWriter()
    projector.encode(into: &kind)
    for text in [
      "\(log.storeID)", "\(options.point)", "\(String(describing: options.namespace))",
      "\(String(describing: options.streams))", "\(String(describing: options.snapshotVersion))",
      "\(view.redactions)", "\(other)",
    ] { kind.writeString(text) }
    self.log = log
    self.projector = projector
    self.options = options
    self.compare = compare
    checkpoint = ComparisonCheckpoint(kind: BLAKE2b.digest(kind.bytes.rawSpan), end: view.end)
  }

  /// Goes on where a comparison of the same kind had come to, with what it had found.
  ///
  /// - Returns: Whether it was of the same kind: of the same store, projectors and options. If not, nothing has changed.
  @discardableResult
  public mutating func resume(from checkpoint: ComparisonCheckpoint) -> Bool {
    guard checkpoint.kind == self.checkpoint.kind, checkpoint.end <= self.checkpoint.end else { return false }
    self.checkpoint = checkpoint
    upcoming = nil
    return true
  }

  /// Compares the next streams: a few for each job, fewer where they are long.
  ///
  /// - Returns: Those that differ, by name; `nil` once all streams were compared.
  /// - Throws: ``ReadError``: the first one that any of them met. Asked again, it tries the same streams again.
  /// - Complexity: O(events of the streams); memory for the states of ``streamsPerJob`` streams a job.
  public mutating func next() throws(ReadError) -> [ComparedStream<Before, After>]? {
    let names = try nextNames()
    guard let last = names.last else { return nil }
    let (compare, end) = (compare, checkpoint.end)
    let outcomes = try inParallel(names, jobs: options.jobs) { name throws(ReadError) in try compare(name, end) }
    upcoming?.removeFirst(names.count)
    checkpoint.last = last
    var different: [ComparedStream<Before, After>] = []
    for outcome in outcomes {
      checkpoint.counts.add(outcome)
      if case .different(let stream) = outcome.finding { different.append(stream) }
    }
    return different
  }

  /// Compares one stream again, whether or not its turn has come; it does not count.
  ///
  /// - Returns: `nil` where its states do not differ, or there are not two.
  public func difference(of name: StreamName) throws(ReadError) -> ComparedStream<Before, After>? {
    guard case .different(let stream) = try compare(name, checkpoint.end).finding else { return nil }
    return stream
  }

  /// Of so many streams a job the states are in memory at a time.
  public static var streamsPerJob: Int { 16 }
  /// Long streams come alone, so that there is something to tell now and then.
  private static var eventsAtOnce: UInt64 { 1 << 16 }
  private static var namesAtOnce: Int { 1_000 }

  private mutating func nextNames() throws(ReadError) -> [StreamName] {
    if upcoming?.isEmpty ?? true { upcoming = try lookUpNames()[...] }
    var names: [StreamName] = []
    var events: UInt64 = 0
    let jobs = UInt64(max(1, options.jobs))
    for summary in upcoming ?? [] {
      names.append(summary.name)
      events += summary.version.number
      if names.count >= Self.streamsPerJob * Int(jobs) || events >= Self.eventsAtOnce * jobs { break }
    }
    return names
  }

  private func lookUpNames() throws(ReadError) -> [StreamSummary] {
    do throws(StorageError) {
      guard let streams = options.streams else {
        return try log.streams(in: options.namespace, after: checkpoint.last, limit: Self.namesAtOnce)
      }
      var found: [StreamSummary] = []
      for name in streams where checkpoint.last.map({ $0 < name }) ?? true {
        if let summary = try log.summary(of: name) { found.append(summary) }
      }
      return found
    } catch {
      throw .storage(error)
    }
  }
}

/// What comparing one stream came to.
struct StreamComparison<Before: Sendable, After: Sendable>: Sendable {
  enum Finding: Sendable {
    /// It had no event yet.
    case nothing
    case equal
    case different(ComparedStream<Before, After>)
    case damaged
    case withoutSnapshot
  }

  var finding: Finding
  /// Events of the stream, and how many of them were folded.
  var events: UInt64 = 0
  var eventsFolded = 0
  var snapshot: ProjectorIdentity?
}

extension ComparisonCounts {
  fileprivate mutating func add<Before, After>(_ stream: StreamComparison<Before, After>) {
    switch stream.finding {
    case .nothing: return
    case .equal: equal += 1
    case .different(let found) where found.before == nil: unreadable += 1
    case .different: different += 1
    case .damaged: damaged += 1
    case .withoutSnapshot: withoutSnapshot += 1
    }
    events += stream.events
    eventsFolded += UInt64(stream.eventsFolded)
    if let snapshot = stream.snapshot { snapshots[snapshot, default: 0] += 1 }
  }
}
