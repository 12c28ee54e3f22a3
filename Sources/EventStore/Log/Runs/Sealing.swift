// Sealing: the first block becomes a run of level 0, and the tables that fold the log take over what it holds. A few
// records with each commit, so that no commit waits for it.
//
// Records are copied as they are, chunk by chunk, by stream and version; with the last record of a stream, its entries in
// the index tables are written. Then whose event is where, then the ids. How far it is stands in the catalog, so that it
// goes on after a crash, or in another process, where it was; the log is read from the block until all of it is done.
internal import Bytes
internal import LMDB
internal import Synchronization

/// What a process has at hand of the sealing under way. What counts is the progress in the catalog.
struct Sealing {
  private let generation: TailGeneration
  private let run: Run
  private let streams: [StreamNumber]
  /// Where the next record is: the index of its stream, and in that stream's events.
  private var next = (stream: 0, event: 0)
  private var progress: RunProgress
  /// Whose events the block holds, and its ids by piece; made when they are asked for.
  private var order: [StreamNumber] = []
  private var identities: [[UInt64]] = []

  /// Goes on with the first block where that has ended, for about `credit` events.
  ///
  /// - Parameter known: What this process had at hand before, if anything.
  /// - Returns: What it has at hand now; `nil` where the block is a run, or there is nothing to seal.
  @discardableResult
  static func step(
    _ known: Sealing? = nil, credit: inout Int, _ context: inout WriterContext
  ) throws(StorageError) -> Sealing? {
    guard let last = context.catalog.lastOfFirstBlock else { return nil }
    let run = context.catalog.runOfFirstBlock(through: last)
    let progress = context.catalog.sealing ?? RunProgress()
    var sealing: Sealing
    // Another generation where something was erased since: this one still has the names.
    if let known, known.run == run, known.progress == progress, known.generation === context.firstGeneration {
      sealing = known
    } else {
      sealing = Sealing(context.firstGeneration, run, at: progress)
    }
    return try sealing.step(credit: &credit, &context) ? nil : sealing
  }

  private init(_ generation: TailGeneration, _ run: Run, at progress: RunProgress) {
    self.generation = generation
    self.run = run
    self.progress = progress
    streams = generation.contents.withLock { contents in contents.streams.keys.sorted() }
    guard !progress.hasAllRecords, progress.stream > 0 else { return }
    next.stream = streams.firstIndex { $0 >= progress.stream } ?? streams.count
    if next.stream < streams.count, streams[next.stream] == progress.stream {
      let (first, count) = generation.with(progress.stream) { ($0.first, $0.events.count) } ?? (1, 0)
      next.event = Int(progress.version.number + 1 - first.number)
      if next.event == count { next = (next.stream + 1, 0) }
    }
  }

  /// Does the work of about `credit` events.
  ///
  /// - Returns: Whether the block is a run now.
  private mutating func step(credit: inout Int, _ context: inout WriterContext) throws(StorageError) -> Bool {
    let index = context.index
    let table = index.catalog.table(ofBlock: 0, context.tables)
    if !progress.hasAllRecords {
      do throws(StorageError) {
        try copyRecords(credit: &credit, from: table, index, &context.transaction)
      } catch {
        // What is copied is copied, also where a damaged record keeps it from going on.
        if case .corrupt = error { try context.changeCatalog { $0.sealing = progress } }
        throw error
      }
    }
    while progress.hasAllRecords, credit > 0 {
      if progress.pieces >= StreamOrder.pieceCount(run.count) + RunIdentities.pieceCount(run) {
        try context.finishSealing(run)
        return true
      }
      credit -= 1 + (try makePiece(&context)) / 4
      progress.pieces += 1
    }
    try context.changeCatalog { $0.sealing = progress }
    return false
  }

  /// Copies records, as many as fill chunks: no chunk is left half filled.
  private mutating func copyRecords(
    credit: inout Int, from table: Table, _ index: StreamIndex, _ transaction: inout WriteTransaction
  ) throws(StorageError) {
    var chunk = ChunkBuilder()
    // The streams whose last record is in the chunk.
    var complete: [StreamNumber] = []
    var last = (stream: progress.stream, version: progress.version)
    while next.stream < streams.count {
      let stream = streams[next.stream]
      let (first, events) = generation.with(stream) { ($0.first, $0.events) } ?? (1, [])
      while next.event < events.count {
        let position = LogPosition(events[next.event].position)
        let isAdded: Bool
        do {
          guard let bytes = try transaction.fetch(BigEndianKey(position.number), from: table) else {
            throw .corrupt(reason: "the record is missing", position: position)
          }
          let entry = RunEntry(bytes, at: position)
          let link = entry.link
          guard link.stream == stream, link.version.number == first.number + UInt64(next.event) else {
            throw .corrupt(reason: "the record is not what it was", position: position)
          }
          isAdded = chunk.add(entry, to: run, isFirst: next.event == 0)
        }
        if !isAdded {
          try flush(&chunk, &complete, last, index, &transaction)
          if credit <= 0 { return }
          continue
        }
        last = (stream, StreamVersion(first.number + UInt64(next.event)))
        next.event += 1
        credit -= 1
      }
      complete.append(stream)
      next = (next.stream + 1, 0)
    }
    try flush(&chunk, &complete, last, index, &transaction)
    progress = RunProgress(stream: .max)
  }

  private mutating func flush(
    _ chunk: inout ChunkBuilder, _ complete: inout [StreamNumber],
    _ last: (stream: StreamNumber, version: StreamVersion),
    _ index: StreamIndex, _ transaction: inout WriteTransaction
  ) throws(StorageError) {
    for stream in complete { try index.fold(stream, of: generation, &transaction) }
    complete.removeAll(keepingCapacity: true)
    if !chunk.isEmpty { try chunk.flush(to: run, &transaction, index.tables) }
    progress = RunProgress(stream: last.stream, version: last.version)
  }

  /// - Returns: How many events it is about.
  private mutating func makePiece(_ context: inout WriterContext) throws(StorageError) -> Int {
    let orderCount = StreamOrder.pieceCount(run.count)
    let tables = context.tables
    if progress.pieces < orderCount {
      if order.isEmpty { order = generation.contents.withLock { $0.order(of: run) } }
      let start = Int(progress.pieces) * StreamOrder.piece
      let part = order[start..<min(order.count, start + StreamOrder.piece)]
      try StreamOrder.append(part, at: run.first.forward(UInt64(start)), &context.transaction, tables)
      return part.count
    } else {
      order = []
      if identities.isEmpty { identities = generation.contents.withLock { $0.identities(of: run) } }
      let piece = progress.pieces - orderCount
      let entries = identities[Int(piece)].sorted()
      try RunIdentities.store(entries, piece: piece, of: run, &context.transaction, tables)
      return entries.count
    }
  }
}

extension TailGeneration.Contents {
  /// Whose event is at each position of a run.
  func order(of run: Run) -> [StreamNumber] {
    var order = [StreamNumber](repeating: 0, count: Int(run.count))
    for (number, stream) in streams {
      for event in stream.events { order[Int(event.position - run.first.number)] = number }
    }
    return order
  }

  /// The ids and session names of a run, by piece, in no order.
  func identities(of run: Run) -> [[UInt64]] {
    var pieces = [[UInt64]](repeating: [], count: Int(RunIdentities.pieceCount(run)))
    for index in pieces.indices { pieces[index].reserveCapacity(Int(run.count) / pieces.count * 9 / 8) }
    for stream in streams.values {
      for event in stream.events where event.idHash != IdentityHash.none {
        pieces[Int(RunIdentities.piece(of: event.idHash, in: run))].append(
          RunIdentities.entry(event.idHash, at: LogPosition(event.position), in: run))
      }
      for session in stream.sessions {
        guard let position = stream.position(of: session.version) else { continue }
        pieces[Int(RunIdentities.piece(of: session.hash, in: run))].append(
          RunIdentities.entry(session.hash, at: position, in: run))
      }
    }
    return pieces
  }
}
