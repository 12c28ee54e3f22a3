// Temporary folders, bytes as keys and values, seeded random.
import Glibc
import LMDB

/// A folder that goes with its owner.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/lmdb-tests-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
    }
    guard let made else { throw SystemError(code: errno) }
    path = made
  }

  var dataFile: String { path + "/data.mdb" }

  deinit {
    for name in ["data.mdb", "lock.mdb"] { unsafe unlink(path + "/" + name) }
    unsafe rmdir(path)
  }
}

struct SystemError: Error { let code: Int32 }

/// A number as a key: eight bytes, the largest first.
func number(_ value: Int) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
}

extension [UInt8] {
  /// The bytes as keys and values are handed in.
  var raw: RawSpan {
    @_lifetime(borrow self) get { RawSpan(_elements: span) }
  }
}

/// A copy of what a transaction lent.
func bytes(_ span: RawSpan?) -> [UInt8]? {
  guard let span else { return nil }
  return unsafe span.withUnsafeBytes { unsafe Array($0) }
}
