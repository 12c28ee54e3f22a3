// How far a comparison has come: what was found, and where to go on after a kill.
internal import Bytes
internal import Sodium

/// What a comparison has found so far. The streams are the sum of the five kinds.
public struct ComparisonCounts: Hashable, Sendable {
  /// Streams of which both states are the same.
  public internal(set) var equal = 0
  /// Streams of which the states differ.
  public internal(set) var different = 0
  /// Streams whose snapshot is in a form that cannot be read; so the states do differ, and nobody can say in what.
  public internal(set) var unreadable = 0
  /// Streams of which there are snapshots to compare with, and none is whole.
  public internal(set) var damaged = 0
  /// Streams without a snapshot to compare with.
  public internal(set) var withoutSnapshot = 0
  /// Events of all these streams.
  public internal(set) var events: UInt64 = 0
  /// Events folded: of a stream that is compared with its snapshot, those up to there.
  public internal(set) var eventsFolded: UInt64 = 0
  /// Whose the snapshots were, and how many streams were compared with such a one.
  public internal(set) var snapshots: [ProjectorIdentity: Int] = [:]

  /// Streams looked at.
  public var streams: Int { equal + different + unreadable + damaged + withoutSnapshot }
  /// Streams of which two states were compared.
  public var compared: Int { equal + different + unreadable }
}

/// A place in a comparison: all that it takes to go on from there, in another process too.
///
/// Nobody keeps it but whoever asked for the comparison; its ``description`` is one word to be kept as text.
public struct ComparisonCheckpoint: Hashable, Sendable, LosslessStringConvertible {
  /// Stands for the store, both sides, and what was asked of them.
  let kind: Bytes32
  /// The end of the log that is looked at; what was appended since counts for nothing.
  public let end: LogPosition
  /// The stream compared last; `nil` before the first.
  public internal(set) var last: StreamName?
  /// What was found so far.
  public internal(set) var counts = ComparisonCounts()

  init(kind: Bytes32, end: LogPosition) {
    self.kind = kind
    self.end = end
  }

  /// A word of hexadecimal digits, with a checksum.
  public var description: String {
    var writer = ByteWriter(capacity: 200)
    kind.write(into: &writer)
    writer.writeVarint(end.number)
    // A name is never empty.
    writer.writeString(last?.namespace.description ?? "")
    writer.writeString(last?.user.description ?? "")
    for count in [counts.equal, counts.different, counts.unreadable, counts.damaged, counts.withoutSnapshot] {
      writer.writeVarint(count)
    }
    writer.writeVarint(counts.events)
    writer.writeVarint(counts.eventsFolded)
    writer.writeVarint(counts.snapshots.count)
    for (identity, count) in counts.snapshots.sorted(by: { $0.key.description < $1.key.description }) {
      identity.encode(into: &writer)
      writer.writeVarint(count)
    }
    writer.write(XXH3.hash(writer.bytes.rawSpan))
    return writer.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Reads a ``description``; `nil` for anything else, such as one that was cut short.
  public init?(_ description: String) {
    let digits = Array(description.utf8)
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
      UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16)
    }
    guard bytes.count > 8, 2 * bytes.count == digits.count else { return nil }
    do throws(DamagedBytes) {
      var reader = ByteReader(bytes.rawSpan)
      let content = try reader.readSpan(count: bytes.count - 8)
      guard XXH3.hash(content) == (try reader.readUInt64()) else { return nil }
      try self.init(content: content)
    } catch {
      return nil
    }
  }

  private init(content: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(content)
    kind = try Bytes32(reading: &reader)
    end = LogPosition(try reader.readVarint())
    let (namespace, user) = (try reader.readString(), try reader.readString())
    if let namespace = try? Namespace(namespace), let user = try? UserID(user) {
      last = StreamName(user, in: namespace)
    }
    counts.equal = try reader.readCount(limit: .max)
    counts.different = try reader.readCount(limit: .max)
    counts.unreadable = try reader.readCount(limit: .max)
    counts.damaged = try reader.readCount(limit: .max)
    counts.withoutSnapshot = try reader.readCount(limit: .max)
    counts.events = try reader.readVarint()
    counts.eventsFolded = try reader.readVarint()
    for _ in 0..<(try reader.readCount()) {
      let identity = try ProjectorIdentity(decoding: &reader)
      counts.snapshots[identity] = try reader.readCount(limit: .max)
    }
  }
}
