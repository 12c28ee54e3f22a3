// Overwriting what LMDB has given up but left where it was.
//
// LMDB frees pages without clearing them, and so a value that was deleted stands in the file until its page is used
// again. It stands in places of pages in use too: between the entries of a page and their offsets, behind a long value
// on its last page, behind the numbers in a list of free pages. No reader looks there.
//
// A page is overwritten only where neither of the two last commits leads to it: LMDB keeps both, the older one in case
// that the newer one is torn. Of their pages only what lies in those places is written. So whatever of it reaches the
// disk, and in whatever order, every byte that LMDB reads stays the same.
internal import CMemoirLMDB
internal import Glibc

extension Environment {
  /// Overwrites with zeros what was deleted by the commits so far: free pages, and what is left in pages in use.
  ///
  /// What a reader that began before those commits can still see stays, and `false` is returned: scrub again when it has
  /// ended. Keys stay readable in the inner pages of a table where they were the first of a leaf once; see
  /// ``rewriteOldKeys(of:)``. A single byte between two entries, put there to make their size even, may stay too.
  ///
  /// Commits once without changing anything, and keeps other writers waiting while it works.
  ///
  /// - Returns: Whether nothing of what was deleted is left in the file.
  /// - Precondition: This thread has no write transaction.
  /// - Throws: As ``beginWrite()`` and ``WriteTransaction/commit()``; ``LMDBError/damaged(_:)``, and what the system
  ///   says. The content is the same in any case. Where the disk could not be synced, writing also stops, see
  ///   ``LMDBError/writesStopped(after:)``.
  /// - Complexity: O(pages of the file), and two bits of memory for each.
  public func scrub() throws(LMDBError) -> Bool {
    // The commit before the last one is still led to.
    try commitNothing()
    return try scrub(holding: beginWrite())
  }

  /// Makes a commit of its own that leaves every table as it is.
  private func commitNothing() throws(LMDBError) {
    var transaction = try beginWrite()
    let main = try transaction.tableList()
    // No table's name begins so: it is no UTF-8.
    let key: [UInt8] = [0xff]
    let bytes = RawSpan(_elements: key.span)
    try transaction.put(RawSpan(), at: bytes, in: main)
    _ = try transaction.delete(bytes, in: main)
    try transaction.commit()
  }

  /// What follows that commit.
  func scrub(holding transaction: borrowing WriteTransaction) throws(LMDBError) -> Bool {
    let last = transaction.id - 1
    try clearDeadReaders()
    // Pages are free for a reader that sees the commit which freed them.
    let oldest = try readers().compactMap(\.transaction).min() ?? last
    let isAlone = oldest >= last - 1
    let scrubber = try Scrubber(
      descriptor: descriptor(), pageSize: pageSize, freedThrough: min(oldest, last - 1))
    // First of all: whoever writes next must not write what we overwrite now.
    try scrubber.count()
    try clearPages(last, scrubber, alsoUnlisted: isAlone)
    try sync()
    return isAlone
  }

  private func clearPages(_ last: UInt64, _ scrubber: Scrubber, alsoUnlisted: Bool) throws(LMDBError) {
    try walkPages { (file, metas) throws(PageWalk.Stop) in
      guard metas[0].transaction == last else {
        throw .malformed("commit \(metas[0].transaction) in place of \(last)", metas[0].transaction & 1)
      }
      for meta in metas {
        var walk = try PageWalk(file, meta, .full, scrubber: scrubber)
        try walk.finish(file)
        scrubber.skipsKnown = true
      }
      try scrubber.clearFreePages(
        from: metas[0].lastPage, sizeInBytes: file.sizeInBytes(), alsoUnlisted: alsoUnlisted)
    }
  }

  private func sync() throws(LMDBError) {
    let descriptor = try descriptor()
    let code = perform(.fileSync) { fdatasync(descriptor) == 0 ? 0 : errno }
    if code == 0 { return }
    stopWriting(after: code)
    throw LMDBError(code: code, .fileSync)
  }

  /// How often the file was scrubbed.
  func scrubCount() throws(LMDBError) -> UInt64 { try ScrubCount.read(descriptor(), pageSize: pageSize) }
}

/// How often a file was scrubbed, by whatever process: eight bytes at the end of the first meta page, where LMDB neither
/// reads nor writes.
private enum ScrubCount {
  static let size = 8

  static func read(_ descriptor: Int32, pageSize: Int) throws(LMDBError) -> UInt64 {
    var count: UInt64 = 0
    let code = unsafe withUnsafeMutableBytes(of: &count) { bytes in
      perform(.fileRead) {
        unsafe pread(descriptor, bytes.baseAddress, size, off_t(pageSize - size)) == size ? 0 : max(errno, EIO)
      }
    }
    try LMDBError.check(code, .fileRead)
    return count
  }
}

/// Overwrites what walks over the two last commits leave unused, and remembers what they do use.
final class Scrubber {
  private let descriptor: Int32
  private let pageSize: Int
  /// The last commit whose freed pages no reader sees.
  private let freedThrough: UInt64
  private var used: PageSet
  private var unseen: PageSet
  /// Whether pages that are known already are passed over: in the walk over the older of the two commits.
  var skipsKnown = false

  /// As much as is read or written at once.
  private static let blockSize = 1 << 16
  private static let zeros = [UInt8](repeating: 0, count: blockSize)

  init(descriptor: Int32, pageSize: Int, freedThrough: UInt64) throws(LMDBError) {
    self.descriptor = descriptor
    self.pageSize = pageSize
    self.freedThrough = freedThrough
    var status = stat()
    let code = perform(.fileStatus) { unsafe fstat(descriptor, &status) == 0 ? 0 : errno }
    try LMDBError.check(code, .fileStatus)
    used = PageSet(below: UInt64(Int(status.st_size) / pageSize))
    unseen = used
  }

  // MARK: What a walk tells

  /// Whether the walk over the other commit has been at this page.
  func isKnown(_ number: UInt64) -> Bool { skipsKnown && used.contains(number) }

  /// A page leads to these.
  func use(_ number: UInt64, count: UInt64 = 1) {
    for number in number..<number + count { used.insert(number) }
  }

  /// A page is in the list of those that a commit freed.
  func free(_ number: UInt64, by commit: UInt64) {
    if commit <= freedThrough { unseen.insert(number) }
  }

  /// Nothing is in these bytes, counted from the beginning of a page.
  func overwrite(_ range: Range<Int>, of page: UInt64) throws(PageWalk.Stop) {
    do throws(LMDBError) { try overwrite(range, from: Int(page) * pageSize) } catch { throw .system(error) }
  }

  /// As ``overwrite(_:of:)``, and writes nothing where they are zero already.
  func clear(_ range: Range<Int>, of page: UInt64) throws(PageWalk.Stop) {
    do throws(LMDBError) { try clear(range, from: Int(page) * pageSize) } catch { throw .system(error) }
  }

  // MARK: Writing

  /// Overwrites the pages that neither commit leads to.
  ///
  /// - Parameters:
  ///   - lastPage: Those behind it were never in a commit.
  ///   - alsoUnlisted: Whether no reader sees an older commit, so that every page which is not used is free.
  func clearFreePages(from lastPage: UInt64, sizeInBytes: Int, alsoUnlisted: Bool) throws(PageWalk.Stop) {
    let count = UInt64(sizeInBytes / pageSize)
    func isFree(_ number: UInt64) -> Bool {
      !used.contains(number) && (number > lastPage || alsoUnlisted || unseen.contains(number))
    }
    do throws(LMDBError) {
      // The first two are the meta pages.
      var number: UInt64 = 2
      while number < count {
        let first = number
        while number < count, isFree(number) { number += 1 }
        try clear(Int(first) * pageSize..<Int(number) * pageSize, from: 0)
        if number == first { number += 1 }
      }
      try clear(Int(count) * pageSize..<sizeInBytes, from: 0)
    } catch {
      throw .system(error)
    }
  }

  /// Tells all processes that the file was scrubbed.
  func count() throws(LMDBError) {
    let count = try ScrubCount.read(descriptor, pageSize: pageSize) &+ 1
    let bytes = unsafe withUnsafeBytes(of: count) { unsafe Array($0) }
    try write(bytes, count: bytes.count, at: pageSize - ScrubCount.size)
  }

  private func clear(_ range: Range<Int>, from start: Int) throws(LMDBError) {
    var block = [UInt8](repeating: 0, count: min(range.count, Self.blockSize))
    var place = range.lowerBound
    while place < range.upperBound {
      let wanted = min(range.upperBound - place, Self.blockSize)
      var count = 0
      let code = unsafe block.withUnsafeMutableBytes { bytes in
        perform(.fileRead) {
          count = unsafe pread(descriptor, bytes.baseAddress, wanted, off_t(start + place))
          return count < 0 ? errno : 0
        }
      }
      if code == EINTR { continue }
      try LMDBError.check(code, .fileRead)
      // The end of the file: nothing is there.
      if count == 0 { return }
      if block[..<count].contains(where: { $0 != 0 }) { try overwrite(place..<place + count, from: start) }
      place += count
    }
  }

  private func overwrite(_ range: Range<Int>, from start: Int) throws(LMDBError) {
    for place in stride(from: range.lowerBound, to: range.upperBound, by: Self.blockSize) {
      try write(Self.zeros, count: min(range.upperBound - place, Self.blockSize), at: start + place)
    }
  }

  private func write(_ bytes: [UInt8], count: Int, at offset: Int) throws(LMDBError) {
    var done = 0
    while done < count {
      var written = 0
      let code = unsafe bytes.withUnsafeBytes { bytes in
        perform(.fileWrite) {
          written = unsafe pwrite(
            descriptor, bytes.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
          return written < 0 ? errno : 0
        }
      }
      if code == EINTR { continue }
      try LMDBError.check(code, .fileWrite)
      done += written
    }
  }
}
