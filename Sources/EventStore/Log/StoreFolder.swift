// The folder of a store: what is in it, how it begins, and how it is told from anything else.
//
//   MEMOIR         format and store id, as text: written once, when the store is complete
//   data.mdb       all tables
//   lock.mdb       LMDB's readers and writer
//   openers.lock   locked (shared) by every process that has the store open
//   TOMBSTONES     who was erased, once more; only where somebody was, see TombstoneFile
//   replay.log     how far a replay of the whole store has come; only while one is unfinished
//   dry-run.log    how far a dry run of the whole store has come; only while one is unfinished
//   BACKUP         where the store is another one's backup, which grows with it
//   RESTORING      where it is being restored beside its place; locked by who does so
//   data.compacting  the data file that is to take the place of the old one; only while it is written
//   MEMOIR.making  while the store is being made: with it and without MEMOIR, what else is here is void
internal import Bytes
internal import LMDB
internal import Platform
internal import Sodium

/// What tells a store from all others.
struct StoreIdentity: Equatable {
  var storeID: EventID
  var hashSeed: UInt64
  /// The form of its data.
  var format = StoreFormat.plain
}

package enum StoreFolder {
  static let markerName = "MEMOIR"
  static let dataName = "data.mdb"
  static let compactingName = "data.compacting"
  static let openersName = "openers.lock"
  static let lockName = "lock.mdb"
  static let backupName = "BACKUP"
  static let restoringName = "RESTORING"
  static let replayName = "replay.log"
  package static let dryRunName = "dry-run.log"
  private static let makingName = "MEMOIR.making"

  /// How long to wait for a process that needs the store alone.
  private static let patienceNanoseconds: UInt64 = 30_000_000_000

  struct Opened {
    var environment: Environment
    var tables: Tables
    var identity: StoreIdentity
    var openers: FileLock
  }

  /// Opens, and makes where that is asked for, the store in `folder`.
  static func open(_ folder: String, _ options: EventLog.Options) throws(StorageError) -> Opened {
    let creates = options.creates && !options.isReadOnly
    if let status = try asking(folder, { () throws(PlatformError) in try Files.status(folder) }) {
      guard status.kind == .folder else { throw .notAStore(reason: "\(folder) is a file") }
    } else {
      guard creates else { throw .missing(folder: folder) }
      try asking(folder) { () throws(PlatformError) in _ = try Files.makeFolder(folder) }
    }
    // Before the lock, which would be a file of ours where none is wanted.
    if try readMarker(folder) == nil { try checkEmpty(folder, try look(in: folder), creates: creates) }
    let openers = try lock(folder, options)
    // Only now: while we waited, another process may have made the store.
    let marker = try readMarker(folder)
    if let marker, marker.format > StoreFormat.current {
      throw .newerFormat(found: marker.format, supported: StoreFormat.current)
    }
    let found = try look(in: folder)
    if marker != nil {
      // Made, but killed before it said so.
      if found.isUnfinished, !options.isReadOnly { _ = try? Files.remove("\(folder)/\(makingName)") }
      // Whoever writes one holds the lock alone, so this one was given up.
      if !options.isReadOnly { _ = try? Files.remove("\(folder)/\(compactingName)") }
      guard let dataSize = found.dataSize else {
        throw .corrupt(reason: "the data file is gone", position: nil)
      }
      guard dataSize > 0 else { throw .corrupt(reason: "the data file is empty", position: nil) }
      return try openExisting(folder, openers, options, marker: marker)
    }
    if let dataSize = found.dataSize, dataSize > 0, !found.isUnfinished {
      // Either a foreign database, or a store of ours that has lost its marker.
      return try openExisting(folder, openers, options, marker: nil)
    }
    try checkEmpty(folder, found, creates: creates)
    return try make(folder, openers, options)
  }

  /// What a folder holds.
  private struct Content {
    /// The size of the data file.
    var dataSize: Int?
    /// What is not ours.
    var others: [String]
    /// Whether a store was being made here, and nobody has said that it is.
    var isUnfinished: Bool
  }

  private static func look(in folder: String) throws(StorageError) -> Content {
    try asking(folder) { () throws(PlatformError) in
      let ours = [
        markerName, dataName, compactingName, openersName, lockName, backupName, restoringName, replayName, dryRunName,
        TombstoneFile.name,
      ]
      return Content(
        dataSize: try Files.status("\(folder)/\(dataName)")?.sizeInBytes,
        // Those that begin like the marker are on their way to become it.
        others: try Files.list(folder).filter { name in
          !ours.contains(name) && !name.hasPrefix("\(markerName).") && !name.hasPrefix("\(TombstoneFile.name).")
        },
        isUnfinished: try Files.exists("\(folder)/\(makingName)"))
    }
  }

  /// Refuses a folder without data in which no store is to be made.
  private static func checkEmpty(
    _ folder: String, _ found: Content, creates: Bool
  ) throws(StorageError) {
    guard (found.dataSize ?? 0) == 0 || found.isUnfinished else { return }
    guard found.others.isEmpty else {
      throw .notAStore(reason: "\(folder) holds other files, such as \(found.others[0])")
    }
    guard creates else { throw .missing(folder: folder) }
  }

  private static func lock(_ folder: String, _ options: EventLog.Options) throws(StorageError) -> FileLock {
    let path = "\(folder)/\(openersName)"
    var mode = FileLock.Mode.shared
    let openers = try asking(folder) { () throws(PlatformError) in
      do throws(PlatformError) {
        return try FileLock(path: path)
      } catch {
        guard options.isReadOnly, error.isAccessDenied, let lock = try? FileLock(readingOnly: path) else {
          throw error
        }
        // Where nothing can be written no reader can be noted, and a writer would take its pages away.
        mode = .exclusive
        return lock
      }
    }
    // Held alone while a store is made, repaired, or sealed at closing: mostly for milliseconds.
    let deadline = MonotonicClock.nanoseconds + patienceNanoseconds
    while try !asking(folder, { () throws(PlatformError) in try openers.tryLock(mode) }) {
      guard MonotonicClock.nanoseconds < deadline else {
        throw .inUse(
          reason: mode == .shared
            ? "another process needs it alone at the moment, e.g. to repair it"
            : "where it cannot be written it is read alone, and another process has it open")
      }
      MonotonicClock.sleep(nanoseconds: 5_000_000)
    }
    return openers
  }

  private static func make(
    _ folder: String, _ openers: FileLock, _ options: EventLog.Options
  ) throws(StorageError) -> Opened {
    // One process makes the store; the others wait for it, but not for its lock, which it keeps as long as it is open.
    try asking(folder) { () throws(PlatformError) in try openers.unlock() }
    while try !asking(folder, { () throws(PlatformError) in try openers.tryLock(.exclusive) }) {
      if try readMarker(folder) != nil { return try open(folder, options) }
      MonotonicClock.sleep(nanoseconds: 5_000_000)
    }
    if try readMarker(folder) != nil {
      try asking(folder) { () throws(PlatformError) in try openers.lock(.shared) }
      return try open(folder, options)
    }
    try asking(folder) { () throws(PlatformError) in
      let making = "\(folder)/\(makingName)"
      // What a making that was cut short has left: nobody was told of a store.
      if try Files.exists(making) {
        for name in [dataName, lockName] { try Files.remove("\(folder)/\(name)") }
      }
      _ = try Descriptor(opening: making, for: .appending)
      try Files.syncFolder(folder)
    }
    let environment = try openEnvironment(folder, options, creation: .ifMissingOrEmpty)
    var tables = try openTables(environment)
    try makeMissing(&tables, in: environment)
    let random = Bytes32.random()
    var identity = StoreIdentity(
      storeID: options.storeID ?? EventID.generate(at: options.clock()),
      hashSeed: options.hashSeed ?? random.prefix64)
    tables.cipher =
      options.cipher
      ?? options.masterKey.map { StoreCipher($0, options.algorithm ?? .fastest, of: identity.storeID) }
    if tables.cipher != nil { identity.format = StoreFormat.encrypted }
    var transaction: WriteTransaction
    do throws(LMDBError) { transaction = try environment.beginWrite() } catch { throw StorageError(error) }
    var writer = ByteWriter()
    writer.write(UInt32(identity.format))
    try transaction.store(writer.bytes, at: Key.meta(.format), in: tables.meta)
    try tables.cipher?.store(in: &transaction, tables)
    writer = ByteWriter()
    identity.storeID.write(into: &writer)
    try transaction.store(writer.bytes, at: Key.meta(.storeID), in: tables.meta)
    writer = ByteWriter()
    writer.write(identity.hashSeed)
    try transaction.store(writer.bytes, at: Key.meta(.hashSeed), in: tables.meta)
    try RunCatalog().store(in: &transaction, tables)
    do throws(LMDBError) { try transaction.commit() } catch { throw StorageError(error) }
    try writeMarker(folder, identity)
    try asking(folder) { () throws(PlatformError) in
      try Files.remove("\(folder)/\(makingName)")
      try openers.lock(.shared)
    }
    return Opened(environment: environment, tables: tables, identity: identity, openers: openers)
  }

  private static func openExisting(
    _ folder: String, _ openers: FileLock, _ options: EventLog.Options, marker: Marker?
  ) throws(StorageError) -> Opened {
    let environment: Environment
    do throws(StorageError) {
      environment = try openEnvironment(
        folder, options, creation: .never, notesReaders: openers.mode != .exclusive)
    } catch {
      if marker == nil, case .corrupt(let reason, _) = error { throw .notAStore(reason: reason) }
      throw error
    }
    // Before a table is opened, or in a foreign database ours would be made.
    let names: [String]
    do throws(LMDBError) { names = try environment.tableNames() } catch { throw StorageError(error) }
    // All were made at once: one made anew in place of one that is lost would pass for a store without streams.
    if let lost = Tables.tableNames.first(where: { !names.contains($0) }) {
      if marker == nil { throw .notAStore(reason: "\(folder) holds a database that is not ours") }
      throw .corrupt(reason: "the data file lacks the table \(lost)", position: nil)
    }
    var tables = try openTables(environment, later: Tables.laterNames.filter(names.contains))
    let identity = try identify(&tables, in: environment, options, hasMarker: marker != nil)
    if let marker {
      guard marker.storeID == identity.storeID else {
        throw .corrupt(reason: "the data file belongs to another store", position: nil)
      }
    } else if !options.isReadOnly {
      try writeMarker(folder, identity)
    }
    // Only now: who has not its key changes nothing.
    if !options.isReadOnly { try makeMissing(&tables, in: environment) }
    return Opened(environment: environment, tables: tables, identity: identity, openers: openers)
  }

  /// What the data file says of itself, and what it is encrypted with.
  private static func identify(
    _ tables: inout Tables, in environment: Environment, _ options: EventLog.Options, hasMarker: Bool
  ) throws(StorageError) -> StoreIdentity {
    let transaction: ReadTransaction
    do throws(LMDBError) { transaction = try environment.beginRead() } catch { throw StorageError(error) }
    guard let formatValue = try transaction.fetch(Key.meta(.format), from: tables.meta),
      let idValue = try transaction.fetch(Key.meta(.storeID), from: tables.meta),
      let seedValue = try transaction.fetch(Key.meta(.hashSeed), from: tables.meta)
    else {
      if !hasMarker { throw .notAStore(reason: "the folder holds a database that is not ours") }
      throw .corrupt(reason: "the data file does not say what it is", position: nil)
    }
    let identity = try decoding("meta") { () throws(DamagedBytes) in
      var format = ByteReader(formatValue)
      var id = ByteReader(idValue)
      var seed = ByteReader(seedValue)
      return StoreIdentity(
        storeID: try EventID(reading: &id), hashSeed: try seed.readUInt64(), format: Int(try format.readUInt32()))
    }
    guard identity.format <= StoreFormat.current else {
      throw .newerFormat(found: identity.format, supported: StoreFormat.current)
    }
    if !options.isLocked {
      tables.cipher = try StoreCipher.open(in: transaction, tables, of: identity, with: options.masterKey)
    }
    return identity
  }

  private static func openEnvironment(
    _ folder: String, _ options: EventLog.Options, creation: Environment.Options.Creation,
    notesReaders: Bool = true
  ) throws(StorageError) -> Environment {
    var settings = Environment.Options()
    settings.mapSize = options.mapSize
    settings.isReadOnly = options.isReadOnly
    settings.creation = creation
    settings.notesReaders = notesReaders
    settings.check = .roots
    do throws(LMDBError) {
      return try Environment(folder: folder, options: settings)
    } catch {
      throw StorageError(error)
    }
  }

  private static func openTables(
    _ environment: Environment, later known: [String] = []
  ) throws(StorageError) -> Tables {
    do throws(LMDBError) {
      let tables = try environment.openTables(Tables.tableNames)
      return Tables(tables, later: Dictionary(uniqueKeysWithValues: zip(known, try environment.openTables(known))))
    } catch {
      throw StorageError(error)
    }
  }

  /// Makes the tables of which older stores had none, all in one commit. Where there is no room to make them, the store
  /// does without, as it did before.
  private static func makeMissing(_ tables: inout Tables, in environment: Environment) throws(StorageError) {
    let missing = Tables.laterNames.filter { tables.later[$0] == nil }
    guard !missing.isEmpty, let made = try? environment.openTables(missing) else { return }
    tables.later.merge(zip(missing, made)) { $1 }
  }

  // MARK: The marker

  struct Marker: Equatable {
    var format: Int
    var storeID: EventID
  }

  /// `nil` where there is none.
  private static func readMarker(_ folder: String) throws(StorageError) -> Marker? {
    let path = "\(folder)/\(markerName)"
    guard let status = try asking(folder, { () throws(PlatformError) in try Files.status(path) }) else { return nil }
    var bytes: [UInt8]?
    // Not to wait for a writer where someone put a pipe in its place, nor to take a large file for a full disk.
    if status.kind == .file, status.sizeInBytes <= 4_096 {
      bytes = try asking(folder) { () throws(PlatformError) in try Files.read(path, limit: 4_096) }
    }
    let words = String(decoding: bytes ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count >= 3, words[0] == "memoir", let format = Int(words[1]),
      let id = try? EventID(String(words[2]))
    else { throw .notAStore(reason: "\(path) does not say what it should") }
    return Marker(format: format, storeID: id)
  }

  static func writeMarker(_ folder: String, _ identity: StoreIdentity) throws(StorageError) {
    let text = Array("memoir \(identity.format)\n\(identity.storeID)\n".utf8)
    try asking(folder) { () throws(PlatformError) in
      try Files.writeAtomically(text.rawSpan, to: "\(folder)/\(markerName)")
    }
  }
}

/// Calls the system, naming what it throws in our terms.
func asking<Result>(
  _ folder: String, _ body: () throws(PlatformError) -> Result
) throws(StorageError) -> Result {
  do throws(PlatformError) {
    return try body()
  } catch {
    if error.isAccessDenied { throw .denied(reason: error.description) }
    if error.isDiskFull { throw .full(reason: error.description) }
    if error.isNotFound { throw .missing(folder: folder) }
    throw .failed(reason: error.description)
  }
}
