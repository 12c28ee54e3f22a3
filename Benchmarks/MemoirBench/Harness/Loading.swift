// Loading the workload: bulk appends, what they write, what they leave on disk.
import PeerBench
import Platform

/// What a load came to.
struct Load {
  /// Events a second, all work included that a steady state has.
  var rate: Double
  /// The same from the median commit: without the disk's slow spells.
  var medianCommitRate: Double
  /// Bytes handed to the kernel for each byte of the events packed.
  var writeAmplification: Double
  /// Bytes on disk for each event.
  var bytesPerEvent: Double
}

extension Workload {
  /// Stores all events in a contestant.
  func load(into contestant: any Contestant) throws -> Load {
    let before = Machine.bytesWritten
    let times = try contestant.load(0..<events.count)
    let written = Machine.bytesWritten - before
    contestant.settle()
    return Load(
      rate: Double(events.count) / times.reduce(0, +),
      medianCommitRate: Double(min(Self.batch, events.count)) / times.median,
      writeAmplification: Double(written) / Double(packedBytes),
      bytesPerEvent: Double(try Machine.bytes(of: contestant.folder)) / Double(events.count))
  }
}
