// A named table of an environment.
internal import CMemoirLMDB

/// A named table: keys of 1 to 511 bytes in the order of their bytes, each with one value.
///
/// Valid for as long as its environment is open, in every transaction begun after it was opened.
public struct Table: Sendable, Hashable {
  /// LMDB's number for the table.
  let handle: MDB_dbi
  /// Which environment it belongs to: the same number means another table elsewhere.
  let owner: UInt32
}

/// What a table takes up.
public struct TableStatistics: Sendable, Hashable {
  /// Pairs of key and value.
  public let entries: Int
  /// Levels of the tree; 0 where empty.
  public let depth: Int
  /// Inner pages.
  public let branchPages: Int
  /// Pages that hold entries.
  public let leafPages: Int
  /// Pages of values too long for a leaf.
  public let overflowPages: Int
  /// Bytes of one page.
  public let pageSize: Int

  /// Bytes of all pages of the table.
  public var sizeInBytes: Int { (branchPages + leafPages + overflowPages) * pageSize }
}
