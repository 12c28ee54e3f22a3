// What enters the sequencer: appends whose every byte is settled, save order and recorded-at.
internal import Bytes
internal import JSON
package import Sodium

/// Events for one stream, and where the caller believes the stream to be.
public struct StreamAppend: Sendable {
  /// The stream.
  public var stream: StreamName
  /// Where the caller believes it to be.
  public var expected: ExpectedVersion
  /// What to append, in this order. At least one.
  public var events: [EventData]
  /// The secret that the stream is to have, if it begins with these events: that of the stream they were exported from, so
  /// that their digests are the same here.
  package var secret: Bytes32?

  /// Collects what to append to a stream.
  public init(_ events: [EventData], to stream: StreamName, expecting expected: ExpectedVersion = .any) {
    self.stream = stream
    self.expected = expected
    self.events = events
  }
}

/// What counts as a repeat.
public enum RepeatRule: Sendable {
  /// The request: all of its events are known, with the same content and as neighbours, or none is.
  case request
  /// Each event: those known with the same content are left out, also those that come earlier in the same request.
  case event
}

/// What became of a ``StreamAppend``.
public struct AppendResult: Sendable, Hashable {
  /// The stream.
  public var stream: StreamName
  /// The version of the first event.
  public var firstVersion: StreamVersion
  /// The version of the last event.
  public var lastVersion: StreamVersion
  /// The position of the first event.
  public var firstPosition: LogPosition
  /// The position of the last event.
  public var lastPosition: LogPosition
  /// When the log took them.
  public var recordedAt: Timestamp
  /// How many of the events were known already. With ``RepeatRule/request``: all or none.
  public var duplicates: Int
  /// How many events were appended.
  public var appended: Int

  /// Whether the append had been done before, and this is the first result.
  public var isDuplicate: Bool { appended == 0 }
}

/// An event of a request: numbers alone, so that the writer counts no references for it. What has no fixed size is among
/// the request's bytes.
struct PreparedEvent: Sendable {
  var id: EventID
  var digest: Bytes32
  /// As given, or when it was handed in.
  var occurredAt: Timestamp
  /// Whether it was given: a repeat may leave it out.
  var saysWhen: Bool
  var type: EventTypeCode
  var typeVersion: UInt16
  /// Which of the request's sessions.
  var session: Int?
  /// Where its bytes begin: type name, metadata and payload, each with its length before it.
  var start: Int
  /// Where the name of an application's type is; empty for others.
  var typeName: Range<Int>
  /// Where the metadata is; empty for `{}`.
  var metadata: Range<Int>
  var payload: Range<Int>
  /// Whether the payload was removed where the event comes from, and what is here is its digest.
  var isRedacted: Bool
}

struct PreparedAppend: Sendable {
  /// Which of the request's streams.
  var stream: Int
  var expected: ExpectedVersion
  /// Which of the request's events.
  var events: Range<Int>
}

/// A request as the sequencer orders it. Given a log and a recorded-at, its outcome is settled.
struct AppendRequest: Sendable {
  /// Each once.
  var streams: [StreamHasher] = []
  /// At least one, of at least one event each.
  var appends: [PreparedAppend] = []
  /// Of all appends, in their order.
  var events: [PreparedEvent] = []
  /// What the events name, mostly each once.
  var sessions: [SessionID] = []
  /// The events' bytes, one after the other.
  fileprivate(set) var bytes = ByteWriter()
  var repeats: RepeatRule
  /// Whether events with the ids of erased ones are new.
  var takesErased = false

  /// A part of the request's bytes.
  @_lifetime(borrow self)
  func span(_ range: Range<Int>) -> RawSpan { bytes.bytes.rawSpan.extracting(range) }

  func session(of event: PreparedEvent) -> SessionID? { event.session.map { sessions[$0] } }

  /// The digest of a payload that was removed where the event comes from.
  func redactedDigest(of event: PreparedEvent) -> Bytes32? {
    guard event.isRedacted else { return nil }
    var reader = ByteReader(span(event.payload))
    return try? Bytes32(reading: &reader)
  }

  /// A request of one event, which says when it occurred.
  static func of(_ event: EventData, by hasher: StreamHasher) -> AppendRequest {
    var request = AppendRequest(repeats: .event)
    request.add(event, now: .earliest, by: hasher)
    return request
  }

  /// An event's digest under another secret than the one it was made ready with.
  func digest(of event: PreparedEvent, by hasher: StreamHasher) -> Bytes32 {
    if let payload = redactedDigest(of: event) {
      return hasher.digest(
        ofPayload: payload, session: session(of: event), id: event.id, occurredAt: event.occurredAt, type: event.type,
        typeVersion: event.typeVersion)
    }
    return hasher.digest(
      of: span(event.start..<event.payload.upperBound), session: session(of: event), id: event.id,
      occurredAt: event.occurredAt, type: event.type, typeVersion: event.typeVersion)
  }

  /// Takes in an event.
  fileprivate mutating func add(_ event: borrowing EventData, now: Timestamp, by hasher: StreamHasher) {
    let start = bytes.count
    let typeName: Range<Int>
    if let name = event.customType {
      typeName = write(name.utf8.count) { $0.write(contentsOf: name.utf8) }
    } else {
      typeName = write(0) { _ in }
    }
    let metadata = event.metadata == .emptyObject ? 0 : event.metadata.utf8.count
    var prepared = PreparedEvent(
      id: event.id, digest: .zero, occurredAt: event.occurredAt ?? now, saysWhen: event.occurredAt != nil,
      type: event.type, typeVersion: event.typeVersion, session: nil, start: start, typeName: typeName,
      metadata: write(metadata) { if metadata > 0 { $0.write(contentsOf: event.metadata.utf8) } },
      payload: write(event.payload.count) { $0.write(contentsOf: event.payload) }, isRedacted: event.isRedacted)
    if let session = event.session {
      if sessions.last != session { sessions.append(session) }
      prepared.session = sessions.count - 1
    }
    prepared.digest = digest(of: prepared, by: hasher)
    events.append(prepared)
  }

  private mutating func write(_ count: Int, _ body: (inout ByteWriter) -> Void) -> Range<Int> {
    bytes.writeVarint(count)
    let start = bytes.count
    body(&bytes)
    return start..<bytes.count
  }

  fileprivate mutating func reserve(_ count: Int, size: Int) {
    events.reserveCapacity(count)
    bytes.bytes.reserveCapacity(size)
  }
}

/// An append that only waits for its turn.
package struct ReadyAppend: Sendable {
  let request: AppendRequest
}

/// Makes requests of what callers hand in: on the caller's thread, so that the writer hashes nothing twice.
struct RequestPreparer {
  let appends: [StreamAppend]
  let repeats: RepeatRule
  var takesErased = false
  /// The type that the log alone writes.
  let reserved: EventTypeCode?
  let now: Timestamp

  /// They are one block's, whatever its size.
  static let largestCount = 1_000_000

  /// - Parameter hasher: The hasher of a stream; where it has none yet, with the secret that is given, or a new one.
  func prepare(
    hasher: (StreamName, _ secret: Bytes32?) throws(StorageError) -> StreamHasher
  ) throws(AppendError) -> AppendRequest {
    guard !appends.isEmpty else {
      throw .invalid(InvalidValue(field: "appends", reason: "must not be empty"))
    }
    let count = appends.reduce(0) { $0 + $1.events.count }
    guard count <= Self.largestCount else {
      throw .invalid(InvalidValue(field: "events", reason: "are \(count), more than \(Self.largestCount) at once"))
    }
    var request = AppendRequest(repeats: repeats)
    request.takesErased = takesErased
    request.reserve(count, size: appends.reduce(0) { $0 + $1.events.reduce(0) { $0 + $1.payload.count + 16 } })
    request.appends.reserveCapacity(appends.count)
    var known: [StreamName: Int] = [:]
    if appends.count > 1 { known.reserveCapacity(appends.count) }
    for append in appends {
      guard !append.events.isEmpty else {
        throw .invalid(InvalidValue(field: "events", reason: "must not be empty"))
      }
      let stream: Int
      if let seen = known[append.stream] {
        stream = seen
      } else {
        stream = request.streams.count
        do throws(StorageError) { request.streams.append(try hasher(append.stream, append.secret)) } catch {
          throw .storage(error)
        }
        if appends.count > 1 { known[append.stream] = stream }
      }
      let hasher = request.streams[stream]
      let first = request.events.count
      let events = append.events.span
      for index in events.indices {
        guard events[index].type != reserved else {
          throw .invalid(InvalidValue(field: "type", reason: "is the store's own: only an erasure writes it"))
        }
        request.add(events[index], now: now, by: hasher)
      }
      request.appends.append(
        PreparedAppend(stream: stream, expected: append.expected, events: first..<request.events.count))
    }
    return request
  }
}
