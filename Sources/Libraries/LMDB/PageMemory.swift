// The memory in which LMDB makes the pages of a commit.
//
// LMDB keeps it for the pages of later commits, and clears it only when it is new: where a page has a gap, it writes what
// an older page had there. So deleted text would come back into a scrubbed file with the commits that follow, of every
// process that wrote it once. There is no call to clear that memory. But there is one that lends it: a value of just one
// page, reserved and not yet written.
internal import CMemoirLMDB

extension Environment {
  /// Clears the memory of pages that were written before, all of them.
  ///
  /// Takes pages as for a commit, clears them, and gives them back without one. Some are taken for the tree that leads to
  /// the others; which ones is another matter in every round, so that in the end each has been cleared once.
  ///
  /// - Throws: ``LMDBError/mapFull(_:)`` and ``LMDBError/outOfMemory(_:)``, as for a commit.
  /// - Complexity: O(pages of the largest commit since the memory was cleared last), below a microsecond each.
  func clearPageMemory() throws(LMDBError) {
    var places: Set<UInt> = []
    var taken = 0
    var values: Int?
    // Other sizes of keys make other trees; ever smaller ones, so that no round needs more pages than the first.
    for keySize in stride(from: 136, through: 8, by: -8) {
      let transaction = try unsafe begin(flags: 0)
      defer { unsafe mdb_txn_abort(transaction) }
      let round = try unsafe clearPages(transaction, keySize: keySize, values: values, into: &places)
      values = round.values
      taken = max(taken, round.values + round.treePages)
      // As many places as were taken: all of them.
      if places.count >= taken { return }
    }
  }

  /// How many pages one round may take. LMDB would write some to make room for more.
  private static let largestRound = 120_000
  /// Pages that have only zeros are new, or were cleared before; so are those that come after them. That a page of zeros
  /// was written as such is not impossible, so many in a row are needed.
  private static let clearRun = 16

  /// Takes pages and clears them.
  ///
  /// - Parameters:
  ///   - values: How many; without, as long as there are any to be cleared.
  ///   - places: Is told where they are.
  /// - Returns: How many were taken: for values, and for the tree that leads to them.
  private func clearPages(
    _ transaction: OpaquePointer, keySize: Int, values: Int?, into places: inout Set<UInt>
  ) throws(LMDBError) -> (values: Int, treePages: Int) {
    // The list of tables takes values as any table does. No name is as far behind: this is no UTF-8.
    let main = try unsafe openTableList(transaction)
    var before = MDB_stat(), after = MDB_stat()
    try LMDBError.check(perform(.statistics) { unsafe mdb_stat(transaction, main, &before) }, .statistics)
    var key = [UInt8](repeating: 0xff, count: keySize)
    var count = 0
    var clearOnes = 0
    while count < min(values ?? .max, Self.largestRound), values != nil || clearOnes < Self.clearRun {
      // The largest first byte first, then numbers that rise: each key comes after all others.
      for place in 1...4 { key[place] = UInt8(truncatingIfNeeded: count >> (32 - 8 * place)) }
      var value = unsafe MDB_val()
      unsafe value.mv_size = pageSize - 16
      let code = unsafe key.withUnsafeBytes { bytes in
        var key = unsafe MDB_val(bytes)
        return perform(.put) { unsafe mdb_put(transaction, main, &key, &value, UInt32(MDB_RESERVE | MDB_APPEND)) }
      }
      try LMDBError.check(code, .put)
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
      clearOnes = unsafe bytes.allSatisfy { $0 == 0 } ? clearOnes + 1 : 0
      unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
      places.insert(unsafe UInt(bitPattern: value.mv_data))
      count += 1
    }
    try LMDBError.check(perform(.statistics) { unsafe mdb_stat(transaction, main, &after) }, .statistics)
    // Besides the new ones, those on the way to the last key.
    let treePages =
      Int(before.ms_depth) + after.ms_branch_pages + after.ms_leaf_pages - before.ms_branch_pages
      - before.ms_leaf_pages
    return (count, treePages)
  }
}
