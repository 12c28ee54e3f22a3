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
    var append: Int
    var event: Int
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
  mutating func add(
    _ id: EventID, append: Int, event: Int, of request: AppendRequest
  ) -> (append: Int, event: Int)? {
    let stream = request.appends[append].stream
    var slot = Int(truncatingIfNeeded: IdentityHash.event(id, of: StreamNumber(truncatingIfNeeded: stream), seed: seed))
    while true {
      slot &= slots.count - 1
      guard slots[slot] > 0 else { break }
      let other = events[Int(slots[slot]) - 1]
      if request.appends[other.append].stream == stream,
        request.appends[other.append].events[other.event].event.id == id
      {
        return (other.append, other.event)
      }
      slot &+= 1
    }
    events.append(Event(append: append, event: event))
    slots[slot] = UInt32(events.count)
    return nil
  }
}

extension WriterContext {
  /// - Parameter streams: The ends of the request's streams, `nil` for those that have no event yet.
  func findRepeats(
    in request: AppendRequest, _ streams: [WriterStream?]
  ) throws(StorageError) -> Result<Repeats, AppendError> {
    var repeats = Repeats()
    repeats.places.reserveCapacity(request.appends.reduce(0) { $0 + $1.events.count })
    var conflicts: [EventID] = []
    var conflictStream: Int?
    var isErased = false
    // What is handed in again was handed in in this order before: the next one is likely the next of the log.
    var lastFound: LogPosition?
    // Only where there can be two of a kind.
    let checksRequest = request.appends.count > 1 || request.appends[0].events.count > 1
    var earlier: RequestEvents?
    if checksRequest {
      earlier = RequestEvents(count: request.appends.reduce(0) { $0 + $1.events.count }, seed: settings.hashSeed)
    }
    for (number, append) in request.appends.enumerated() {
      // Lent: copying an event costs more than looking at its id.
      let events = append.events.span
      for next in events.indices {
        let id = events[next].event.id
        func conflict() {
          conflicts.append(id)
          conflictStream = conflictStream ?? append.stream
        }
        if let first = earlier?.add(id, append: number, event: next, of: request) {
          let other = request.appends[first.append].events[first.event]
          if request.repeats == .event, append.events[next].isRepeat(of: other, settings.schema) {
            repeats.places.append(StreamPlace(version: 0, position: 0))
            repeats.count += 1
          } else {
            conflict()
            repeats.places.append(nil)
          }
          continue
        }
        guard let stream = streams[append.stream],
          let place = try place(of: id, in: stream.stream, after: lastFound)
        else {
          repeats.places.append(nil)
          continue
        }
        lastFound = place.position
        repeats.places.append(place)
        let record = try index.record(at: place.position, of: stream.stream, transaction)
        if record.flags.contains(.redacted) {
          isErased = true
        } else if try append.events[next].isRepeat(of: record, in: stream.stream, settings.schema, index, transaction) {
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
  private static func partialRepeat(of request: AppendRequest, _ repeats: Repeats) -> AppendError {
    var known: [EventID] = []
    var stream = request.appends[0].stream
    var next = 0
    for append in request.appends {
      for event in append.events {
        if repeats.places[next] != nil {
          if known.isEmpty { stream = append.stream }
          known.append(event.event.id)
        }
        next += 1
      }
    }
    return .idConflict(stream: request.streams[stream].name, ids: known, isErased: false)
  }

  private func place(
    of id: EventID, in stream: StreamNumber, after lastFound: LogPosition?
  ) throws(StorageError) -> StreamPlace? {
    // Only a guess: a damaged record there may be anybody's.
    if let lastFound, lastFound < end.position, let record = try? index.record(at: lastFound.next, transaction),
      record.stream == stream, record.id == id
    {
      return StreamPlace(version: record.version, position: record.position)
    }
    return try index.place(of: id, in: stream, transaction, unlessExcludedBy: filters)
  }
}

extension PreparedEvent {
  /// Whether this is `other` handed in again.
  fileprivate func isRepeat(of other: PreparedEvent, _ schema: EventSchema) -> Bool {
    event.type == other.event.type && event.customType == other.event.customType
      && event.session == other.event.session
      && (event.occurredAt == nil || event.occurredAt == other.occurredAt)
      && Self.isSameJSON(metadata, other.metadata)
      && isSamePayload(other.event.payload, version: other.event.typeVersion, schema)
  }

  /// Whether this is the recorded event handed in again.
  fileprivate func isRepeat(
    of record: borrowing RecordView, in stream: StreamNumber, _ schema: EventSchema, _ index: StreamIndex,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Bool {
    let typeName = Array((event.customType ?? "").utf8)
    guard event.type == record.type, record.typeName.isSame(as: typeName.rawSpan),
      event.occurredAt == nil || event.occurredAt == record.occurredAt,
      Self.isSameJSON(metadata, record.metadata.array())
    else { return false }
    let session = record.session == 0 ? nil : try index.session(record.session, in: stream, transaction)?.name
    guard event.session == session else { return false }
    return isSamePayload(record.payload.array(), version: record.typeVersion, schema)
  }

  /// Whether a payload of the same type says the same. Older forms are compared in today's; one that cannot be brought
  /// there, because it is newer or not what its type says, is the same only as it is.
  private func isSamePayload(_ other: [UInt8], version: UInt16, _ schema: EventSchema) -> Bool {
    if event.typeVersion == version, Payload.isSame(event.payload.rawSpan, other.rawSpan) { return true }
    guard
      let mine = try? schema.upcast(
        event.payload, of: event.type, named: event.customType, from: event.typeVersion, at: 0),
      let theirs = try? schema.upcast(other, of: event.type, named: event.customType, from: version, at: 0)
    else { return false }
    return mine.version == theirs.version && Payload.isSame(mine.payload.rawSpan, theirs.payload.rawSpan)
  }

  private static func isSameJSON(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a == b || canonicalJSONEqual(a.span, b.span)
  }
}
