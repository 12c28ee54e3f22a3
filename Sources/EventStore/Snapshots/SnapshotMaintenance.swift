// Taking snapshots beside the appends: a long stream has them before anybody asks for its state.
internal import Platform
internal import Synchronization

/// Counts the bytes appended to each stream and, where enough came together, folds it on a thread of its own.
final class SnapshotMaintenance: Sendable {
  typealias Fold = @Sendable (StreamNumber) -> Int

  private struct Stream {
    /// Bytes appended since the last fold, and how many are worth the next one.
    var pending = 0
    var threshold: Int
    var isQueued = false

    /// Whether it is to be queued now.
    mutating func becomesDue() -> Bool {
      guard !isQueued, pending >= threshold else { return false }
      isQueued = true
      return true
    }
  }

  private struct State {
    var fold: Fold?
    var streams: [StreamNumber: Stream] = [:]
    var due: [StreamNumber] = []
    var minimumBytes = 0
    var isFolding = false
    var isClosed = false
  }

  private let state = Monitor(State())
  private let thread = Mutex<DedicatedThread?>(nil)

  /// Begins to fold with `fold`, which returns how many more bytes are worth folding the stream again.
  func begin(minimumBytes: Int, _ fold: @escaping Fold) throws(PlatformError) {
    state.withLock { state in
      state.fold = fold
      state.minimumBytes = minimumBytes
    }
    try thread.withLock { (thread) throws(PlatformError) in
      guard thread == nil else { return }
      thread = try DedicatedThread(name: "memoir-snapshot") { [self] in run() }
    }
  }

  /// Takes note of events just appended.
  func count(_ events: [AppendedEvent]) {
    let isDue = state.withLock { state -> Bool in
      guard state.fold != nil else { return false }
      var isDue = false
      for event in events {
        var stream = state.streams[event.stream] ?? Stream(threshold: state.minimumBytes)
        stream.pending += event.sizeInBytes
        if stream.becomesDue() {
          state.due.append(event.stream)
          isDue = true
        }
        state.streams[event.stream] = stream
      }
      return isDue
    }
    if isDue { state.change { _ in } }
  }

  /// Waits until nothing is due.
  func drain() {
    state.wait { state -> Void? in
      state.fold == nil || state.isClosed || (state.due.isEmpty && !state.isFolding) ? () : nil
    }
  }

  func close() {
    state.change { $0.isClosed = true }
    let running = thread.withLock { thread -> DedicatedThread? in
      defer { thread = nil }
      return thread
    }
    // The fold under way may hold the log's last reference: then closing comes from within, and the thread ends by itself.
    if let running, !running.isCurrent { running.join() }
  }

  private func run() {
    while true {
      let next = state.wait { state -> (StreamNumber, Fold)?? in
        if state.isClosed { return .some(nil) }
        guard let fold = state.fold, !state.due.isEmpty else { return nil }
        let stream = state.due.removeFirst()
        state.streams[stream]?.pending = 0
        state.streams[stream]?.isQueued = false
        state.isFolding = true
        return (stream, fold)
      }
      guard let found = next, let (stream, fold) = found else { return }
      let threshold = fold(stream)
      state.change { state in
        state.streams[stream]?.threshold = threshold
        // Enough may have come in meanwhile.
        if state.streams[stream]?.becomesDue() == true { state.due.append(stream) }
        state.isFolding = false
      }
    }
  }
}

extension EventLog {
  /// Has snapshots taken beside the appends of this process, by `projector`, in both orders of time.
  ///
  /// For programs that append. States read later, here or elsewhere, then begin near the point asked for.
  public func maintainSnapshots(of projector: some Projector) throws(StorageError) {
    do throws(PlatformError) {
      try maintenance.begin(minimumBytes: options.snapshotPolicy.minimumBytes) { [weak self] stream in
        // What can't be folded now is folded, or reported, when somebody asks for it.
        (try? self?.takeSnapshots(of: stream, by: projector)) ?? Int.max / 2
      }
    } catch {
      throw .unavailable(reason: error.description)
    }
  }

  /// Folds a stream to its head, by version and by occurred-at, and hands over the snapshots due on the way.
  ///
  /// - Returns: How many more bytes of events the next snapshot is away.
  @discardableResult
  func takeSnapshots(of stream: StreamNumber, by projector: some Projector) throws(StorageError) -> Int {
    let view = try view()
    guard let head = try view.head(of: stream) else { return options.snapshotPolicy.minimumBytes }
    let name = try view.index.name(of: stream, in: view.transaction)
    let latest = try state(
      of: stream, named: name, head: head.version, by: projector, at: AsOfTarget(stop: .version(head.version)), true,
      view)
    if try view.index.firstLate(of: stream, view.transaction) != nil {
      _ = try state(
        of: stream, named: name, head: head.version, by: projector, at: AsOfTarget(stop: .occurred(.latest)), true,
        view)
    }
    return max(
      1,
      max(options.snapshotPolicy.minimumBytes, options.snapshotPolicy.factor * latest.state.encodedSize)
        - latest.bytesSinceSnapshot)
  }

  /// Waits until the snapshots that are due beside the appends are taken, and stores them.
  public func finishSnapshots() throws(StorageError) {
    maintenance.drain()
    try storeDueSnapshots()
  }
}
