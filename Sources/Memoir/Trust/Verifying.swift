// Verifying a memory: what the log proves by itself, and what the store has signed.
public import EventStore

extension MemoirStore {
  /// Verifies the store as ``EventLog/verify(against:in:signedBy:progress:)`` does, and that what is noted of erasures is
  /// what the store has signed.
  ///
  /// Where the store has no key, nothing can have been signed with it, and signatures are not looked at. A store that was
  /// restored from a backup of before it had a key has another one: then what was signed with the first is told as
  /// wrong. ``backup(to:)`` makes the key first.
  ///
  /// - Parameters:
  ///   - known: What the end of the log was once.
  ///   - namespace: Report only of its streams, and of what is about no stream.
  /// - Complexity: As ``EventLog/verify(against:in:signedBy:progress:)``.
  public func verify(
    against known: LogHead? = nil, in namespace: Namespace? = nil,
    progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(MemoirError) -> VerifyReport {
    // A damaged key is found among the records.
    let key = (try? storeKey())?.publicKey
    do throws(StorageError) {
      guard let key else { return try log.verify(against: known, in: namespace, progress: progress) }
      return try log.verify(against: known, in: namespace, signedBy: { key.hasSigned($0, as: $1) }, progress: progress)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Copies the store as ``EventLog/backup(to:)`` does, with the key that it signs with, which is made where there is none.
  public func backup(to destination: String) throws(MemoirError) -> BackupSummary {
    if !log.isReadOnly { _ = try signingKey() }
    do throws(StorageError) { return try log.backup(to: destination) } catch { throw MemoirError(error) }
  }
}
