// What enters the sequencer: appends whose every byte is settled, save order and recorded-at.
internal import Bytes
internal import JSON
internal import Sodium

/// Events for one stream, and where the caller believes the stream to be.
public struct StreamAppend: Sendable {
  /// The stream.
  public var stream: StreamName
  /// Where the caller believes it to be.
  public var expected: ExpectedVersion
  /// What to append, in this order. At least one.
  public var events: [EventData]

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

/// An event with its digest.
struct PreparedEvent: Sendable {
  var event: EventData
  /// Empty where it is `{}`.
  var metadata: [UInt8]
  /// As given, or when it was handed in.
  var occurredAt: Timestamp
  var digest: Bytes32

  init(_ event: EventData, now: Timestamp, by hasher: StreamHasher) {
    self.event = event
    metadata = event.metadata == .emptyObject ? [] : event.metadata.utf8
    occurredAt = event.occurredAt ?? now
    digest = hasher.digest(of: event, metadata: metadata, occurredAt: occurredAt)
  }
}

/// A stream of a request.
struct PreparedStream: Sendable {
  var name: StreamName
  var hasher: StreamHasher
}

struct PreparedAppend: Sendable {
  /// Which of the request's streams.
  var stream: Int
  var expected: ExpectedVersion
  var events: [PreparedEvent]
}

/// A request as the sequencer orders it. Given a log and a recorded-at, its outcome is settled.
struct AppendRequest: Sendable {
  /// Each once.
  var streams: [PreparedStream]
  /// At least one, of at least one event each.
  var appends: [PreparedAppend]
  var repeats: RepeatRule
}

/// An append that only waits for its turn.
package struct ReadyAppend: Sendable {
  let request: AppendRequest
}

/// Makes requests of what callers hand in: on the caller's thread, so that the writer hashes nothing twice.
struct RequestPreparer {
  let appends: [StreamAppend]
  let repeats: RepeatRule
  let now: Timestamp

  /// They are one block's, whatever its size.
  static let largestCount = 1_000_000

  /// - Parameter hasher: The hasher of a stream, with a new secret where it has none yet.
  func prepare(hasher: (StreamName) throws(StorageError) -> StreamHasher) throws(AppendError) -> AppendRequest {
    guard !appends.isEmpty else {
      throw .invalid(InvalidValue(field: "appends", reason: "must not be empty"))
    }
    let count = appends.reduce(0) { $0 + $1.events.count }
    guard count <= Self.largestCount else {
      throw .invalid(InvalidValue(field: "events", reason: "are \(count), more than \(Self.largestCount) at once"))
    }
    var streams: [PreparedStream] = []
    var known: [StreamName: Int] = [:]
    if appends.count > 1 { known.reserveCapacity(appends.count) }
    var prepared: [PreparedAppend] = []
    prepared.reserveCapacity(appends.count)
    for append in appends {
      guard !append.events.isEmpty else {
        throw .invalid(InvalidValue(field: "events", reason: "must not be empty"))
      }
      let stream: Int
      if let seen = known[append.stream] {
        stream = seen
      } else {
        stream = streams.count
        do throws(StorageError) {
          streams.append(PreparedStream(name: append.stream, hasher: try hasher(append.stream)))
        } catch {
          throw .storage(error)
        }
        if appends.count > 1 { known[append.stream] = stream }
      }
      let hasher = streams[stream].hasher
      prepared.append(
        PreparedAppend(
          stream: stream, expected: append.expected,
          events: append.events.map { PreparedEvent($0, now: now, by: hasher) }))
    }
    return AppendRequest(streams: streams, appends: prepared, repeats: repeats)
  }
}
