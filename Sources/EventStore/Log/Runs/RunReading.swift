// Reading a stream out of the runs: in each, its records lie together; from one to the one before leads the record that
// is the first of its stream there.
internal import Bytes
internal import LMDB

/// A place in a run, from which one can go on by stream and version.
struct RunCursor: ~Copyable, ~Escapable {
  private let run: Run
  private var cursor: Cursor
  private var chunk: RunChunk?
  /// The chunk.
  private(set) var current: Entry?

  @_lifetime(copy cursor)
  fileprivate init(_ run: Run, _ cursor: consuming Cursor) {
    self.run = run
    self.cursor = cursor
    chunk = nil
    current = nil
  }

  /// Goes to the first record that is `version` of `stream` or comes after it; `nil` where there is none.
  ///
  /// - Parameter version: 0: the first one of the stream.
  /// - Complexity: O(log n) and a chunk.
  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func seek(_ stream: StreamNumber, _ version: StreamVersion) throws(StorageError) -> RunEntry? {
    let key = Key.chunk(run, stream, version)
    var found = try cursor.to(atOrBefore: key)
    if !Self.isOf(run, found) { found = try cursor.to(atOrAfter: key) }
    guard enter(found) else { return nil }
    while let entry = try next() {
      // Of most records before it, the stream is all that is read.
      if RecordLink.stream(of: entry.bytes) < stream { continue }
      let link = entry.link
      if link.stream < stream || (link.stream == stream && link.version < version) { continue }
      // What a damaged record says of itself may be what is damaged: then what is looked for is behind it.
      if stream == 0 || (link.stream == stream && link.version == version) || entry.isWhole { return entry }
    }
    return nil
  }

  /// Goes on to the next record; `nil` at the end of the run.
  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func next() throws(StorageError) -> RunEntry? {
    while true {
      do throws(DamagedBytes) {
        if let entry = try chunk?.next() { return entry }
      } catch {
        // Whoever goes on all the same goes on with the next one.
        chunk = nil
        throw .damagedRun(run)
      }
      guard enter(try cursor.toNext()) else { return nil }
    }
  }

  /// Goes to the record of a stream at a position; `nil` where the stream has no event there.
  ///
  /// - Complexity: O(log² n).
  @_lifetime(copy self) @_lifetime(self: copy self)
  mutating func seek(_ stream: StreamNumber, at position: LogPosition) throws(StorageError) -> RunEntry? {
    // In a run, versions and positions of a stream rise together. Most streams have a few records in it.
    var low: StreamVersion = 0
    for _ in 0..<16 {
      guard let entry = try low == 0 ? seek(stream, 0) : next() else { return nil }
      let link = entry.link
      guard link.stream == stream, entry.position <= position else { return nil }
      if entry.position == position { return entry }
      low = link.version
    }
    // No version is further from another than the positions are.
    var high = StreamVersion(low.number + (position.number - run.first.number) + 1)
    while low.next < high {
      let middle = StreamVersion((low.number + high.number) / 2)
      guard let entry = try seek(stream, middle), entry.position <= position, entry.link.stream == stream else {
        high = middle
        continue
      }
      if entry.position == position { return entry }
      let version = entry.link.version
      guard version < high else { return nil }
      low = version
    }
    return nil
  }

  @_lifetime(self: copy self, copy entry)
  private mutating func enter(_ entry: Entry?) -> Bool {
    guard let entry, Self.isOf(run, entry) else {
      chunk = nil
      return false
    }
    entry.prefetchValue()
    chunk = RunChunk(entry.value, of: run)
    current = entry
    return true
  }

  static func isOf(_ run: Run, _ entry: Entry?) -> Bool {
    guard let entry else { return false }
    return (try? Key.chunk(of: entry.key).run) == run.number
  }
}

extension Transaction where Self: ~Copyable {
  /// A cursor over a run.
  @_lifetime(borrow self)
  func scan(_ run: Run, _ tables: Tables) throws(StorageError) -> RunCursor {
    RunCursor(run, try scan(tables.runs[run.level]))
  }
}

extension StreamIndex {
  /// Lends the records that runs hold of versions `range` of a stream, in ascending order, until `body` says `false`.
  ///
  /// As many as there should be: whether each is the one it should be, `body` is to find out.
  ///
  /// - Parameter index: Of a run; the last of the records is there or in one before.
  /// - Returns: Whether it came to the end.
  func forEachSealed(
    of range: ClosedRange<StreamVersion>, in stream: StreamNumber, upToRun index: Int,
    _ transaction: borrowing some Transaction & ~Copyable,
    _ body: (borrowing RunEntry, StreamVersion) throws(StorageError) -> Bool
  ) throws(StorageError) -> Bool {
    let run = catalog.place(of: stream, inRun: index)
    var cursor = try transaction.scan(run, tables)
    let first = try cursor.seek(stream, 0)
    let link = first?.link
    guard let link, link.stream == stream, link.version <= range.upperBound else {
      // It has nothing here.
      guard let before = catalog.previous(to: index, of: stream) else { throw missing(range.lowerBound, of: stream) }
      return try forEachSealed(of: range, in: stream, upToRun: before, transaction, body)
    }
    var version = range.lowerBound
    var entry: RunEntry?
    if link.version <= version {
      entry = link.version == version ? first : try cursor.seek(stream, version)
    } else {
      guard let before = catalog.index(of: link.previous), before < index else {
        throw missing(StreamVersion(link.version.number - 1), of: stream)
      }
      let rest = version...StreamVersion(link.version.number - 1)
      guard try forEachSealed(of: rest, in: stream, upToRun: before, transaction, body) else { return false }
      version = link.version
      entry = first
    }
    while true {
      guard let found = entry else { throw missing(version, of: stream) }
      guard try body(found, version) else { return false }
      if version == range.upperBound { return true }
      version = version.next
      entry = try cursor.next()
    }
  }

  /// The record of a stream that is at a position, which a run holds; `nil` where the stream has no event there.
  @_lifetime(borrow transaction)
  func sealedEntry(
    at position: LogPosition, of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RunEntry? {
    guard let index = catalog.index(of: position) else { return nil }
    var cursor = try transaction.scan(catalog.place(of: stream, inRun: index), tables)
    return try cursor.seek(stream, at: position)
  }

  func missing(_ version: StreamVersion, of stream: StreamNumber) -> StorageError {
    .corrupt(reason: "a run lacks the record of version \(version) of stream \(stream)", position: nil)
  }
}

extension StorageError {
  /// A chunk of a run does not hold what it should.
  static func damagedRun(_ run: Run) -> StorageError {
    .corrupt(reason: "a chunk of the run from position \(run.first) on is damaged", position: nil)
  }
}
