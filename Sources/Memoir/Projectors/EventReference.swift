// Which event is responsible for something in a state.
internal import Bytes
public import EventStore

/// An event of the stream that a state was folded from.
public struct EventReference: Hashable, Sendable, Comparable {
  /// Its id.
  public let id: EventID
  /// Its version.
  public let version: StreamVersion

  init(_ event: borrowing EventView) {
    id = event.id
    version = event.version
  }

  /// Names an event.
  public init(id: EventID, version: StreamVersion) {
    self.id = id
    self.version = version
  }

  /// By version.
  public static func < (a: Self, b: Self) -> Bool { a.version < b.version }
}

extension EventReference {
  var encodedSize: Int { 16 + EncodedSize.varint(version.number) }

  func encode(into writer: inout ByteWriter) {
    id.write(into: &writer)
    writer.writeVarint(version.number)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    id = try EventID(reading: &reader)
    version = StreamVersion(try reader.readVarint())
  }
}

/// The latest events that changed something: at most 20, in the order of the fold.
public struct Revisions: Hashable, Sendable {
  /// How many are kept.
  public static let limit = 20

  /// The events, oldest first.
  public private(set) var events: [EventReference] = []

  /// None yet.
  init() {}

  mutating func append(_ event: EventReference) {
    if events.count == Self.limit { events.removeFirst() }
    events.append(event)
  }

  var encodedSize: Int {
    var size = EncodedSize.varint(events.count)
    for event in events { size += event.encodedSize }
    return size
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(events.count)
    for event in events { event.encode(into: &writer) }
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount(limit: Self.limit)
    for _ in 0..<count { events.append(try EventReference(decoding: &reader)) }
  }
}
