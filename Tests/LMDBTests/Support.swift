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

/// Random numbers that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Whole files, for tests that damage them.
enum Raw {
  static func read(_ path: String, upTo limit: Int = .max) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    // Files of the kernel tell no size.
    let length = Int(lseek(descriptor, 0, SEEK_END))
    let size = length <= 0 ? min(limit, 4096) : min(limit, length)
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = unsafe max(0, pread(descriptor, buffer.baseAddress, size, 0))
    }
  }

  static func write(_ bytes: ArraySlice<UInt8>, to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    let written = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == bytes.count else { throw SystemError(code: errno) }
  }

  static func write(_ byte: UInt8, at offset: Int, in path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    var byte = byte
    guard unsafe pwrite(descriptor, &byte, 1, off_t(offset)) == 1 else { throw SystemError(code: errno) }
  }

  static func setSize(_ size: Int, of path: String) throws {
    guard unsafe truncate(path, off_t(size)) == 0 else { throw SystemError(code: errno) }
  }
}

/// Runs `body` in a child of this process, which ends with what it returns.
///
/// - Returns: The number of the child.
func fork(_ body: () -> Int32) throws -> pid_t {
  // Swift hides `fork`, for good reasons; a child that only looks and leaves is safe.
  let symbol = unsafe dlsym(nil, "fork")
  let fork = unsafe unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
  let child = fork()
  if child == 0 { _exit(body()) }
  guard child > 0 else { throw SystemError(code: errno) }
  return child
}

/// Waits for the end of a child; its exit code, or the signal that killed it below zero.
func wait(for child: pid_t) -> Int32 {
  var status: Int32 = 0
  while unsafe waitpid(child, &status, 0) == -1, errno == EINTR {}
  return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
}

/// All that is in a table.
func contents(_ transaction: borrowing some Transaction & ~Copyable, of table: Table) throws -> [[UInt8]:
  [UInt8]]
{
  var cursor = try transaction.cursor(in: table)
  var all: [[UInt8]: [UInt8]] = [:]
  while let entry = try cursor.next() {
    guard let key = bytes(entry.key), let value = bytes(entry.value) else { continue }
    all[key] = value
  }
  return all
}
