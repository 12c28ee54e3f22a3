// What can go wrong: every return code of LMDB named once with its usual causes, and what we refuse ourselves.
internal import CMemoirLMDB
internal import Glibc

/// Why a call of the storage did not do what it was asked to.
///
/// The call that failed is kept where there was one. `description` says what happened and what to do about it.
public enum LMDBError: Error, Hashable, Sendable {
  /// The key is there already, or an appended key does not come after the last one.
  case keyExists(Call)
  /// No such key where there had to be one.
  case notFound(Call)
  /// A page that something points to is not there: the file is damaged.
  case pageNotFound(Call)
  /// A page is not what it should be: the file is damaged.
  case corrupted(Call)
  /// The environment had a fatal error before, usually in writing a meta page. Close it and open it again.
  case panic(Call)
  /// The file belongs to another version of LMDB.
  case versionMismatch(Call)
  /// The file is not one of LMDB.
  case invalid(Call)
  /// The map has no room for more pages. Reads go on; open with a larger map to write again.
  case mapFull(Call)
  /// More tables than the environment was opened for.
  case tablesFull(Call)
  /// All reader slots are taken. Wait for readers to end, or clear those of dead processes.
  case readersFull(Call)
  /// The transaction changed more pages than LMDB can keep track of. Write in smaller portions.
  case transactionFull(Call)
  /// Another process made the file larger than our map. Close and open again.
  case mapResized(Call)
  /// The transaction had an error before and can only be ended.
  case badTransaction(Call)
  /// The table is not known to this transaction, which began before the table was opened.
  case badTable(Call)
  /// The reader slot is in a state it should not be in, e.g. after a fork.
  case badReaderSlot(Call)
  /// The table was made with other flags.
  case incompatible(Call)
  /// A key is empty or longer than 511 bytes, or a value is 4 GiB or longer.
  case valueSizeWrong(Call)
  /// No room on the disk, or none left for this user. Nothing of the transaction was stored; make room and try again.
  case diskFull(Call)
  /// The disk could not be read or written.
  case inputOutput(Call)
  /// Not allowed by the file system.
  case accessDenied(Call)
  /// A write was asked of something that can only be read.
  case readOnly(Call)
  /// The file or its folder is not there.
  case noSuchFile(Call)
  /// Not enough memory, or of address space.
  case outOfMemory(Call)
  /// The environment was opened by the process this one was forked from. Open it anew here.
  case usedAfterFork
  /// This process has the same file open already. A second opening would break the locks of the first.
  case alreadyOpen
  /// The environment was closed.
  case closed
  /// An earlier commit failed in a way that leaves unknown what reached the disk. Reads go on; reopen to write again.
  case writesStopped(after: Int32)
  /// The file did not pass the check that goes before LMDB.
  case damaged(FileCheck.Problem)
  /// The environment is read-only and the table was never made.
  case tableMissing(String)
  /// A code without a name here; an errno where positive.
  case other(code: Int32, Call)

  /// The functions this library calls: all that is used of LMDB, and the few calls of the system beside it.
  public enum Call: String, CaseIterable, Hashable, Sendable {
    case environmentCreate = "mdb_env_create"
    case environmentConfigure = "mdb_env_set_*"
    case environmentOpen = "mdb_env_open"
    case environmentInfo = "mdb_env_info"
    case environmentCopy = "mdb_env_copyfd2"
    case readerCheck = "mdb_reader_check"
    case readerList = "mdb_reader_list"
    case transactionBegin = "mdb_txn_begin"
    case transactionCommit = "mdb_txn_commit"
    case tableOpen = "mdb_dbi_open"
    case statistics = "mdb_stat"
    case get = "mdb_get"
    case put = "mdb_put"
    case delete = "mdb_del"
    case drop = "mdb_drop"
    case cursorOpen = "mdb_cursor_open"
    case cursorGet = "mdb_cursor_get"
    case cursorDelete = "mdb_cursor_del"
    case fileOpen = "open"
    case fileRead = "pread"
    case fileWrite = "pwrite"
    case fileStatus = "fstat"
    case fileExtend = "ftruncate"
    case fileSync = "fsync"

    /// Whether `EINVAL` speaks of the table: the other arguments are never wrong.
    fileprivate var isOnTable: Bool {
      switch self {
      case .get, .put, .delete, .drop, .cursorOpen, .statistics: true
      default: false
      }
    }
  }

  /// Names the code that `call` returned.
  init(code: Int32, _ call: Call) {
    self =
      switch code {
      case MDB_KEYEXIST: .keyExists(call)
      case MDB_NOTFOUND: .notFound(call)
      case MDB_PAGE_NOTFOUND: .pageNotFound(call)
      case MDB_CORRUPTED: .corrupted(call)
      case MDB_PANIC: .panic(call)
      case MDB_VERSION_MISMATCH: .versionMismatch(call)
      case MDB_INVALID: .invalid(call)
      case MDB_MAP_FULL: .mapFull(call)
      case MDB_DBS_FULL: .tablesFull(call)
      case MDB_READERS_FULL: .readersFull(call)
      case MDB_TXN_FULL: .transactionFull(call)
      case MDB_MAP_RESIZED: .mapResized(call)
      case MDB_BAD_TXN: .badTransaction(call)
      case MDB_BAD_DBI: .badTable(call)
      case EINVAL where call.isOnTable: .badTable(call)
      case MDB_BAD_RSLOT: .badReaderSlot(call)
      case MDB_INCOMPATIBLE: .incompatible(call)
      case MDB_BAD_VALSIZE: .valueSizeWrong(call)
      // A file past the limit of its size (EFBIG) is as full as a disk is, and leaves as little behind.
      case ENOSPC, EDQUOT, EFBIG: .diskFull(call)
      case EIO: .inputOutput(call)
      case EACCES, EPERM: .accessDenied(call)
      case EROFS: .readOnly(call)
      case ENOENT, ENOTDIR: .noSuchFile(call)
      case ENOMEM: .outOfMemory(call)
      default: .other(code: code, call)
      }
  }

  /// The one way from a return code to an error.
  static func check(_ code: Int32, _ call: Call) throws(LMDBError) {
    if code != 0 { throw LMDBError(code: code, call) }
  }
}

extension LMDBError: CustomStringConvertible {
  /// What happened, in a sentence, and what to do about it.
  public var description: String {
    switch self {
    case .keyExists(let call): "the key exists already, or is appended out of order (\(call.rawValue))"
    case .notFound(let call): "the key was not found (\(call.rawValue))"
    case .pageNotFound(let call):
      "a page is missing; the file is damaged: restore a backup (\(call.rawValue))"
    case .corrupted(let call): "a page is malformed; the file is damaged: restore a backup (\(call.rawValue))"
    case .panic(let call): "a fatal error happened before: close and open again (\(call.rawValue))"
    case .versionMismatch(let call): "the file was written by another version of LMDB (\(call.rawValue))"
    case .invalid(let call): "the file is not one of LMDB (\(call.rawValue))"
    case .mapFull(let call): "the map is full: open with a larger map (\(call.rawValue))"
    case .tablesFull(let call): "too many tables: open with a larger number of them (\(call.rawValue))"
    case .readersFull(let call):
      "all reader slots are taken: end readers, or clear those of dead processes (\(call.rawValue))"
    case .transactionFull(let call):
      "the transaction is too large: write in smaller portions (\(call.rawValue))"
    case .mapResized(let call):
      "another process enlarged the file beyond our map: open again (\(call.rawValue))"
    case .badTransaction(let call): "the transaction failed before and can only be ended (\(call.rawValue))"
    case .badTable(let call): "the table is not known to this transaction: begin a new one (\(call.rawValue))"
    case .badReaderSlot(let call): "the reader slot is not usable: open again (\(call.rawValue))"
    case .incompatible(let call): "the table was made with other flags (\(call.rawValue))"
    case .valueSizeWrong(let call):
      "a key must have 1 to 511 bytes, and a value less than 4 GiB (\(call.rawValue))"
    case .diskFull(let call):
      "no room on the disk: make room and try again (\(call.rawValue))"
    case .inputOutput(let call):
      "the disk could not be read or written: check the disk (\(call.rawValue))"
    case .accessDenied(let call):
      "the file system does not allow it: check owner and mode (\(call.rawValue))"
    case .readOnly(let call): "this can only be read (\(call.rawValue))"
    case .noSuchFile(let call): "the file or its folder does not exist (\(call.rawValue))"
    case .outOfMemory(let call): "not enough memory or address space (\(call.rawValue))"
    case .usedAfterFork: "opened before a fork: open it anew in this process"
    case .alreadyOpen: "already open in this process: use that environment"
    case .closed: "the environment is closed"
    case .writesStopped(let code):
      "writing stopped after \(Self.name(of: code)): check the disk, then close and open again"
    case .damaged(let problem): "the file is damaged: \(problem)"
    case .tableMissing(let name): "there is no table \(name), and none is made where one may only read"
    case .other(let code, let call): "\(call.rawValue) failed: \(Self.name(of: code))"
    }
  }

  private static func name(of code: Int32) -> String {
    // SAFETY: mdb_strerror returns a constant, or what strerror returns; copied at once.
    unsafe mdb_strerror(code).map { unsafe String(cString: $0) } ?? "code \(code)"
  }
}
