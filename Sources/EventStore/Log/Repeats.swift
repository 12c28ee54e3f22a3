// What a request has in common with the log: events handed in again are not appended again, whoever repeats them.
internal import Bytes
internal import JSON
internal import LMDB
internal import Sodium

/// Which events of a request the log has already.
struct Repeats {
  /// For each event of the request: where it is; `nil` where it is new. A place with version 0 is earlier in the same
  /// request.
  var places: [StreamPlace?] = []
  var count = 0

  /// Whether the events follow each other in the log as they do in the request.
  fileprivate var areNeighbours: Bool {
    var previous: LogPosition?
    for place in places {
      guard let place else { return false }
      if let previous, place.position != previous.next { return false }
      previous = place.position
    }
    return true
  }
}

/// The events of a request so far, by stream and id: streams may have the same.
///
/// Open addressing over the events' numbers: nearly all ids are new, and a dictionary would hash and copy each.
private struct RequestEvents {
  private struct Event {
    var stream: Int
    var number: Int
  }

  /// Numbers into `events`, from 1; 0 where there is none.
  private var slots: [UInt32]
  private var events: [Event] = []
  private let seed: UInt64

  init(count: Int, seed: UInt64) {
    slots = Array(repeating: 0, count: 1 << (64 - (2 * count).leadingZeroBitCount))
    events.reserveCapacity(count)
    self.seed = seed
  }

  /// Adds an event, where none of its stream has the same id; else tells which has.
  mutating func add(_ number: Int, of request: borrowing AppendRequest, stream: Int) -> Int? {
    let id = request.events[number].id
    var slot = Int(truncatingIfNeeded: IdentityHash.event(id, of: StreamNumber(truncatingIfNeeded: stream), seed: seed))
    while true {
      slot &= slots.count - 1
      guard slots[slot] > 0 else { break }
      let other = events[Int(slots[slot]) - 1]
      if other.stream == stream, request.events[other.number].id == id { return other.number }
      slot &+= 1
    }
    events.append(Event(stream: stream, number: number))
    slots[slot] = UInt32(events.count)
    return nil
  }
}

extension WriterContext {
  /// - Parameter streams: The ends of the request's streams, `nil` for those that have no event yet.
  func findRepeats(
    in request: borrowing AppendRequest, _ streams: [WriterStream?]
  ) throws(StorageError) -> Result<Repeats, AppendError> {
    var repeats = Repeats()
    repeats.places.reserveCapacity(request.events.count)
    var conflicts: [EventID] = []
    var conflictStream: Int?
    var isErased = false
    // What is handed in again was handed in in this order before: the next one is likely the next of the log.
    var lastFound: LogPosition?
    var contents = ContentReader()
    // Only where there can be two of a kind.
    var earlier =
      request.events.count > 1 ? RequestEvents(count: request.events.count, seed: settings.hashSeed) : nil
    for append in request.appends {
      let stream = streams[append.stream]
      for number in append.events {
        let event = request.events[number]
        func conflict() {
          conflicts.append(event.id)
          conflictStream = conflictStream ?? append.stream
        }
        if let first = earlier?.add(number, of: request, stream: append.stream) {
          if request.repeats == .event, request.isRepeat(event, of: request.events[first], settings.schema) {
            repeats.places.append(StreamPlace(version: 0, position: 0))
            repeats.count += 1
          } else {
            conflict()
            repeats.places.append(nil)
          }
          continue
        }
        guard let stream, let place = try place(of: event.id, in: stream.stream, after: lastFound) else {
          repeats.places.append(nil)
          continue
        }
        let record = try index.record(at: place.position, of: stream.stream, transaction)
        if record.flags.contains(.redacted), request.takesErased {
          repeats.places.append(nil)
          continue
        }
        lastFound = place.position
        repeats.places.append(place)
        if record.flags.contains(.redacted), !event.isRedacted {
          isErased = true
        } else if try request.isRepeat(event, of: record, in: stream, settings.schema, &contents, index, transaction) {
          repeats.count += 1
          continue
        }
        conflict()
      }
    }
    if let conflictStream {
      let name = request.streams[conflictStream].name
      return .failure(.idConflict(stream: name, ids: conflicts, isErased: isErased))
    }
    let total = repeats.places.count
    if request.repeats == .request, repeats.count > 0, !(repeats.count == total && repeats.areNeighbours) {
      return .failure(Self.partialRepeat(of: request, repeats))
    }
    return .success(repeats)
  }

  /// Only some of the events are known, or not as neighbours: the request is not the one of before.
  private static func partialRepeat(of request: borrowing AppendRequest, _ repeats: Repeats) -> AppendError {
    var known: [EventID] = []
    var stream = request.appends[0].stream
    for append in request.appends {
      for number in append.events where repeats.places[number] != nil {
        if known.isEmpty { stream = append.stream }
        known.append(request.events[number].id)
      }
    }
    return .idConflict(stream: request.streams[stream].name, ids: known, isErased: false)
  }

  private func place(
    of id: EventID, in stream: StreamNumber, after lastFound: LogPosition?
  ) throws(StorageError) -> StreamPlace? {
    // Only a guess: a damaged record there may be anybody's.
    if let lastFound, lastFound < end.position, let record = try? index.record(at: lastFound.next, transaction),
      record.stream == stream, record.id == id, !record.flags.contains(.redacted)
    {
      return StreamPlace(version: record.version, position: record.position)
    }
    return try index.place(of: id, in: stream, transaction, unlessExcludedBy: filters)
  }
}

extension AppendRequest {
  /// Whether an event is another one handed in again.
  fileprivate func isRepeat(_ event: PreparedEvent, of other: PreparedEvent, _ schema: EventSchema) -> Bool {
    event.type == other.type && span(event.typeName).isSame(as: span(other.typeName))
      && session(of: event) == session(of: other) && event.isRedacted == other.isRedacted
      && (!event.saysWhen || event.occurredAt == other.occurredAt)
      && Self.isSameJSON(span(event.metadata), span(other.metadata))
      && isSamePayload(event, as: span(other.payload), version: other.typeVersion, schema)
  }

  /// Whether an event is the recorded one handed in again.
  fileprivate func isRepeat(
    _ event: PreparedEvent, of record: borrowing RecordView, in stream: WriterStream, _ schema: EventSchema,
    _ contents: inout ContentReader, _ index: StreamIndex, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bool {
    guard event.type == record.type, !event.saysWhen || event.occurredAt == record.occurredAt else { return false }
    let session = record.session == 0 ? nil : try index.session(record.session, in: stream.stream, transaction)?.name
    guard self.session(of: event) == session else { return false }
    try contents.open(record, in: stream.epoch)
    if let digest = redactedDigest(of: event) {
      // Removed there, and here maybe not, or not yet.
      let known = try contents.payloadDigest(of: record, secret: stream.secret)
      return event.typeVersion == record.typeVersion && digest == known
    }
    let content = try contents.content(of: record)
    guard record.typeName.isSame(as: span(event.typeName)), Self.isSameJSON(span(event.metadata), content.metadata)
    else { return false }
    return isSamePayload(event, as: content.payload, version: record.typeVersion, schema)
  }

  /// Whether a payload of the same type says the same. Older forms are compared in today's; one that cannot be brought
  /// there, because it is newer or not what its type says, is the same only as it is.
  private func isSamePayload(
    _ event: PreparedEvent, as other: RawSpan, version: UInt16, _ schema: EventSchema
  ) -> Bool {
    if event.typeVersion == version, Payload.isSame(span(event.payload), other) { return true }
    let typeName = event.typeName.isEmpty ? nil : try? span(event.typeName).string()
    guard
      let mine = try? schema.upcast(
        span(event.payload).array(), of: event.type, named: typeName, from: event.typeVersion, at: 0),
      let theirs = try? schema.upcast(other.array(), of: event.type, named: typeName, from: version, at: 0)
    else { return false }
    return mine.version == theirs.version && Payload.isSame(mine.payload.rawSpan, theirs.payload.rawSpan)
  }

  private static func isSameJSON(_ a: RawSpan, _ b: RawSpan) -> Bool {
    a.isSame(as: b) || canonicalJSONEqual(a.array().span, b.array().span)
  }
}
