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
  let generations: [TailGeneration]
  var bound: LogPosition

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

  /// The name of a stream.
  func name(
    of stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamName {
    if let head = try storedHead(of: stream, in: transaction) { return head.name }
    for generation in generations.reversed() {
      let found = generation.contents.withLock { contents in
        contents.newStreams[stream]
      }
      if let found { return found }
    }
    throw .damagedIndex("heads")
  }

  // MARK: Places

  /// The last event of a stream.
  func head(
    of stream: StreamNumber, in transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamPlace? {
    for generation in generations.reversed() {
      if let position = generation.contents.withLock({ $0.damaged.isEmpty ? nil : $0.damaged[stream] }),
        position <= bound
      {
        throw .corrupt(reason: "the record cannot be used", position: position)
      }
      let place = generation.with(stream) { tail -> StreamPlace? in
        guard let version = tail.last(atOrBefore: bound), let position = tail.position(of: version) else {
          return nil
        }
        return StreamPlace(version: version, position: position)
      }
      if let place { return place }
    }
    guard let head = try storedHead(of: stream, in: transaction) else { return nil }
    return StreamPlace(version: head.version, position: head.position)
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

  /// The positions of versions `range` of a stream, which exist, in ascending order.
  ///
  /// - Complexity: O(`range.count`) + at most ``Anchor/interval`` steps back to its end.
  func positions(
    of range: ClosedRange<StreamVersion>, in stream: StreamNumber,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> [LogPosition] {
    var positions: [LogPosition] = []
    positions.reserveCapacity(Int(range.upperBound.number - range.lowerBound.number) + 1)
    // From the end to the start: what the tail knows at once, the rest along the records' own links.
    var place = try nearestPlace(atOrAfter: range.upperBound, in: stream, transaction)
    let tailBegins = firstInTail(of: stream)
    while place.version >= range.lowerBound {
      if place.version <= range.upperBound { positions.append(place.position) }
      if place.version == range.lowerBound { break }
      let version = StreamVersion(place.version.number - 1)
      if let tailBegins, version >= tailBegins, let position = tailPosition(of: version, in: stream) {
        place = StreamPlace(version: version, position: position)
      } else {
        let previous = try link(at: place, of: stream, transaction)
        place = StreamPlace(version: version, position: previous)
      }
    }
    positions.reverse()
    return positions
  }

  /// The position of a version of a stream, which exists.
  func position(
    of version: StreamVersion, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> LogPosition {
    if let position = tailPosition(of: version, in: stream) { return position }
    guard let position = try positions(of: version...version, in: stream, transaction).first else {
      throw .damagedIndex("anchors")
    }
    return position
  }

  /// Reads the records of versions `range` of a stream, which exist, in ascending order.
  ///
  /// Going back along the links finds each record once; going forward looks at it where it was found.
  /// - Complexity: As ``positions(of:in:_:)``; `range` should not span more than ``Anchor/interval``.
  func forEachRecord(
    of range: ClosedRange<StreamVersion>, in stream: StreamNumber, _ view: borrowing LogView,
    _ body: (borrowing RecordView) throws(StorageError) -> Void
  ) throws(StorageError) {
    var found: [(position: LogPosition, reference: ValueReference?)] = []
    found.reserveCapacity(Int(range.upperBound.number - range.lowerBound.number) + 1)
    var place = try nearestPlace(atOrAfter: range.upperBound, in: stream, view.transaction)
    let tailBegins = firstInTail(of: stream)
    while true {
      let version = StreamVersion(place.version.number - 1)
      if let tailBegins, version >= tailBegins, let position = tailPosition(of: version, in: stream) {
        if place.version <= range.upperBound { found.append((place.position, nil)) }
        if place.version == range.lowerBound { break }
        place = StreamPlace(version: version, position: position)
      } else {
        let (reference, previous) = try link(at: place, of: stream, view)
        if place.version <= range.upperBound { found.append((place.position, reference)) }
        if place.version == range.lowerBound { break }
        place = StreamPlace(version: version, position: previous)
      }
    }
    var version = range.lowerBound
    for (position, reference) in found.reversed() {
      if let reference {
        try visit(try view.record(at: reference, position), version, of: stream, body)
      } else {
        try visit(try view.record(at: position), version, of: stream, body)
      }
      version = version.next
    }
  }

  @inline(__always)
  private func visit(
    _ record: borrowing RecordView, _ version: StreamVersion, of stream: StreamNumber,
    _ body: (borrowing RecordView) throws(StorageError) -> Void
  ) throws(StorageError) {
    guard record.stream == stream, record.version == version else {
      throw .corrupt(reason: "the record is not version \(version) of its stream", position: record.position)
    }
    try body(record)
  }

  /// Where the record at `place` lies, and the position of its stream's event before it.
  private func link(
    at place: StreamPlace, of stream: StreamNumber, _ view: borrowing LogView
  ) throws(StorageError) -> (reference: ValueReference, previous: LogPosition) {
    guard let reference = try view.find(place.position) else {
      throw .corrupt(reason: "the record is missing", position: place.position)
    }
    guard let link = try? RecordLink(view.transaction.value(at: reference), at: place.position),
      link.stream == stream, link.version == place.version, link.previous > 0 || place.version == 1
    else {
      throw .corrupt(
        reason: "the record is not version \(place.version) of its stream", position: place.position)
    }
    return (reference, link.previous)
  }

  private func firstInTail(of stream: StreamNumber) -> StreamVersion? {
    for generation in generations {
      if let first = generation.with(stream, { $0.first }) { return first }
    }
    return nil
  }

  func tailPosition(of version: StreamVersion, in stream: StreamNumber) -> LogPosition? {
    for generation in generations.reversed() {
      if let position = generation.with(stream, { $0.position(of: version) }), position <= bound {
        return position
      }
    }
    return nil
  }

  private func nearestPlace(
    atOrAfter version: StreamVersion, in stream: StreamNumber,
    _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamPlace {
    if let position = tailPosition(of: version, in: stream) {
      return StreamPlace(version: version, position: position)
    }
    let above = StreamVersion((version.number + Anchor.interval - 1) / Anchor.interval * Anchor.interval)
    if let anchor = try anchor(of: above, in: stream, transaction), anchor.position <= bound {
      return StreamPlace(version: above, position: anchor.position)
    }
    // No anchor above it yet, so the tables' last event of the stream is within reach, or the tail's first is.
    var nearest: StreamPlace?
    if let head = try storedHead(of: stream, in: transaction), head.version >= version {
      nearest = StreamPlace(version: head.version, position: head.position)
    }
    for generation in generations {
      let before = generation.with(stream) { tail -> StreamPlace? in
        tail.first.number > 1
          ? StreamPlace(version: StreamVersion(tail.first.number - 1), position: tail.previous) : nil
      }
      if let before, before.version >= version, before.version < (nearest?.version ?? StreamVersion(.max)) {
        nearest = before
      }
    }
    guard let nearest else { throw .damagedIndex("heads") }
    return nearest
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

  /// The position of the event before the one at `place`. The record's checksum is left to whoever reads the event.
  private func link(
    at place: StreamPlace, of stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> LogPosition {
    guard let value = try transaction.fetch(Key.position(place.position), from: tables.log),
      let link = try? RecordLink(value, at: place.position), link.stream == stream,
      link.version == place.version, link.previous > 0
    else {
      throw .corrupt(
        reason: "the record is not version \(place.version) of its stream", position: place.position)
    }
    return link.previous
  }

  // MARK: Identities

  /// The versions of a stream whose event id or session name may be the one with this hash.
  func candidates(
    ofHash hash: UInt64, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> [StreamVersion] {
    var versions: [StreamVersion] = []
    for generation in generations {
      generation.contents.withLock { contents in
        guard let index = contents.streams.index(forKey: stream) else { return }
        let (found, bound) = (
          contents.streams.values[index].versions(ofHash: hash),
          contents.streams.values[index].last(atOrBefore: bound) ?? 0
        )
        versions += found.filter { $0 <= bound }
      }
    }
    if let value = try transaction.fetch(Key.stream(stream, hash), from: tables.ids) {
      let stored = try decoding("ids") { () throws(DamagedBytes) in try VersionList.decode(value) }
      for version in stored where !versions.contains(version) { versions.append(version) }
    }
    return versions
  }

  /// The place of the event with this id.
  func place(
    of id: EventID, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamPlace? {
    let hash = IdentityHash.event(id, seed: hashSeed)
    for version in try candidates(ofHash: hash, in: stream, transaction) {
      let position = try position(of: version, in: stream, transaction)
      let record = try transaction.record(at: position, in: tables)
      if record.id == id, record.stream == stream { return StreamPlace(version: version, position: position) }
    }
    return nil
  }

  /// The number of a session; `nil` where no event has named it.
  func session(
    _ name: SessionID, in stream: StreamNumber, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(StorageError) -> StreamVersion? {
    let hash = IdentityHash.session(name, seed: hashSeed)
    for version in try candidates(ofHash: hash, in: stream, transaction) {
      if try session(version, in: stream, transaction)?.name == name { return version }
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

extension Transaction where Self: ~Copyable {
  /// The record at a position, checked.
  @_lifetime(borrow self)
  func record(at position: LogPosition, in tables: Tables) throws(StorageError) -> RecordView {
    let key = BigEndianKey(position.number)
    guard let value = try fetch(key, from: tables.log) else {
      throw .corrupt(reason: "the record is missing", position: position)
    }
    do throws(RecordProblem) {
      return try RecordView(value, at: position)
    } catch {
      throw StorageError(error, at: position)
    }
  }
}
