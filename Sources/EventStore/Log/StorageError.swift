// What can go wrong between the log and its disk, in terms of what a caller can do about it.
internal import LMDB

/// Why the store could not be opened, read or written.
public enum StorageError: Error, Hashable, Sendable {
  /// There is no store in this folder.
  case missing(folder: String)
  /// What is there is no store of ours.
  case notAStore(reason: String)
  /// The store was written by a newer version of the program.
  case newerFormat(found: Int, supported: Int)
  /// The store is encrypted, and no master key or another one was given; or it is not, and one was.
  case wrongKey(reason: String)
  /// The store is open already, in this process, or exclusively in another.
  case inUse(reason: String)
  /// Bytes on disk are not what was written. `position` is the record's, where one is concerned.
  case corrupt(reason: String, position: LogPosition?)
  /// A known event type in a version that this program does not know yet: folding it would be guessing.
  case unsupportedVersion(type: String, version: UInt16, position: LogPosition)
  /// No room on disk. Nothing was stored; reading goes on, and writing as soon as there is room.
  case full(reason: String)
  /// A write failed so that it is unknown what reached the disk: nothing more is written until the store is reopened.
  case stopped(reason: String)
  /// For the moment it can't be done, e.g. too many readers.
  case unavailable(reason: String)
  /// The file system does not allow it.
  case denied(reason: String)
  /// A folder to copy into holds something else. Nothing was changed.
  case occupied(reason: String)
  /// The store was closed, or the process was forked since it was opened.
  case closed(reason: String)
  /// The disk, or the system, failed otherwise.
  case failed(reason: String)

  init(_ error: LMDBError) {
    let reason = error.description
    self =
      switch error {
      case .diskFull, .mapFull, .transactionFull: .full(reason: reason)
      case .writesStopped, .panic: .stopped(reason: reason)
      case .readersFull, .outOfMemory, .mapResized, .badReaderSlot: .unavailable(reason: reason)
      case .accessDenied, .readOnly: .denied(reason: reason)
      case .alreadyOpen: .inUse(reason: reason)
      case .closed, .usedAfterFork: .closed(reason: reason)
      case .pageNotFound, .corrupted, .damaged, .invalid, .versionMismatch, .tableMissing, .incompatible:
        .corrupt(reason: reason, position: nil)
      // LMDB does not say so where the root of a table is no page, only that something was wrong before. We end every
      // transaction at its first error.
      case .badTransaction: .corrupt(reason: LMDBError.pageNotFound(.get).description, position: nil)
      case .noSuchFile: .missing(folder: "")
      case .keyExists, .notFound, .tablesFull, .badTable, .valueSizeWrong, .inputOutput,
        .other:
        .failed(reason: reason)
      }
  }

  init(_ problem: RecordProblem, at position: LogPosition) {
    self =
      switch problem {
      case .damaged(let reason): .corrupt(reason: "the record \(reason)", position: position)
      case .unknownFormat(let format): .newerFormat(found: Int(format), supported: Int(RecordFormat.current))
      }
  }
}

extension StorageError: CustomStringConvertible {
  /// What happened, in a sentence, and what to do about it.
  public var description: String {
    switch self {
    case .missing(let folder): "there is no store at \(folder)"
    case .notAStore(let reason): "this is not a store: \(reason)"
    case .newerFormat(let found, let supported):
      "the store has format \(found); this program knows formats up to \(supported): use a newer one"
    case .wrongKey(let reason): reason
    case .inUse(let reason): "the store is in use: \(reason)"
    case .corrupt(let reason, let position?): "corrupt at position \(position): \(reason)"
    case .corrupt(let reason, nil): "corrupt: \(reason)"
    case .unsupportedVersion(let type, let version, let position):
      "the event at position \(position) is a \(type) of version \(version), which this program does not know:"
        + " use a newer one"
    case .full(let reason): reason
    case .stopped(let reason): "writing has stopped: \(reason)"
    case .unavailable(let reason): "unavailable for the moment: \(reason)"
    case .denied(let reason): "not allowed: \(reason)"
    case .occupied(let reason): reason
    case .closed(let reason): "closed: \(reason)"
    case .failed(let reason): "failed: \(reason)"
    }
  }
}
