// The folder of a backup, or of a store that is made of one: what is in it at every step, so that a crash leaves either
// what was there or what was to be there.
//
//   BACKUP            whose backup it is; written first, and in no other store
//   data.mdb.copying  while all is copied: renamed to data.mdb when it is on disk
//
// A store that is restored at an earlier point is made beside its folder, whose name it gets at last:
//
//   RESTORING         in what is being made, or was left: whoever makes it holds a lock on it
internal import LMDB
internal import Platform

/// A folder that a store is copied into.
struct BackupFolder {
  let path: String

  /// What is found where a backup is to be.
  enum Content {
    /// Nothing, not even a folder.
    case nothing
    /// A backup of this store that was begun, and is not a store yet.
    case begun
    /// A backup of this store.
    case standing
  }

  init(_ path: String) {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.path = String(trimmed)
  }

  private var dataPath: String { "\(path)/\(StoreFolder.dataName)" }
  private var markerPath: String { "\(path)/\(StoreFolder.backupName)" }
  private var makingPath: String { "\(path).restoring" }
  var tombstonesPath: String { "\(path)/\(TombstoneFile.name)" }
  /// What LMDB copies into.
  var copyingPath: String { "\(dataPath).copying" }

  // MARK: A backup

  /// What is there.
  ///
  /// - Throws: ``StorageError/occupied(reason:)`` where it is anything else.
  func look(for store: EventID) throws(StorageError) -> Content {
    guard try !content().isEmpty else { return .nothing }
    let marker = try asking(path) { () throws(PlatformError) in try Files.read(markerPath, limit: 4_096) }
    guard let marker else {
      throw .occupied(reason: "\(path) exists and is not empty, and is no backup; a copy needs a new folder")
    }
    guard marker == Self.marker(of: store) else {
      throw .occupied(
        reason: "\(path) is the backup of another store, or its file \(StoreFolder.backupName) is damaged")
    }
    let hasData = try asking(path) { () throws(PlatformError) in try Files.exists(dataPath) }
    return hasData ? .standing : .begun
  }

  /// Says what the folder is to be.
  func begin(for store: EventID) throws(StorageError) {
    try asking(path) { () throws(PlatformError) in
      try Files.writeAtomically(Self.marker(of: store).rawSpan, to: markerPath)
    }
  }

  private static func marker(of store: EventID) -> [UInt8] { Array("memoir-backup 1\n\(store)\n".utf8) }

  /// Opens the backup as the store that it is.
  ///
  /// - Parameter erasesAgain: Whether people are erased whom its file of tombstones names: that would be a history of its
  ///   own, which a backup must not have.
  func open(
    _ schema: EventSchema, _ options: EventLog.Options, erasesAgain: Bool = false
  ) throws(StorageError) -> EventLog {
    var options = options
    options.creates = false
    options.isReadOnly = false
    options.appliesTombstones = erasesAgain
    return try EventLog(folder: path, schema: schema, options: options)
  }

  /// Opens the backup for what can be read of it without its master key.
  func openLocked(_ schema: EventSchema, _ options: EventLog.Options) throws(StorageError) -> EventLog {
    var options = options
    options.creates = false
    options.isReadOnly = true
    options.appliesTombstones = false
    options.isLocked = true
    return try EventLog(folder: path, schema: schema, options: options)
  }

  /// Does something while no process has the backup open.
  func alone(_ body: () throws(StorageError) -> Void) throws(StorageError) {
    let openers = try asking(path) { () throws(PlatformError) in
      try FileLock(path: "\(path)/\(StoreFolder.openersName)")
    }
    guard try asking(path, { () throws(PlatformError) in try openers.tryLock(.exclusive) }) else {
      throw .inUse(reason: "another process has the backup open")
    }
    try body()
  }

  /// What is there now.
  ///
  /// - Parameter before: Where it ended before.
  func summary(
    _ schema: EventSchema, _ options: EventLog.Options, before: LogPosition
  ) throws(StorageError) -> BackupSummary {
    let copy = try open(schema, options)
    let position = try copy.lastPosition()
    try copy.close()
    let size = try asking(path) { () throws(PlatformError) in try Files.status(dataPath)?.sizeInBytes ?? 0 }
    return BackupSummary(position: position, added: position.number - before.number, sizeInBytes: size)
  }

  // MARK: Copying all

  /// Makes the folder; refuses one that holds anything.
  ///
  /// - Returns: Whether there was none.
  @discardableResult
  func prepare() throws(StorageError) -> Bool {
    guard try content().isEmpty else {
      throw .occupied(reason: "\(path) exists and is not empty; a copy needs a new folder")
    }
    return try asking(path) { () throws(PlatformError) in try Files.makeFolder(path) }
  }

  private func content() throws(StorageError) -> [String] {
    try asking(path) { () throws(PlatformError) in
      guard let status = try Files.status(path) else { return [] }
      return status.kind == .folder ? try Files.list(path) : [path]
    }
  }

  /// Removes a copy that was cut short.
  func clearAway() throws(StorageError) {
    try asking(path) { () throws(PlatformError) in _ = try Files.remove(copyingPath) }
  }

  /// Puts the copy, which is on disk, in its place.
  func finishCopy(_ identity: StoreIdentity) throws(StorageError) {
    try asking(path) { () throws(PlatformError) in
      try Files.rename(copyingPath, to: dataPath)
      // It belongs to the file that was here, if any.
      _ = try Files.remove("\(path)/\(StoreFolder.lockName)")
      try Files.syncFolder(path)
    }
    // Last: without it, what is there is a store all the same, but nobody said so yet.
    try StoreFolder.writeMarker(path, identity)
  }

  /// Removes all that was made.
  func discard(withFolder: Bool = false) {
    if withFolder {
      _ = try? Files.removeTree(path)
      return
    }
    _ = try? Files.remove(copyingPath)
    // By the last one others are kept out, as long as it is there.
    for name in [
      StoreFolder.dataName, StoreFolder.markerName, StoreFolder.lockName, StoreFolder.backupName, TombstoneFile.name,
      StoreFolder.openersName,
    ] {
      _ = try? Files.remove("\(path)/\(name)")
    }
  }

  // MARK: Making a store beside

  /// A folder in which a store is being made, by nobody else.
  struct Making {
    let path: String
    fileprivate let lock: FileLock
  }

  /// A new folder to make a store in; what an earlier making has left there is gone.
  ///
  /// - Throws: ``StorageError/occupied(reason:)`` where something else is there; ``StorageError/inUse(reason:)`` while
  ///   another process makes a store there.
  func beginMaking() throws(StorageError) -> Making {
    let marker = "\(makingPath)/\(StoreFolder.restoringName)"
    if try asking(makingPath, { () throws(PlatformError) in try Files.exists(makingPath) }) {
      let isOurs = try asking(makingPath) { () throws(PlatformError) in
        if try Files.exists(marker) { return true }
        return try Files.list(makingPath).isEmpty
      }
      guard isOurs else {
        throw .occupied(reason: "\(makingPath) is needed while it is made, and has something else; move it away")
      }
      // Its file goes with the rest; whoever comes next makes another.
      _ = try lockMaking(marker)
      try asking(makingPath) { () throws(PlatformError) in try Files.removeTree(makingPath) }
    }
    try asking(makingPath) { () throws(PlatformError) in _ = try Files.makeFolder(makingPath) }
    return Making(path: makingPath, lock: try lockMaking(marker))
  }

  private func lockMaking(_ marker: String) throws(StorageError) -> FileLock {
    let lock = try asking(marker) { () throws(PlatformError) in try FileLock(path: marker) }
    guard try asking(marker, { () throws(PlatformError) in try lock.tryLock(.exclusive) }) else {
      throw .inUse(reason: "another process is restoring to \(path)")
    }
    return lock
  }

  /// Removes what was made so far.
  func abandon(_ making: Making) {
    _ = try? Files.removeTree(making.path)
    try? making.lock.unlock()
  }

  /// Gives the store that was made its name.
  func finish(_ making: Making) throws(StorageError) {
    try asking(path) { () throws(PlatformError) in
      // In place of the empty folder.
      try Files.rename(making.path, to: path)
      try Files.syncFolder(Files.folder(of: path))
    }
    // In a store it says nothing.
    _ = try? Files.remove("\(path)/\(StoreFolder.restoringName)")
    try? making.lock.unlock()
  }
}
