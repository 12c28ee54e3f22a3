// Folding what lies between two points: for those who want to know what happened, and not only what it came to.
internal import Bytes
internal import LMDB

extension EventLog {
  /// Folds the events after one point of a stream up to another, beginning at the projector's initial state.
  ///
  /// No snapshot is used or left behind. Where a point is an occurred-at, the fold goes by occurred-at, and the other
  /// point must be one too, or be version 0, or the head.
  ///
  /// - Returns: `nil` for a stream that does not exist.
  /// - Throws: ``ReadError/invalid(_:)`` for a point beyond the head, or two that are no stretch of one order.
  /// - Complexity: O(events between)
  public func fold<P: Projector>(
    _ name: StreamName, after start: AsOf, through end: AsOf, by projector: P
  ) throws(ReadError) -> FoldedState<P.State>? {
    try reading { () throws(StorageError) in
      let view = try view()
      guard let stream = try view.stream(name), let head = try view.head(of: stream) else { return .success(nil) }
      let from: AsOfTarget
      let to: AsOfTarget
      switch (try resolve(start, of: stream, head: head, view), try resolve(end, of: stream, head: head, view)) {
      case (.failure(let invalid), _), (_, .failure(let invalid)): return .failure(invalid)
      case (.success(let first), .success(let last)): (from, to) = (first, last)
      }
      var fold = Fold(projector, key: ProjectorKey(projector), schema: schema, policy: options.snapshotPolicy)
      let version: StreamVersion
      switch (from.stop, to.stop) {
      case (.version(let first), .version(let last)):
        version = last
        if first < last { try fold.run(stream, after: first, through: last, head: head.version, view) }
      case (.occurred(let first), .occurred(let last)):
        version = try fold.run(stream, occurredAfter: first, through: last, head: head.version, view)
      case (.occurred(let first), .version(head.version)):
        version = try fold.run(stream, occurredAfter: first, through: .latest, head: head.version, view)
      case (.version(0), .occurred(let last)):
        version = try fold.run(stream, occurredAfter: nil, through: last, head: head.version, view)
      case (.version, .occurred), (.occurred, .version):
        return .failure(
          InvalidValue(field: "from", reason: "and to must both be times of occurrence, or neither"))
      }
      return .success(
        FoldedState(
          state: fold.state, version: version, judgedAt: to.judgedAt, eventsFolded: fold.eventsFolded,
          bytesFolded: fold.bytesFolded))
    }
  }
}
