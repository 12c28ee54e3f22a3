// Reading streams and the whole log, in pages.
internal import Bytes
internal import LMDB

extension EventLog {
  /// Events of one stream.
  ///
  /// - Parameters:
  ///   - start: The first version to look at; `nil` begins at the start, or backward at the head.
  ///   - end: The last version to look at; `nil` goes on to the end, or backward to version 1.
  /// - Returns: An empty page for a stream that does not exist.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where a record is not what was written.
  public func readStream(
    _ name: StreamName, from start: StreamVersion? = nil, to end: StreamVersion? = nil,
    direction: ReadDirection = .forward, limit: Int = 1_000, filter: EventFilter = EventFilter()
  ) throws(StorageError) -> StreamPage {
    let view = try view()
    var page = StreamPage(events: [], next: nil)
    guard let stream = try view.stream(name), let head = try view.head(of: stream) else { return page }
    var session: StreamVersion?
    if let wanted = filter.session {
      session = try view.index.session(wanted, in: stream, view.transaction)
      if session == nil { return page }
    }
    let wanted = RecordFilter(filter, schema)
    var budget = PageBudget(limit: limit)
    var decoder = EventDecoder()
    let isForward = direction == .forward
    // A session has no event before the one that named it.
    let lowest = max(isForward ? start ?? 1 : end ?? 1, session ?? 1, 1)
    let highest = min(isForward ? end ?? head.version : start ?? head.version, head.version)
    guard lowest <= highest else { return page }
    page.next = isForward ? lowest : highest
    while let from = page.next, !budget.isSpent {
      // Backward in small steps: each is read forward, and may be more than is wanted.
      let range = isForward ? from...highest : max(lowest, from.back(Self.backwardStep - 1))...from
      var read: [(event: RecordedEvent?, sizeInBytes: Int)] = []
      try view.index.scanRecords(
        of: range, in: stream, view.transaction,
        while: { record throws(StorageError) in
          let isWanted = (session == nil || record.session == session) && wanted.wants(record)
          read.append((isWanted ? try decoder.event(record, view) : nil, record.sizeInBytes))
          if isForward { budget.count(isWanted ? record.sizeInBytes : nil) }
          return !budget.isSpent
        })
      if isForward {
        page.events += read.compactMap(\.event)
        page.next = from.number + UInt64(read.count) > highest.number ? nil : from.forward(UInt64(read.count))
        continue
      }
      for (event, size) in read.reversed() where !budget.isSpent {
        if let event { page.events.append(event) }
        budget.count(event == nil ? nil : size)
        page.next = page.next.flatMap { $0 > lowest ? $0.back(1) : nil }
      }
    }
    return page
  }

  private static let backwardStep: UInt64 = 32

  /// Events of all streams, in the order of the log.
  ///
  /// - Parameters:
  ///   - position: Begins after it; backward, before it (`nil`: at the head).
  ///   - end: The last position to look at; backward, the first.
  ///   - namespace: Only streams in it.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where a record is missing or not what was written.
  public func readAll(
    after position: LogPosition? = nil, to end: LogPosition? = nil, direction: ReadDirection = .forward,
    limit: Int = 1_000, filter: EventFilter = EventFilter(), namespace: Namespace? = nil
  ) throws(StorageError) -> LogPage {
    let view = try view()
    var page = LogPage(events: [], next: nil, head: view.last)
    let isForward = direction == .forward
    let first: LogPosition
    let last: LogPosition
    if isForward {
      last = min(end ?? view.last, view.last)
      guard position ?? 0 < last else { return page }
      first = (position ?? 0).next
    } else {
      first = min(position.map { LogPosition($0.number == 0 ? 0 : $0.number - 1) } ?? view.last, view.last)
      last = max(end ?? 1, 1)
      guard first >= last, first > 0 else { return page }
    }
    let wanted = RecordFilter(filter, schema)
    var budget = PageBudget(limit: limit)
    var decoder = EventDecoder()
    guard !budget.isSpent else {
      page.next = position ?? (isForward ? 0 : view.last.next)
      return page
    }
    var current = first
    // As many as are asked for; more where few of them are wanted.
    var size = UInt64(min(max(limit, 16), 65_536))
    while true {
      let range =
        isForward
        ? current...min(last, current.forward(size - 1))
        : max(last, current.back(min(size, current.number) - 1))...current
      let window = try LogWindow(range, fromItsEnd: !isForward, in: view)
      let end = isForward ? window.last : window.first
      while true {
        guard let bytes = window.bytes(at: current, in: view) else {
          throw .corrupt(reason: "the record is missing", position: current)
        }
        let record = try RecordView.stored(bytes, at: current)
        var counted: Int?
        if wanted.wants(record) {
          let event = try decoder.event(record, view)
          if namespace == nil || event.stream.namespace == namespace,
            filter.session == nil || event.session == filter.session
          {
            page.events.append(event)
            counted = record.sizeInBytes
          }
        }
        budget.count(counted)
        if current == last { return page }
        if budget.isSpent {
          page.next = current
          return page
        }
        let isEnd = current == end
        current = isForward ? current.next : current.back(1)
        if isEnd { break }
      }
      size = min(2 * size, 65_536)
    }
  }

  /// One event of a stream, by its id; `nil` where there is none.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where it, or any that may be it, is damaged.
  public func event(_ id: EventID, of name: StreamName) throws(StorageError) -> RecordedEvent? {
    let view = try view()
    guard let stream = try view.stream(name) else { return nil }
    guard let place = try view.index.place(of: id, in: stream, view.transaction) else {
      // What has no id any more that can be read may have been the one.
      try view.index.refuseDamaged(stream, in: view.transaction)
      return nil
    }
    var decoder = EventDecoder()
    return try decoder.event(try view.record(at: place.position, of: stream), view)
  }

  /// Events of a stream, in the order of `versions`; those it does not have are left out.
  public func events(at versions: [StreamVersion], of name: StreamName) throws(StorageError) -> [RecordedEvent] {
    if versions.isEmpty { return [] }
    let view = try view()
    guard let stream = try view.stream(name), let head = try view.head(of: stream) else { return [] }
    var decoder = EventDecoder()
    var events: [RecordedEvent] = []
    events.reserveCapacity(versions.count)
    for version in versions where version > 0 && version <= head.version {
      events.append(try decoder.event(try view.index.record(of: version, in: stream, view.transaction), view))
    }
    return events
  }

  /// The event of a stream at a version; `nil` where there is none.
  public func event(at version: StreamVersion, of name: StreamName) throws(StorageError) -> RecordedEvent? {
    try readStream(name, from: version, to: version, limit: 1).events.first
  }
}

/// Where a stream is.
public struct StreamSummary: Sendable, Hashable {
  /// The stream.
  public var name: StreamName
  /// Its last event's version.
  public var version: StreamVersion
  /// Its last event's position.
  public var position: LogPosition
  /// When its first event (by version) occurred.
  public var firstOccurredAt: Timestamp
  /// When its last event (by version) occurred.
  public var lastOccurredAt: Timestamp
  /// When its last event was recorded.
  public var lastRecordedAt: Timestamp
}

extension EventLog {
  /// Where the log ends; 0 where it is empty.
  public func lastPosition() throws(StorageError) -> LogPosition { try view().last }

  /// Where the log ends, and when its last event was recorded.
  public func lastRecorded() throws(StorageError) -> (position: LogPosition, recordedAt: Timestamp?) {
    let view = try view()
    guard view.last > 0 else { return (0, nil) }
    return (view.last, try view.record(at: view.last).recordedAt)
  }

  /// The last event of the log that was recorded before a moment; 0 where there is none.
  ///
  /// A damaged record says nothing: it counts as the next one that is whole.
  /// - Complexity: O(log *n*) records, since no later one was recorded earlier; and damaged ones.
  package func lastPosition(recordedBefore time: Timestamp) throws(StorageError) -> LogPosition {
    let view = try view()
    var before: UInt64 = 0, last = view.last.number
    while before < last {
      let middle = before + (last - before + 1) / 2
      var whole = middle
      var recordedAt: Timestamp?
      while recordedAt == nil, whole <= last {
        do throws(StorageError) {
          recordedAt = try view.record(at: LogPosition(whole)).recordedAt
        } catch {
          guard case .corrupt = error else { throw error }
          whole += 1
        }
      }
      if let recordedAt, recordedAt < time { before = whole } else { last = middle - 1 }
    }
    return LogPosition(before)
  }

  /// The version of a stream's last event; 0 where it has none.
  public func version(of name: StreamName) throws(StorageError) -> StreamVersion {
    let view = try view()
    guard let stream = try view.stream(name) else { return 0 }
    return try view.head(of: stream)?.version ?? 0
  }

  /// Streams by namespace and user, in pages.
  public func streams(
    in namespace: Namespace? = nil, after: StreamName? = nil, limit: Int = 1_000
  ) throws(StorageError) -> [StreamSummary] {
    let view = try view()
    var summaries: [StreamSummary] = []
    for name in try view.streamNames(in: namespace, after: after, limit: limit) {
      let (stream, head) = try view.listed(name)
      summaries.append(try Self.summary(of: name, stream, head, view))
    }
    return summaries
  }

  /// Where a stream is; `nil` where there is none.
  public func summary(of name: StreamName) throws(StorageError) -> StreamSummary? {
    let view = try view()
    guard let stream = try view.stream(name), let head = try view.head(of: stream) else { return nil }
    return try Self.summary(of: name, stream, head, view)
  }

  private static func summary(
    of name: StreamName, _ stream: StreamNumber, _ head: StreamPlace, _ view: borrowing LogView
  ) throws(StorageError) -> StreamSummary {
    let first: Timestamp
    if let stored = try view.index.storedHead(of: stream, in: view.transaction) {
      first = stored.firstOccurredAt
    } else {
      first = try view.index.record(of: 1, in: stream, view.transaction).occurredAt
    }
    let last = try view.record(at: head.position, of: stream)
    guard last.stream == stream, last.version == head.version else { throw .damagedIndex("heads") }
    return StreamSummary(
      name: name, version: head.version, position: head.position, firstOccurredAt: first,
      lastOccurredAt: last.occurredAt, lastRecordedAt: last.recordedAt)
  }
}

extension LogView {
  /// Where a stream is that the index lists.
  func listed(_ name: StreamName) throws(StorageError) -> (stream: StreamNumber, head: StreamPlace) {
    guard let stream = try stream(name), let head = try head(of: stream) else { throw .damagedIndex("names") }
    return (stream, head)
  }
}
