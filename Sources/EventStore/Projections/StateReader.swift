// From a point to a state: find the version, begin at the nearest snapshot, fold what follows.
internal import Bytes
internal import LMDB

/// A point, found in a stream.
struct AsOfTarget {
  /// Where to stop.
  enum Stop {
    case version(StreamVersion)
    case occurred(Timestamp)
  }

  var stop: Stop
  /// The time by which expiry is to be judged; `nil` at the head.
  var judgedAt: Timestamp?
}

extension EventLog {
  /// The state of a stream as it was at a point.
  ///
  /// Folds what follows the nearest snapshot at or before the point, or the cached head state; equal to folding from the
  /// first event.
  ///
  /// - Parameter usesSnapshots: Where `false`, folds from the first event, and leaves nothing behind.
  /// - Returns: `nil` for a stream that does not exist; the projector's initial state before its first event.
  /// - Throws: ``ReadError/invalid(_:)`` for a point beyond the head; ``ReadError/storage(_:)`` where a record is
  ///   damaged or of a newer version.
  /// - Complexity: O(size of the state), however long the history.
  public func state<P: Projector>(
    of name: StreamName, by projector: P, at point: AsOf = .head, usesSnapshots: Bool = true
  ) throws(ReadError) -> FoldedState<P.State>? {
    if usesSnapshots, case .head = point, let unchanged = unchangedHead(of: name, by: projector) { return unchanged }
    return try atPoint(point, of: name) { stream, head, target, view throws(StorageError) in
      try state(of: stream, named: name, head: head.version, by: projector, at: target, usesSnapshots, view)
    }
  }

  /// Finds a point in a stream and lends both to `body`; `nil` for a stream that does not exist.
  private func atPoint<Result>(
    _ point: AsOf, of name: StreamName,
    _ body: (StreamNumber, StreamPlace, AsOfTarget, borrowing LogView) throws(StorageError) -> Result
  ) throws(ReadError) -> Result? {
    try reading { () throws(StorageError) in
      let view = try view(asOf: point)
      guard let stream = try view.stream(name), let head = try view.head(of: stream) else {
        return .success(nil)
      }
      switch try resolve(point, of: stream, head: head, view) {
      case .failure(let invalid): return .failure(invalid)
      case .success(let target): return .success(try body(stream, head, target, view))
      }
    }
  }

  /// The head state as it is kept, where nothing was committed since it was last looked at, to whatever stream. Then there
  /// is no need to look anywhere else: each look is a miss of the processor's cache.
  private func unchangedHead<P: Projector>(of name: StreamName, by projector: P) -> FoldedState<P.State>? {
    // What keeps one from reading at all, a view will say.
    guard let commit = try? environment.lastCommit(),
      let entry = headCache.entry(
        HeadCache.Key(stream: name, projector: ProjectorIdentity(projector, schema: schema.fingerprint)), in: commit)
    else { return nil }
    return FoldedState(atHead: entry)
  }

  /// Keeps something that was made of a head state beside it, in the place of what was there before: until the stream goes
  /// on, a payload of any stream is removed, or memory is short. Whoever reads the state until then is given it, too.
  package func keep<P: Projector>(
    _ companion: any AnyObject & Sendable, sizeInBytes: Int, beside state: FoldedState<P.State>, of name: StreamName,
    by projector: P
  ) {
    headCache.keep(
      HeadCache.Companion(value: companion, sizeInBytes: sizeInBytes), beside: state.box,
      HeadCache.Key(stream: name, projector: ProjectorIdentity(projector, schema: schema)))
  }

  /// The highest version of a stream that a point includes; `nil` for a stream that does not exist.
  ///
  /// - Throws: As ``state(of:by:at:usesSnapshots:)`` does.
  public func version(of name: StreamName, at point: AsOf) throws(ReadError) -> StreamVersion? {
    try atPoint(point, of: name) { stream, head, target, view throws(StorageError) in
      switch target.stop {
      case .version(let version): return version
      case .occurred(let time):
        let last = try view.index.lastVersion(occurredThrough: time, of: stream, head: head.version, view)
        let late = try view.index.late(in: .earliest...time, of: stream, view.transaction)
        return max(last, late.map(\.place.version).max() ?? 0)
      }
    }
  }

  /// Lends the events of a stream after one point and up to another to `body`, in the order a fold would take them:
  /// by version, or where `last` is an occurred-at, by occurred-at and then by version.
  ///
  /// Events whose payload was removed come too; see ``EventView/isRedacted``.
  /// - Parameter first: `nil` begins with the first event. With an occurred-at, both are one.
  /// - Throws: As ``state(of:by:at:usesSnapshots:)``; damaged payloads that `body` finds are corrupt.
  public func forEachEvent(
    of name: StreamName, after first: AsOf? = nil, through last: AsOf,
    _ body: (borrowing EventView) throws(DamagedBytes) -> Void
  ) throws(ReadError) {
    try reading { () throws(StorageError) in
      let view = try view(asOf: last)
      guard let stream = try view.stream(name), let head = try view.head(of: stream) else {
        return .success(())
      }
      var start: AsOfTarget?
      if let first {
        switch try resolve(first, of: stream, head: head, view) {
        case .success(let found): start = found
        case .failure(let invalid): return .failure(invalid)
        }
      }
      var contents = ContentReader()
      switch try resolve(last, of: stream, head: head, view) {
      case .failure(let invalid): return .failure(invalid)
      case .success(let target):
        switch (start?.stop ?? .version(0), target.stop) {
        case (.version(let from), .version(let through)):
          try view.forEachRecord(of: stream, after: from, through: through) { record throws(StorageError) in
            try schema.withView(of: record, &contents, view, body)
          }
        case (.version(0), .occurred(let time)):
          try view.forEachRecord(of: stream, occurredAfter: nil, through: time, head: head.version) {
            (record, session) throws(StorageError) in
            try schema.withView(of: record, session: session, &contents, view, body)
          }
        case (.occurred(let from), .occurred(let time)):
          try view.forEachRecord(of: stream, occurredAfter: from, through: time, head: head.version) {
            (record, session) throws(StorageError) in
            try schema.withView(of: record, session: session, &contents, view, body)
          }
        case (.occurred, .version), (.version, .occurred):
          return .failure(
            InvalidValue(field: "from", reason: "and to must both be times of occurrence, or neither"))
        }
      }
      return .success(())
    }
  }

  func resolve(
    _ point: AsOf, of stream: StreamNumber, head: StreamPlace, _ view: borrowing LogView
  ) throws(StorageError) -> Result<AsOfTarget, InvalidValue> {
    func recordedAt(_ position: LogPosition) throws(StorageError) -> Timestamp {
      position == 0 ? .earliest : try view.record(at: position).recordedAt
    }
    switch point {
    case .head: return .success(AsOfTarget(stop: .version(head.version), judgedAt: nil))
    case .version(let version):
      guard version <= head.version else {
        return .failure(
          InvalidValue(field: "at_version", reason: "is \(version), beyond the head at \(head.version)"))
      }
      let judgedAt =
        version == 0 ? .earliest : try view.index.record(of: version, in: stream, view.transaction).recordedAt
      return .success(AsOfTarget(stop: .version(version), judgedAt: judgedAt))
    case .position(let position):
      guard position <= view.last else {
        return .failure(
          InvalidValue(field: "at_position", reason: "is \(position), beyond the log's end at \(view.last)"))
      }
      let version = try self.version(of: stream, atOrBefore: position, head: head, view)
      return .success(AsOfTarget(stop: .version(version), judgedAt: try recordedAt(position)))
    case .recordedAt(let time):
      let last = try recordedAt(view.last)
      guard time <= max(options.clock(), last) else {
        return .failure(
          InvalidValue(
            field: "recorded_at", reason: "is \(time), later than now and than all that was recorded"))
      }
      let version = try view.index.lastVersion(of: stream, head: head.version, view) { $0.recordedAt <= time }
      return .success(AsOfTarget(stop: .version(version), judgedAt: time))
    case .occurredAt(let time): return .success(AsOfTarget(stop: .occurred(time), judgedAt: time))
    }
  }

  /// A point, found in a stream as if it ended with the version `last`. A version beyond that is that one.
  func resolve(
    _ point: AsOf, of stream: StreamNumber, head: StreamPlace, endingWith last: StreamVersion,
    _ view: borrowing LogView
  ) throws(StorageError) -> Result<AsOfTarget, InvalidValue> {
    switch point {
    case .head: return .success(AsOfTarget(stop: .version(last)))
    case .version(let version): return .success(AsOfTarget(stop: .version(min(version, last))))
    case .position, .recordedAt, .occurredAt:
      let found = try resolve(point, of: stream, head: head, view)
      if case .success(let target) = found, case .version(let version) = target.stop {
        return .success(AsOfTarget(stop: .version(min(version, last))))
      }
      return found
    }
  }

  /// The last version of a stream at or before a position.
  func version(
    of stream: StreamNumber, atOrBefore position: LogPosition, head: StreamPlace, _ view: borrowing LogView
  ) throws(StorageError) -> StreamVersion {
    if head.position <= position { return head.version }
    return try view.index.lastVersion(of: stream, head: head.version, view) { $0.position <= position }
  }

  /// The state of a stream at a point of it, as if `head` were its last event.
  func state<P: Projector>(
    of stream: StreamNumber, named name: StreamName, head: StreamVersion, by projector: P, at target: AsOfTarget,
    _ usesSnapshots: Bool,
    _ view: borrowing LogView
  ) throws(StorageError) -> FoldedState<P.State> {
    let identity = ProjectorIdentity(projector, schema: schema)
    let cacheKey = HeadCache.Key(stream: name, projector: identity)
    let commit = view.transaction.id
    var isHead = false
    // Streams whose users were erased have one name, and none of these states is asked for again.
    if usesSnapshots, !name.isNameless, case .version(head) = target.stop { isHead = true }
    var cached = isHead ? headCache.entry(cacheKey, for: head, redactions: view.redactions, in: commit) : nil
    if let cached, cached.version == head, var found = FoldedState<P.State>(atHead: cached) {
      found.judgedAt = target.judgedAt
      return found
    }
    var fold = Fold(projector, key: ProjectorKey(identity), schema: schema, policy: options.snapshotPolicy)
    var version: StreamVersion = 0
    var box: StateBox<P.State>?
    switch target.stop {
    case .version(let last):
      version = last
      var start: StreamVersion = 0
      // Taken: were it held on to, the fold's first change would copy the state.
      if let entry = cached.take(), let known = entry.box as? StateBox<P.State> {
        // Few events have come since: go on from there.
        fold.state = known.state
        fold.count.bytesSinceSnapshot = entry.bytesSinceSnapshot
        start = entry.version
      } else if usesSnapshots, let found = try begin(&fold, at: .version, last.number, of: stream, head: head, view) {
        start = StreamVersion(found)
      }
      if usesSnapshots {
        try fold.run(stream, after: start, through: last, head: head, view)
      } else {
        try fold.run(stream, through: last, view)
      }
      if isHead {
        let made = StateBox(fold.state)
        headCache.put(
          HeadCache.Entry(
            version: head, redactions: view.redactions, commit: commit,
            bytesSinceSnapshot: fold.count.bytesSinceSnapshot,
            box: made, sizeInBytes: fold.state.encodedSize), cacheKey)
        box = made
      }
    case .occurred(let time):
      try run(&fold, stream, occurredThrough: time, head: head, usesSnapshots, view)
      version = fold.count.highest
    }
    folds.count(fold.count)
    if usesSnapshots, !options.isReadOnly {
      snapshots.add(fold.due + fold.parts(of: stream, head: head, redactions: view.redactions))
    }
    return FoldedState(
      version: version, judgedAt: target.judgedAt, eventsFolded: fold.count.events, bytesFolded: fold.count.bytes,
      bytesSinceSnapshot: fold.count.bytesSinceSnapshot, snapshotsDue: fold.due.count, box: box ?? StateBox(fold.state))
  }

  /// Folds what occurred by `time`.
  ///
  /// Before the first late event, the order of occurrence is that of the versions: there the snapshots by version serve,
  /// and a stream without late events needs no others.
  private func run<P: Projector>(
    _ fold: inout Fold<P>, _ stream: StreamNumber, occurredThrough time: Timestamp, head: StreamVersion,
    _ usesSnapshots: Bool, _ view: borrowing LogView
  ) throws(StorageError) {
    let firstLate = try view.index.firstLate(of: stream, view.transaction)
    if let firstLate, firstLate <= time, usesSnapshots,
      let found = try begin(&fold, at: .occurred, UInt64(time.microseconds), of: stream, head: head, view)
    {
      return try fold.run(
        stream, occurredAfter: Timestamp(clamping: Int64(clamping: found)), through: time, head: head, view)
    }
    var inOrder = time
    if let firstLate, firstLate <= time { inOrder = firstLate.advanced(byMicroseconds: -1) }
    // Nothing comes before the first microsecond.
    let isSplit = firstLate.map { $0 <= time } ?? false
    if !isSplit || firstLate != .earliest {
      let last = try view.index.lastVersion(occurredThrough: inOrder, of: stream, head: head, view)
      var start: StreamVersion = 0
      if usesSnapshots, let found = try begin(&fold, at: .version, last.number, of: stream, head: head, view) {
        start = StreamVersion(found)
      }
      try fold.run(stream, after: start, through: last, head: head, view)
    }
    if isSplit {
      try fold.run(
        stream, occurredAfter: firstLate == .earliest ? nil : inOrder, through: time, head: head, view)
    }
  }

  /// Begins `fold` at the nearest snapshot at or before `number` that can be read and holds nothing after `head`.
  ///
  /// - Returns: The version or the occurred-at it stands for; `nil` where there is none: then from the first event.
  private func begin<P: Projector>(
    _ fold: inout Fold<P>, at order: SnapshotTable.Order, _ number: UInt64, of stream: StreamNumber,
    head: StreamVersion, _ view: borrowing LogView
  ) throws(StorageError) -> UInt64? {
    if P.State.isStoredInParts {
      return order == .version ? try beginWithParts(&fold, through: number, of: stream, view) : nil
    }
    let found = try SnapshotTable.nearest(of: stream, order, atOrBefore: number, fold.key, view) {
      (number, bytes) in Self.decode(P.self, number, bytes, head: head)
    }
    guard let found else { return nil }
    fold.state = found.state
    fold.count.highest = found.highest
    return found.number
  }

  /// Begins `fold` with the parts up to the version `last`, as far as they are whole and none is missing.
  ///
  /// - Returns: The version of the last of them; `nil` where there is none.
  private func beginWithParts<P: Projector>(
    _ fold: inout Fold<P>, through last: UInt64, of stream: StreamNumber, _ view: borrowing LogView
  ) throws(StorageError) -> UInt64? {
    var state = fold.projector.initialState()
    var (count, found) = (0 as UInt64, nil as UInt64?)
    try SnapshotTable.forEachPart(of: stream, through: last, fold.key, view) { (number, bytes) in
      var reader = ByteReader(bytes)
      guard (try? reader.readVarint()) == number, (try? reader.readVarint()) == count,
        (try? state.add(partDecoding: &reader)) != nil
      else { return false }
      count += 1
      found = number
      return true
    }
    guard let found else { return nil }
    fold.state = state
    fold.count.highest = StreamVersion(found)
    return found
  }

  private static func decode<P: Projector>(
    _: P.Type, _ number: UInt64, _ bytes: RawSpan, head: StreamVersion
  ) -> (number: UInt64, highest: StreamVersion, state: P.State)? {
    var reader = ByteReader(bytes)
    // One that cannot be read is as good as none: what it would have been is folded.
    guard let highest = try? reader.readVarint(), highest <= head.number,
      let state = try? P.State(decoding: &reader), reader.isAtEnd
    else { return nil }
    return (number, StreamVersion(highest), state)
  }

  /// Runs a reading that can also refuse the point asked for.
  func reading<Success>(
    _ body: () throws(StorageError) -> Result<Success, InvalidValue>
  ) throws(ReadError) -> Success {
    let result: Result<Success, InvalidValue>
    do throws(StorageError) { result = try body() } catch { throw .storage(error) }
    switch result {
    case .success(let value): return value
    case .failure(let invalid): throw .invalid(invalid)
    }
  }
}

extension FoldedState {
  /// A head state as the cache keeps it; `nil` where what it keeps is of another type.
  fileprivate init?(atHead entry: HeadCache.Entry) {
    guard let box = entry.box as? StateBox<State> else { return nil }
    self.init(
      version: entry.version, judgedAt: nil, eventsFolded: 0, bytesFolded: 0,
      bytesSinceSnapshot: entry.bytesSinceSnapshot, companion: entry.companion?.value, box: box)
  }
}
