// Whose event is at a position that runs hold: they are sorted by stream, so somebody must remember the order.
//
//   key     position of the first (8)
//   value   the streams of up to 1,020 events, four bytes each
//
// Written when a block is sealed; merging runs leaves it as it is.
internal import Bytes
internal import LMDB

enum StreamOrder {
  /// As many as one page holds.
  static let piece = 1_020

  /// How many pieces a run of so many events takes.
  static func pieceCount(_ events: UInt64) -> UInt64 { (events + UInt64(piece) - 1) / UInt64(piece) }

  /// Stores the next piece of a run.
  static func append(
    _ streams: ArraySlice<StreamNumber>, at position: LogPosition, _ transaction: inout WriteTransaction,
    _ tables: Tables
  ) throws(StorageError) {
    var writer = ByteWriter(capacity: 4 * streams.count)
    for stream in streams { writer.write(stream) }
    try transaction.append(writer.bytes, at: BigEndianKey(position.number), to: tables.order)
  }
}

extension StreamIndex {
  /// Whose event is at a position that a run holds.
  func stream(
    at position: LogPosition, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamNumber {
    var found: StreamNumber = 0
    try forEachStream(at: position...position, transaction) { found = $0 }
    return found
  }

  /// Tells whose the events are at positions that runs hold, in their order.
  func forEachStream(
    at range: ClosedRange<LogPosition>, _ transaction: borrowing some Transaction & ~Copyable,
    _ body: (StreamNumber) -> Void
  ) throws(StorageError) {
    var cursor = try transaction.scan(tables.order)
    var entry = try cursor.to(atOrBefore: BigEndianKey(range.lowerBound.number))
    var position = range.lowerBound
    while true {
      guard let piece = entry else { throw .damagedIndex("order") }
      let start = try Key.position(of: piece.key)
      guard start <= position, position.number - start.number < UInt64(piece.value.byteCount / 4) else {
        throw .damagedIndex("order")
      }
      try decoding("order") { () throws(DamagedBytes) in
        var reader = ByteReader(piece.value)
        _ = try reader.readSpan(count: 4 * Int(position.number - start.number))
        while !reader.isAtEnd {
          body(try reader.readUInt32())
          if position == range.upperBound { return }
          position = position.next
        }
        position = LogPosition(position.number - 1)
      }
      if position == range.upperBound { return }
      position = position.next
      entry = try cursor.toNext()
    }
  }
}
