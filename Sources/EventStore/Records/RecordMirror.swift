// Making the records of a copy the same as those of the store it was copied from: what differs is written, nothing else.
internal import Bytes
internal import LMDB

/// Brings all records, and what was derived from single events, to what another store has: in one commit.
struct MirrorRecords: WriterWork {
  let source: EventLog
  /// What is to be the same.
  let scope: Scope
  /// Whether it was done: a copy that lacks what was removed from the other store since is left as it is.
  let outcome = WorkOutcome<Bool>()

  enum Scope {
    case all
    /// The keys of streams alone, without which none of their records is understood.
    case secrets
    /// All, in a copy of the other store's log up to some position, which speaks of nothing after it.
    case copy
  }

  func run(in context: inout WriterContext) throws(StorageError) {
    let transaction = try source.readRecords()
    if scope == .copy {
      let redactions = try Redactions.read(in: transaction, source.tables)
      guard try Redactions.read(in: context.transaction, context.tables) == redactions else {
        return outcome.set(.success(false))
      }
    }
    try mirror(transaction, &context)
    if scope == .copy { try ForgetLaterEvents().run(in: &context) }
    outcome.set(.success(true))
  }

  private func mirror(
    _ transaction: borrowing ReadTransaction, _ context: inout WriterContext
  ) throws(StorageError) {
    // By these those are found whose names were erased.
    let erasures = try RunCatalog.read(in: transaction, source.tables).erasures
    if context.catalog.erasures < erasures { try context.changeCatalog { $0.erasures = erasures } }
    if let key = try NameKey.read(in: transaction, source.tables),
      try NameKey.read(in: context.transaction, context.tables) == nil
    {
      try key.store(in: &context.transaction, context.tables)
      context.hasWritten = true
    }
    var pairs: [(from: Table, to: Table)] =
      scope == .secrets ? [] : [(source.tables.subscriptions, context.tables.subscriptions)]
    for name in scope == .secrets ? [SecretTable.name] : Tables.laterNames {
      if let from = source.tables.later[name], let to = context.tables.later[name] { pairs.append((from, to)) }
    }
    for pair in pairs {
      let changes = try Self.changes(to: pair.to, in: context.transaction, from: pair.from, in: transaction)
      for (key, value) in changes {
        if let value {
          try context.transaction.store(value, at: key, in: pair.to)
        } else {
          try context.transaction.remove(key, from: pair.to)
        }
        context.hasWritten = true
      }
    }
  }

  /// What makes one table the same as another: `nil` where an entry is to go.
  private static func changes(
    to table: Table, in transaction: borrowing WriteTransaction, from other: Table,
    in otherTransaction: borrowing ReadTransaction
  ) throws(StorageError) -> [(key: [UInt8], value: [UInt8]?)] {
    var changes: [(key: [UInt8], value: [UInt8]?)] = []
    var mine = try transaction.scan(table)
    var theirs = try otherTransaction.scan(other)
    var own = try mine.toNext()
    var wanted = try theirs.toNext()
    while own != nil || wanted != nil {
      let key = own?.key.array(), wantedKey = wanted?.key.array()
      if let key, wantedKey.map({ key.lexicographicallyPrecedes($0) }) ?? true {
        changes.append((key, nil))
        own = try mine.toNext()
      } else if let wantedKey, let entry = wanted {
        var isSame = false
        if let there = own, key == wantedKey { isSame = there.value.isSame(as: entry.value) }
        if !isSame { changes.append((wantedKey, entry.value.array())) }
        if key == wantedKey { own = try mine.toNext() }
        wanted = try theirs.toNext()
      }
    }
    return changes
  }
}

/// Takes back what speaks of events beyond the log's end: in a copy that ends before the one it was made of.
struct ForgetLaterEvents: WriterWork {
  func run(in context: inout WriterContext) throws(StorageError) {
    let last = context.end.position
    for subscription in try DurableSubscription.all(in: context.transaction, context.tables)
    where subscription.checkpoint > last {
      var subscription = subscription
      subscription.checkpoint = last
      try context.transaction.store(
        subscription.encode(), at: Array(subscription.name.utf8), in: context.tables.subscriptions)
      context.hasWritten = true
    }
    for erasure in context.settings.schema.erasure?.recordsAfter(last) ?? [] {
      if try !erasure.run(at: context.nextRecordedAt, &context).isEmpty { context.hasWritten = true }
    }
    if let secrets = context.tables.secrets {
      for key in try Self.unusedSecrets(secrets, context) {
        try context.transaction.remove(key, from: secrets)
        context.hasWritten = true
      }
    }
    guard let table = context.tables.derived else { return }
    for key in try Self.laterKeys(table, context) {
      try context.transaction.remove(key, from: table)
      context.hasWritten = true
    }
  }

  /// Of streams that the log does not have, or that have nothing to say: who comes back gets another key.
  private static func unusedSecrets(
    _ table: Table, _ context: borrowing WriterContext
  ) throws(StorageError) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var cursor = try context.transaction.scan(table)
    while let entry = try cursor.toNext() {
      guard let stream = try? Key.stream(of: entry.key), stream > 0 else { continue }
      if try context.index.head(of: stream, in: context.transaction) != nil,
        try context.index.storedEpoch(of: stream, context.transaction).erased == nil
      {
        continue
      }
      keys.append(entry.key.array())
    }
    return keys
  }

  /// Of events that the log does not have: another event will have their version.
  private static func laterKeys(
    _ table: Table, _ context: borrowing WriterContext
  ) throws(StorageError) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var heads: [StreamNumber: StreamVersion] = [:]
    var cursor = try context.transaction.scan(table)
    while let entry = try cursor.toNext() {
      guard let place = DerivedTable.Place(entry.key) else { continue }
      let head: StreamVersion
      if let known = heads[place.stream] {
        head = known
      } else {
        head = try context.index.head(of: place.stream, in: context.transaction)?.version ?? 0
        heads[place.stream] = head
      }
      if place.version > head { keys.append(entry.key.array()) }
    }
    return keys
  }
}
