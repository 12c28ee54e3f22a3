// Chunks: neighbouring records of a run in one value.
import Bytes
import EventStore
import TestSupport

@testable import EventStore

struct ChunkTarget: FuzzTarget {
  static let name = "chunk"
  private static let run = Run(level: 0, number: 3, first: 100, last: 200)

  func check(_ bytes: [UInt8]) throws -> Bool {
    var chunk = RunChunk(bytes.rawSpan, of: Self.run)
    var again = ByteWriter(capacity: bytes.count)
    var end = 0
    do throws(DamagedBytes) {
      while let entry = try chunk.next() {
        guard entry.end > end, entry.end <= bytes.count, entry.bytes.byteCount < entry.end - end,
          entry.position >= Self.run.first
        else {
          // Not thrown here: the other error is the one that is expected.
          end = .max
          break
        }
        end = entry.end
        _ = (entry.isWhole, entry.link.stream, try? entry.checked().version)
        again.write(UInt32(truncatingIfNeeded: entry.position.number - Self.run.first.number))
        again.writeLengthPrefixed(entry.bytes)
      }
    } catch { return false }
    try hold(end == bytes.count, "the records of a chunk are all that it has")
    var copy = RunChunk(again.bytes.rawSpan, of: Self.run)
    var second = ByteWriter(capacity: bytes.count)
    while let entry = try copy.next() {
      second.write(UInt32(truncatingIfNeeded: entry.position.number - Self.run.first.number))
      second.writeLengthPrefixed(entry.bytes)
    }
    try hold(second.bytes == again.bytes, "a chunk that was read and written is not what it was")
    return true
  }

  static func seeds() throws -> [[UInt8]] {
    let records = try RecordTarget.seeds().map { [UInt8](repeating: 0, count: 8) + $0.dropFirst() }
    return [1, 2, records.count].map { count in
      var builder = ChunkBuilder()
      for (index, record) in records.prefix(count).enumerated() {
        let entry = RunEntry(record.rawSpan, at: Self.run.first.forward(UInt64(index * 7)))
        _ = builder.add(entry, to: Self.run, isFirst: index == 0)
      }
      return builder.bytes.bytes
    }
  }
}
