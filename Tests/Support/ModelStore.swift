// What a store must do, as plainly as it can be said: the whole log in one array, everything found by looking at all.
package import Bytes
package import EventStore
import JSON

/// An event as the model's log holds it.
package struct ModelEvent: Sendable {
  package var stream: StreamName
  package var version: StreamVersion
  package var position: LogPosition
  /// As it was handed in, save that a redaction empties it.
  package var data: EventData
  package var occurredAt: Timestamp
  package var recordedAt: Timestamp
  package var isRedacted = false
}

/// What became of an append, see ``AppendResult``.
package struct ModelResult: Hashable, Sendable {
  package var stream: StreamName
  package var firstVersion: StreamVersion
  package var lastVersion: StreamVersion
  package var firstPosition: LogPosition
  package var lastPosition: LogPosition
  /// `nil` where single events were left out and none was appended: then no one time can be told.
  package var recordedAt: Timestamp?
  package var duplicates: Int
  package var appended: Int
}

extension ModelResult {
  /// What the engine says became of an append.
  package init(_ result: AppendResult, repeats: RepeatRule) {
    self.init(
      stream: result.stream, firstVersion: result.firstVersion, lastVersion: result.lastVersion,
      firstPosition: result.firstPosition, lastPosition: result.lastPosition,
      recordedAt: repeats == .event && result.appended == 0 ? nil : result.recordedAt,
      duplicates: result.duplicates, appended: result.appended)
  }
}

/// Where a stream is, see ``StreamSummary``.
package struct ModelSummary: Hashable, Sendable {
  package var name: StreamName
  package var version: StreamVersion
  package var position: LogPosition
  package var firstOccurredAt: Timestamp
  package var lastOccurredAt: Timestamp
  package var lastRecordedAt: Timestamp
}

extension ModelSummary {
  /// Where the engine says that a stream is.
  package init(_ summary: StreamSummary) {
    self.init(
      name: summary.name, version: summary.version, position: summary.position,
      firstOccurredAt: summary.firstOccurredAt, lastOccurredAt: summary.lastOccurredAt,
      lastRecordedAt: summary.lastRecordedAt)
  }
}

/// The log as arrays. It knows no index, no snapshot, no cache and no file, and is right by being short.
package struct ModelStore: Sendable {
  /// All events; the one at position p is at index p − 1.
  package private(set) var log: [ModelEvent] = []
  /// What was asked about as of a recorded time beyond the log is settled: later events have later times.
  package var passed = Timestamp.earliest
  private var places: [StreamName: [Int]] = [:]

  package init() {}

  // MARK: Appending

  /// Applies a request, at the time the clock shows.
  package mutating func append(
    _ appends: [StreamAppend], repeats: RepeatRule = .request, now: Timestamp
  ) -> Result<[ModelResult], AppendError> {
    var conflicts: [(stream: StreamName, id: EventID, isErased: Bool)] = []
    var known: [[ModelEvent?]] = []
    var isLeftOut: [[Bool]] = []
    var seen: [(stream: StreamName, event: EventData)] = []
    for append in appends {
      var knownHere: [ModelEvent?] = []
      var leftOutHere: [Bool] = []
      let log = Dictionary(uniqueKeysWithValues: events(of: append.stream).map { ($0.data.id, $0) })
      for event in append.events {
        let stored = log[event.id]
        var isLeftOut = false
        if let earlier = seen.first(where: { $0.stream == append.stream && $0.event.id == event.id }) {
          let earlier = ModelEvent(
            stream: append.stream, version: 0, position: 0, data: earlier.event,
            occurredAt: earlier.event.occurredAt ?? now, recordedAt: now)
          if repeats == .event && Self.isRepeat(event, of: earlier) {
            isLeftOut = true
          } else {
            conflicts.append((append.stream, event.id, false))
          }
        } else if let stored {
          if stored.isRedacted || !Self.isRepeat(event, of: stored) {
            conflicts.append((append.stream, event.id, stored.isRedacted))
          }
          isLeftOut = true
        }
        seen.append((append.stream, event))
        knownHere.append(stored)
        leftOutHere.append(isLeftOut)
      }
      known.append(knownHere)
      isLeftOut.append(leftOutHere)
    }
    if let first = conflicts.first {
      return .failure(
        .idConflict(
          stream: first.stream, ids: conflicts.map(\.id), isErased: conflicts.contains { $0.isErased }))
    }
    if repeats == .request {
      let all = known.flatMap { $0 }
      let there = all.compactMap { $0 }
      if !there.isEmpty {
        let areNeighbours = zip(there, there.dropFirst()).allSatisfy { $1.position == $0.position.next }
        if there.count == all.count, areNeighbours {
          return .success(zip(appends, known).map { Self.firstResult($0, $1.compactMap { $0 }) })
        }
        return .failure(.idConflict(stream: there[0].stream, ids: there.map(\.data.id), isErased: false))
      }
    }
    if let conflict = versionConflict(appends, isLeftOut) { return .failure(conflict) }
    return .success(write(appends, isLeftOut, repeats, now: now))
  }

  private static func firstResult(_ append: StreamAppend, _ events: [ModelEvent]) -> ModelResult {
    ModelResult(
      stream: append.stream, firstVersion: events[0].version, lastVersion: events[events.count - 1].version,
      firstPosition: events[0].position, lastPosition: events[events.count - 1].position,
      recordedAt: events[events.count - 1].recordedAt, duplicates: events.count, appended: 0)
  }

  private func versionConflict(_ appends: [StreamAppend], _ isLeftOut: [[Bool]]) -> AppendError? {
    var versions: [StreamName: UInt64] = [:]
    for (append, isLeftOut) in zip(appends, isLeftOut) {
      let new = isLeftOut.count { !$0 }
      if new == 0 { continue }
      let actual = versions[append.stream] ?? version(of: append.stream).number
      guard append.expected.isMet(by: StreamVersion(actual)) else {
        return .versionConflict(
          stream: append.stream, expected: append.expected, actual: StreamVersion(actual))
      }
      versions[append.stream] = actual + UInt64(new)
    }
    return nil
  }

  private mutating func write(
    _ appends: [StreamAppend], _ isLeftOut: [[Bool]], _ repeats: RepeatRule, now: Timestamp
  ) -> [ModelResult] {
    let recordedAt = max(
      log.last?.recordedAt.advanced(byMicroseconds: 1) ?? .earliest, now, passed.advanced(byMicroseconds: 1))
    var results: [ModelResult] = []
    for (append, isLeftOut) in zip(appends, isLeftOut) {
      let first = (version: version(of: append.stream).next, position: LogPosition(UInt64(log.count) + 1))
      var count = 0
      for (event, isLeftOut) in zip(append.events, isLeftOut) where !isLeftOut {
        places[append.stream, default: []].append(log.count)
        log.append(
          ModelEvent(
            stream: append.stream, version: version(of: append.stream),
            position: LogPosition(UInt64(log.count) + 1), data: event, occurredAt: event.occurredAt ?? now,
            recordedAt: recordedAt))
        count += 1
      }
      let last = version(of: append.stream)
      results.append(
        ModelResult(
          stream: append.stream, firstVersion: count > 0 ? first.version : last, lastVersion: last,
          firstPosition: count > 0 ? first.position : position(of: last, append.stream),
          lastPosition: position(of: last, append.stream),
          recordedAt: repeats == .event && count == 0 ? nil : recordedAt,
          duplicates: append.events.count - count, appended: count))
    }
    return results
  }

  /// Whether `event` is `stored` handed in again.
  private static func isRepeat(_ event: EventData, of stored: ModelEvent) -> Bool {
    let mine = upcast(event)
    let theirs = upcast(stored.data)
    return event.type == stored.data.type && event.customType == stored.data.customType
      && event.session == stored.data.session && event.metadata.isSame(as: stored.data.metadata)
      && (event.occurredAt ?? stored.occurredAt) == stored.occurredAt && mine.version == theirs.version
      && fields(mine.payload) == fields(theirs.payload)
  }

  /// A payload in today's form.
  static func upcast(_ event: EventData) -> (payload: [UInt8], version: UInt16) {
    guard event.type == Diary.written, event.typeVersion == 1,
      let payload = try? Diary.split(event.payload.rawSpan)
    else { return (event.payload, event.typeVersion) }
    return (payload, 2)
  }

  /// The fields of a payload as texts that are equal where the fields mean the same.
  private static func fields(_ payload: [UInt8]) -> [String] {
    var reader = PayloadReader(payload.rawSpan)
    var fields: [String] = []
    while let field = try? reader.next() {
      var text = "\(field.number) \(field.kind) \(field.integer) "
      let bytes = field.bytes.array()
      // The histories spell numbers in few ways; all of them are numbers that a Double holds.
      if field.kind == .json, let number = Double(String(decoding: bytes, as: UTF8.self)) {
        text += "\(number)"
      } else {
        text += "\(bytes)"
      }
      fields.append(text)
    }
    return fields
  }

  /// Takes the payload out of an event.
  package mutating func redact(_ version: StreamVersion, of stream: StreamName) {
    guard let all = places[stream], version >= 1, version.number <= UInt64(all.count) else { return }
    let place = all[Int(version.number) - 1]
    log[place].isRedacted = true
    log[place].data.payload = []
    log[place].data.metadata = .emptyObject
    log[place].data.customType = nil
  }

  // MARK: Reading

  /// The names of all streams, by namespace and user.
  package var streams: [StreamName] { places.keys.sorted() }
  /// The last position.
  package var last: LogPosition { LogPosition(UInt64(log.count)) }

  package func events(of stream: StreamName) -> [ModelEvent] { (places[stream] ?? []).map { log[$0] } }
  package func version(of stream: StreamName) -> StreamVersion {
    StreamVersion(UInt64(places[stream]?.count ?? 0))
  }
  private func position(of version: StreamVersion, _ stream: StreamName) -> LogPosition {
    LogPosition(UInt64(places[stream]?[Int(version.number) - 1] ?? -1) + 1)
  }

  /// Where a stream is.
  package func summary(of stream: StreamName) -> ModelSummary? {
    let all = events(of: stream)
    guard let first = all.first, let last = all.last else { return nil }
    return ModelSummary(
      name: stream, version: last.version, position: last.position, firstOccurredAt: first.occurredAt,
      lastOccurredAt: last.occurredAt, lastRecordedAt: last.recordedAt)
  }

  /// Whether a filter wants an event.
  package static func wants(_ filter: EventFilter, _ event: ModelEvent) -> Bool {
    if !filter.types.isEmpty {
      let name = typeName(of: event)
      // A redacted event of an application's own type has no name left to be found by.
      if event.isRedacted && event.data.type == .custom { return false }
      guard filter.types.contains(name) else { return false }
    }
    if let session = filter.session, event.data.session != session { return false }
    if let since = filter.since, event.occurredAt < since { return false }
    if let until = filter.until, event.occurredAt > until { return false }
    return true
  }

  static func typeName(of event: ModelEvent) -> String {
    switch event.data.type {
    case Diary.written: "Written"
    case Diary.removed: "Removed"
    case Diary.sized: "Sized"
    case Diary.valued: "Valued"
    case .custom: event.isRedacted ? "Custom" : event.data.customType ?? ""
    default: "type-\(event.data.type.number)"
    }
  }

  // MARK: Folding

  /// The events that a point includes, in the order they are folded in.
  package func events(of stream: StreamName, at point: AsOf) -> [ModelEvent] {
    let all = events(of: stream)
    switch point {
    case .head: return all
    case .version(let version): return all.filter { $0.version <= version }
    case .position(let position): return all.filter { $0.position <= position }
    case .recordedAt(let time): return all.filter { $0.recordedAt <= time }
    case .occurredAt(let time):
      return all.filter { $0.occurredAt <= time }
        .sorted { ($0.occurredAt, $0.version) < ($1.occurredAt, $1.version) }
    }
  }

  /// The time by which expiry is to be judged at a point.
  package func judgedAt(_ point: AsOf, of stream: StreamName) -> Timestamp? {
    switch point {
    case .head: nil
    case .version(0), .position(0): .earliest
    case .version(let version): events(of: stream)[Int(version.number) - 1].recordedAt
    case .position(let position): log[Int(position.number) - 1].recordedAt
    case .recordedAt(let time), .occurredAt(let time): time
    }
  }

  /// The plain fold: the states after none, one, two … of `events`, which are some of `stream`, in an order.
  package func states(
    of events: [ModelEvent], in stream: StreamName, by projector: NotebookProjector
  ) throws(DamagedBytes) -> [Notebook] {
    var first: [SessionID: ModelEvent] = [:]
    for event in self.events(of: stream) {
      if let session = event.data.session, first[session] == nil { first[session] = event }
    }
    var state = projector.initialState()
    var states = [state]
    var isSeen: Set<StreamVersion> = []
    for event in events {
      isSeen.insert(event.version)
      let namer = event.data.session.flatMap { first[$0] }
      let isNamedBefore = namer.map { isSeen.contains($0.version) } ?? true
      let hasName = namer.map { $0.version == event.version || !isNamedBefore } ?? false
      let (payload, typeVersion) = event.isRedacted ? ([], event.data.typeVersion) : Self.upcast(event.data)
      let typeName = Array((event.data.customType ?? "").utf8)
      let metadata = event.data.metadata == .emptyObject ? [] : event.data.metadata.utf8
      let sessionName = hasName ? Array((event.data.session?.description ?? "").utf8) : []
      let view = EventView(
        version: event.version, position: event.position, id: event.data.id, type: event.data.type,
        isRedacted: event.isRedacted, typeVersion: typeVersion, occurredAt: event.occurredAt,
        recordedAt: event.recordedAt, customType: typeName.rawSpan, metadata: metadata.rawSpan,
        payload: payload.rawSpan, sessionNumber: namer?.version.number ?? 0,
        isSessionNamedBefore: isNamedBefore,
        hasSessionName: hasName, sessionName: sessionName.rawSpan)
      if event.isRedacted {
        try projector.applyRedacted(view, to: &state)
      } else {
        try projector.apply(view, to: &state)
      }
      states.append(state)
    }
    return states
  }
}

/// An event as it is shown, comparable.
package struct ShownEvent: Hashable, CustomStringConvertible {
  package let description: String

  package init(_ event: RecordedEvent) {
    description = Self.describe(
      event.stream, event.version, event.position, event.id, event.typeName, event.type, event.typeVersion,
      event.session, event.occurredAt, event.recordedAt, event.metadata, event.payload, event.isRedacted)
  }

  /// The model's event as the log must show it.
  package init(_ event: ModelEvent) {
    let (payload, version) = event.isRedacted ? ([], event.data.typeVersion) : ModelStore.upcast(event.data)
    description = Self.describe(
      event.stream, event.version, event.position, event.data.id, ModelStore.typeName(of: event),
      event.data.type,
      version, event.data.session, event.occurredAt, event.recordedAt, event.data.metadata, payload,
      event.isRedacted)
  }

  private static func describe(
    _ stream: StreamName, _ version: StreamVersion, _ position: LogPosition, _ id: EventID,
    _ typeName: String,
    _ type: EventTypeCode, _ typeVersion: UInt16, _ session: SessionID?, _ occurredAt: Timestamp,
    _ recordedAt: Timestamp, _ metadata: JSONText, _ payload: [UInt8], _ isRedacted: Bool
  ) -> String {
    """
    \(stream) \(version) @\(position) \(id) \(typeName)(\(type.number)) v\(typeVersion) \
    \(session?.description ?? "-") \(occurredAt.microseconds) \(recordedAt.microseconds) \(metadata) \
    \(payload.map { String($0, radix: 16) }.joined(separator: " "))\(isRedacted ? " redacted" : "")
    """
  }
}
