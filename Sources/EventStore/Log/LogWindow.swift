// The log in the order of its positions. In runs it is sorted otherwise: a window keeps where each record lies, and then
// goes from one to the next.
internal import Bytes
internal import LMDB

/// A stretch of the log within one run or block, whose records were found.
struct LogWindow {
  let first: LogPosition
  /// By position; none is kept where a record is missing.
  private let references: ValueReferences

  var last: LogPosition { LogPosition(first.number + UInt64(references.count) - 1) }

  /// Finds the records of a range, or of that part of it which begins with its first position, or ends with its last, and
  /// lies in one run or block.
  ///
  /// - Complexity: O(n) for many of a run's records, O(n log n) for few.
  init(
    _ range: ClosedRange<LogPosition>, fromItsEnd: Bool = false, in view: borrowing LogView
  ) throws(StorageError) {
    let catalog = view.index.catalog
    let anchor = fromItsEnd ? range.upperBound : range.lowerBound
    if let index = catalog.index(of: anchor) {
      let run = catalog.runs[index]
      let part = max(range.lowerBound, run.first)...min(range.upperBound, run.last)
      first = part.lowerBound
      references = try Self.find(part, inRun: index, view)
    } else {
      let block = catalog.blocks.lastIndex { $0 <= anchor } ?? 0
      let end = block + 1 < catalog.blocks.count ? LogPosition(catalog.blocks[block + 1].number - 1) : view.last
      let part = max(range.lowerBound, catalog.blocks[block])...max(anchor, min(range.upperBound, end))
      first = part.lowerBound
      references = try Self.find(part, inBlock: block, view)
    }
  }

  /// So many records lie on the way between memory and processor when the log is read in its order.
  private static let prefetched = 8

  /// The bytes of a record; `nil` where it is missing.
  @_lifetime(borrow view)
  func bytes(at position: LogPosition, in view: borrowing LogView) -> RawSpan? {
    view.transaction.prefetch(at: Int(position.number - first.number) + Self.prefetched, of: references)
    return view.transaction.value(at: Int(position.number - first.number), of: references)
  }

  private static func find(
    _ range: ClosedRange<LogPosition>, inBlock block: Int, _ view: borrowing LogView
  ) throws(StorageError) -> ValueReferences {
    var found = view.transaction.references(count: Int(range.upperBound.number - range.lowerBound.number) + 1)
    var cursor = try view.transaction.scan(view.index.catalog.table(ofBlock: block, view.tables))
    var entry = try cursor.to(atOrAfter: BigEndianKey(range.lowerBound.number))
    while let current = entry {
      let position = try Key.position(of: current.key)
      guard position <= range.upperBound else { break }
      if !current.value.isEmpty, position >= range.lowerBound {
        found.keep(0..<current.value.byteCount, of: current, at: Int(position.number - range.lowerBound.number))
      }
      entry = try cursor.toNext()
    }
    return found
  }

  /// Less than one record in so many is looked for by itself: that takes as much longer.
  private static let fewest: UInt64 = 400

  private static func find(
    _ range: ClosedRange<LogPosition>, inRun index: Int, _ view: borrowing LogView
  ) throws(StorageError) -> ValueReferences {
    let catalog = view.index.catalog
    let run = catalog.runs[index]
    let count = range.upperBound.number - range.lowerBound.number + 1
    var found = view.transaction.references(count: Int(count))
    if count * fewest < run.count {
      do throws(StorageError) {
        try findByStream(range, inRun: index, view, &found)
        return found
      } catch {
        // Without an order, all of the run is looked through.
        guard case .corrupt = error else { throw error }
      }
    }
    // What a merge has moved already is in its output; of the other streams there may be copies, as good as the originals.
    let moved = catalog.merge.flatMap { merge in
      (merge.index..<merge.index + RunCatalog.fan).contains(index) ? merge : nil
    }
    if let moved {
      try walk(moved.output, from: 0, to: moved.progress.stream, range, view, &found)
    }
    try walk(run, from: moved?.progress.stream ?? 0, to: .max, range, view, &found)
    return found
  }

  /// Goes through the records of streams from `start` to before `end`.
  private static func walk(
    _ run: Run, from start: StreamNumber, to end: StreamNumber, _ range: ClosedRange<LogPosition>,
    _ view: borrowing LogView, _ found: inout ValueReferences
  ) throws(StorageError) {
    var cursor = try view.transaction.scan(run, view.tables)
    var isBegun = false
    while true {
      do throws(StorageError) {
        let entry = try isBegun ? cursor.next() : cursor.seek(start, 0)
        isBegun = true
        guard let record = entry else { return }
        // Beyond the end; unless that is what is damaged.
        if end < .max, record.link.stream >= end, record.isWhole { return }
        keep(record, cursor.current, range, &found)
      } catch {
        // What the chunk held is missing, and said to be, where it is asked for.
        guard case .corrupt = error else { throw error }
        isBegun = true
      }
    }
  }

  private static func findByStream(
    _ range: ClosedRange<LogPosition>, inRun index: Int, _ view: borrowing LogView, _ found: inout ValueReferences
  ) throws(StorageError) {
    var places: [(stream: StreamNumber, position: LogPosition)] = []
    var position = range.lowerBound
    try view.index.forEachStream(at: range, view.transaction) { stream in
      places.append((stream, position))
      position = position.next
    }
    places.sort { $0 < $1 }
    var next = 0
    while next < places.count {
      let stream = places[next].stream
      var cursor = try view.transaction.scan(view.index.catalog.place(of: stream, inRun: index), view.tables)
      var entry = try cursor.seek(stream, at: places[next].position)
      while let record = entry, record.link.stream == stream, record.position <= range.upperBound {
        keep(record, cursor.current, range, &found)
        entry = try cursor.next()
      }
      while next < places.count, places[next].stream == stream { next += 1 }
    }
  }

  private static func keep(
    _ record: borrowing RunEntry, _ chunk: Entry?, _ range: ClosedRange<LogPosition>,
    _ found: inout ValueReferences
  ) {
    guard range.contains(record.position), !record.bytes.isEmpty, let chunk else { return }
    found.keep(
      record.end - record.bytes.byteCount..<record.end, of: chunk,
      at: Int(record.position.number - range.lowerBound.number))
  }
}
