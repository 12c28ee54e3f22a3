// Looks through a data file before LMDB does, which believes every byte of it.
internal import Glibc

/// A check of a data file that reads it with plain calls: nothing in the file makes it crash or go on for ever.
///
/// LMDB maps the file and follows the numbers it finds there. A file that was cut off ends the process with SIGBUS, a
/// flipped bit leads astray. This reads the same numbers with `pread` and believes none of them. What it does not see
/// are flips inside keys that keep their order, and inside values: those are for the checksums of the records.
public enum FileCheck {
  /// How much is looked at.
  public enum Depth: Sendable, Hashable {
    /// The two meta pages, the roots they lead to, and the size of the file: a few microseconds.
    ///
    /// A file shorter than its page count says may still be whole, since LMDB does not write pages that were taken and
    /// freed in one transaction. Such a file is walked through in full.
    case metaOnly
    /// Also the list of tables and the root of each: a page a table, whatever the size of the file. What LMDB touches
    /// in opening is sound then, and so is all of a table that is one page.
    case roots
    /// Also the inner pages of all trees, reading at most `limit` pages.
    case branches(limit: Int)
    /// Every page that can be reached, the free list, and the order of the keys: reads the file once.
    case full
  }

  /// What is wrong, and where.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of damage.
    public enum Reason: Hashable, Sendable {
      /// No byte in it.
      case empty
      /// Ends before the pages it should have.
      case truncated(sizeInBytes: Int, neededInBytes: Int)
      /// Not a file of LMDB of this format and machine.
      case foreign
      /// A page, or what points to it, is not as it should be.
      case malformed(String)
    }

    /// The kind.
    public let reason: Reason
    /// The number of the page, where it is about one.
    public let page: UInt64?

    /// A problem, of a page where there is one.
    public init(reason: Reason, page: UInt64?) {
      self.reason = reason
      self.page = page
    }

    /// The problem in a sentence.
    public var description: String {
      let place = page.map { " (page \($0))" } ?? ""
      return switch reason {
      case .empty: "the file is empty"
      case .truncated(let size, let needed): "truncated at \(size) of at least \(needed) bytes\(place)"
      case .foreign: "not an LMDB file of this format\(place)"
      case .malformed(let what): what + place
      }
    }
  }

  /// What a check found.
  public struct Report: Sendable, Hashable {
    /// The first problem; `nil` where there is none.
    public var problem: Problem?
    /// Whether all that was asked for was looked at: `false` after a problem, and at the limit of pages.
    public var isComplete = false
    /// The commit that was looked at.
    public var transaction: UInt64 = 0
    /// Pages read.
    public var pagesRead = 0
    /// Pages in use, and pages in the free list; counted by a full check.
    public var pagesUsed = 0, pagesFree = 0
  }

  /// Checks the file at `path`, the last commit in it.
  ///
  /// - Throws: ``LMDBError/noSuchFile(_:)`` and what the system says; damage is not thrown but reported.
  public static func run(_ path: String, depth: Depth) throws(LMDBError) -> Report {
    let file = try PageFile(path: path)
    var report = try check(file, depth)
    // Another process may write meanwhile, and use pages anew that were still in use when we began: what matters is
    // what two looks at the same commit say.
    for _ in 1...100 where report.problem != nil {
      let again = try check(file, depth)
      let isStill = again.transaction == report.transaction
      report = again
      if isStill { return report }
    }
    return report
  }

  /// Checks the commit numbered `transaction`, which a reader keeps from being overwritten.
  ///
  /// - Returns: `nil` where two commits went over its meta page already: begin another reader.
  static func run(_ path: String, depth: Depth, transaction: UInt64) throws(LMDBError) -> Report? {
    let report = try check(PageFile(path: path), depth, transaction: transaction)
    return report.problem == nil && report.transaction != transaction ? nil : report
  }

  private static func check(
    _ file: borrowing PageFile, _ depth: Depth, transaction: UInt64? = nil
  ) throws(LMDBError) -> Report {
    var report = Report()
    do throws(PageWalk.Stop) {
      let metas = try MetaPage.readBoth(of: file)
      // As LMDB picks: the first where it is at least as new.
      var meta = metas[0].transaction < metas[1].transaction ? metas[1] : metas[0]
      if let transaction {
        guard let wanted = metas.first(where: { $0.transaction == transaction }) else { return report }
        meta = wanted
      }
      report.transaction = meta.transaction
      var walk = try PageWalk(file, meta, depth)
      report.problem = try walk.run(file)
      report.isComplete = report.problem == nil && !walk.isCutShort
      report.pagesRead = walk.pagesRead
      report.pagesUsed = walk.pagesUsed
      report.pagesFree = walk.pagesFree
    } catch {
      switch error {
      case .problem(let problem): report.problem = problem
      case .system(let error): throw error
      case .limit: break
      }
    }
    return report
  }
}

/// The data file, read with plain calls.
struct PageFile: ~Copyable {
  private let descriptor: Int32

  init(path: String) throws(LMDBError) {
    // Not to wait for a writer where someone put a pipe in place of the file.
    let code = perform(.fileOpen) { 0 }
    let opened = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0, code == 0 else {
      let error = LMDBError(code: code == 0 ? errno : code, .fileOpen)
      if opened >= 0 { close(opened) }
      throw error
    }
    descriptor = opened
  }

  // Only the data file may be closed so: LMDB's locks are on the lock file, and POSIX would drop them.
  deinit { close(descriptor) }

  func sizeInBytes() throws(PageWalk.Stop) -> Int {
    var status = stat()
    let code = perform(.fileStatus) { unsafe fstat(descriptor, &status) == 0 ? 0 : errno }
    if code != 0 { throw .system(LMDBError(code: code, .fileStatus)) }
    return Int(status.st_size)
  }

  /// The bytes at `offset`, fewer only at the end of the file.
  func read(_ count: Int, at offset: Int) throws(PageWalk.Stop) -> PageBytes {
    var code: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      while done < count {
        var read = 0
        code = perform(.fileRead) {
          read = unsafe pread(
            descriptor, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
          return read < 0 ? errno : 0
        }
        if code == EINTR { continue }
        if code != 0 || read == 0 { return }
        done += read
      }
    }
    if code != 0 { throw .system(LMDBError(code: code, .fileRead)) }
    return PageBytes(bytes: bytes)
  }
}

/// Bytes of unknown content. What lies outside reads as zero, so that a wrong number can at worst be refused later.
struct PageBytes {
  let bytes: [UInt8]

  var count: Int { bytes.count }

  /// LMDB stores the integers of its machine, and only such a machine opens the file.
  private func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as: Value.Type) -> Value {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else { return 0 }
    // SAFETY: any bytes are an integer.
    return unsafe RawSpan(_elements: bytes.span).unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  func u16(_ offset: Int) -> Int { Int(integer(offset, as: UInt16.self)) }
  func u32(_ offset: Int) -> Int { Int(integer(offset, as: UInt32.self)) }
  func u64(_ offset: Int) -> UInt64 { integer(offset, as: UInt64.self) }
}
