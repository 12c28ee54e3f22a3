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
    if scope != .secrets {
      let (from, to) = (source.tables.subscriptions, context.tables.subscriptions)
      let changes = try Self.changes(to: to, in: context.transaction, from: from, in: transaction)
      try Self.make(changes, in: to, hasChecksums: false, &context)
    }
    for name in scope == .secrets ? [SecretTable.name] : Tables.laterNames {
      guard let from = source.tables.later[name], let to = context.tables.later[name] else { continue }
      var changes = try Self.changes(to: to, in: context.transaction, from: from, in: transaction)
      if name == SecretTable.name { changes = try Self.checkedKeys(changes, in: to, context) }
      try Self.make(changes, in: to, hasChecksums: true, &context)
    }
  }

  private static func make(
    _ changes: [Change], in table: Table, hasChecksums: Bool, _ context: inout WriterContext
  ) throws(StorageError) {
    for (key, value) in changes {
      if let value {
        // What is damaged takes no place of what is not.
        if hasChecksums, !isWhole(value, at: key), try isWhole(at: key, in: table, context.transaction) { continue }
        try context.transaction.store(value, at: key, in: table)
      } else {
        try context.transaction.remove(key, from: table)
      }
      context.hasWritten = true
    }
  }

  /// Refuses to take away or to change the keys of somebody whose events the copy has. They stay the same as long as the
  /// person is not erased, after which all is copied anew: here they are damaged or gone in the other store, and this may
  /// be the last place that has them.
  ///
  /// - Returns: The changes without those of the store's own row, which is the same in both, or damaged in the other.
  private static func checkedKeys(
    _ changes: [Change], in table: Table, _ context: borrowing WriterContext
  ) throws(StorageError) -> [Change] {
    var checked: [Change] = []
    for (key, value) in changes {
      // What is damaged in the copy is mended by what is not.
      var mends = false
      if isWhole(value, at: key) { mends = try !isWhole(at: key, in: table, context.transaction) }
      if !mends {
        if key == SecretTable.storeKey { continue }
        if let stream = try? Key.stream(of: key.rawSpan),
          try context.index.head(of: stream, in: context.transaction) != nil
        {
          let epoch = try context.index.storedEpoch(of: stream, context.transaction)
          if epoch.erased == nil { throw .damagedSecrets(ofCopied: epoch.name) }
        }
      }
      checked.append((key, value))
    }
    return checked
  }

  private static func isWhole(_ value: [UInt8]?, at key: [UInt8]) -> Bool {
    guard let value else { return false }
    return (try? IndexValue.open(value.rawSpan, at: key.rawSpan).byteCount) != nil
  }

  private static func isWhole(
    at key: [UInt8], in table: Table, _ transaction: borrowing WriteTransaction
  ) throws(StorageError) -> Bool {
    guard let value = try transaction.fetch(key, from: table) else { return false }
    return (try? IndexValue.open(value, at: key.rawSpan).byteCount) != nil
  }

  /// `nil` where an entry is to go.
  private typealias Change = (key: [UInt8], value: [UInt8]?)

  /// What makes one table the same as another.
  private static func changes(
    to table: Table, in transaction: borrowing WriteTransaction, from other: Table,
    in otherTransaction: borrowing ReadTransaction
  ) throws(StorageError) -> [Change] {
    var changes: [Change] = []
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
