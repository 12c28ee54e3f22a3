// Merging: four runs of a level become one of the next, a few records with each commit.
//
// The streams are taken one after the other, their records from the four runs in turn. Streams that are done are read
// from the output, and what the inputs had of them is given up at once: else as much as is merged would wait to be used
// again. How far it is stands in the catalog, and nowhere else.
internal import Bytes
internal import LMDB

struct Merging {
  private var merge: Merge
  private let inputs: ArraySlice<Run>

  /// Goes on with the merge under way, or begins the next one that is due, for about `credit` events.
  static func step(credit: inout Int, _ context: inout WriterContext) throws(StorageError) {
    guard let merge = context.catalog.merge ?? context.catalog.dueMerge() else { return }
    let inputs = context.catalog.runs[merge.index..<merge.index + RunCatalog.fan]
    var merging = Merging(merge: merge, inputs: inputs)
    try merging.step(credit: &credit, &context)
  }

  private mutating func step(credit: inout Int, _ context: inout WriterContext) throws(StorageError) {
    let (output, tables) = (merge.output, context.tables)
    if !merge.progress.hasAllRecords {
      let chunks = try gather(credit: &credit, context.transaction, tables)
      for var chunk in chunks { try chunk.flush(to: output, &context.transaction, tables) }
      try storeProgress(&context)
      // Chunks of the inputs are as full, so that there are about as many to give up.
      credit -= try removeDone(limit: 2 * chunks.count + 8, &context.transaction, tables)
    }
    while merge.progress.hasAllRecords, credit > 0 {
      if merge.progress.pieces < RunIdentities.pieceCount(output) {
        let piece = merge.progress.pieces
        let entries = try RunIdentities.merge(inputs, into: piece, of: output, context.transaction, tables)
        try RunIdentities.store(entries, piece: piece, of: output, &context.transaction, tables)
        merge.progress.pieces += 1
        credit -= 1 + entries.count / 8
      } else {
        let limit = max(credit, 8)
        let removed = try removeDone(limit: limit, &context.transaction, tables)
        credit -= removed
        guard removed < limit else { break }
        for input in inputs {
          for piece in 0..<RunIdentities.pieceCount(input) {
            try context.transaction.remove(RunIdentities.key(input, piece), from: tables.identities)
          }
        }
        return try context.changeCatalog { [merge] in $0.finishMerge(merge) }
      }
    }
    try storeProgress(&context)
  }

  private func storeProgress(_ context: inout WriterContext) throws(StorageError) {
    try context.changeCatalog { $0.merge = merge }
  }

  /// Collects records into full chunks: no chunk is left half filled.
  private mutating func gather(
    credit: inout Int, _ transaction: borrowing WriteTransaction, _ tables: Tables
  ) throws(StorageError) -> [ChunkBuilder] {
    var chunks: [ChunkBuilder] = []
    var chunk = ChunkBuilder()
    var last = merge.progress
    var readers: [MergeInput] = []
    for input in inputs { readers.append(try MergeInput(input, after: last, transaction, tables)) }
    while let next = Self.next(readers) {
      let isFirst = readers[next].stream != last.stream
      guard isFirst || readers[next].version == last.version.next else {
        throw .corrupt(
          reason: "a run lacks the record of version \(last.version.next) of stream \(last.stream)", position: nil)
      }
      guard readers[next].add(to: &chunk, of: merge.output, isFirst: isFirst) else {
        chunks.append(chunk)
        chunk = ChunkBuilder()
        if credit <= 0 {
          merge.progress = last
          return chunks
        }
        continue
      }
      last = RunProgress(
        stream: readers[next].stream, version: readers[next].version, pieces: last.pieces + 1)
      credit -= 1
      try readers[next].advance(transaction, tables)
    }
    guard last.pieces == merge.output.count else {
      throw .corrupt(reason: "runs from position \(merge.output.first) on lack records", position: nil)
    }
    if !chunk.isEmpty { chunks.append(chunk) }
    merge.progress = RunProgress(stream: .max)
    return chunks
  }

  /// The input whose turn it is: by stream, and of one stream the older run first.
  private static func next(_ inputs: [MergeInput]) -> Int? {
    var found: Int?
    for (index, input) in inputs.enumerated() where !input.isAtEnd {
      if let best = found, inputs[best].stream <= input.stream { continue }
      found = index
    }
    return found
  }

  /// Gives up the inputs' chunks of which everything is read from the output.
  ///
  /// - Returns: How many.
  private func removeDone(
    limit: Int, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) -> Int {
    var removed = 0
    for input in inputs {
      var keys: [[UInt8]] = []
      do {
        var cursor = try transaction.scan(tables.runs[input.level])
        var entry = try cursor.to(atOrAfter: Key.chunk(input, 0, 0))
        while let current = entry, removed + keys.count < limit {
          let key = current.key.array()
          guard try decoding("runs", { () throws(DamagedBytes) in try Key.chunk(of: current.key).run }) == input.number
          else { break }
          entry = try cursor.toNext()
          if !merge.progress.hasAllRecords {
            // Its last record may be of the stream that the next chunk begins with.
            guard let next = entry, let place = try? Key.chunk(of: next.key), place.run == input.number,
              place.stream < merge.progress.stream
            else { break }
          }
          keys.append(key)
        }
      }
      for key in keys { try transaction.remove(key, from: tables.runs[input.level]) }
      removed += keys.count
    }
    return removed
  }
}

/// The next record of a run that is merged. It keeps a copy of its chunk, since writing moves what is lent.
private struct MergeInput {
  private let run: Run
  private var key: (stream: StreamNumber, version: StreamVersion)
  private var bytes: [UInt8] = []
  /// Of the record in the chunk, and of the one after it.
  private var range = 0..<0
  private var end = 0
  private var position: LogPosition = 0
  private(set) var stream: StreamNumber = 0
  private(set) var version: StreamVersion = 0
  private(set) var isAtEnd = false

  /// Begins after the record that was merged last.
  init(
    _ run: Run, after progress: RunProgress, _ transaction: borrowing WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    self.run = run
    let first = (progress.stream, progress.version.next)
    key = first
    var cursor = try transaction.scan(tables.runs[run.level])
    let wanted = Key.chunk(run, first.0, first.1)
    var found = try cursor.to(atOrBefore: wanted)
    if !RunCursor.isOf(run, found) { found = try cursor.to(atOrAfter: wanted) }
    try enter(found)
    while !isAtEnd, (stream, version) < first { try advance(transaction, tables) }
  }

  mutating func advance(_ transaction: borrowing WriteTransaction, _ tables: Tables) throws(StorageError) {
    if end < bytes.count { return try read() }
    var cursor = try transaction.scan(tables.runs[run.level])
    let current = Key.chunk(run, key.stream, key.version)
    _ = try cursor.to(atOrAfter: current)
    try enter(try cursor.toNext())
  }

  func add(to chunk: inout ChunkBuilder, of output: Run, isFirst: Bool) -> Bool {
    let entry = RunEntry(bytes.rawSpan.extracting(range), at: position)
    return chunk.add(entry, to: output, isFirst: isFirst)
  }

  private mutating func enter(_ entry: Entry?) throws(StorageError) {
    bytes = []
    end = 0
    guard let entry else {
      isAtEnd = true
      return
    }
    let place = try decoding("runs") { () throws(DamagedBytes) in try Key.chunk(of: entry.key) }
    if place.run == run.number + 1 {
      isAtEnd = true
      return
    }
    key = (place.stream, place.version)
    bytes = entry.value.array()
    try read()
    // What stands behind a key that leads elsewhere would be passed over.
    guard place.run == run.number, place.stream == stream, place.version == 0 || place.version == version else {
      throw .damagedRun(run)
    }
  }

  private mutating func read() throws(StorageError) {
    let begin = end
    let found: (stream: StreamNumber, version: StreamVersion, position: LogPosition, count: Int, end: Int)
    do {
      var chunk = RunChunk(bytes.rawSpan.extracting(droppingFirst: begin), of: run)
      guard let entry = try? chunk.next() else { throw .damagedRun(run) }
      // Its stream decides what is given up of the inputs: whoever moves it must know that it is right. A damaged record
      // is moved as it is, where key or predecessor say the same as it does.
      let link = entry.link
      let isExpected = begin == 0 || (link.stream == stream && link.version == version.next)
      guard isExpected || entry.isWhole else { throw .damagedRun(run) }
      found = (entry.link.stream, entry.link.version, entry.position, entry.bytes.byteCount, begin + entry.end)
    }
    (stream, version, position) = (found.stream, found.version, found.position)
    range = found.end - found.count..<found.end
    end = found.end
  }
}
