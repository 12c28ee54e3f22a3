// A stream in the order of occurrence, and the versions where a time or a place is passed.
internal import LMDB

extension LogView {
  /// Reads the records of the versions after `from` up to `last`, in their order.
  @inline(__always)
  func forEachRecord(
    of stream: StreamNumber, after from: StreamVersion, through last: StreamVersion,
    _ body: (borrowing RecordView) throws(StorageError) -> Void
  ) throws(StorageError) {
    if from < last { try index.forEachRecord(of: from.next...last, in: stream, transaction, body) }
  }

  /// Reads the records of what occurred after `from` (`nil`: all) up to `through`, by occurred-at, then by version, and
  /// none after the version `head`.
  ///
  /// Events that are not late come in that order by themselves: those up to the version where the greatest occurred-at
  /// passes `through`. The late ones, from their index, are merged in.
  func forEachRecord(
    of stream: StreamNumber, occurredAfter from: Timestamp?, through last: Timestamp, head: StreamVersion,
    _ body: (borrowing RecordView, SessionEntry?) throws(StorageError) -> Void
  ) throws(StorageError) {
    let end = try index.lastVersion(occurredThrough: last, of: stream, head: head, self)
    var start: StreamVersion = 0
    if let from { start = try index.lastVersion(occurredThrough: from, of: stream, head: head, self) }
    let lateFrom = from.map { $0.advanced(byMicroseconds: 1) } ?? .earliest
    var late = lateFrom <= last ? try index.late(in: lateFrom...last, of: stream, transaction)[...] : []
    late.removeAll { $0.place.version > head }
    var decoder = EventDecoder()

    func readLate(
      _ event: (occurredAt: Timestamp, place: StreamPlace),
      _ body: (borrowing RecordView, SessionEntry?) throws(StorageError) -> Void
    ) throws(StorageError) {
      let record = try index.record(of: event.place.version, in: stream, transaction)
      guard record.position == event.place.position,
        record.occurredAt == event.occurredAt, record.flags.contains(.isLate)
      else { throw .damagedIndex("late") }
      try body(record, try decoder.session(record, self))
    }
    try forEachRecord(of: stream, after: start, through: end) { record throws(StorageError) in
      if record.flags.contains(.isLate) { return }
      while let next = late.first,
        (next.occurredAt, next.place.version) < (record.occurredAt, record.version)
      {
        try readLate(next, body)
        late.removeFirst()
      }
      try body(record, try decoder.session(record, self))
    }
    for next in late { try readLate(next, body) }
  }
}

extension StreamIndex {
  /// The last version up to which no event occurred after `time`. Events beyond it that did not are late.
  ///
  /// - Complexity: O(log n) anchors and at most ``Anchor/interval`` records.
  func lastVersion(
    occurredThrough time: Timestamp, of stream: StreamNumber, head: StreamVersion, _ view: borrowing LogView
  ) throws(StorageError) -> StreamVersion {
    var low: UInt64 = 0  // Anchors up to here are within the time; 0 is before the first event.
    var high = head.number / Anchor.interval + 1
    while low + 1 < high {
      let middle = (low + high) / 2
      let version = StreamVersion(middle * Anchor.interval)
      let greatest = try lastOccurredAt(atAnchor: version, of: stream, view.transaction)
      if greatest <= time { low = middle } else { high = middle }
    }
    var version = StreamVersion(low * Anchor.interval)
    let upper = StreamVersion(min(head.number, (low + 1) * Anchor.interval))
    guard version < upper else { return version }
    try scanRecords(
      of: version.next...upper, in: stream, view.transaction,
      while: { record in
        if record.occurredAt > time { return false }
        version = record.version
        return true
      })
    return version
  }

  private func lastOccurredAt(
    atAnchor version: StreamVersion, of stream: StreamNumber,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Timestamp {
    if let stored = try anchor(of: version, in: stream, transaction) { return stored.lastOccurredAt }
    // In the tail: what came before the stretch counts too.
    var greatest = try storedHead(of: stream, in: transaction)?.lastOccurredAt ?? .earliest
    for generation in generations {
      let found = generation.with(stream) { tail -> (Timestamp, isHere: Bool)? in
        if let anchor = tail.anchors.first(where: { $0.version == version }) {
          return (anchor.lastOccurredAt, true)
        }
        return (tail.lastOccurredAt, false)
      }
      guard let found else { continue }
      greatest = max(greatest, found.0)
      if found.isHere { return greatest }
    }
    throw .damagedIndex("anchors")
  }

  /// The last version of a stream whose record satisfies `isWithin`, which holds up to some version and no further.
  ///
  /// - Complexity: O(log n) records, and at most ``Anchor/interval`` that follow each other.
  func lastVersion(
    of stream: StreamNumber, head: StreamVersion, _ view: borrowing LogView,
    where isWithin: (borrowing RecordView) -> Bool
  ) throws(StorageError) -> StreamVersion {
    var low: UInt64 = 0
    var high = head.number / Anchor.interval + 1
    while low + 1 < high {
      let middle = (low + high) / 2
      let record = try record(of: StreamVersion(middle * Anchor.interval), in: stream, view.transaction)
      if isWithin(record) { low = middle } else { high = middle }
    }
    var version = StreamVersion(low * Anchor.interval)
    let upper = min(head, version.forward(Anchor.interval))
    guard version < upper else { return version }
    try scanRecords(
      of: version.next...upper, in: stream, view.transaction,
      while: { record in
        guard isWithin(record) else { return false }
        version = record.version
        return true
      })
    return version
  }
}
