// Proving the tombstones: each says what was signed.
internal import Bytes

extension EventLog {
  /// What is wrong with the tombstones, by one who knows what was signed.
  func unsignedTombstones(
    _ isSigned: (_ statement: [UInt8], _ signature: [UInt8]) -> Bool
  ) throws(StorageError) -> [String] {
    let known: [Tombstone]
    // A damaged one is found among the records.
    do throws(StorageError) { known = try tombstones() } catch .corrupt { return [] }
    return known.filter { !isSigned($0.statement, $0.signature) }.map { tombstone in
      "what is noted of the erasure at \(tombstone.erasedAt) by \(tombstone.by) is not what the store has signed"
    }
  }
}
