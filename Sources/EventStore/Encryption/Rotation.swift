// Putting another master key in the place of the one that a store is encrypted with.
internal import Bytes
internal import LMDB
internal import Platform
internal import Sodium

/// What changing the master key came to.
public struct KeyRotation: Sendable, Hashable {
  /// How many streams' keys were wrapped anew.
  public var streams: Int
  /// How the store is encrypted now.
  public var encryption: EncryptionStatus
  /// Whether the keys can't be found in the file any more as they were wrapped before.
  public var isScrubbed: Bool
}

extension EventLog {
  /// Gives the store in `folder` another master key: the keys it holds are wrapped anew, all with one commit, and what
  /// the file held of them before is overwritten. The log is not touched.
  ///
  /// A crash leaves the one master key or the other, never some of both. A process that had the old one is refused when
  /// it opens the store next, and so is whoever opens an older backup with the new one.
  ///
  /// After a crash behind the commit, what the file held before is overwritten with the next append.
  ///
  /// - Throws: ``StorageError/wrongKey(reason:)`` unless `old` is the store's master key, and another one than `new`;
  ///   ``StorageError/inUse(reason:)`` while anybody else has the store open: who holds the old key would go on with it;
  ///   ``StorageError/corrupt(reason:position:)`` where a stream's keys are damaged. Nothing is changed then.
  /// - Complexity: O(streams), about five microseconds each, and the pages of the file.
  public static func rotateMasterKey(
    of folder: String, from old: MasterKey, to new: MasterKey, schema: EventSchema
  ) throws(StorageError) -> KeyRotation {
    guard old != new else { throw .wrongKey(reason: "the new master key is the same as the one given as the store's") }
    var options = Options()
    options.creates = false
    options.masterKey = old
    let log = try EventLog(folder: folder, schema: schema, options: options)
    do throws(StorageError) {
      let rotation = try log.rotate(to: new)
      try log.close()
      return rotation
    } catch {
      try? log.close()
      throw error
    }
  }

  private func rotate(to new: MasterKey) throws(StorageError) -> KeyRotation {
    let isAlone = try asking(folder) { () throws(PlatformError) in try openers.tryUpgrade() }
    guard isAlone else { throw .inUse(reason: "another process has it open; changing its master key needs it alone") }
    guard let old = tables.cipher else { throw .wrongKey(reason: "the store is not encrypted") }
    let work = RewrapSecrets(old: old, new: old.rewrapped(with: new))
    try perform(work)
    return KeyRotation(
      streams: try work.outcome.get(), encryption: work.new.status, isScrubbed: try !isScrubDue())
  }
}

/// Wraps all keys anew.
private struct RewrapSecrets: WriterWork {
  let old: StoreCipher
  let new: StoreCipher
  let outcome = WorkOutcome<Int>()

  func run(in context: inout WriterContext) throws(StorageError) {
    let tables = context.tables
    var wrapped: [(stream: StreamNumber, name: StreamName, secrets: StreamSecrets)] = []
    let found: (streams: [StreamNumber], unused: [[UInt8]])
    do throws(StorageError) {
      found = try streams(context)
      for stream in found.streams {
        let name = try context.index.name(of: stream, in: context.transaction)
        guard let secrets = try old.secrets(of: stream, named: name, in: context.transaction, tables) else {
          throw .damagedSecrets(of: stream)
        }
        wrapped.append((stream, name, secrets))
      }
    } catch .corrupt(let reason, let position) {
      // Nothing is written yet.
      return outcome.set(.failure(.corrupt(reason: reason, position: position)))
    }
    for key in found.unused { try context.transaction.remove(key, from: try tables.secretTable()) }
    for row in wrapped {
      try new.keep(row.secrets, of: row.stream, named: row.name, in: &context.transaction, tables)
    }
    try new.store(in: &context.transaction, tables)
    try ScrubDue.set(context.catalog.erasures, in: &context.transaction, tables)
    context.wantsScrub = true
    context.hasWritten = true
    outcome.set(.success(wrapped.count))
  }

  /// The streams that have keys; and the rows of streams that are not in the log. A backup has such, where it was cut
  /// short before it had their events: it gets them again with the events.
  private func streams(
    _ context: borrowing WriterContext
  ) throws(StorageError) -> (streams: [StreamNumber], unused: [[UInt8]]) {
    var streams: [StreamNumber] = []
    var unused: [[UInt8]] = []
    var cursor = try context.transaction.scan(try context.tables.secretTable())
    while let entry = try cursor.toNext() {
      let stream = try decoding(SecretTable.name) { () throws(DamagedBytes) in try Key.stream(of: entry.key) }
      if stream > context.end.streams { unused.append(entry.key.array()) } else if stream > 0 { streams.append(stream) }
    }
    return (streams, unused)
  }
}
