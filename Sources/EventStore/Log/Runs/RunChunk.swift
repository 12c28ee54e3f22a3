// A chunk: neighbouring records of a run, as many as fill a page, in one value.
//
//   key     run's number (4), stream (4) and version (8) of the first record; version 0 where the stream begins here
//   value   for each record: its position less the run's first (4), its length (varint), its bytes
//
// One stream and value apiece was worse in everything: most streams have a few events in a run.
internal import Bytes
internal import LMDB

/// A record in a chunk.
struct RunEntry: ~Escapable, BitwiseCopyable {
  let position: LogPosition
  let bytes: RawSpan
  /// What the record says of itself; nothing has been checked. Stream 0 where it says nothing.
  var link: RecordLink {
    (try? RecordLink(bytes, at: position)) ?? RecordLink(stream: 0, version: 0, previous: 0)
  }
  /// Where the record ends in its chunk.
  let end: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, at position: LogPosition, end: Int = 0) {
    self.position = position
    self.bytes = bytes
    self.end = end
  }
}

extension RunEntry {
  /// Whether the record is what was written.
  var isWhole: Bool {
    do throws(RecordProblem) { try RecordView.check(bytes, at: position) } catch {
      if case .damaged = error { return false }
    }
    return true
  }

  /// The record, checked.
  @inline(__always) @_lifetime(copy self)
  func checked() throws(StorageError) -> RecordView { try RecordView.stored(bytes, at: position) }
}

/// Goes through the records of a chunk.
struct RunChunk: ~Escapable, BitwiseCopyable {
  private var reader: ByteReader
  private let first: LogPosition
  private let size: Int

  @_lifetime(copy value)
  init(_ value: RawSpan, of run: Run) {
    reader = ByteReader(value)
    first = run.first
    size = value.byteCount
  }

  /// The next record; `nil` at the end.
  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func next() throws(DamagedBytes) -> RunEntry? {
    if reader.isAtEnd { return nil }
    let position = LogPosition(first.number + UInt64(try reader.readUInt32()))
    let bytes = try reader.readLengthPrefixed()
    return RunEntry(bytes, at: position, end: size - reader.remaining)
  }
}

extension RunChunk {
  /// Puts another record in the place of one that a run may hold.
  ///
  /// - Returns: Whether it was there.
  static func replace(
    _ new: borrowing RunEntry, in run: Run, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) -> Bool {
    let table = tables.runs[run.level]
    var key: [UInt8] = []
    var changed = ByteWriter(capacity: ChunkBuilder.size)
    var isFound = false
    do {
      var cursor = try transaction.scan(run, tables)
      guard let old = try cursor.seek(new.link.stream, new.link.version), old.position == new.position,
        let found = cursor.current
      else { return false }
      key = found.key.array()
      var chunk = RunChunk(found.value, of: run)
      try decoding("runs") { () throws(DamagedBytes) in
        while let entry = try chunk.next() {
          let isOld = entry.position == new.position && entry.link.stream == new.link.stream
          isFound = isFound || isOld
          changed.write(UInt32(truncatingIfNeeded: entry.position.number - run.first.number))
          changed.writeLengthPrefixed(isOld ? new.bytes : entry.bytes)
        }
      }
    }
    if isFound { try transaction.store(changed.bytes, at: key, in: table) }
    return isFound
  }
}

extension RunChunk {
  /// Puts other records in the place of those of a stream that a run holds.
  ///
  /// - Parameter change: Gives the bytes to be put in the place of a record; `nil`: it stays.
  /// - Complexity: O(chunks with records of the stream), in each a search and one change.
  static func rewrite(
    _ stream: StreamNumber, in run: Run, _ transaction: inout WriteTransaction, _ tables: Tables,
    _ change: (borrowing RecordView) throws(StorageError) -> [UInt8]?
  ) throws(StorageError) {
    let table = tables.runs[run.level]
    let first = Key.chunk(run, stream, 0)
    var next: [UInt8]?
    while true {
      var key: [UInt8] = []
      var changed = ByteWriter(capacity: ChunkBuilder.size)
      var isChanged = false
      do {
        var cursor = try transaction.scan(table)
        var found: Entry?
        if let next {
          found = try cursor.to(atOrAfter: next)
        } else {
          // The stream may begin within a chunk.
          found = try cursor.to(atOrBefore: first)
          if !RunCursor.isOf(run, found) { found = try cursor.to(atOrAfter: first) }
        }
        guard let entry = found, let place = try? Key.chunk(of: entry.key), place.run == run.number,
          place.stream <= stream
        else { return }
        key = entry.key.array()
        var chunk = RunChunk(entry.value, of: run)
        while true {
          let record: RunEntry?
          do throws(DamagedBytes) { record = try chunk.next() } catch { throw .damagedRun(run) }
          guard let old = record else { break }
          changed.write(UInt32(truncatingIfNeeded: old.position.number - run.first.number))
          // What a damaged record says of itself may be what is damaged.
          if old.link.stream == stream, old.isWhole, let new = try change(try old.checked()) {
            changed.writeLengthPrefixed(new)
            isChanged = true
          } else {
            changed.writeLengthPrefixed(old.bytes)
          }
        }
      }
      if isChanged { try transaction.store(changed.bytes, at: key, in: table) }
      next = key + [0]
    }
  }
}

/// A chunk in the making.
struct ChunkBuilder {
  /// What LMDB keeps on one page of its own: 4,096 bytes less its header.
  static let size = 4_080

  private(set) var bytes = ByteWriter(capacity: size)
  private(set) var stream: StreamNumber = 0
  private(set) var version: StreamVersion = 0
  var isEmpty: Bool { bytes.count == 0 }

  /// Adds a record; `false` where there is no room for it.
  ///
  /// - Parameter isFirst: Whether it is the stream's first in the run.
  mutating func add(_ entry: borrowing RunEntry, to run: Run, isFirst: Bool) -> Bool {
    let size = 4 + EncodedSize.lengthPrefixed(entry.bytes.byteCount)
    guard isEmpty || bytes.count + size <= Self.size else { return false }
    if isEmpty {
      stream = entry.link.stream
      version = isFirst ? 0 : entry.link.version
    }
    bytes.write(UInt32(truncatingIfNeeded: entry.position.number - run.first.number))
    bytes.writeLengthPrefixed(entry.bytes)
    return true
  }

  /// Puts the chunk behind all others of its level, and begins the next.
  mutating func flush(to run: Run, _ transaction: inout WriteTransaction, _ tables: Tables) throws(StorageError) {
    try transaction.append(bytes.bytes, at: Key.chunk(run, stream, version), to: tables.runs[run.level])
    bytes.bytes.removeAll(keepingCapacity: true)
  }
}

extension Key {
  static func chunk(_ run: Run, _ stream: StreamNumber, _ version: StreamVersion) -> BigEndianKey {
    BigEndianKey(UInt64(run.number) << 32 | UInt64(stream), version.number)
  }

  /// The run's number, stream and version in a chunk's key.
  static func chunk(of key: RawSpan) throws(DamagedBytes) -> (run: UInt32, stream: StreamNumber, version: StreamVersion)
  {
    guard key.byteCount == 16 else { throw DamagedBytes() }
    var reader = ByteReader(key)
    return (
      try reader.readUInt32().byteSwapped, try reader.readUInt32().byteSwapped,
      StreamVersion(try reader.readUInt64().byteSwapped)
    )
  }
}
