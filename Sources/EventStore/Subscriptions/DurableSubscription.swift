// Named subscriptions whose place is kept in the store: a reader that was killed goes on where it had acknowledged.
internal import Bytes
internal import LMDB

/// A named place in the log.
public struct DurableSubscription: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Everything up to here has been acknowledged.
  public var checkpoint: LogPosition
  /// When it was made.
  public var createdAt: Timestamp
  /// When something was acknowledged last; at first, when it was made.
  public var updatedAt: Timestamp

  fileprivate init(name: String, checkpoint: LogPosition, createdAt: Timestamp, updatedAt: Timestamp) {
    self.name = name
    self.checkpoint = checkpoint
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  fileprivate init(name: String, decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    self.name = name
    checkpoint = LogPosition(try reader.readUInt64())
    createdAt = Timestamp(clamping: Int64(clamping: try reader.readUInt64()))
    updatedAt = Timestamp(clamping: Int64(clamping: try reader.readUInt64()))
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 24)
    writer.write(checkpoint.number)
    writer.write(UInt64(createdAt.microseconds))
    writer.write(UInt64(updatedAt.microseconds))
    return writer.bytes
  }
}

extension DurableSubscription {
  /// All subscriptions, by name.
  static func all(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> [DurableSubscription] {
    var found: [DurableSubscription] = []
    var cursor = try transaction.scan(tables.subscriptions)
    while let entry = try cursor.toNext() {
      found.append(
        try decoding("records_subscriptions") { () throws(DamagedBytes) in
          try DurableSubscription(name: try entry.key.string(), decoding: entry.value)
        })
    }
    return found
  }
}

/// Changes to durable subscriptions, in their place between the appends.
private struct ChangeSubscription: WriterWork {
  enum Change: Sendable {
    case create(after: LogPosition)
    case acknowledge(LogPosition)
    case delete
  }

  let name: String
  let change: Change
  let now: Timestamp

  func run(in context: inout WriterContext) throws(StorageError) {
    let key = Array(name.utf8)
    let table = context.tables.subscriptions
    var subscription: DurableSubscription?
    if let stored = try context.transaction.fetch(key, from: table) {
      subscription = try decoding("records_subscriptions") { () throws(DamagedBytes) in
        try DurableSubscription(name: name, decoding: stored)
      }
    }
    switch change {
    case .create(let position):
      guard subscription == nil else { return }
      subscription = DurableSubscription(name: name, checkpoint: position, createdAt: now, updatedAt: now)
    case .acknowledge(let position):
      // At least once: a late acknowledgement of something earlier takes nothing back.
      guard var known = subscription, position > known.checkpoint else { return }
      known.checkpoint = position
      known.updatedAt = now
      subscription = known
    case .delete:
      if subscription != nil { try context.transaction.remove(key, from: table) }
      context.hasWritten = true
      return
    }
    guard let subscription else { return }
    try context.transaction.store(subscription.encode(), at: key, in: table)
    context.hasWritten = true
  }
}

extension EventLog {
  /// Makes a named subscription, or gives back the one there is.
  ///
  /// - Parameter position: Events after it are to be read.
  /// - Throws: ``ReadError/invalid(_:)`` for a name that is none, or a position beyond the log's end.
  @discardableResult
  public func makeSubscription(
    named name: String, after position: LogPosition = 0
  ) throws(ReadError) -> DurableSubscription {
    do throws(InvalidValue) {
      try NameRule.check(name, longest: Self.longestSubscriptionName, field: "subscription")
    } catch {
      throw .invalid(error)
    }
    try check(position, field: "after_position")
    try change(name, .create(after: position))
    guard let made = try subscription(named: name) else {
      throw .storage(.failed(reason: "the subscription \(name) was deleted at the same time"))
    }
    return made
  }

  /// Says that everything up to `position` has been dealt with. Once this returns, it is on disk.
  ///
  /// - Throws: ``ReadError/invalid(_:)`` for a subscription that was not made, or a position beyond the log's end.
  public func acknowledge(_ position: LogPosition, of name: String) throws(ReadError) {
    try check(position, field: "position")
    guard try subscription(named: name) != nil else {
      throw .invalid(InvalidValue(field: "subscription", reason: "there is none named \(name)"))
    }
    try change(name, .acknowledge(position))
  }

  /// Forgets a subscription and its place.
  public func deleteSubscription(named name: String) throws(ReadError) { try change(name, .delete) }

  /// A subscription by its name; `nil` where there is none.
  public func subscription(named name: String) throws(ReadError) -> DurableSubscription? {
    try reading { () throws(StorageError) in
      let view = try view()
      guard !name.isEmpty, name.utf8.count <= Self.longestSubscriptionName,
        let value = try view.transaction.fetch(Array(name.utf8), from: tables.subscriptions)
      else { return .success(nil) }
      return .success(
        try decoding("records_subscriptions") { () throws(DamagedBytes) in
          try DurableSubscription(name: name, decoding: value)
        })
    }
  }

  /// All subscriptions, by name.
  public func subscriptions() throws(StorageError) -> [DurableSubscription] {
    let view = try view()
    return try DurableSubscription.all(in: view.transaction, tables)
  }

  private static let longestSubscriptionName = 250

  private func check(_ position: LogPosition, field: String) throws(ReadError) {
    let last: LogPosition
    do throws(StorageError) { last = try lastPosition() } catch { throw .storage(error) }
    guard position <= last else {
      throw .invalid(
        InvalidValue(field: field, reason: "is \(position), beyond the log's end at \(last)"))
    }
  }

  private func change(_ name: String, _ change: ChangeSubscription.Change) throws(ReadError) {
    do throws(StorageError) {
      try perform(ChangeSubscription(name: name, change: change, now: options.clock()))
    } catch {
      throw .storage(error)
    }
  }
}
