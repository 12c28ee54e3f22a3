// What one asks of the log, and the pages it answers in.
internal import Bytes

/// Which way to read.
public enum ReadDirection: Sendable {
  /// From old to new.
  case forward
  /// From new to old.
  case backward
}

/// Which events of a reading are wanted; all where nothing is said.
public struct EventFilter: Sendable {
  /// Only of these types, by name.
  public var types: Set<String> = []
  /// Only of this session.
  public var session: SessionID?
  /// Only those that occurred at this time or later.
  public var since: Timestamp?
  /// Only those that occurred at this time or earlier.
  public var until: Timestamp?

  /// Wants all.
  public init() {}

  /// Wants these types, this session, this time.
  public init(
    types: Set<String> = [], session: SessionID? = nil, since: Timestamp? = nil, until: Timestamp? = nil
  ) {
    self.types = types
    self.session = session
    self.since = since
    self.until = until
  }
}

/// A part of a stream.
public struct StreamPage: Sendable {
  /// The events, in the direction asked for. May be fewer than asked for although more follow.
  public var events: [RecordedEvent]
  /// Where to go on in the same direction; `nil` at the end.
  public var next: StreamVersion?
}

/// A part of the log.
public struct LogPage: Sendable {
  /// The events, in the direction asked for. May be fewer than asked for although more follow.
  public var events: [RecordedEvent]
  /// After (or, backward, before) which position to go on; `nil` at the end.
  public var next: LogPosition?
  /// The last position of the store, 0 where it is empty.
  public var head: LogPosition
}

/// The filter in the terms of records.
struct RecordFilter {
  private let codes: Set<UInt8>?
  private let customTypes: Set<String>
  private let since: Timestamp?
  private let until: Timestamp?

  init(_ filter: EventFilter, _ schema: EventSchema) {
    var codes: Set<UInt8> = []
    var custom: Set<String> = []
    for name in filter.types {
      if let type = schema.types.first(where: { $0.name == name }), type.code != .custom {
        codes.insert(type.code.number)
      } else {
        custom.insert(name)
      }
    }
    self.codes = filter.types.isEmpty ? nil : codes
    customTypes = custom
    since = filter.since
    until = filter.until
  }

  func wants(_ record: borrowing RecordView) -> Bool {
    if let codes, !codes.contains(record.type.number) {
      guard record.type == .custom, !customTypes.isEmpty, let name = try? record.typeName.string(),
        customTypes.contains(name)
      else { return false }
    }
    if let since, record.occurredAt < since { return false }
    if let until, record.occurredAt > until { return false }
    return true
  }
}

/// What ends a page: so that a reader never holds a view, or memory, for long.
struct PageBudget {
  private var events: Int
  private var records = 65_536
  private var bytes = 16 << 20

  init(limit: Int) { events = limit }

  var isSpent: Bool { events <= 0 || records <= 0 || bytes <= 0 }

  /// Counts a record that was looked at.
  ///
  /// - Parameter size: Its bytes, where it is wanted.
  mutating func count(_ size: Int?) {
    records -= 1
    if let size {
      events -= 1
      bytes -= size
    }
  }
}
