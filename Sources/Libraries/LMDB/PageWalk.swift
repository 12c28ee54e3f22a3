// The pages of a data file, as `mdb.c` of LMDB 0.9 lays them out, and the way through all of them.
//
//     every page    number u64, pad u16, flags u16, lower u16, upper u16 (an overflow run: length u32)
//     meta page     then magic u32, version u32, address u64, map size u64, two trees, last page u64, transaction u64
//     tree          pad u32 (in the first: page size), flags u16, depth u16,
//                   branch, leaf, overflow pages and entries u64, root page u64
//     inner, leaf   then offsets u16 of the nodes up to `lower`, in the order of their keys; nodes from `upper` on
//     node          in a leaf: size of data u32, flags u16, size of key u16, key, data or number of an overflow page
//                   inside: page number 48 bits, size of key u16, key

/// One of the two pages a file begins with: each leads to all pages of one commit.
struct MetaPage {
  /// A tree of pages as something points to it.
  struct Tree {
    /// How many there are of each kind.
    struct Pages: Equatable {
      var branch: UInt64 = 0
      var leaf: UInt64 = 0
      var overflow: UInt64 = 0
    }

    var pad: Int
    var flags: Int
    var depth: Int
    var pages: Pages
    var entries: UInt64
    /// `nil` where the tree is empty.
    var root: UInt64?

    static let size = 48

    init(_ bytes: PageBytes, at offset: Int) {
      pad = bytes.u32(offset)
      flags = bytes.u16(offset + 4)
      depth = bytes.u16(offset + 6)
      pages = Pages(
        branch: bytes.u64(offset + 8), leaf: bytes.u64(offset + 16), overflow: bytes.u64(offset + 24))
      entries = bytes.u64(offset + 32)
      let number = bytes.u64(offset + 40)
      root = number == .max ? nil : number
    }
  }

  let pageSize: Int
  let free: Tree
  let main: Tree
  let lastPage: UInt64
  let transaction: UInt64

  private static let size = 152

  /// Reads both and checks what LMDB will believe of them.
  static func readBoth(of file: borrowing PageFile) throws(PageWalk.Stop) -> [MetaPage] {
    var metas = try readOnce(file)
    // Commits may come between the two; soon there is a moment without.
    for _ in 1...8 {
      let again = try readOnce(file)
      defer { metas = again }
      if again.map(\.transaction) == metas.map(\.transaction) { break }
    }
    let one = metas[0].transaction, two = metas[1].transaction
    // Commits take turns, the even ones to the first page. A flipped bit would let an old state pass for the last.
    let isInTurn = one % 2 == 0 && (one < two ? two - one == 1 : one - two == 1)
    guard isInTurn || (one == 0 && two == 0) else {
      throw .malformed("commits \(one) and \(two) side by side", one > two ? 0 : 1)
    }
    return metas
  }

  private static func readOnce(_ file: borrowing PageFile) throws(PageWalk.Stop) -> [MetaPage] {
    let first = try file.read(size, at: 0)
    if first.count == 0 { throw .problem(.empty, nil) }
    let one = try MetaPage(first, number: 0, file)
    let two = try MetaPage(file.read(size, at: one.pageSize), number: 1, file)
    guard one.pageSize == two.pageSize else { throw .malformed("the meta pages differ in page size", 1) }
    return [one, two]
  }

  private init(_ bytes: PageBytes, number: UInt64, _ file: borrowing PageFile) throws(PageWalk.Stop) {
    guard bytes.count == Self.size else {
      let size = try file.sizeInBytes()
      throw .problem(.truncated(sizeInBytes: size, neededInBytes: size + Self.size - bytes.count), number)
    }
    guard bytes.u32(16) == 0xBEEF_C0DE, bytes.u32(20) == 1 else {
      // A second page without its mark behind a good first one is damage, not another format.
      if number == 0 { throw .problem(.foreign, 0) }
      throw .malformed("the meta page has no mark", number)
    }
    guard bytes.u64(0) == number, bytes.u16(10) == PageWalk.Flags.meta else {
      throw .malformed("the meta page has a wrong header", number)
    }
    free = Tree(bytes, at: 40)
    main = Tree(bytes, at: 88)
    pageSize = free.pad
    lastPage = bytes.u64(136)
    transaction = bytes.u64(144)
    guard pageSize.nonzeroBitCount == 1, (512...32768).contains(pageSize) else {
      throw .malformed("a page size of \(pageSize) bytes", number)
    }
    // The free list sorts by integers; other orders and duplicates are not used in our files.
    guard free.flags & 0x7f == 0x08, main.flags & 0x7fff == 0 else {
      throw .malformed("the flags of a tree are unknown", number)
    }
    guard lastPage >= 1, lastPage < 1 << 47 / UInt64(pageSize) else {
      throw .malformed("a page count of \(lastPage)", number)
    }
  }
}

/// A walk over the pages of one commit, bounded by the number of pages there are.
struct PageWalk {
  enum Flags {
    static let branch = 0x01, leaf = 0x02, overflow = 0x04, meta = 0x08
  }

  private enum NodeFlags {
    static let overflow = 0x01, tree = 0x02
  }

  /// Why a walk ended early.
  enum Stop: Error {
    case problem(FileCheck.Problem)
    case system(LMDBError)
    case limit

    static func problem(_ reason: FileCheck.Problem.Reason, _ page: UInt64?) -> Stop {
      .problem(FileCheck.Problem(reason: reason, page: page))
    }

    static func malformed(_ what: String, _ page: UInt64) -> Stop { .problem(.malformed(what), page) }
  }

  /// What a tree is for, and so what its leaves hold.
  private enum Role { case freeList, tableList, table }

  private static let headerSize = 16, nodeHeaderSize = 8, keySizeMax = 511, depthMax = 32
  /// Pages that may be missing at the end of a whole file: values below 4 GiB, taken and freed in one transaction.
  private static let missingMax: UInt64 = 1 << 20

  private let meta: MetaPage
  private let sizeInBytes: Int
  private let pagesInFile: UInt64
  private let depth: FileCheck.Depth
  private let limit: Int
  /// Is told what the pages hold, where they are to be scrubbed.
  private let scrubber: Scrubber?
  /// The tables to be walked through, by their names; `nil`: all.
  private let names: Set<[UInt8]>?
  private var seen: PageSet
  private(set) var pagesRead = 0
  private(set) var pagesUsed = 2
  private(set) var pagesFree = 0
  private(set) var isCutShort = false
  /// Tables in which an inner page holds a key that no entry has any more.
  private(set) var tablesWithOldKeys: Set<[UInt8]> = []
  /// The first key of what was looked at last, and whether a key above it was found to be another.
  private var firstKey: ArraySlice<UInt8>?
  private var hasOldKey = false
  /// Of the tree that is being walked.
  private var pagesOfTree = MetaPage.Tree.Pages()

  init(
    _ file: borrowing PageFile, _ meta: MetaPage, _ depth: FileCheck.Depth, scrubber: Scrubber? = nil,
    only names: Set<[UInt8]>? = nil
  ) throws(Stop) {
    self.meta = meta
    self.scrubber = scrubber
    self.names = names
    // After the meta page: whoever writes lengthens the file first.
    sizeInBytes = try file.sizeInBytes()
    pagesInFile = UInt64(sizeInBytes / meta.pageSize)
    var depth = depth
    if meta.lastPage >= pagesInFile {
      guard meta.lastPage - pagesInFile < Self.missingMax else {
        throw .problem(
          .truncated(
            sizeInBytes: sizeInBytes, neededInBytes: Int(meta.lastPage + 1 - Self.missingMax) * meta.pageSize),
          nil)
      }
      depth = .full
    }
    self.depth = depth
    limit = if case .branches(let limit) = depth { limit } else { .max }
    seen = PageSet(below: depth == .metaOnly ? 0 : pagesInFile)
  }

  /// Walks through all trees.
  ///
  /// - Returns: The first problem, `nil` where there is none.
  mutating func run(_ file: borrowing PageFile) throws(Stop) -> FileCheck.Problem? {
    do throws(Stop) {
      try walk(meta.main, .tableList, from: 0, file)
      try walk(meta.free, .freeList, from: 0, file)
      try checkNumber(file)
    } catch {
      switch error {
      case .problem(let problem): return problem
      case .system: throw error
      case .limit: isCutShort = true
      }
    }
    return nil
  }

  /// Walks through all trees, and throws the first problem.
  mutating func finish(_ file: borrowing PageFile) throws(Stop) {
    if let problem = try run(file) { throw .problem(problem) }
  }

  private mutating func walk(
    _ tree: MetaPage.Tree, _ role: Role, from page: UInt64, _ file: borrowing PageFile
  ) throws(Stop) {
    guard let root = tree.root else {
      if tree.depth != 0 || tree.entries != 0 { throw .malformed("an empty tree with entries", page) }
      return
    }
    guard (1...Self.depthMax).contains(tree.depth) else {
      throw .malformed("a tree \(tree.depth) pages deep", page)
    }
    try check(root, from: page)
    // No page has 4096 entries: the least takes eleven bytes.
    guard max(tree.pages.branch, tree.pages.leaf, tree.pages.overflow, tree.entries >> 12) <= meta.lastPage else {
      throw .malformed("a tree of more pages than there are", page)
    }
    if depth == .metaOnly { return }
    let outer = pagesOfTree
    pagesOfTree = MetaPage.Tree.Pages()
    let entries = try visit(
      root, from: page, levels: tree.depth, isRoot: true, role, KeyRange(after: nil, before: nil), file)
    if let entries, entries != tree.entries {
      throw .malformed("a tree with \(entries) of \(tree.entries) entries", root)
    }
    if depth == .full, scrubber?.skipsKnown != true, pagesOfTree != tree.pages {
      throw .malformed("a tree of another number of pages", root)
    }
    pagesOfTree = outer
  }

  /// Compares the number of the commit with the last one in the free list.
  ///
  /// Every commit but the first replaces the root of the list of tables and so frees a page under its own number. A bit
  /// flipped in the number of the older meta page could otherwise make it the newer one: a commit lost in silence.
  private mutating func checkNumber(_ file: borrowing PageFile) throws(Stop) {
    guard meta.transaction > 1, var number = meta.free.root else { return }
    for levels in (1...meta.free.depth).reversed() {
      try check(number, from: 0)
      let page = try Page(read(number, file), number, isLeaf: levels == 1, true)
      guard let last = page.nodes.last else { return }
      if levels == 1, page.bytes.u64(last.offset + Self.nodeHeaderSize) != meta.transaction {
        throw .malformed("commit \(meta.transaction) bears another number in the free list", number)
      }
      number = page.child(last)
    }
  }

  /// Whether a page may be pointed to at all.
  private func check(_ number: UInt64, count: UInt64 = 1, from page: UInt64) throws(Stop) {
    guard number >= 2, number <= meta.lastPage, count <= meta.lastPage - number + 1 else {
      throw .malformed("points to page \(number), which there is not", page)
    }
    guard number + count <= pagesInFile else {
      throw .problem(
        .truncated(sizeInBytes: sizeInBytes, neededInBytes: Int(number + count) * meta.pageSize), page)
    }
  }

  /// Marks pages as seen; each may be reached once.
  private mutating func mark(_ number: UInt64, count: UInt64 = 1) throws(Stop) {
    for number in number..<number + count where !seen.insert(number) {
      throw .malformed("is used twice", number)
    }
  }

  private mutating func read(_ number: UInt64, _ file: borrowing PageFile) throws(Stop) -> PageBytes {
    if pagesRead >= limit { throw .limit }
    pagesRead += 1
    let bytes = try file.read(meta.pageSize, at: Int(number) * meta.pageSize)
    guard bytes.count == meta.pageSize else {
      throw .problem(.truncated(sizeInBytes: sizeInBytes, neededInBytes: sizeInBytes + 1), number)
    }
    guard bytes.u64(0) == number else { throw .malformed("bears the number \(bytes.u64(0))", number) }
    return bytes
  }

  /// Looks at a page and all below it.
  ///
  /// - Returns: How many entries there are, `nil` where leaves are not read.
  private mutating func visit(
    _ number: UInt64, from parent: UInt64, levels: Int, isRoot: Bool = false, _ role: Role, _ range: KeyRange,
    _ file: borrowing PageFile
  ) throws(Stop) -> UInt64? {
    try check(number, from: parent)
    // What two commits share is the same in both.
    if let scrubber, scrubber.isKnown(number) { return nil }
    try mark(number)
    scrubber?.use(number)
    pagesUsed += 1
    let isLeaf = levels == 1
    if isLeaf, depth != .full, role != .tableList, !isRoot { return nil }
    let page = try Page(read(number, file), number, isLeaf: isLeaf, role == .freeList)
    // LMDB aborts where an inner page has but one child, except in the free list.
    if !isLeaf, page.nodes.count < (role == .freeList ? 1 : 2) {
      throw .malformed("an inner page with \(page.nodes.count) children", number)
    }
    try page.checkOrder(in: range)
    if let gap = page.gap { try scrubber?.overwrite(gap, of: number) }
    if isLeaf { pagesOfTree.leaf += 1 } else { pagesOfTree.branch += 1 }
    if depth == .roots, role != .tableList, !isLeaf { return nil }
    if isLeaf {
      for node in page.nodes { try visit(node, of: page, role, file) }
      firstKey = page.nodes.first.map(page.key)
      return UInt64(page.nodes.count)
    }
    var firstOfAll: ArraySlice<UInt8>?
    var entries: UInt64? = 0
    for (index, node) in page.nodes.enumerated() {
      let below = KeyRange(
        after: index == 0 ? range.after : page.key(node),
        before: index + 1 < page.nodes.count ? page.key(page.nodes[index + 1]) : range.before)
      let count = try visit(
        page.child(node), from: number, levels: levels - 1, role, below, file)
      // An entry that was removed has left its key above the leaf it was the first of.
      if index == 0 { firstOfAll = firstKey } else if firstKey != page.key(node) { hasOldKey = true }
      // Fewer pages than 2^47 with fewer than 2^16 entries each.
      entries = if let sum = entries, let count { sum + count } else { nil }
    }
    firstKey = firstOfAll
    return entries
  }

  /// Looks at an entry and what it leads to.
  private mutating func visit(
    _ node: Page.Node, of page: Page, _ role: Role, _ file: borrowing PageFile
  ) throws(Stop) {
    let start = node.offset + Self.nodeHeaderSize + node.keySize
    switch (role, node.flags) {
    case (.tableList, NodeFlags.tree):
      guard node.dataSize == MetaPage.Tree.size else {
        throw .malformed("a table of another size", page.number)
      }
      let tree = MetaPage.Tree(page.bytes, at: start)
      guard tree.flags & 0x7fff == 0 else {
        throw .malformed("a table with flags \(tree.flags)", page.number)
      }
      let name = Array(page.key(node))
      if let names, !names.contains(name) { return }
      hasOldKey = false
      try walk(tree, .table, from: page.number, file)
      if hasOldKey { tablesWithOldKeys.insert(name) }
    case (.freeList, 0):
      let list = PageBytes(bytes: Array(page.bytes.bytes[start..<start + node.dataSize]))
      let sizeInBytes = try checkFree(list, of: page.commit(node), page.number)
      // LMDB makes room for a list before it knows how long it will be.
      try scrubber?.clear(start + sizeInBytes..<start + node.dataSize, of: page.number)
    case (_, 0): break
    case (.tableList, NodeFlags.overflow), (.table, NodeFlags.overflow), (.freeList, NodeFlags.overflow):
      let first = page.bytes.u64(start)
      if let scrubber, scrubber.isKnown(first) { return }
      let needed = UInt64((Self.headerSize - 1 + node.dataSize) / meta.pageSize + 1)
      try check(first, count: needed, from: page.number)
      let head = try read(first, file)
      // A value that shrank keeps the pages it had.
      let count = UInt64(head.u32(12))
      guard head.u16(10) == Flags.overflow, count >= needed else {
        throw .malformed("a run of \(count) pages in place of \(needed)", first)
      }
      try check(first, count: count, from: page.number)
      try mark(first, count: count)
      scrubber?.use(first, count: count)
      pagesUsed += Int(count)
      pagesOfTree.overflow += count
      var sizeInBytes = node.dataSize
      if role == .freeList {
        guard node.dataSize / 8 <= meta.lastPage + 1 << 13 else {
          throw .malformed("a free list of \(node.dataSize) bytes", first)
        }
        let list = try file.read(node.dataSize, at: Int(first) * meta.pageSize + Self.headerSize)
        sizeInBytes = try checkFree(list, of: page.commit(node), first)
      }
      try scrubber?.clear(Self.headerSize + sizeInBytes..<Int(count) * meta.pageSize, of: first)
    default: throw .malformed("an entry with flags \(node.flags)", page.number)
    }
  }

  /// Looks at a list of free pages: a length, then numbers that descend.
  ///
  /// LMDB hands these pages to the next writer; one in use among them would be overwritten.
  ///
  /// - Parameter commit: The one that freed them.
  /// - Returns: How many bytes of the list are looked at.
  private mutating func checkFree(_ list: PageBytes, of commit: UInt64, _ page: UInt64) throws(Stop) -> Int {
    let length = list.u64(0)
    guard length < UInt64(list.count / 8) else { throw .malformed("a free list of \(length) pages", page) }
    var above = meta.lastPage + 1
    for index in 0..<Int(length) {
      let number = list.u64(8 + 8 * index)
      guard number >= 2, number < above else { throw .malformed("a free list out of order", page) }
      try mark(number)
      scrubber?.free(number, by: commit)
      above = number
    }
    pagesFree += Int(length)
    return 8 + 8 * Int(length)
  }
}

/// The keys that may be in a page: at or after one, before another.
private struct KeyRange {
  var after: ArraySlice<UInt8>?
  var before: ArraySlice<UInt8>?
}

/// An inner page or a leaf whose nodes lie inside it.
private struct Page {
  struct Node {
    let offset: Int
    let keySize: Int
    /// 0 in an inner page.
    let dataSize: Int
    let flags: Int
  }

  let bytes: PageBytes
  let number: UInt64
  let nodes: [Node]
  private let isLeaf: Bool
  private let hasIntegerKeys: Bool

  init(_ bytes: PageBytes, _ number: UInt64, isLeaf: Bool, _ hasIntegerKeys: Bool) throws(PageWalk.Stop) {
    self.bytes = bytes
    self.number = number
    self.isLeaf = isLeaf
    self.hasIntegerKeys = hasIntegerKeys
    let flags = bytes.u16(10), lower = bytes.u16(12), upper = bytes.u16(14)
    guard flags == (isLeaf ? PageWalk.Flags.leaf : PageWalk.Flags.branch) else {
      throw .malformed("a page with flags \(flags)", number)
    }
    guard lower >= 18, lower % 2 == 0, lower <= upper, upper <= bytes.count else {
      throw .malformed("a page with bounds \(lower) and \(upper)", number)
    }
    var nodes: [Node] = []
    nodes.reserveCapacity((lower - 16) / 2)
    var space = bytes.count - upper
    for place in stride(from: 16, to: lower, by: 2) {
      let offset = bytes.u16(place)
      guard offset >= upper, offset % 2 == 0, offset + 8 <= bytes.count else {
        throw .malformed("an entry at \(offset)", number)
      }
      let keySize = bytes.u16(offset + 6)
      let flags = isLeaf ? bytes.u16(offset + 4) : 0
      let dataSize = isLeaf ? bytes.u32(offset) : 0
      let size = 8 + keySize + (flags & 0x01 != 0 ? 8 : dataSize)
      guard offset + size <= bytes.count, keySize <= 511, keySize > 0 || (!isLeaf && place == 16) else {
        throw .malformed("an entry of \(size) bytes at \(offset)", number)
      }
      // Nodes lie side by side, each rounded up to an even size: together they fill what is not free.
      space -= (size + 1) & ~1
      nodes.append(Node(offset: offset, keySize: keySize, dataSize: dataSize, flags: flags))
    }
    guard space == 0 else { throw .malformed("entries that overlap or leave gaps", number) }
    self.nodes = nodes
  }

  /// The page that an inner node leads to.
  func child(_ node: Node) -> UInt64 {
    UInt64(bytes.u32(node.offset)) | UInt64(bytes.u16(node.offset + 4)) << 32
  }

  /// The commit whose free pages a node of the free list holds.
  func commit(_ node: Node) -> UInt64 { bytes.u64(node.offset + 8) }

  /// What lies between the offsets and the nodes; `nil` where it is all zero.
  var gap: Range<Int>? {
    let gap = bytes.u16(12)..<bytes.u16(14)
    return bytes.bytes[gap].allSatisfy { $0 == 0 } ? nil : gap
  }

  func key(_ node: Node) -> ArraySlice<UInt8> {
    bytes.bytes[node.offset + 8..<node.offset + 8 + node.keySize]
  }

  /// Each key comes after the one before it, all of them between what the parent says.
  func checkOrder(in range: KeyRange) throws(PageWalk.Stop) {
    if hasIntegerKeys {
      // The first key of an inner page stands for "all before" and is not looked at.
      let looked = isLeaf ? nodes[...] : nodes.dropFirst()
      guard looked.allSatisfy({ $0.keySize == 8 }) else {
        throw .malformed("a free list with other keys", number)
      }
    }
    var previous = range.after
    for (index, node) in nodes.enumerated() {
      if !isLeaf, index == 0 { continue }
      let key = key(node)
      if let previous {
        let isFirst = index == (isLeaf ? 0 : 1)
        guard isLess(previous, key) || (isFirst && isLeaf && previous == key) else {
          throw .malformed("keys out of order", number)
        }
      }
      previous = key
    }
    if let before = range.before, let previous, !isLess(previous, before) {
      throw .malformed("keys that belong to another page", number)
    }
  }

  private func isLess(_ one: ArraySlice<UInt8>, _ two: ArraySlice<UInt8>) -> Bool {
    guard hasIntegerKeys else { return one.lexicographicallyPrecedes(two) }
    return PageBytes(bytes: Array(one)).u64(0) < PageBytes(bytes: Array(two)).u64(0)
  }
}
