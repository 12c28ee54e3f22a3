// The door to what was made of events: storing it beside the appends, reading it, dropping it.
internal import Bytes
internal import LMDB
internal import Sodium
internal import Synchronization

/// What was made of one event.
package struct DerivedEntry: Sendable {
  /// Whose event it was.
  package var stream: StreamName
  /// Its version.
  package var version: StreamVersion
  /// What was made of it.
  package var bytes: [UInt8]

  /// An entry.
  package init(of version: StreamVersion, in stream: StreamName, bytes: [UInt8]) {
    self.stream = stream
    self.version = version
    self.bytes = bytes
  }
}

/// Stores entries, unless a payload was removed since the events were read: it might be one of theirs.
private final class StoreDerived: WriterWork {
  let entries: [DerivedEntry]
  let kind: DerivedKind
  let redactions: UInt64
  let isStored = Atomic<Bool>(false)

  init(_ entries: [DerivedEntry], _ kind: DerivedKind, redactions: UInt64) {
    self.entries = entries
    self.kind = kind
    self.redactions = redactions
  }

  func run(in context: inout WriterContext) throws(StorageError) {
    guard let table = context.tables.derived,
      try Redactions.read(in: context.transaction, context.tables).count == redactions
    else { return }
    for entry in entries {
      guard let stream = try context.index.stream(entry.stream, in: context.transaction),
        let head = try context.index.head(of: stream, in: context.transaction), 1...head.version ~= entry.version
      else { continue }
      let key = DerivedTable.Place(kind.key, stream, entry.version).key
      let sealed = try context.index.sealing(of: stream, context.transaction)
        .map { StoreCipher.seal(entry.bytes.rawSpan, at: key.rawSpan, in: DerivedTable.name, with: $0) }
      try context.transaction.storeIndexed(sealed ?? entry.bytes, at: key, in: table)
      context.hasWritten = true
    }
    isStored.store(true, ordering: .releasing)
  }
}

/// Drops entries of a kind: all of them, or those of a stream from a version on.
private struct DropDerived: WriterWork {
  let kind: DerivedKind
  let tail: (stream: StreamName, first: StreamVersion)?

  func run(in context: inout WriterContext) throws(StorageError) {
    guard let table = context.tables.derived else { return }
    var start = DerivedTable.Place(kind.key, 0, 0)
    if let tail {
      guard let stream = try context.index.stream(tail.stream, in: context.transaction) else { return }
      start = DerivedTable.Place(kind.key, stream, tail.first)
    }
    do throws(LMDBError) {
      let removed = try context.transaction.sweep(table, from: start.key.rawSpan) { entry in
        guard let place = DerivedTable.Place(entry.key), place.kind == kind.key,
          tail == nil || place.stream == start.stream
        else { return .stop }
        return .remove
      }
      if removed > 0 { context.hasWritten = true }
    } catch {
      throw StorageError(error)
    }
  }
}

extension EventLog {
  /// How many payloads were ever removed: to be read before the events that something is made of.
  package func redactionCount() throws(StorageError) -> UInt64 { try view().redactions }

  /// Stores what was made of events, all of it or nothing, in a commit of its own.
  ///
  /// - Parameter redactions: What ``redactionCount()`` said before the events were read.
  /// - Returns: Whether it was stored; not so where a payload was removed since, or the store keeps nothing derived.
  package func storeDerived(
    _ entries: [DerivedEntry], as kind: DerivedKind, redactions: UInt64
  ) async throws(StorageError) -> Bool {
    let work = StoreDerived(entries, kind, redactions: redactions)
    try await performed(work)
    return work.isStored.load(ordering: .acquiring)
  }

  /// The highest version of a stream that there is an entry of; 0 where there is none.
  package func lastDerived(_ kind: DerivedKind, of name: StreamName) throws(StorageError) -> StreamVersion {
    let view = try view()
    guard let table = tables.derived, let stream = try view.stream(name) else { return 0 }
    var cursor = try view.transaction.scan(table)
    guard let entry = try cursor.to(atOrBefore: DerivedTable.Place(kind.key, stream, StreamVersion(.max)).key),
      let place = DerivedTable.Place(entry.key), place.kind == kind.key, place.stream == stream
    else { return 0 }
    return place.version
  }

  /// Lends the entries of a stream to `body`, by version.
  ///
  /// - Parameter after: Begins behind this version.
  /// - Returns: How many payloads had been removed by then, and the first version whose entry is damaged, where one is:
  ///   it and what follows was not lent.
  package func forEachDerived(
    _ kind: DerivedKind, of name: StreamName, after: StreamVersion = 0,
    _ body: (StreamVersion, RawSpan) throws(DamagedBytes) -> Void
  ) throws(StorageError) -> (redactions: UInt64, damaged: StreamVersion?) {
    let view = try view()
    guard let table = tables.derived, let stream = try view.stream(name) else { return (view.redactions, nil) }
    var cursor = try view.transaction.scan(table)
    var entry = try cursor.to(atOrAfter: DerivedTable.Place(kind.key, stream, after.next).key)
    let sealing = entry == nil ? nil : try view.index.sealing(of: stream, view.transaction)
    while let current = entry {
      guard let place = DerivedTable.Place(current.key), place.kind == kind.key, place.stream == stream else { break }
      do throws(DamagedBytes) {
        try DerivedTable.withValue(current, sealing) { value throws(DamagedBytes) in try body(place.version, value) }
      } catch {
        return (view.redactions, place.version)
      }
      entry = try cursor.toNext()
    }
    return (view.redactions, nil)
  }

  /// Drops what was made of a stream's events from a version on.
  package func dropDerived(
    _ kind: DerivedKind, of stream: StreamName, from version: StreamVersion
  ) async throws(StorageError) {
    try await performed(DropDerived(kind: kind, tail: (stream, version)))
  }

  /// Drops all of a kind.
  package func dropDerived(_ kind: DerivedKind) async throws(StorageError) {
    try await performed(DropDerived(kind: kind, tail: nil))
  }
}
