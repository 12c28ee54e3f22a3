// Copying a store while it is at work, and making a store of a copy.
internal import LMDB
internal import Platform

/// What a copy holds.
public struct BackupSummary: Sendable, Hashable {
  /// The last position in the copy.
  public var position: LogPosition
  /// The size of its data file.
  public var sizeInBytes: Int
}

extension EventLog {
  /// Copies the store, as of one moment, into a new folder. Appends go on meanwhile.
  ///
  /// The copy is a store like any other (0700, files 0600): it can be opened, verified, or restored from.
  /// - Throws: ``StorageError/denied(reason:)`` where `destination` exists and is not empty;
  ///   ``StorageError/corrupt(reason:position:)`` where a page of the file is damaged.
  public func backup(to destination: String) throws(StorageError) -> BackupSummary {
    try refuseDamagedFile()
    try StoreCopy.prepare(destination)
    do throws(StorageError) {
      return try StoreCopy.write(self, to: destination)
    } catch {
      // Half a copy is none.
      StoreCopy.discard(destination)
      throw error
    }
  }

  /// Makes a new store in `folder` of the backup in `source`, which is verified first.
  ///
  /// - Returns: What was verified.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where the backup is not sound;
  ///   ``StorageError/denied(reason:)`` where `folder` exists and is not empty.
  @discardableResult
  public static func restore(
    from source: String, to folder: String, schema: EventSchema,
    progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(StorageError) -> VerifyReport {
    var options = Options()
    options.isReadOnly = true
    let backup = try EventLog(folder: source, schema: schema, options: options)
    let report = try backup.verify(progress: progress)
    if let problem = report.problems.first(where: { $0.kind != .derived }) {
      throw .corrupt(reason: "the backup is not sound: \(problem.reason)", position: problem.position)
    }
    _ = try backup.backup(to: folder)
    try backup.close()
    return report
  }
}

private enum StoreCopy {
  /// Makes the folder; refuses one that holds anything.
  static func prepare(_ destination: String) throws(StorageError) {
    let (isThere, content) = try asking(destination) { () throws(PlatformError) in
      guard let status = try Files.status(destination) else { return (false, [String]()) }
      return (true, status.kind == .folder ? try Files.list(destination) : [destination])
    }
    guard content.isEmpty else {
      throw .denied(reason: "\(destination) exists and is not empty; a copy needs a new folder")
    }
    if !isThere {
      try asking(destination) { () throws(PlatformError) in _ = try Files.makeFolder(destination) }
    }
  }

  static func write(_ log: EventLog, to destination: String) throws(StorageError) -> BackupSummary {
    let path = "\(destination)/\(StoreFolder.dataName)"
    do throws(LMDBError) { try log.environment.copy(to: path) } catch { throw StorageError(error) }
    let size = try asking(destination) { () throws(PlatformError) in try Files.status(path)?.sizeInBytes ?? 0
    }
    let identity = StoreIdentity(storeID: log.storeID, hashSeed: log.tail.hashSeed)
    try StoreFolder.writeMarker(destination, identity)
    var options = EventLog.Options()
    options.creates = false
    let copy = try EventLog(folder: destination, schema: log.schema, options: options)
    let position = try copy.lastPosition()
    try copy.close()
    return BackupSummary(position: position, sizeInBytes: size)
  }

  static func discard(_ destination: String) {
    for name in [
      StoreFolder.dataName, StoreFolder.markerName, StoreFolder.lockName, StoreFolder.openersName,
    ] {
      _ = try? Files.remove("\(destination)/\(name)")
    }
  }
}
