// What a process did to the files below a folder, as the preloaded shim recorded it.
import Bytes
import Platform

/// A call of the process, or a line that it printed.
struct TracedCall {
  /// As in `shim.c`.
  enum Kind: UInt64 {
    case write = 1, durableWrite, truncate, sync, said, created, folderSync, renamed, removed, madeFolder
  }

  var kind: Kind
  /// Tells files apart until they are removed.
  var inode: UInt64
  var offset: Int
  /// What was written or said; a path; two paths, a line each, of what was renamed.
  var bytes: [UInt8]

  /// The bytes as text.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Reads a recorded trace.
  static func read(_ path: String) throws -> [TracedCall] {
    guard let trace = try Files.read(path, limit: 1 << 30) else {
      throw Misuse(reason: "no trace at \(path)")
    }
    var calls: [TracedCall] = []
    var reader = ByteReader(trace.rawSpan)
    while !reader.isAtEnd {
      guard let kind = Kind(rawValue: try reader.readUInt64()) else {
        throw Misuse(reason: "an unknown call in the trace")
      }
      let inode = try reader.readUInt64()
      let offset = Int(try reader.readUInt64())
      var bytes: [UInt8] = []
      let count = Int(try reader.readUInt64())
      if count > 0 { bytes = try reader.readSpan(count: count).array() }
      calls.append(TracedCall(kind: kind, inode: inode, offset: offset, bytes: bytes))
    }
    return calls
  }
}
