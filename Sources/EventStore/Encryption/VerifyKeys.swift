// Proving that an encrypted store has the keys it should have, and no others.
internal import LMDB

extension EventLog {
  /// What is wrong with the keys of the store, and whether anybody has keys who was erased. Those of streams that say
  /// something are proved with their records.
  ///
  /// - Parameter isErased: Whether the last event of a stream that was looked at says that it was erased.
  func keyProblems(isErased: (StreamNumber) -> Bool) throws(StorageError) -> [String] {
    // Where the end of the log is damaged, that was found before.
    guard tables.cipher != nil, let view = try? view() else { return [] }
    var problems: [String] = []
    if try !StoreCipher.isRowWhole(in: view.transaction, tables) {
      problems.append(
        "one of the two rows that say how the store is encrypted is damaged; changing the master key writes both anew")
    }
    var keys = try view.transaction.scan(try tables.secretTable())
    while let entry = try keys.toNext() {
      guard let stream = try? Key.stream(of: entry.key), stream > 0, isErased(stream) else { continue }
      // Whoever came back since has keys again.
      if try view.index.storedEpoch(of: stream, view.transaction).erased != nil {
        problems.append("there are keys of somebody who was erased")
      }
    }
    return problems
  }
}
