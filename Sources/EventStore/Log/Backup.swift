// Copying a store while it is at work, and making a store of a copy.
internal import LMDB
internal import Platform
internal import Sodium

/// What a copy holds.
public struct BackupSummary: Sendable, Hashable {
  /// The last position in the copy.
  public var position: LogPosition
  /// How many events it did not have before.
  public var added: UInt64
  /// The size of its data file.
  public var sizeInBytes: Int
}

/// How far a backup is restored.
public enum RestorePoint: Sendable, Hashable {
  /// What had been appended up to this position; of an append that goes beyond it, nothing.
  case position(LogPosition)
  /// What had been recorded by this time.
  case recordedAt(Timestamp)

  func includes(_ record: borrowing RecordView) -> Bool {
    switch self {
    case .position(let position): record.position <= position
    case .recordedAt(let time): record.recordedAt <= time
    }
  }
}

extension EventLog {
  /// Copies the store into a folder, or brings the backup that is there up to date. Appends go on meanwhile.
  ///
  /// The copy is a store like any other (0700, files 0600): it can be opened, verified, or restored from. Into a new folder
  /// it is copied as of one moment. To a backup of this store, what came since is added, after the same history: a crash
  /// leaves it as it was, or with a part of what came since. Where payloads were removed since, it is copied anew, so that
  /// they are gone from the backup too; until that is done the backup stays as it was.
  ///
  /// - Throws: ``StorageError/occupied(reason:)`` where `destination` holds something else, or a backup that has another
  ///   history; ``StorageError/inUse(reason:)`` while another process has the backup open;
  ///   ``StorageError/corrupt(reason:position:)`` where what is to be copied is damaged.
  /// - Complexity: O(store) the first time; O(events since, records of the store) later.
  public func backup(to destination: String) throws(StorageError) -> BackupSummary {
    try Self.refuse(destination, within: folder)
    let backup = BackupFolder(destination)
    let found = try backup.look(for: storeID)
    if found == .standing { return try update(backup) }
    try refuseDamagedFile()
    if found == .nothing {
      try backup.prepare()
      try backup.begin(for: storeID)
    }
    var isCopied = false
    try backup.alone { () throws(StorageError) in
      // Another process may have been at it, and has finished by now.
      guard try backup.look(for: storeID) == .begun else { return }
      do throws(StorageError) { try copyPresent(to: backup) } catch {
        // Half a copy is none.
        if found == .nothing { backup.discard() }
        throw error
      }
      isCopied = true
    }
    return try isCopied ? backup.summary(schema, options, before: 0) : update(backup)
  }

  /// Copies the whole store, again where something was removed from it meanwhile.
  private func copyPresent(to backup: BackupFolder) throws(StorageError) {
    // Where people are erased all the time, the file of tombstones says who is to be erased in the copy.
    for _ in 0..<3 {
      let before = try redactions()
      try copyAll(to: backup)
      if try redactions() == before { return }
    }
  }

  private func redactions() throws(StorageError) -> Redactions {
    let view = try view()
    return try Redactions.read(in: view.transaction, view.tables)
  }

  /// Puts a copy of the whole store in place of what the folder has.
  ///
  /// The pages must have been checked: LMDB believes a damaged one, and copying it may end the process.
  ///
  /// - Parameter tombstones: Those of who was erased, where they are newer than the store's own.
  private func copyAll(to backup: BackupFolder, tombstones: TombstoneFile? = nil) throws(StorageError) {
    try backup.clearAway()
    do throws(LMDBError) { try environment.copy(to: backup.copyingPath) } catch { throw StorageError(error) }
    // Before the copy is a store: who was erased while it was made, or since the backup, is erased in it, too.
    try writeTombstones(tombstones, to: backup.tombstonesPath)
    try backup.finishCopy(StoreIdentity(storeID: storeID, hashSeed: tail.hashSeed, format: format))
  }

  /// Puts a file of tombstones there; without one, the store's own, where it has any. Nobody is left out who is named there
  /// already.
  private func writeTombstones(_ tombstones: TombstoneFile?, to path: String) throws(StorageError) {
    var wanted = tombstones
    if wanted == nil { wanted = try TombstoneFile.read("\(folder)/\(TombstoneFile.name)") }
    guard let wanted else { return }
    // A damaged one says nothing.
    let there = (try? TombstoneFile.read(path)) ?? nil
    let joined = there.flatMap { try? wanted.joined(with: $0) } ?? wanted
    if joined != there { try joined.write(to: path) }
  }

  /// Adds what came since.
  private func update(_ backup: BackupFolder) throws(StorageError) -> BackupSummary {
    let copy: EventLog
    do throws(StorageError) { copy = try backup.open(schema, options) } catch {
      guard case .wrongKey = error, tables.cipher != nil else { throw error.ofBackup(at: backup.path) }
      // From before the master key was changed, or after: where it ends can be read all the same.
      try checkHistory(ofLocked: backup)
      try copyAnew(to: backup)
      return try backup.summary(schema, options, before: 0)
    }
    let before: LogPosition
    do throws(StorageError) {
      let isAlone = try asking(backup.path) { () throws(PlatformError) in try copy.openers.tryUpgrade() }
      guard isAlone else { throw .inUse(reason: "another process has the backup open") }
      before = try checkHistory(of: copy)
      let isUpToDate = try addTo(copy)
      try copy.close()
      if isUpToDate {
        // It may have been lost there.
        try writeTombstones(nil, to: backup.tombstonesPath)
        return try backup.summary(schema, options, before: before)
      }
    } catch {
      try? copy.close()
      throw error
    }
    try copyAnew(to: backup)
    return try backup.summary(schema, options, before: before)
  }

  /// Puts a copy of the whole store in place of a backup, which may have what is damaged here.
  private func copyAnew(to backup: BackupFolder) throws(StorageError) {
    try refuseDamagedFile()
    try refuseLostKeys()
    try backup.alone { () throws(StorageError) in try copyPresent(to: backup) }
  }

  /// Refuses a backup that goes on after this store, or otherwise, as the log says that it has in the clear.
  private func checkHistory(ofLocked backup: BackupFolder) throws(StorageError) {
    let copy = try backup.openLocked(schema, options)
    do throws(StorageError) {
      _ = try checkHistory(of: copy)
      try copy.close()
    } catch {
      try? copy.close()
      throw error
    }
  }

  /// Adds what came since to a copy.
  ///
  /// - Returns: Whether the copy is what the store is; not so where something was removed from the store that the copy
  ///   has.
  private func addTo(_ copy: EventLog) throws(StorageError) -> Bool {
    let before = try redactions()
    guard try copy.redactions() == before else { return false }
    let last = try lastPosition()
    // First the keys of what is to be copied.
    try copy.perform(MirrorRecords(source: self, scope: .secrets))
    do throws(StorageError) { try copy.copyRecords(of: self) { $0.position <= last } } catch {
      // What does not fit may be what was removed meanwhile.
      if try redactions() != before { return false }
      throw error
    }
    let mirror = MirrorRecords(source: self, scope: .copy)
    try copy.perform(mirror)
    return try mirror.outcome.get()
  }

  /// Refuses a copy whose history is not the beginning of this one.
  ///
  /// - Returns: Where it ends.
  private func checkHistory(of copy: EventLog) throws(StorageError) -> LogPosition {
    let end = try copy.head()
    let view = try view()
    guard end.position <= view.last else {
      throw .occupied(reason: "\(copy.folder) ends at \(end.position), after this store, which ends at \(view.last)")
    }
    if end.position > 0, try view.record(at: end.position).chain?.hexadecimal != end.chain {
      throw .occupied(reason: "\(copy.folder) has another history than this store up to position \(end.position)")
    }
    return end.position
  }

  /// Makes a new store in `folder` of the backup in `source`, which is verified first.
  ///
  /// It is the same store: its id, its keys and other records are those of the backup. At an earlier point, the events
  /// after it are left out, and what was removed or revoked since stays so.
  ///
  /// - Parameters:
  ///   - point: How far; `nil`, or beyond its end: all of it.
  ///   - tombstones: A file of the tombstones of the store the backup was made of, newer than the backup: who was erased
  ///     since is erased again, and who is named by the backup's own file.
  /// - Returns: What was verified: of an earlier point, the store that was made.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where the backup is not sound;
  ///   ``StorageError/occupied(reason:)`` where `folder` exists and is not empty.
  @discardableResult
  public static func restore(
    from source: String, to folder: String, schema: EventSchema, at point: RestorePoint? = nil,
    tombstones: String? = nil, options: Options = Options(),
    progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(StorageError) -> VerifyReport {
    try refuse(folder, within: source)
    var reading = options
    reading.isReadOnly = true
    reading.appliesTombstones = false
    let backup: EventLog
    do throws(StorageError) { backup = try EventLog(folder: source, schema: schema, options: reading) } catch {
      throw error.ofBackup(at: source)
    }
    defer { try? backup.close() }
    var report = try backup.verifySound("the backup", progress)
    var newer: TombstoneFile?
    if let tombstones {
      guard let given = try TombstoneFile.read(tombstones) else { throw .missing(folder: tombstones) }
      // The backup's own may name somebody whom the one given does not.
      let own = try TombstoneFile.read("\(source)/\(TombstoneFile.name)")
      newer = try own.map { own throws(StorageError) in try own.joined(with: given) } ?? given
    }
    let target = BackupFolder(folder)
    let isNew = try target.prepare()
    do throws(StorageError) {
      if let point, try !backup.head().isIncluded(by: point) {
        return try backup.restore(to: target, at: point, newer, options)
      }
      try backup.copyAll(to: target, tombstones: newer)
      // Erases who is to be erased.
      let restored = try target.open(schema, options, erasesAgain: true)
      report.noteErasedAgain(try restored.tombstones(), knownBefore: try backup.tombstones())
      try restored.close()
      return report
    } catch {
      target.discard(withFolder: isNew)
      throw error
    }
  }

  private func restore(
    to target: BackupFolder, at point: RestorePoint, _ tombstones: TombstoneFile?, _ options: Options
  ) throws(StorageError) -> VerifyReport {
    // Under another name until it is whole: a part of it would look like a store.
    let making = try target.beginMaking()
    var options = options
    options.creates = true
    options.isReadOnly = false
    options.storeID = storeID
    options.hashSeed = tail.hashSeed
    options.cipher = tables.cipher
    options.appliesTombstones = false
    var restored = try EventLog(folder: making.path, schema: schema, options: options)
    var report: VerifyReport
    do throws(StorageError) {
      // First, since it says how streams are found whose names were erased.
      try restored.perform(MirrorRecords(source: self, scope: .all))
      try restored.copyRecords(of: self, while: point.includes)
      try restored.perform(ForgetLaterEvents())
      try restored.close()
      // Who was erased since the backup is erased in it, too.
      try writeTombstones(tombstones, to: "\(making.path)/\(TombstoneFile.name)")
      options.creates = false
      options.appliesTombstones = true
      restored = try EventLog(folder: making.path, schema: schema, options: options)
      report = try restored.verifySound("what was restored") { _, _ in }
      report.noteErasedAgain(try restored.tombstones(), knownBefore: try self.tombstones())
      try restored.close()
    } catch {
      try? restored.close()
      target.abandon(making)
      throw error
    }
    try target.finish(making)
    return report
  }

  /// Verifies the log, and refuses it unless nothing but derived data is wrong.
  private func verifySound(
    _ what: String, _ progress: (_ done: UInt64, _ total: UInt64) -> Void
  ) throws(StorageError) -> VerifyReport {
    let report = try verify(progress: progress)
    if let problem = report.problems.first(where: { $0.kind != .derived }) {
      throw .corrupt(reason: "\(what) is not sound: \(problem.reason)", position: problem.position)
    }
    return report
  }
}

extension VerifyReport {
  /// Counts whom a restored store erased, of those that the backup does not know to have been.
  fileprivate mutating func noteErasedAgain(_ tombstones: [Tombstone], knownBefore known: [Tombstone]) {
    var erased: [Bytes32: UInt64] = [:]
    for tombstone in tombstones where tombstone.notedAt > 0 && !known.contains(where: { $0.isSame(as: tombstone) }) {
      // It may have had fewer events when the backup was made.
      erased[tombstone.nameHash, default: 0] += min(tombstone.events, tombstone.notedAt.number - 1)
    }
    erasedAgain = erased.count
    eventsErasedAgain = erased.values.reduce(0, +)
  }
}

extension LogHead {
  /// Whether all of the log is before a point.
  fileprivate func isIncluded(by point: RestorePoint) -> Bool {
    switch point {
    case .position(let position): self.position <= position
    case .recordedAt(let time): recordedAt ?? .earliest <= time
    }
  }
}
