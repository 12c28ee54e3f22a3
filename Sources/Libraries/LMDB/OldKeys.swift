// Keys that stay readable in the inner pages of a table after their entries are gone.
//
// An inner page leads to its leaves by the first key each had when it was split off. LMDB leaves that key as it is when
// the entry is removed: it still parts the leaf from the one before it. Where keys are names, that is one too many.

extension Environment {
  /// Writes tables anew in whose inner pages a key stands that no entry has any more. Their content stays the same.
  ///
  /// For tables whose keys say something that must be forgotten; before ``scrub()``, which clears the old pages.
  ///
  /// - Returns: How many tables had such keys.
  /// - Precondition: This thread has no write transaction.
  /// - Throws: As ``beginWrite()`` and ``WriteTransaction/commit()``; ``LMDBError/damaged(_:)``.
  /// - Complexity: O(pages of the tables), and O(entries) of those that are written.
  @discardableResult
  public func rewriteOldKeys(of tables: [Table]) throws(LMDBError) -> Int {
    var transaction = try beginWrite()
    // What it sees is what the writer began with: nobody else writes meanwhile.
    let reader = try beginRead()
    let found = try tablesWithOldKeys(among: tables, commit: reader.id)
    if found.isEmpty { return 0 }
    for table in found {
      try transaction.drop(table)
      var cursor = try reader.cursor(in: table)
      while let entry = try cursor.next() {
        try transaction.append(entry.value, at: entry.key, in: table)
      }
    }
    try transaction.commit()
    return found.count
  }

  private func tablesWithOldKeys(among tables: [Table], commit: UInt64) throws(LMDBError) -> [Table] {
    let names = Dictionary(uniqueKeysWithValues: names(of: tables).map { (Array($0.key.utf8), $0.value) })
    return try walkPages { (file, metas) throws(PageWalk.Stop) in
      guard let meta = metas.first(where: { $0.transaction == commit }) else {
        throw .malformed("no meta page of commit \(commit)", commit & 1)
      }
      var walk = try PageWalk(file, meta, .full, only: Set(names.keys))
      try walk.finish(file)
      return walk.tablesWithOldKeys.compactMap { names[$0] }
    }
  }
}
