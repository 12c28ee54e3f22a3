// Every table of the data file: its name, its keys and its values.
//
//   table       key                                 value
//   log0 … 3    position                            record                                   the truth: blocks
//   runs0 … 2   see RunChunk                        records                                  the truth: runs
//   names       namespace, 0, user                  stream                                   fold of the log
//               0, keyed hash of a name erased      stream                                   fold of the log
//   heads       stream                              version, position, chain, …, name        fold of the log
//   sessions    stream, session's number            occurred-at of its first event, name     fold of the log
//   identities  see RunIdentities                   hashes of event ids and session names    fold of the log
//   order       see StreamOrder                     whose events they are                    fold of the log
//   anchors     stream, every 256th version         position, greatest occurred-at so far    fold of the log
//   late        stream, occurred-at, version        position                                 fold of the log
//   snapshots   see SnapshotTable                   state                                    derived
//   derived     see DerivedTable                    what was made of an event                derived
//   meta        a word                              format, store id, catalog of runs, …
//   records_…   the store's own records, which no repair drops
//
// In an encrypted store, what records of the log say, states, what was made of events and the store's records are sealed;
// the keys stand in records_secrets, see SecretTable. Names, times, places and sizes are in the clear.
//
// Values of the tables that fold the log end with a checksum, save those of order; see IndexValue.
// Numbers in keys are big-endian, so that keys sort as numbers do; in values they are varints, or little-endian.
internal import Bytes
internal import LMDB
internal import Sodium

/// The data file's form. Raised when an older program could not read a newer store.
enum StoreFormat {
  static let current = 2
  /// A store that is not encrypted.
  static let plain = 1
  /// One that is.
  static let encrypted = 2
}

struct Tables: Sendable {
  /// All tables that every store has, in the order of ``tableNames``.
  let all: [Table]
  /// A ring: each block of the log in the one after the block before.
  let blocks: [Table]
  /// By level.
  let runs: [Table]
  let identities: Table
  let order: Table
  let names: Table
  let heads: Table
  let sessions: Table
  let anchors: Table
  let late: Table
  let snapshots: Table
  let meta: Table
  let subscriptions: Table
  /// Tables that a store of before there were such lacks, while it can only be read; by name.
  var later: [String: Table]
  /// What the store is encrypted with, where it is.
  var cipher: StoreCipher?
  /// What was made of events.
  var derived: Table? { later[DerivedTable.name] }

  private static let blockNames = (0..<RunCatalog.largestBlockCount).map { "log\($0)" }
  private static let runNames = (0...RunCatalog.highestLevel).map { "runs\($0)" }
  static let tableNames =
    blockNames + runNames + [
      "identities", "order", "names", "heads", "sessions", "anchors", "late", "snapshots", "meta",
      "records_subscriptions",
    ]

  /// Made where they are missing, one by one as features came.
  static let laterNames = StoreRecords.allCases.map(\.tableName) + [DerivedTable.name, SecretTable.name]

  /// - Parameter tables: In the order of ``tableNames``.
  init(_ tables: [Table], later: [String: Table] = [:]) {
    all = tables
    self.later = later
    blocks = Array(tables[..<Self.blockNames.count])
    runs = Array(tables[Self.blockNames.count..<Self.blockNames.count + Self.runNames.count])
    let others = tables[(Self.blockNames.count + Self.runNames.count)...]
    let start = others.startIndex
    identities = others[start]
    order = others[start + 1]
    names = others[start + 2]
    heads = others[start + 3]
    sessions = others[start + 4]
    anchors = others[start + 5]
    late = others[start + 6]
    snapshots = others[start + 7]
    meta = others[start + 8]
    subscriptions = others[start + 9]
  }

  /// Every table there is, with its name.
  var named: [(name: String, table: Table)] {
    Array(zip(Self.tableNames, all)) + Self.laterNames.compactMap { name in later[name].map { (name, $0) } }
  }

  /// The tables that fold the log: they can be dropped and made anew from it.
  var index: [Table] { [identities, order, names, heads, sessions, anchors, late] }
}

/// The keys of all tables.
enum Key {
  static func position(_ position: LogPosition) -> [UInt8] {
    var writer = ByteWriter(capacity: 8)
    writer.writeBigEndian(position.number)
    return writer.bytes
  }

  static func position(of key: RawSpan) throws(StorageError) -> LogPosition {
    var reader = ByteReader(key)
    guard key.byteCount == 8, let raw = try? reader.readUInt64() else {
      throw .corrupt(reason: "a key of the log is \(key.byteCount) bytes long", position: nil)
    }
    return LogPosition(raw.byteSwapped)
  }

  /// Namespace and user, at most 351 bytes: LMDB allows 511.
  static func name(_ name: StreamName) -> [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.write(contentsOf: Array(name.namespace.description.utf8))
    writer.write(0 as UInt8)
    writer.write(contentsOf: Array(name.user.description.utf8))
    return writer.bytes
  }

  static func namePrefix(_ namespace: Namespace) -> [UInt8] { Array(namespace.description.utf8) + [0] }

  /// The name that ``name(_:)`` made a key of.
  static func name(of key: RawSpan) throws(DamagedBytes) -> StreamName {
    for index in 0..<key.byteCount where key.byte(at: index) == 0 {
      let namespace = try key.extracting(first: index).string()
      let user = try key.extracting(droppingFirst: index + 1).string()
      return StreamName(UserID(unchecked: user), in: Namespace(unchecked: namespace))
    }
    throw DamagedBytes()
  }

  /// The key of a name that was erased: before all names.
  static func erasedName(_ hash: Bytes32) -> [UInt8] {
    var writer = ByteWriter(capacity: 33)
    writer.write(0 as UInt8)
    hash.write(into: &writer)
    return writer.bytes
  }

  /// The hash that ``erasedName(_:)`` made a key of; `nil` for another key.
  static func erasedName(of key: RawSpan) -> Bytes32? {
    guard key.byteCount == 33, key.byte(at: 0) == 0 else { return nil }
    var reader = ByteReader(key.extracting(droppingFirst: 1))
    return try? Bytes32(reading: &reader)
  }

  /// Where a stream's number is found: under its name, or under what is left of it.
  static func name(of epoch: StreamEpoch) -> [UInt8] {
    epoch.erased.map { erasedName($0.hash) } ?? name(epoch.name)
  }

  /// Comes before the key of every name, and after those of names that were erased.
  static let firstName: [UInt8] = [1]

  static func stream(_ stream: StreamNumber) -> [UInt8] {
    var writer = ByteWriter(capacity: 4)
    writer.writeBigEndian(stream)
    return writer.bytes
  }

  static func stream(of key: RawSpan) throws(DamagedBytes) -> StreamNumber {
    var reader = ByteReader(key)
    return try reader.readUInt32().byteSwapped
  }

  static func stream(_ stream: StreamNumber, _ number: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 12)
    writer.writeBigEndian(stream)
    writer.writeBigEndian(number)
    return writer.bytes
  }

  static func stream(_ stream: StreamNumber, _ first: UInt64, _ second: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 20)
    writer.writeBigEndian(stream)
    writer.writeBigEndian(first)
    writer.writeBigEndian(second)
    return writer.bytes
  }

  static func meta(_ word: MetaWord) -> [UInt8] { Array(word.rawValue.utf8) }
}

/// What a table that folds the log holds at a key, with four bytes behind it that belong to both: LMDB's pages have no
/// checksum, and what an entry says wrongly, the next append would make part of the log.
enum IndexValue {
  private static let checksumSize = 4

  static func seal(_ value: [UInt8], at key: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(capacity: value.count + checksumSize)
    writer.write(contentsOf: value)
    writer.write(checksum(value.rawSpan, at: key.rawSpan))
    return writer.bytes
  }

  @_lifetime(copy value)
  static func open(_ value: RawSpan, at key: RawSpan) throws(DamagedBytes) -> RawSpan {
    guard value.byteCount >= checksumSize else { throw DamagedBytes() }
    let content = value.extracting(first: value.byteCount - checksumSize)
    var reader = ByteReader(value.extracting(droppingFirst: content.byteCount))
    guard try reader.readUInt32() == checksum(content, at: key) else { throw DamagedBytes() }
    return content
  }

  private static func checksum(_ value: RawSpan, at key: RawSpan) -> UInt32 {
    UInt32(truncatingIfNeeded: XXH3.hash(value, seed: XXH3.hash(key)))
  }
}

/// What `meta` holds.
enum MetaWord: String {
  case format
  /// 16 bytes that tell this store from all others.
  case storeID = "store_id"
  /// 8 bytes that seed the hashes of ids, so that nobody can prepare collisions.
  case hashSeed = "hash_seed"
  /// What the log consists of; see ``RunCatalog``.
  case catalog
  /// The same again: nothing tells as surely where the log's records are.
  case catalogCopy = "catalog_copy"
  /// How many payloads were ever removed: states held in memory are void when it changes.
  case redactions
  /// 32 random bytes: what erased names are hashed with. Made with the first erasure.
  case nameKey = "name_key"
  /// Of an encrypted store: its own row of ``SecretTable`` again, without which nobody can read anything.
  case encryption
  /// There while something that was erased may still be read in pages that are free.
  case scrubDue = "scrub_due"
}

/// Up to where the folding tables are complete.
struct Checkpoint: Equatable {
  /// The last event of a block.
  var position: LogPosition = 0
  /// How many streams there were.
  var streams: StreamNumber = 0

  init(position: LogPosition = 0, streams: StreamNumber = 0) {
    self.position = position
    self.streams = streams
  }
}

/// What `heads` holds of a stream: the fold of all its events.
struct StreamHead: Equatable {
  /// The last epoch's.
  var name: StreamName
  var version: StreamVersion
  var position: LogPosition
  var chain: Bytes32
  var secret: Bytes32
  /// When the first event occurred, and the greatest of all occurred-at.
  var firstOccurredAt: Timestamp
  var lastOccurredAt: Timestamp
  /// The bytes of all records.
  var sizeInBytes: UInt64
  /// Where a record is that could not be used when the events were taken over.
  var damaged: LogPosition?
  /// Where the name was erased.
  var erased: ErasedName?

  var epoch: StreamEpoch {
    get { StreamEpoch(name: name, secret: secret, erased: erased) }
    set { (name, secret, erased) = (newValue.name, newValue.secret, newValue.erased) }
  }

  init(
    name: StreamName, version: StreamVersion, position: LogPosition, chain: Bytes32, secret: Bytes32,
    firstOccurredAt: Timestamp, lastOccurredAt: Timestamp, sizeInBytes: UInt64, damaged: LogPosition? = nil,
    erased: ErasedName? = nil
  ) {
    self.name = name
    self.version = version
    self.position = position
    self.chain = chain
    self.secret = secret
    self.firstOccurredAt = firstOccurredAt
    self.lastOccurredAt = lastOccurredAt
    self.sizeInBytes = sizeInBytes
    self.damaged = damaged
    self.erased = erased
  }

  init(decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    version = StreamVersion(try reader.readVarint())
    position = LogPosition(try reader.readVarint())
    chain = try Bytes32(reading: &reader)
    secret = try Bytes32(reading: &reader)
    guard let first = Timestamp(microseconds: Int64(bitPattern: try reader.readUInt64())),
      let last = Timestamp(microseconds: Int64(bitPattern: try reader.readUInt64()))
    else { throw DamagedBytes() }
    firstOccurredAt = first
    lastOccurredAt = last
    sizeInBytes = try reader.readVarint()
    let damaged = try reader.readVarint()
    self.damaged = damaged == 0 ? nil : LogPosition(damaged)
    let rest = reader.readRest()
    // No namespace begins with a 0.
    guard !rest.isEmpty, rest.byte(at: 0) == 0 else {
      name = try Key.name(of: rest)
      erased = nil
      return
    }
    var nameless = ByteReader(rest.extracting(droppingFirst: 1))
    erased = try ErasedName(reading: &nameless)
    name = StreamName(namelessIn: Namespace(unchecked: try nameless.readRest().string()))
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 160)
    writer.writeVarint(version.number)
    writer.writeVarint(position.number)
    chain.write(into: &writer)
    secret.write(into: &writer)
    writer.write(UInt64(bitPattern: firstOccurredAt.microseconds))
    writer.write(UInt64(bitPattern: lastOccurredAt.microseconds))
    writer.writeVarint(sizeInBytes)
    writer.writeVarint(damaged?.number ?? 0)
    if let erased {
      writer.write(0 as UInt8)
      erased.write(into: &writer)
      writer.write(contentsOf: Array(name.namespace.description.utf8))
    } else {
      writer.write(contentsOf: Key.name(name))
    }
    return writer.bytes
  }
}

/// What `anchors` holds of every 256th event of a stream.
struct Anchor: Equatable {
  /// One event in so many has an anchor.
  static let interval: UInt64 = 256

  var position: LogPosition
  /// The greatest occurred-at of this event and all before it.
  var lastOccurredAt: Timestamp

  init(position: LogPosition, lastOccurredAt: Timestamp) {
    self.position = position
    self.lastOccurredAt = lastOccurredAt
  }

  init(decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    position = LogPosition(try reader.readVarint())
    guard let last = Timestamp(microseconds: Int64(clamping: try reader.readVarint())) else {
      throw DamagedBytes()
    }
    lastOccurredAt = last
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 16)
    writer.writeVarint(position.number)
    writer.writeVarint(UInt64(lastOccurredAt.microseconds))
    return writer.bytes
  }
}

/// What `sessions` holds of a session.
struct SessionEntry: Equatable {
  /// When the event occurred that first named the session.
  var firstOccurredAt: Timestamp
  var name: SessionID

  init(firstOccurredAt: Timestamp, name: SessionID) {
    self.firstOccurredAt = firstOccurredAt
    self.name = name
  }

  init(decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    guard let time = Timestamp(microseconds: Int64(clamping: try reader.readVarint())) else {
      throw DamagedBytes()
    }
    firstOccurredAt = time
    name = SessionID(unchecked: try reader.readRest().string())
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 40)
    writer.writeVarint(UInt64(firstOccurredAt.microseconds))
    writer.write(contentsOf: Array(name.description.utf8))
    return writer.bytes
  }
}

extension StorageError {
  /// A value of an index table does not hold what it should. Such tables can be rebuilt from the log.
  static func damagedIndex(_ table: String) -> StorageError {
    .corrupt(
      reason: "an entry of the table \(table) is damaged; verify --repair-derived rebuilds it", position: nil)
  }
}

/// Runs `body`, naming damaged bytes as a damaged entry of `table`.
@inline(__always)
func decoding<Result>(_ table: String, _ body: () throws(DamagedBytes) -> Result) throws(StorageError)
  -> Result
{
  do throws(DamagedBytes) { return try body() } catch { throw StorageError.damagedIndex(table) }
}
