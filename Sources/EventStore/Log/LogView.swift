// One consistent look at the store: a read transaction, and the part of the tail index that belongs to it.
internal import Bytes
internal import LMDB
internal import Platform
internal import Synchronization

/// What was committed when it began, and nothing after. It never blocks appending, but keeps old pages from being used
/// again: long work takes a new view now and then.
struct LogView: ~Copyable {
  let transaction: ReadTransaction
  let index: StreamIndex
  let schema: EventSchema
  /// How many payloads had been removed: states of before are void.
  let redactions: UInt64

  var tables: Tables { index.tables }
  /// The last position.
  var last: LogPosition { index.bound }

  init(_ environment: Environment, tail: TailIndex, schema: EventSchema) throws(StorageError) {
    let began = MonotonicClock.nanoseconds
    while true {
      let transaction: ReadTransaction
      do throws(LMDBError) { transaction = try environment.beginRead() } catch { throw StorageError(error) }
      // `nil`: a block was sealed between the two; the next transaction sees it.
      guard let found = try tail.view(for: transaction) else {
        guard MonotonicClock.nanoseconds - began < Self.patience else {
          throw .corrupt(reason: "the data file lacks what was committed to it", position: nil)
        }
        continue
      }
      redactions = try Redactions.read(in: transaction, tail.tables).count
      index = StreamIndex(
        tables: tail.tables, hashSeed: tail.hashSeed, generations: found.generations, bound: found.last,
        catalog: found.catalog)
      self.transaction = transaction
      self.schema = schema
      return
    }
  }

  /// After so many nanoseconds no later transaction will see it: a disk has said that it had written, and had not.
  private static let patience: UInt64 = 5_000_000_000

  /// A look at the log and the tables alone: where the tail holds a damaged record, there is no other.
  init(ofTables environment: Environment, tail: TailIndex, schema: EventSchema) throws(StorageError) {
    let transaction: ReadTransaction
    do throws(LMDBError) { transaction = try environment.beginRead() } catch { throw StorageError(error) }
    let catalog = try RunCatalog.read(in: transaction, tail.tables)
    let last = try catalog.lastPlausiblePosition(in: transaction, tail.tables)
    redactions = try Redactions.read(in: transaction, tail.tables).count
    index = StreamIndex(
      tables: tail.tables, hashSeed: tail.hashSeed, generations: [], bound: last, catalog: catalog)
    self.transaction = transaction
    self.schema = schema
  }

  @_lifetime(borrow self)
  func record(at position: LogPosition) throws(StorageError) -> RecordView {
    try index.record(at: position, transaction)
  }

  @_lifetime(borrow self)
  func record(at position: LogPosition, of stream: StreamNumber) throws(StorageError) -> RecordView {
    try index.record(at: position, of: stream, transaction)
  }

  func stream(_ name: StreamName) throws(StorageError) -> StreamNumber? {
    try index.stream(name, in: transaction)
  }

  func head(of stream: StreamNumber) throws(StorageError) -> StreamPlace? {
    try index.head(of: stream, in: transaction)
  }

  /// How many streams there are, with those whose user was erased.
  var streamCount: Int { Int(index.generations.last?.end.streams ?? index.catalog.streams) }

  /// The names of all streams, by namespace and user; without those whose user was erased.
  ///
  /// - Parameter namespace: Only those in it.
  /// - Parameter after: Only those that come after it.
  func streamNames(
    in namespace: Namespace? = nil, after: StreamName? = nil, limit: Int = .max
  ) throws(StorageError) -> [StreamName] {
    try index.refuseUnnamed()
    var names: [StreamName] = []
    var cursor = try transaction.scan(tables.names)
    var start = namespace.map { Key.namePrefix($0) } ?? Key.firstName
    if let after {
      let next = Key.name(after) + [0]
      if start.lexicographicallyPrecedes(next) { start = next }
    }
    var entry = try cursor.to(atOrAfter: start)
    while let current = entry, names.count < limit {
      let name = try decoding("names") { () throws(DamagedBytes) in try Key.name(of: current.key) }
      if let namespace, name.namespace != namespace { break }
      names.append(name)
      entry = try cursor.toNext()
    }
    // Streams that began in the blocks; sorting the few in is cheaper than keeping them sorted.
    var recent: Set<StreamName> = []
    for generation in index.generations {
      let fresh = generation.contents.withLock { contents in Array(contents.names) }
      for (name, stream) in fresh {
        if let namespace, name.namespace != namespace { continue }
        if let after, name <= after { continue }
        if try head(of: stream) != nil { recent.insert(name) }
      }
    }
    if recent.isEmpty { return names }
    let all = Set(names).union(recent)
    return Array(all.sorted { Key.name($0).lexicographicallyPrecedes(Key.name($1)) }.prefix(limit))
  }
}
