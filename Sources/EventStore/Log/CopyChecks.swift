// What is looked at before a store is copied, or restored of a copy: so that nothing long is begun in vain.
internal import Platform

extension EventLog {
  /// The name of the file in a store's folder that says who was erased.
  package static let tombstonesName = TombstoneFile.name

  /// Refuses a place for a copy within what is copied: whoever looks after the one would find the other in it.
  static func refuse(_ place: String, within folder: String) throws(StorageError) {
    let isWithin = try asking(place) { () throws(PlatformError) in
      try Files.resolved(place).hasPrefix(try Files.resolved(folder) + "/")
    }
    if isWithin { throw .occupied(reason: "\(place) is within \(folder), which is copied") }
  }

  /// Refuses what a backup cannot be restored with.
  ///
  /// - Throws: ``ReadError/invalid(_:)`` naming `at_position`, for one that the backup does not have, or `tombstones`, for
  ///   what is no such file of the same store; ``StorageError/missing(folder:)`` for what is not there.
  package static func checkRestore(
    of source: String, at position: LogPosition?, tombstones: String?, schema: EventSchema,
    options: Options = Options()
  ) throws(ReadError) {
    let (storeID, last): (EventID, LogPosition)
    do throws(StorageError) {
      var options = options
      options.isReadOnly = true
      options.appliesTombstones = false
      let backup = try EventLog(folder: source, schema: schema, options: options)
      defer { try? backup.close() }
      (storeID, last) = (backup.storeID, try backup.lastPosition())
    } catch {
      throw .storage(error.ofBackup(at: source))
    }
    if let position, position > last {
      throw .invalid(
        InvalidValue(field: "at_position", reason: "is \(position), and the backup ends at \(last)"))
    }
    guard let tombstones else { return }
    let file: TombstoneFile?
    do throws(StorageError) {
      let kind = try asking(tombstones) { () throws(PlatformError) in try Files.status(tombstones)?.kind }
      guard kind == nil || kind == .file else {
        throw .corrupt(reason: "is no file", position: nil)
      }
      file = try TombstoneFile.read(tombstones)
    } catch {
      guard case .corrupt = error else { throw .storage(error) }
      throw .invalid(
        InvalidValue(field: "tombstones", reason: "\(tombstones) is no file of tombstones, or it is damaged"))
    }
    guard let file else { throw .storage(.missing(folder: tombstones)) }
    guard file.storeID == storeID else {
      throw .invalid(InvalidValue(field: "tombstones", reason: "\(tombstones) is of another store than the backup"))
    }
  }
}

extension StorageError {
  /// The same, told from damage of the store that is at work.
  func ofBackup(at path: String) -> StorageError {
    guard case .corrupt(let reason, let position) = self else { return self }
    return .corrupt(reason: "the backup at \(path): \(reason)", position: position)
  }
}
