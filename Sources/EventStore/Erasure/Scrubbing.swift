// Overwriting what was erased where it may still be read: in pages that are free, and between what is in use.
//
// That it is due stands in the store until it is done, so that it is done in the end, by whatever process: readers that
// began before the erasure keep its pages.
internal import Bytes
internal import LMDB
internal import Platform

/// That the file is to be scrubbed: the number of the last erasure.
enum ScrubDue {
  static func read(
    in transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> UInt64? {
    guard let value = try transaction.fetch(Key.meta(.scrubDue), from: tables.meta) else { return nil }
    return try decoding("meta") { () throws(DamagedBytes) in
      var reader = ByteReader(value)
      return try reader.readUInt64()
    }
  }

  static func set(
    _ erasure: UInt64, in transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    var writer = ByteWriter(capacity: 8)
    writer.write(erasure)
    try transaction.store(writer.bytes, at: Key.meta(.scrubDue), in: tables.meta)
  }
}

/// Scrubs the file of a store on the writer's thread, between two commits.
struct Scrubbing {
  private let environment: Environment
  private let tables: Tables
  /// Whether this process knows that there is something to be scrubbed.
  private var isDue: Bool
  /// Before this it is not tried again, in nanoseconds of the ``MonotonicClock``.
  private var notBefore: UInt64 = 0

  private static let shortestPause: UInt64 = 1_000_000_000
  /// A pause is so many times as long as the scrubbing before it: it looks at every page of the file.
  private static let pauseFactor: UInt64 = 20

  init(_ environment: Environment, _ tables: Tables) {
    self.environment = environment
    self.tables = tables
    // One that was left by another process, or by a reader that did not end.
    isDue = (try? Self.due(environment, tables)) != nil
  }

  /// Scrubs, where that is due.
  ///
  /// - Parameter isWanted: Somebody waits for it.
  mutating func run(isWanted: Bool) {
    isDue = isDue || isWanted
    guard isDue, isWanted || MonotonicClock.nanoseconds >= notBefore else { return }
    let began = MonotonicClock.nanoseconds
    // What fails here fails again with the next commit, which can say so.
    isDue = (try? scrub()) != true
    let took = MonotonicClock.nanoseconds - began
    notBefore = began + took + max(Self.shortestPause, took * Self.pauseFactor)
  }

  /// - Returns: Whether there is nothing left to be scrubbed.
  private func scrub() throws(StorageError) -> Bool {
    guard let erasure = try Self.due(environment, tables) else { return true }
    do throws(LMDBError) {
      // Their keys are names, and a key may stay in a table's inner pages when its entry is gone.
      try environment.rewriteOldKeys(
        of: [tables.names] + [tables.later[StoreRecords.grants.tableName]].compactMap(\.self))
      guard try environment.scrub() else { return false }
    } catch {
      throw StorageError(error)
    }
    var transaction: WriteTransaction
    do throws(LMDBError) { transaction = try environment.beginWrite() } catch { throw StorageError(error) }
    // Unless another process has erased somebody meanwhile.
    guard try ScrubDue.read(in: transaction, tables) == erasure else { return false }
    try transaction.remove(Key.meta(.scrubDue), from: tables.meta)
    do throws(LMDBError) { try transaction.commit() } catch { throw StorageError(error) }
    return true
  }

  private static func due(_ environment: Environment, _ tables: Tables) throws(StorageError) -> UInt64? {
    let transaction: ReadTransaction
    do throws(LMDBError) { transaction = try environment.beginRead() } catch { throw StorageError(error) }
    return try ScrubDue.read(in: transaction, tables)
  }
}
