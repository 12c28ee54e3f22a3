// Finding a stream's events: the tail first, then the tables that fold the log. Used by readers and by the writer.
internal import Bytes
internal import LMDB
internal import Synchronization

/// A place in a stream, and where it is in the log.
struct StreamPlace: Equatable {
  var version: StreamVersion
  var position: LogPosition
}

/// Look-ups as of one transaction. `bound` is the last position it sees.
struct StreamIndex {
  let tables: Tables
  let hashSeed: UInt64
  /// Oldest first.
  var generations: [TailGeneration]
  var bound: LogPosition
  var catalog: RunCatalog

  // MARK: Names

  /// The number of a stream; `nil` where there is none yet.
  ///
  /// - Throws: ``StorageError`` where the table of names is damaged: also beside the place where the name would be, since
  ///   a name that was changed is not found, and another stream would begin under it.
  func stream(
    _ name: StreamName, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamNumber? {
    if let value = try transaction.fetchIndexed(Key.name(name), from: tables.names, named: "names") {
      return try decoding("names") { () throws(DamagedBytes) in try Key.stream(of: value) }
    }
    for generation in generations.reversed() {
      if let stream = generation.contents.withLock({ $0.names[name] }) {
        // Another reader may have folded in a stream that this transaction does not see.
        if try head(of: stream, in: transaction) != nil { return stream }
      }
    }
    if let stream = try stream(named: name, before: transaction) { return stream }
    try refuseUnnamed()
    var cursor = try transaction.scan(tables.names)
    for isAfter in [true, false] {
      let neighbour = isAfter ? try cursor.to(atOrAfter: Key.name(name)) : try cursor.to(atOrBefore: Key.name(name))
      guard let neighbour else { continue }
      _ = try decoding("names") { () throws(DamagedBytes) in
        try IndexValue.open(neighbour.value, at: neighbour.key).byteCount
      }
    }
    return nil
  }

  /// Refuses to tell who there is, and who is not, where a stream has lost its name.
  func refuseUnnamed() throws(StorageError) {
    for generation in generations {
      guard let position = generation.contents.withLock({ $0.unnamed }), position <= bound else { continue }
      throw .corrupt(reason: "somebody's first event cannot be used, so nobody can tell who it is", position: position)
    }
  }

  /// The number of a stream that was named so before it was erased.
  private func stream(
    named name: StreamName, before transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamNumber? {
    guard catalog.erasures > 0, let key = try NameKey.read(in: transaction, tables) else { return nil }
    let hash = key.hash(of: name)
    if let value = try transaction.fetchIndexed(Key.erasedName(hash), from: tables.names, named: "names") {
      return try decoding("names") { () throws(DamagedBytes) in try Key.stream(of: value) }
    }
    for generation in generations.reversed() {
      if let stream = generation.contents.withLock({ $0.erasedNames[hash] }),
        try head(of: stream, in: transaction) != nil
      {
        return stream
      }
    }
    return nil
  }

  /// The name of a stream; one without a user where that was erased.
  func name(
    of stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamName {
    if let epoch = latestEpoch(of: stream, atOrBefore: StreamVersion(.max)) { return epoch.name }
    if let head = try storedHead(of: stream, in: transaction) { return head.name }
    for generation in generations.reversed() {
      let found = generation.contents.withLock { contents in
        contents.newStreams[stream]
      }
      if let found { return found }
    }
    // Where the first event is damaged, that is why.
    _ = try head(of: stream, in: transaction)
    throw .damagedIndex("heads")
  }

  // MARK: Epochs

  /// The epoch of a stream at a version, where it is one that begins behind an erasure, or whose name was erased, and the
  /// tail knows of it.
  private func latestEpoch(
    of stream: StreamNumber, atOrBefore version: StreamVersion
  ) -> TailGeneration.Epoch? {
    guard catalog.erasures > 0 else { return nil }
    for generation in generations.reversed() {
      let found = generation.contents.withLock { contents in
        contents.epochs[stream]?.last { $0.version <= version && $0.position <= bound }
      }
      if let found { return found }
    }
    return nil
  }

  /// The epoch of a stream at a version that is not before the one of its stored head, with its keys.
  func epoch(
    of stream: StreamNumber, at version: StreamVersion = StreamVersion(.max),
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamEpoch {
    try unlocked(storedEpoch(of: stream, at: version, transaction), of: stream, transaction)
  }

  /// The same as the log has it.
  func storedEpoch(
    of stream: StreamNumber, at version: StreamVersion = StreamVersion(.max),
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamEpoch {
    let first: StreamVersion
    if let known = latestEpoch(of: stream, atOrBefore: version) {
      first = known.version
    } else if let head = try storedHead(of: stream, in: transaction) {
      return head.epoch
    } else {
      first = 1
    }
    let record = try record(of: first, in: stream, transaction)
    guard let epoch = try? record.epoch() else {
      throw .corrupt(reason: "the record that names its stream has no name and secret", position: record.position)
    }
    return epoch
  }

  // MARK: Places

  /// The last event of a stream.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where a record of the stream is damaged.
  func head(
    of stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamPlace? {
    for generation in generations.reversed() {
      try refuseDamaged(stream, in: generation)
      if let place = lastPlace(of: stream, in: generation) { return place }
    }
    guard let head = try storedHead(of: stream, in: transaction) else { return nil }
    if let position = head.damaged { throw .corrupt(reason: "the record cannot be used", position: position) }
    return StreamPlace(version: head.version, position: head.position)
  }

  /// Refuses a stream with a damaged record that the index knows of, also where it goes on in a later block: nobody can
  /// tell what the record says, its id among it.
  func refuseDamaged(
    _ stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) {
    for generation in generations { try refuseDamaged(stream, in: generation) }
    if let position = try storedHead(of: stream, in: transaction)?.damaged {
      throw .corrupt(reason: "the record cannot be used", position: position)
    }
  }

  private func refuseDamaged(_ stream: StreamNumber, in generation: TailGeneration) throws(StorageError) {
    if let position = generation.contents.withLock({ $0.damaged.isEmpty ? nil : $0.damaged[stream] }),
      position <= bound
    {
      throw .corrupt(reason: "the record cannot be used", position: position)
    }
  }

  /// The last event of a stream, whether its records are whole or not.
  func lastPlace(
    of stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamPlace? {
    for generation in generations.reversed() {
      if let place = lastPlace(of: stream, in: generation) { return place }
    }
    guard let head = try storedHead(of: stream, in: transaction) else { return nil }
    return StreamPlace(version: head.version, position: head.position)
  }

  private func lastPlace(of stream: StreamNumber, in generation: TailGeneration) -> StreamPlace? {
    generation.with(stream) { tail in
      guard let version = tail.last(atOrBefore: bound), let position = tail.position(of: version) else { return nil }
      return StreamPlace(version: version, position: position)
    }
  }

  /// What `heads` says of a stream. The tail may know of later events.
  func storedHead(
    of stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamHead? {
    guard let value = try transaction.fetchIndexed(Key.stream(stream), from: tables.heads, named: "heads") else {
      return nil
    }
    return try decoding("heads") { () throws(DamagedBytes) in try StreamHead(decoding: value) }
  }

  /// Reads the records of versions `range` of a stream, which exist, in ascending order.
  ///
  /// - Complexity: O(`range.count`), and a search in each run where the stream has any of them.
  func forEachRecord(
    of range: ClosedRange<StreamVersion>, in stream: StreamNumber,
    _ transaction: borrowing some Transaction & ~Copyable,
    _ body: (borrowing RecordView) throws(StorageError) -> Void
  ) throws(StorageError) {
    try scanRecords(
      of: range, in: stream, transaction,
      while: { record throws(StorageError) in
        try body(record)
        return true
      })
  }

  /// The same, until `body` says `false`.
  func scanRecords(
    of range: ClosedRange<StreamVersion>, in stream: StreamNumber,
    _ transaction: borrowing some Transaction & ~Copyable,
    while body: (borrowing RecordView) throws(StorageError) -> Bool
  ) throws(StorageError) {
    let firstInTail = firstInTail(of: stream)
    var version = range.lowerBound
    if version < firstInTail?.version ?? StreamVersion(.max) {
      let last = firstInTail.map { min(range.upperBound, StreamVersion($0.version.number - 1)) } ?? range.upperBound
      let run = try runIndex(atOrAfter: last, of: stream, firstInTail, transaction)
      let isAtEnd = try forEachSealed(of: version...last, in: stream, upToRun: run, transaction) {
        (entry, version) throws(StorageError) in
        let record = try entry.checked()
        guard record.stream == stream, record.version == version else { throw missing(version, of: stream) }
        return try body(record)
      }
      if !isAtEnd || last == range.upperBound { return }
      version = last.next
    }
    while true {
      guard let position = tailPosition(of: version, in: stream) else { throw missing(version, of: stream) }
      let record = try blockRecord(at: position, transaction)
      guard record.stream == stream, record.version == version else {
        throw .corrupt(reason: "the record is not version \(version) of its stream", position: position)
      }
      guard try body(record), version < range.upperBound else { return }
      version = version.next
    }
  }

  /// The record of a version of a stream, which exists.
  @_lifetime(borrow transaction)
  func record(
    of version: StreamVersion, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RecordView {
    if let position = tailPosition(of: version, in: stream) {
      let record = try blockRecord(at: position, transaction)
      guard record.stream == stream, record.version == version else { throw missing(version, of: stream) }
      return record
    }
    // Mostly in the first run looked at: its index comes from a position close by.
    var index: Int? = try runIndex(atOrAfter: version, of: stream, firstInTail(of: stream), transaction)
    while let current = index {
      var cursor = try transaction.scan(catalog.place(of: stream, inRun: current), tables)
      if let entry = try cursor.seek(stream, version), entry.link.stream == stream, entry.link.version == version {
        let record = try entry.checked()
        guard record.stream == stream, record.version == version else { throw missing(version, of: stream) }
        return record
      }
      index = catalog.previous(to: current, of: stream)
    }
    throw missing(version, of: stream)
  }

  /// The record of a stream at a position.
  @_lifetime(borrow transaction)
  func record(
    at position: LogPosition, of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RecordView {
    if position > catalog.end { return try blockRecord(at: position, transaction) }
    guard let entry = try sealedEntry(at: position, of: stream, transaction) else {
      throw .corrupt(reason: "the record is missing", position: position)
    }
    return try entry.checked()
  }

  /// The record at a position.
  @_lifetime(borrow transaction)
  func record(
    at position: LogPosition, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RecordView {
    if position > catalog.end { return try blockRecord(at: position, transaction) }
    // The order can be made anew: its damage keeps nobody from reading and writing until it is.
    if let stream = try? self.stream(at: position, transaction),
      let entry = try sealedEntry(at: position, of: stream, transaction)
    {
      return try entry.checked()
    }
    return try searchedRecord(at: position, transaction)
  }

  /// The record at a position that a run holds, wherever in the run it is.
  ///
  /// - Complexity: O(events of the run).
  @_lifetime(borrow transaction)
  private func searchedRecord(
    at position: LogPosition, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RecordView {
    if let index = catalog.index(of: position) {
      for run in catalog.copies(of: catalog.runs[index].first) {
        var cursor = try transaction.scan(run, tables)
        var entry = try cursor.seek(0, 0)
        while let found = entry {
          if found.position == position { return try found.checked() }
          entry = try cursor.next()
        }
      }
    }
    throw .corrupt(reason: "the record is missing", position: position)
  }

  @_lifetime(borrow transaction)
  private func blockRecord(
    at position: LogPosition, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> RecordView {
    guard let table = catalog.table(of: position, tables),
      let value = try transaction.fetch(BigEndianKey(position.number), from: table)
    else {
      throw .corrupt(reason: "the record is missing", position: position)
    }
    return try RecordView.stored(value, at: position)
  }

  /// The first event of a stream that no run holds, and the position of the one before it.
  private func firstInTail(of stream: StreamNumber) -> (version: StreamVersion, previous: LogPosition)? {
    for generation in generations {
      if let first = generation.with(stream, { ($0.first, $0.previous) }) { return first }
    }
    return nil
  }

  /// The index of the run with a version of a stream that runs hold, or of a later one.
  private func runIndex(
    atOrAfter version: StreamVersion, of stream: StreamNumber,
    _ firstInTail: (version: StreamVersion, previous: LogPosition)?,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Int {
    var position: LogPosition?
    if let firstInTail, firstInTail.version == version.next {
      position = firstInTail.previous
    } else {
      // The tables may be further than the runs: streams are folded while their block is sealed.
      let above = StreamVersion((version.number + Anchor.interval - 1) / Anchor.interval * Anchor.interval)
      if let anchor = try anchor(of: above, in: stream, transaction) {
        position = anchor.position
      } else if let head = try storedHead(of: stream, in: transaction), head.version >= version {
        position = head.position
      }
    }
    guard let position, !catalog.runs.isEmpty else { throw .damagedIndex("heads") }
    return catalog.index(of: position) ?? catalog.runs.count - 1
  }

  func tailPosition(of version: StreamVersion, in stream: StreamNumber) -> LogPosition? {
    for generation in generations.reversed() {
      if let position = generation.with(stream, { $0.position(of: version) }), position <= bound {
        return position
      }
    }
    return nil
  }

  func anchor(
    of version: StreamVersion, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Anchor? {
    guard
      let value = try transaction.fetchIndexed(
        Key.stream(stream, version.number), from: tables.anchors, named: "anchors")
    else {
      return nil
    }
    return try decoding("anchors") { () throws(DamagedBytes) in try Anchor(decoding: value) }
  }

  // MARK: Identities

  /// The events of a stream that may have the id, or may be the first of the session, with this hash.
  func candidates(
    ofHash hash: UInt64, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable,
    unlessExcludedBy filters: borrowing RunFilters = RunFilters()
  ) throws(StorageError) -> [StreamPlace] {
    var places: [StreamPlace] = []
    for generation in generations {
      _ = generation.with(stream, ofIdentity: hash) { tail -> Void? in
        for version in tail.versions(ofHash: hash) {
          if let position = tail.position(of: version), position <= bound {
            places.append(StreamPlace(version: version, position: position))
          }
        }
        return nil
      }
    }
    // A stream that began in the blocks has nothing in runs.
    if firstInTail(of: stream)?.version == 1 { return places }
    for (number, run) in catalog.runs.enumerated() where filters.mayContain(hash, run, at: number) {
      try RunIdentities.positions(of: hash, in: run, transaction, tables) { position throws(StorageError) in
        guard let entry = try sealedEntry(at: position, of: stream, transaction) else {
          // Another stream's, seldom: hashes are long. Else the event would pass for one that was never appended.
          if try self.stream(at: position, transaction) != stream { return }
          throw .corrupt(reason: "the record is missing", position: position)
        }
        places.append(StreamPlace(version: entry.link.version, position: position))
      }
    }
    return places
  }

  /// The place of the event with this id; the last one, where it was erased and handed in again.
  func place(
    of id: EventID, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable,
    unlessExcludedBy filters: borrowing RunFilters = RunFilters()
  ) throws(StorageError) -> StreamPlace? {
    let hash = IdentityHash.event(id, of: stream, seed: hashSeed)
    var found: StreamPlace?
    for place in try candidates(ofHash: hash, in: stream, transaction, unlessExcludedBy: filters) {
      if let found, found.version >= place.version { continue }
      let record = try record(at: place.position, of: stream, transaction)
      if record.id == id, record.stream == stream { found = place }
    }
    return found
  }

  /// The number of a session; `nil` where no event has named it.
  func session(
    _ name: SessionID, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable,
    unlessExcludedBy filters: borrowing RunFilters = RunFilters()
  ) throws(StorageError) -> StreamVersion? {
    let hash = IdentityHash.session(name, of: stream, seed: hashSeed)
    for place in try candidates(ofHash: hash, in: stream, transaction, unlessExcludedBy: filters) {
      if try session(place.version, in: stream, transaction)?.name == name { return place.version }
    }
    return nil
  }

  /// The session that the event of `number` named first; `nil` where that event named none.
  func session(
    _ number: StreamVersion, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> SessionEntry? {
    for generation in generations.reversed() {
      let found = generation.with(stream) { tail in
        var low = 0
        var high = tail.sessions.count
        while low < high {
          let middle = (low + high) / 2
          if tail.sessions[middle].version < number { low = middle + 1 } else { high = middle }
        }
        return low < tail.sessions.count && tail.sessions[low].version == number
          ? tail.sessions[low].entry : nil
      }
      if let found { return found }
    }
    guard
      let value = try transaction.fetchIndexed(
        Key.stream(stream, number.number), from: tables.sessions, named: "sessions")
    else {
      return nil
    }
    return try decoding("sessions") { () throws(DamagedBytes) in try SessionEntry(decoding: value) }
  }

  // MARK: Late events

  /// When the earliest of a stream's late events occurred; `nil` where none is late.
  func firstLate(
    of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> Timestamp? {
    var first: Timestamp?
    for generation in generations {
      let found = generation.with(stream) { tail in
        tail.late.lazy.filter { $0.position <= bound }.map(\.occurredAt).min()
      }
      if let found { first = min(first ?? found, found) }
    }
    var cursor = try transaction.scan(tables.late)
    if let entry = try cursor.to(atOrAfter: Key.stream(stream)) {
      let (owner, occurredAt) = try decoding("late") { () throws(DamagedBytes) in
        var key = ByteReader(entry.key)
        return (
          try key.readUInt32().byteSwapped,
          Timestamp(clamping: Int64(clamping: try key.readUInt64().byteSwapped))
        )
      }
      if owner == stream { first = min(first ?? occurredAt, occurredAt) }
    }
    return first
  }

  /// The late events of a stream that occurred in a range of time, by occurred-at, then by version.
  func late(
    in range: ClosedRange<Timestamp>, of stream: StreamNumber,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> [(occurredAt: Timestamp, place: StreamPlace)] {
    var found: [StreamVersion: (occurredAt: Timestamp, place: StreamPlace)] = [:]
    for generation in generations {
      _ = generation.with(stream) { tail -> Void? in
        for event in tail.late where range.contains(event.occurredAt) && event.position <= bound {
          found[event.version] = (
            event.occurredAt, StreamPlace(version: event.version, position: event.position)
          )
        }
        return nil
      }
    }
    var cursor = try transaction.scan(tables.late)
    let start = Key.stream(stream, UInt64(range.lowerBound.microseconds), 0)
    var entry = try cursor.to(atOrAfter: start)
    while let current = entry {
      let row = try decoding("late") { () throws(DamagedBytes) in
        var key = ByteReader(current.key)
        var value = ByteReader(try IndexValue.open(current.value, at: current.key))
        let stream = try key.readUInt32().byteSwapped
        let occurred = Timestamp(clamping: Int64(clamping: try key.readUInt64().byteSwapped))
        let version = StreamVersion(try key.readUInt64().byteSwapped)
        return (
          stream, occurred, StreamPlace(version: version, position: LogPosition(try value.readVarint()))
        )
      }
      guard row.0 == stream, row.1 <= range.upperBound else { break }
      if row.2.position <= bound { found[row.2.version] = (row.1, row.2) }
      entry = try cursor.toNext()
    }
    return found.values.sorted { a, b in
      a.occurredAt == b.occurredAt ? a.place.version < b.place.version : a.occurredAt < b.occurredAt
    }
  }
}

extension RecordView {
  /// The record that is stored at a position, checked.
  @inline(__always) @_lifetime(copy bytes)
  static func stored(_ bytes: RawSpan, at position: LogPosition) throws(StorageError) -> RecordView {
    do throws(RecordProblem) { return try RecordView(bytes, at: position) } catch {
      throw StorageError(error, at: position)
    }
  }
}
