// What the log consists of: runs, which hold nearly all of it stream by stream, and blocks, which hold what came last in
// the order it came.
//
// A block that is full is sealed: its records are copied, sorted by stream and version, into a run of level 0, so that a
// stream is read from a few places instead of one an event. Four runs of a level are merged into one of the next. Both
// are done a little with each commit, and how far they are is part of what is committed: whoever writes next goes on.
internal import Bytes
internal import LMDB

/// A stretch of the log, sorted by stream and version.
struct Run: Equatable {
  /// How many times it was merged.
  var level: Int
  /// Which of its level it is: 0, 1, 2 …
  var number: UInt32
  var first: LogPosition
  var last: LogPosition

  var count: UInt64 { last.number - first.number + 1 }
}

/// How far the making of a run has come.
struct RunProgress: Equatable {
  /// The last record that is in it; the greatest stream there can be, where all are.
  var stream: StreamNumber = 0
  var version: StreamVersion = 0
  /// Pieces of what comes after the records that are made; while runs are merged, how many records are moved.
  var pieces: UInt64 = 0

  var hasAllRecords: Bool { stream == .max }
}

/// Four runs that become one.
struct Merge: Equatable {
  /// The index of the first of them in ``RunCatalog/runs``.
  var index: Int
  /// What they become.
  var output: Run
  /// Streams before ``RunProgress/stream`` are read from the output; the inputs may have lost them already.
  var progress = RunProgress()
}

struct RunCatalog: Equatable {
  /// So many runs of a level are merged into one.
  static let fan = 4
  /// Runs of this level stay as they are: a scan in the order of the log keeps a pointer to each record of one.
  static let highestLevel = 2
  /// There are tables for so many blocks.
  static let largestBlockCount = 4

  /// Without gaps, oldest first.
  var runs: [Run] = []
  /// How many streams began in them.
  var streams: StreamNumber = 0
  /// Where each block begins; the last one grows.
  var blocks: [LogPosition] = [1]
  /// How many blocks became runs.
  var sealedBlocks: UInt32 = 0
  /// How many runs of each level there have been.
  var made: [UInt32] = Array(repeating: 0, count: highestLevel + 1)
  /// How far the first block's run is, where it was begun.
  var sealing: RunProgress?
  var merge: Merge?
  /// How often names were taken out of the log. What was read of them before is void.
  var erasures: UInt64 = 0

  /// The last position that is in a run.
  var end: LogPosition { LogPosition(blocks[0].number - 1) }
  /// Up to where the tables that fold the log are complete.
  var checkpoint: Checkpoint { Checkpoint(position: end, streams: streams) }

  /// The run that the first block becomes.
  func runOfFirstBlock(through last: LogPosition) -> Run {
    Run(level: 0, number: made[0], first: blocks[0], last: last)
  }

  /// The last position of the first block, where another has begun.
  var lastOfFirstBlock: LogPosition? { blocks.count > 1 ? LogPosition(blocks[1].number - 1) : nil }

  // MARK: Where things are

  /// The table of a block.
  func table(ofBlock index: Int, _ tables: Tables) -> Table {
    tables.blocks[(Int(sealedBlocks) + index) % Self.largestBlockCount]
  }

  /// The table of the block that takes in a position; `nil` where a run holds it.
  func table(of position: LogPosition, _ tables: Tables) -> Table? {
    guard let index = blocks.lastIndex(where: { $0 <= position }) else { return nil }
    return table(ofBlock: index, tables)
  }

  /// The index of the run that holds a position.
  func index(of position: LogPosition) -> Int? {
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].last < position { low = middle + 1 } else { high = middle }
    }
    return low < runs.count && runs[low].first <= position ? low : nil
  }

  /// Where the records of a stream are that belong to a run.
  func place(of stream: StreamNumber, inRun index: Int) -> Run {
    guard let merge, (merge.index..<merge.index + Self.fan).contains(index), stream < merge.progress.stream else {
      return runs[index]
    }
    return merge.output
  }

  /// The index of the run before the one at `index`, as far as a stream is concerned.
  func previous(to index: Int, of stream: StreamNumber) -> Int? {
    let first = place(of: stream, inRun: index) == runs[index] ? index : merge?.index ?? index
    return first == 0 ? nil : first - 1
  }

  /// The runs, finished or not, that may hold a copy of the record at a position.
  func copies(of position: LogPosition) -> [Run] {
    if let index = index(of: position) {
      guard let merge, merge.output.first <= position, position <= merge.output.last else { return [runs[index]] }
      return [runs[index], merge.output]
    }
    guard sealing != nil, let last = lastOfFirstBlock, position <= last else { return [] }
    return [runOfFirstBlock(through: last)]
  }

  // MARK: What is next

  /// Four runs of a level, the oldest, where there are so many.
  func dueMerge() -> Merge? {
    for index in runs.indices.dropLast(Self.fan - 1) {
      let level = runs[index].level
      let (first, last) = (runs[index], runs[index + Self.fan - 1])
      // Blocks of very large requests may be too long to be merged.
      guard level < Self.highestLevel, last.level == level,
        last.last.number - first.first.number < RunIdentities.largestRun
      else { continue }
      let output = Run(level: level + 1, number: made[level + 1], first: first.first, last: last.last)
      return Merge(index: index, output: output)
    }
    return nil
  }

  /// The first block is a run now.
  mutating func finishSealing(_ run: Run, streams: StreamNumber) {
    runs.append(run)
    made[0] += 1
    blocks.removeFirst()
    sealedBlocks &+= 1
    self.streams = streams
    sealing = nil
  }

  /// Four runs are one now.
  mutating func finishMerge(_ merge: Merge) {
    runs.replaceSubrange(merge.index..<merge.index + Self.fan, with: [merge.output])
    made[merge.output.level] += 1
    self.merge = nil
  }
}

// MARK: Bytes

extension RunCatalog {
  init(decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    made = []
    for _ in 0...Self.highestLevel { made.append(try reader.readUInt32()) }
    sealedBlocks = try reader.readUInt32()
    streams = try reader.readUInt32()
    var next: LogPosition = 1
    for _ in 0..<(try reader.readCount()) {
      let run = try Run(reading: &reader, first: next)
      runs.append(run)
      next = run.last.next
    }
    blocks = [next]
    let blockCount = try reader.readCount(limit: Self.largestBlockCount)
    guard blockCount > 0 else { throw DamagedBytes() }
    for _ in 1..<blockCount {
      let count = try reader.readVarint()
      guard count > 0, let last = blocks.last, count < UInt64(Int64.max) - last.number else { throw DamagedBytes() }
      blocks.append(LogPosition(last.number + count))
    }
    sealing = try RunProgress?(reading: &reader)
    guard sealing == nil || blocks.count > 1 else { throw DamagedBytes() }
    let index = try reader.readVarint()
    if index > 0 {
      guard let index = Int(exactly: index - 1), index < runs.count, runs.count - index >= Self.fan,
        runs[index].level < Self.highestLevel
      else { throw DamagedBytes() }
      let output = Run(
        level: runs[index].level + 1, number: made[runs[index].level + 1], first: runs[index].first,
        last: runs[index + Self.fan - 1].last)
      merge = Merge(index: index, output: output, progress: try RunProgress?(reading: &reader) ?? RunProgress())
    }
    if !reader.isAtEnd { erasures = try reader.readVarint() }
    guard reader.isAtEnd else { throw DamagedBytes() }
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 64 + 8 * runs.count)
    for count in made { writer.write(count) }
    writer.write(sealedBlocks)
    writer.write(streams)
    writer.writeVarint(runs.count)
    for run in runs { run.write(into: &writer) }
    writer.writeVarint(blocks.count)
    for (block, next) in zip(blocks, blocks.dropFirst()) { writer.writeVarint(next.number - block.number) }
    sealing.write(into: &writer)
    writer.writeVarint(merge.map { $0.index + 1 } ?? 0)
    if let merge { Optional(merge.progress).write(into: &writer) }
    // A store without erasures is one that older programs read too.
    if erasures > 0 { writer.writeVarint(erasures) }
    return writer.bytes
  }

  /// The catalog, or its copy, where only that is whole.
  static func read(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> RunCatalog {
    do throws(StorageError) { return try read(.catalog, in: transaction, tables) } catch {
      guard case .corrupt = error, let copy = try? read(.catalogCopy, in: transaction, tables) else { throw error }
      return copy
    }
  }

  /// Whether catalog and copy say the same.
  static func isWhole(in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables) -> Bool {
    guard let catalog = try? read(.catalog, in: transaction, tables) else { return false }
    return catalog == (try? read(.catalogCopy, in: transaction, tables))
  }

  private static func read(
    _ word: MetaWord, in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> RunCatalog {
    guard let value = try transaction.fetchIndexed(Key.meta(word), from: tables.meta, named: "meta") else {
      throw .corrupt(reason: "the data file does not say where the log's records are", position: nil)
    }
    return try decoding("meta") { () throws(DamagedBytes) in try RunCatalog(decoding: value) }
  }

  func store(in transaction: inout WriteTransaction, _ tables: Tables) throws(StorageError) {
    let value = encode()
    try transaction.storeIndexed(value, at: Key.meta(.catalog), in: tables.meta)
    try transaction.storeIndexed(value, at: Key.meta(.catalogCopy), in: tables.meta)
  }
}

extension Run {
  fileprivate init(reading reader: inout ByteReader, first: LogPosition) throws(DamagedBytes) {
    level = Int(try reader.readUInt8())
    number = try reader.readUInt32()
    let count = try reader.readVarint()
    guard level <= RunCatalog.highestLevel, count > 0, count <= UInt64(UInt32.max) else { throw DamagedBytes() }
    self.first = first
    last = LogPosition(first.number + count - 1)
  }

  fileprivate func write(into writer: inout ByteWriter) {
    writer.write(UInt8(level))
    writer.write(number)
    writer.writeVarint(count)
  }
}

extension RunProgress? {
  fileprivate init(reading reader: inout ByteReader) throws(DamagedBytes) {
    guard try reader.readUInt8() == 1 else {
      self = nil
      return
    }
    self = RunProgress(
      stream: try reader.readUInt32(), version: StreamVersion(try reader.readVarint()), pieces: try reader.readVarint())
  }

  fileprivate func write(into writer: inout ByteWriter) {
    writer.write(UInt8(self == nil ? 0 : 1))
    guard let progress = self else { return }
    writer.write(progress.stream)
    writer.writeVarint(progress.version.number)
    writer.writeVarint(progress.pieces)
  }
}
