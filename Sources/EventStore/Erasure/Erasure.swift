// Erasing a person: one job of the writer, in one transaction, so that all of it is done or nothing.
//
// What the events of the stream said is replaced by its digests, in blocks and runs, where a block is being sealed and
// where runs are being merged: so the chains go on proving that the events were there, in that order. The names go too.
// Then a tombstone is appended, whatever was made of the events is dropped, and the store's records lose the person.
internal import Bytes
internal import JSON
internal import LMDB
internal import Sodium

/// What erasing came to.
struct ErasureOutcome: Sendable {
  /// `nil` for somebody nobody has heard of.
  var events: UInt64?
}

struct Erasure: WriterWork {
  let stream: StreamName
  let by: String
  let rules: ErasureRules
  /// Settled before the writer's turn: it reads no random number. The key for names counts where the store has none.
  let chances: Chances
  /// Signs what a tombstone says; gives nothing where the store does not sign.
  var sign: @Sendable ([UInt8]) -> [UInt8] = { _ in [] }
  /// What is to be done again, in a store that was restored from before it.
  let known: Tombstone?
  let outcome = WorkOutcome<ErasureOutcome>()

  struct Chances: Sendable {
    var nameKey: NameKey
    /// The tombstone's.
    var secret = Bytes32.random()
    var id: EventID
  }

  func run(in context: inout WriterContext) throws(StorageError) {
    // Another process has done it again meanwhile: who came back since is not to be erased.
    if let known, try known.isKept(context) { return outcome.set(.success(ErasureOutcome(events: 0))) }
    let found: (end: WriterStream, plan: Plan)?
    do throws(StorageError) { found = try look(&context) } catch .corrupt(let reason, let position) {
      // Nothing is written yet, and a damaged stream is nobody else's concern.
      return outcome.set(.failure(.corrupt(reason: reason, position: position)))
    }
    let key = try NameKey.read(in: context.transaction, context.tables) ?? chances.nameKey
    guard let (end, plan) = found, end.epoch.erased == nil else {
      // Of somebody without events, or erased before, there may be records all the same.
      let hadRecords = try eraseRecords(at: context.nextRecordedAt, &context)
      if let known { try known.keep(&context, key: key) }
      return outcome.set(.success(ErasureOutcome(events: found == nil && !hadRecords ? nil : 0)))
    }
    try key.store(in: &context.transaction, context.tables)
    let erased = StreamEpoch(
      name: StreamName(namelessIn: stream.namespace), secret: .zero,
      erased: ErasedName(hash: key.hash(of: stream), digest: end.epoch.digest))
    try plan.eraseEvents(from: end.epoch, leaving: erased, &context)
    try plan.eraseIndex(stream, leaving: erased, &context)
    if let secrets = context.tables.secrets { try context.transaction.remove(Key.stream(end.stream), from: secrets) }
    try SnapshotTable.removeAll(of: end.stream, &context.transaction, context.tables)
    try DerivedTable.removeAll(of: end.stream, &context.transaction, context.tables)
    context.eraseNames(of: end.stream, stream, leaving: erased)
    try context.changeCatalog { $0.erasures += 1 }
    try Redactions.add(.events(end.stream, plan.last.version), &context.transaction, context.tables)
    let tombstone = try append(to: end, erased: plan, hash: key.hash(of: stream), &context)
    try tombstone.keep(&context, key: key)
    for erasure in rules.records(stream) { try erasure.run(at: tombstone.erasedAt, &context) }
    outcome.set(.success(ErasureOutcome(events: plan.events)))
  }

  /// Erases the person from the store's records alone.
  ///
  /// - Returns: Whether there was anything.
  private func eraseRecords(at time: Timestamp, _ context: inout WriterContext) throws(StorageError) -> Bool {
    // A tombstone of somebody who is not here has no name to look for.
    if stream.isNameless { return false }
    var hadAny = false
    for erasure in rules.records(stream) {
      let keys = try erasure.run(at: time, &context)
      if keys.isEmpty { continue }
      hadAny = true
      try Redactions.add(.records(erasure.kind, keys), &context.transaction, context.tables)
    }
    if hadAny {
      context.hasWritten = true
      context.wantsScrub = true
    }
    return hadAny
  }

  /// Reads all that is to be erased, and so finds out whether it can be, before anything is changed.
  private func look(_ context: inout WriterContext) throws(StorageError) -> (end: WriterStream, plan: Plan)? {
    guard let number = try context.index.stream(stream, in: context.transaction),
      let head = try context.index.head(of: number, in: context.transaction),
      let end = try context.writerStream(HashedName(stream))
    else { return nil }
    var plan = Plan(stream: number, last: head)
    if end.epoch.erased != nil { return (end, plan) }
    let seed = context.settings.hashSeed
    try context.index.forEachRecord(of: 1...head.version, in: number, context.transaction) {
      record throws(StorageError) in
      if !record.flags.contains(.redacted), !record.isTombstone { plan.events += 1 }
      do throws(DamagedBytes) {
        guard let session = try record.nameOfSession() else { return }
        plan.sessions.append((record.position, IdentityHash.session(session, of: number, seed: seed)))
      } catch {
        throw .corrupt(reason: "the session's name is no text", position: record.position)
      }
    }
    return (end, plan)
  }

  /// Appends the event that says what was erased.
  private func append(
    to end: WriterStream, erased plan: Plan, hash: Bytes32, _ context: inout WriterContext
  ) throws(StorageError) -> Tombstone {
    let recordedAt = context.nextRecordedAt
    var tombstone = Tombstone(
      erasedAt: known?.erasedAt ?? recordedAt, by: by, events: known?.events ?? plan.events,
      version: known?.version ?? plan.last.version, position: known?.position ?? plan.last.position, nameHash: hash)
    tombstone.signature = known?.signature ?? sign(tombstone.statement)
    tombstone.notedAt = plan.last.version.next
    let event = EventData(
      id: chances.id, type: rules.type, typeVersion: context.settings.schema.version(of: rules.type),
      occurredAt: recordedAt, payload: rules.payload(tombstone))
    let epoch = StreamEpoch(
      name: StreamName(namelessIn: stream.namespace), secret: chances.secret,
      erased: ErasedName(hash: hash, digest: hash))
    try context.append(
      tombstone: .of(event, by: StreamHasher(epoch)), in: epoch, to: end, recordedAt: recordedAt)
    return tombstone
  }
}

/// What is to be erased of a stream.
private struct Plan {
  let stream: StreamNumber
  let last: StreamPlace
  /// How many events say something.
  var events: UInt64 = 0
  /// Where a session is named, and its hash.
  var sessions: [(position: LogPosition, hash: UInt64)] = []
}

extension Plan {
  /// Takes out of every record of the stream what it says, and the names.
  func eraseEvents(
    from epoch: StreamEpoch, leaving erased: StreamEpoch, _ context: inout WriterContext
  ) throws(StorageError) {
    let (tables, catalog) = (context.tables, context.catalog)
    let sealedEnd = try context.index.storedHead(of: stream, in: context.transaction)?.version ?? 0
    // What is counted with the stored head's size.
    var shrunk: Int64 = 0
    var contents = ContentReader()
    for generation in context.index.generations {
      let (first, events) = generation.with(stream) { ($0.first, $0.events) } ?? (1, [])
      for (index, event) in events.enumerated() {
        let position = LogPosition(event.position)
        guard let table = catalog.table(of: position, tables) else { continue }
        let changed: [UInt8]?
        let sizeBefore: Int
        do {
          guard let value = try context.transaction.fetch(BigEndianKey(position.number), from: table) else {
            throw .corrupt(reason: "the record is missing", position: position)
          }
          let record = try RecordView.stored(value, at: position)
          changed = try record.erased(from: epoch, leaving: erased, &contents)
          sizeBefore = record.sizeInBytes
        }
        guard let changed else { continue }
        try context.transaction.store(changed, at: Key.position(position), in: table)
        if first.forward(UInt64(index)) <= sealedEnd { shrunk += Int64(sizeBefore - changed.count) }
      }
    }
    let read = catalog.runs.indices.map { catalog.place(of: stream, inRun: $0) }
    for run in catalog.allRuns {
      let isRead = read.contains(run)
      try RunChunk.rewrite(stream, in: run, &context.transaction, tables) { record throws(StorageError) in
        guard let bytes = try record.erased(from: epoch, leaving: erased, &contents) else { return nil }
        if isRead { shrunk += Int64(record.sizeInBytes - bytes.count) }
        return bytes
      }
    }
    try eraseHead(erased, shrunkBy: shrunk, &context)
  }

  private func eraseHead(
    _ erased: StreamEpoch, shrunkBy shrunk: Int64, _ context: inout WriterContext
  ) throws(StorageError) {
    guard var head = try context.index.storedHead(of: stream, in: context.transaction) else { return }
    // One of before an earlier erasure stays as it is.
    if head.erased == nil { head.epoch = erased }
    head.sizeInBytes = UInt64(max(0, Int64(clamping: head.sizeInBytes) - shrunk))
    try context.transaction.storeIndexed(head.encode(), at: Key.stream(stream), in: context.tables.heads)
    if let hash = erased.erased?.hash {
      try context.transaction.storeIndexed(Key.stream(stream), at: Key.erasedName(hash), in: context.tables.names)
    }
  }

  /// Takes the names out of the tables that fold the log.
  func eraseIndex(
    _ name: StreamName, leaving erased: StreamEpoch, _ context: inout WriterContext
  ) throws(StorageError) {
    let tables = context.tables
    try context.transaction.remove(Key.name(name), from: tables.names)
    do throws(LMDBError) {
      try context.transaction.sweep(tables.sessions, from: Key.stream(stream).rawSpan) { entry in
        (try? Key.stream(of: entry.key)) == stream ? .remove : .stop
      }
    } catch {
      throw StorageError(error)
    }
    for run in context.catalog.allRuns {
      let entries = sessions.filter { run.first <= $0.position && $0.position <= run.last }
        .map { RunIdentities.entry($0.hash, at: $0.position, in: run) }
      try RunIdentities.remove(entries, from: run, &context.transaction, tables)
    }
  }
}

extension RunCatalog {
  /// All runs that hold records, those in the making among them.
  fileprivate var allRuns: [Run] {
    var all = runs
    if let merge { all.append(merge.output) }
    if sealing != nil, let last = lastOfFirstBlock { all.append(runOfFirstBlock(through: last)) }
    return all
  }
}

extension RecordView {
  /// The record without payload and names, which their digests replace; `nil` where there are none to be erased.
  ///
  /// - Parameters:
  ///   - epoch: The one that ends: whatever is not erased yet was written in it.
  ///   - erased: What is left of it.
  fileprivate func erased(
    from epoch: StreamEpoch, leaving erased: StreamEpoch, _ contents: inout ContentReader
  ) throws(StorageError) -> [UInt8]? {
    let hasNames = !flags.isDisjoint(with: [.namesStream, .namesSession]) && !flags.contains(.namesErased)
    guard !isTombstone, hasNames || !flags.contains(.redacted) else { return nil }
    var fields = RecordFields(
      flags: flags.intersection([.isLate]), type: type, typeVersion: typeVersion, tag: tag, recordedAt: recordedAt,
      occurredAt: occurredAt, id: id, stream: stream, version: version, position: position, previous: previous)
    fields.session = session
    fields.chain = chain
    try contents.open(self, in: epoch)
    fields.redactedDigest = try contents.payloadDigest(of: self, secret: epoch.secret)
    do throws(DamagedBytes) {
      fields.sessionDigest = try nameOfSession().map { HashChain.sessionDigest($0, secret: epoch.secret) }
    } catch {
      throw .corrupt(reason: "the session's name is no text", position: position)
    }
    if flags.contains(.namesStream) {
      fields.name = erased.name
      fields.secret = erased.secret
      fields.erasedName = erased.erased
    }
    var writer = ByteWriter(capacity: 192)
    fields.encode(typeName: RawSpan(), metadata: RawSpan(), payload: RawSpan(), into: &writer)
    return writer.bytes
  }
}

extension Tombstone {
  /// Whether it is among the store's records.
  fileprivate func isKept(_ context: borrowing WriterContext) throws(StorageError) -> Bool {
    try context.tables.table(of: .erasures).value(at: key, in: context.transaction) != nil
  }

  /// Adds it to the store's records.
  ///
  /// - Parameter nameKey: The store's, or what is to be it.
  fileprivate func keep(_ context: inout WriterContext, key nameKey: NameKey) throws(StorageError) {
    let table = try context.tables.table(of: .erasures)
    try nameKey.store(in: &context.transaction, context.tables)
    try table.keep(encoded(), at: key, in: &context.transaction)
    context.hasWritten = true
  }
}

extension RecordErasure {
  /// Looks at every record of the kind.
  ///
  /// - Returns: The keys of those that said something of the person.
  @discardableResult
  func run(at erasedAt: Timestamp, _ context: inout WriterContext) throws(StorageError) -> [[UInt8]] {
    guard let table = context.tables.records(of: kind) else { return [] }
    var replaced: [(key: [UInt8], value: [UInt8])] = []
    var changed: [[UInt8]] = []
    var open: [(key: [UInt8], names: [StreamName], fate: RecordFate)] = []
    do throws(LMDBError) {
      try context.transaction.sweep(table.table) { entry in
        let (key, value) = (entry.key.array(), table.value(entry))
        // A damaged one is found by `verify`; the counter is no record.
        guard let value, key != RecordSet.versionKey else { return .keep }
        switch fate(key, value, erasedAt) {
        case .keep: return .keep
        case .remove:
          changed.append(key)
          return .remove
        case .replace(let value):
          changed.append(key)
          replaced.append((key, value))
          return .keep
        case .keepWhileKnown(let names, let fate):
          open.append((key, names, fate))
          return .keep
        }
      }
    } catch {
      throw StorageError(error)
    }
    for (key, names, fate) in open where try !context.knows(anyOf: names) {
      changed.append(key)
      if case .replace(let value) = fate {
        replaced.append((key, value))
      } else {
        try context.transaction.remove(key, from: table.table)
      }
    }
    for (key, value) in replaced { try table.keep(value, at: key, in: &context.transaction) }
    guard isCounted, !changed.isEmpty else { return changed }
    var counter = ByteWriter(capacity: 8)
    counter.write(try context.transaction.recordVersion(in: table) + 1)
    try table.keep(counter.bytes, at: RecordSet.versionKey, in: &context.transaction)
    return changed
  }
}

extension WriterContext {
  /// Whether any of these has events under its name.
  fileprivate func knows(anyOf names: [StreamName]) throws(StorageError) -> Bool {
    for name in names {
      guard let stream = try index.stream(name, in: transaction) else { continue }
      if try index.epoch(of: stream, transaction).erased == nil { return true }
    }
    return false
  }
}
