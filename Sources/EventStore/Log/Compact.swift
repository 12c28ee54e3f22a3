// Writing a store's file anew without its free pages, in the place of the old one.
internal import LMDB
internal import Platform

/// What writing a file anew came to.
public struct CompactionSummary: Sendable, Hashable {
  /// The size of the file before, and after.
  public var bytesBefore: Int, bytesAfter: Int
}

extension EventLog {
  /// Writes the file of the store in `folder` anew, without the pages that are free to be used again.
  ///
  /// The new file is written beside the old one, checked, synced, and then takes its name: all at once, so that a crash
  /// leaves the one or the other. What a crash leaves beside it, whoever opens the store for writing next takes away.
  ///
  /// - Parameter masterKey: That of the store, where it is encrypted.
  /// - Throws: ``StorageError/inUse(reason:)`` while anybody else has the store open;
  ///   ``StorageError/corrupt(reason:position:)`` where a page is damaged; ``StorageError/full(reason:)`` without room
  ///   for the new file. The old one stays then.
  /// - Complexity: O(size of the content); as much room on the disk meanwhile.
  public static func compact(
    _ folder: String, schema: EventSchema, masterKey: MasterKey? = nil
  ) throws(StorageError) -> CompactionSummary {
    var options = Options()
    options.masterKey = masterKey
    options.creates = false
    let log = try EventLog(folder: folder, schema: schema, options: options)
    do throws(StorageError) {
      let summary = try log.replaceFile()
      try log.close()
      return summary
    } catch {
      try? log.close()
      throw error
    }
  }

  private func replaceFile() throws(StorageError) -> CompactionSummary {
    let isAlone = try asking(folder) { () throws(PlatformError) in try openers.tryUpgrade() }
    guard isAlone else { throw .inUse(reason: "another process has it open; compacting needs it alone") }
    try refuseDamagedFile()
    let path = "\(folder)/\(StoreFolder.dataName)", newPath = "\(folder)/\(StoreFolder.compactingName)"
    try asking(folder) { () throws(PlatformError) in _ = try Files.remove(newPath) }
    do throws(LMDBError) {
      try environment.copy(to: newPath)
      if let problem = try FileCheck.run(newPath, depth: .full).problem { throw .damaged(problem) }
    } catch {
      _ = try? Files.remove(newPath)
      throw StorageError(error)
    }
    // Nobody may write to the old file any more.
    environment.close()
    return try asking(folder) { () throws(PlatformError) in
      let summary = CompactionSummary(
        bytesBefore: try Files.status(path)?.sizeInBytes ?? 0, bytesAfter: try Files.status(newPath)?.sizeInBytes ?? 0)
      try Files.rename(newPath, to: path)
      try Files.syncFolder(folder)
      return summary
    }
  }
}
