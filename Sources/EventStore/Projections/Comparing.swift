// What a projector can be compared with: another projector, or the snapshots that stand.
internal import Bytes

extension EventLog {
  /// Compares what two projectors fold every stream to.
  ///
  /// - Parameters:
  ///   - before: The projector in use.
  ///   - after: The one that is tried.
  ///   - isSame: Whether two states say the same.
  /// - Throws: ``ReadError/storage(_:)`` where the log cannot be read.
  public func comparison<Before: Projector, After: Projector>(
    of before: Before, with after: After, _ options: ComparisonOptions = ComparisonOptions(),
    where isSame: @escaping @Sendable (Before.State, After.State) -> Bool
  ) throws(ReadError) -> Comparison<Before.State, After.State> {
    let other = ProjectorIdentity(before, schema: schema)
    return try Comparison(
      self, by: ProjectorIdentity(after, schema: schema), with: ["folded by \(other)"], options
    ) { [self] (name, end) throws(ReadError) in
      try compare(name, options.point, end: end) { (stream, target, last, view) throws(StorageError) in
        let both = try state(
          of: stream, named: name, head: last, by: SideBySide(before: before, after: after), at: target, false, view)
        guard both.version > 0 else { return StreamComparison(finding: .nothing) }
        let (old, new) = (both.state.before, both.state.after)
        return StreamComparison(
          finding: isSame(old, new)
            ? .equal
            : .different(
              ComparedStream(name: name, version: both.version, snapshot: nil, before: old, after: new)),
          events: last.number, eventsFolded: both.eventsFolded)
      }
    }
  }

  /// Compares what two projectors with the same form of state fold every stream to, by the bytes of their states.
  ///
  /// - Throws: ``ReadError/storage(_:)`` where the log cannot be read.
  public func comparison<Before: Projector, After: Projector>(
    of before: Before, with after: After, _ options: ComparisonOptions = ComparisonOptions()
  ) throws(ReadError) -> Comparison<Before.State, After.State> where Before.State == After.State {
    try comparison(of: before, with: after, options) { $0.isSame(as: $1) }
  }

  /// Compares the snapshots that stand with what `projector` folds the same events to.
  ///
  /// Of each stream it is the latest whole snapshot, whichever version of the projector left it, with whatever parameters
  /// and event types; `projector` folds from the first event to that version. Streams without one are counted.
  /// - Parameter forms: Whose snapshots to compare with, and how to read them. By default those of projectors of the same
  ///   name, in today's form.
  /// - Throws: ``ReadError/invalid(_:)`` for an occurred-at: snapshots stand at versions. ``ReadError/storage(_:)`` where
  ///   the log cannot be read.
  public func comparison<P: Projector>(
    ofSnapshotsWith projector: P, _ options: ComparisonOptions = ComparisonOptions(),
    forms: [SnapshotForm<P.State>]? = nil
  ) throws(ReadError) -> Comparison<P.State, P.State> {
    if case .occurredAt = options.point {
      throw .invalid(
        InvalidValue(field: "occurred_at", reason: "cannot be compared with snapshots, which stand at versions"))
    }
    let forms =
      forms ?? [SnapshotForm(of: projector.name) { bytes throws(DamagedBytes) in try P.State(decoding: &bytes) }]
    let own = ProjectorIdentity(projector, schema: schema)
    return try Comparison(self, by: own, with: forms.map(\.projector), options) {
      [self] (name, end) throws(ReadError) in
      try compare(name, options.point, end: end) { (stream, target, last, view) throws(StorageError) in
        guard case .version(let version) = target.stop, version > 0 else {
          return StreamComparison(finding: .nothing)
        }
        let search = try SnapshotTable.standing(of: stream, atOrBefore: version, own: own, view) { found in
          forms.contains { $0.projector == found.name }
            && options.snapshotVersion.map { $0 == found.version } ?? true
        }
        switch search {
        case .none: return StreamComparison(finding: .withoutSnapshot, events: last.number)
        case .damaged: return StreamComparison(finding: .damaged, events: last.number)
        case .found(let snapshot):
          let there = AsOfTarget(stop: .version(snapshot.version))
          let folded = try state(of: stream, named: name, head: last, by: projector, at: there, false, view)
          let before = forms.first { $0.projector == snapshot.projector.name }?.read(snapshot.state)
          var outcome = StreamComparison<P.State, P.State>(
            finding: .equal, events: last.number, eventsFolded: folded.eventsFolded,
            snapshot: snapshot.projector)
          if !(before?.isSame(as: folded.state) ?? false) {
            outcome.finding = .different(
              ComparedStream(
                name: name, version: snapshot.version, snapshot: snapshot.projector, before: before,
                after: folded.state))
          }
          return outcome
        }
      }
    }
  }

  /// Finds a stream and a point in it as of the log's position `end`, in one view of the log, for `body` to compare.
  private func compare<Before, After>(
    _ name: StreamName, _ point: AsOf, end: LogPosition,
    _ body: (StreamNumber, AsOfTarget, StreamVersion, borrowing LogView) throws(StorageError)
      -> StreamComparison<Before, After>
  ) throws(ReadError) -> StreamComparison<Before, After> {
    try reading { () throws(StorageError) in
      let view = try view()
      guard let stream = try view.stream(name), let head = try view.head(of: stream) else {
        return .success(StreamComparison(finding: .nothing))
      }
      let last = try version(of: stream, atOrBefore: end, head: head, view)
      guard last > 0 else { return .success(StreamComparison(finding: .nothing)) }
      switch try resolve(point, of: stream, head: head, endingWith: last, view) {
      case .failure(let invalid): return .failure(invalid)
      case .success(let target): return .success(try body(stream, target, last, view))
      }
    }
  }
}

extension SnapshotForm {
  fileprivate func read(_ bytes: [UInt8]) -> State? {
    var reader = ByteReader(bytes.rawSpan)
    guard let state = try? decode(&reader), reader.isAtEnd else { return nil }
    return state
  }
}

extension ProjectionState {
  fileprivate func isSame(as other: Self) -> Bool {
    guard encodedSize == other.encodedSize else { return false }
    var (mine, theirs) = (ByteWriter(capacity: encodedSize), ByteWriter(capacity: encodedSize))
    encode(into: &mine)
    other.encode(into: &theirs)
    return mine.bytes == theirs.bytes
  }
}

/// Two projectors as one, so that every event is read once.
private struct SideBySide<Before: Projector, After: Projector>: Projector {
  let before: Before
  let after: After

  struct State: ProjectionState {
    var before: Before.State
    var after: After.State

    var encodedSize: Int { before.encodedSize + after.encodedSize }

    func encode(into writer: inout ByteWriter) {
      before.encode(into: &writer)
      after.encode(into: &writer)
    }

    init(before: Before.State, after: After.State) {
      self.before = before
      self.after = after
    }

    init(decoding reader: inout ByteReader) throws(DamagedBytes) {
      before = try Before.State(decoding: &reader)
      after = try After.State(decoding: &reader)
    }
  }

  var name: String { "\(before.name) beside \(after.name)" }
  var version: Int { 1 }

  func initialState() -> State { State(before: before.initialState(), after: after.initialState()) }

  func apply(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {
    try before.apply(event, to: &state.before)
    try after.apply(event, to: &state.after)
  }

  func applyRedacted(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {
    try before.applyRedacted(event, to: &state.before)
    try after.applyRedacted(event, to: &state.after)
  }
}
