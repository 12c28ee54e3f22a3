// The memory through a real store, with snapshots, checkpoints and late events, against the model.
import Bytes
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

/// A store with the history of one user, appended a few events at a time among those of another.
private final class RecordedHistory {
  let bob = StreamName(UserID(unchecked: "bob"))
  private(set) var history = History()
  private var recordedAt: [Timestamp] = []
  private var positions: [LogPosition] = []
  private(set) var store: MemoirStore
  private let all: History
  private let folder = TemporaryFolder()
  private let clock = TestClock()
  private let options: EventLog.Options
  private var random: SeededRandom

  init(seed: UInt64) throws {
    random = SeededRandom(seed: seed)
    var all = History()
    // In coarser steps, so that many happen at the same time.
    let step = Int64.random(in: 1...10, using: &random) * 1_000_000
    for var entry in try History.random(events: Int.random(in: 20...300, using: &random), with: &random).entries {
      entry.data.occurredAt = Timestamp(clamping: entry.occurredAt.microseconds / step * step)
      all.append(entry.data)
    }
    self.all = all
    var options = EventLog.Options()
    options.clock = { [clock] in clock.now }
    let minimumBytes = Int.random(in: 0...2_000, using: &random)
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: minimumBytes)
    options.cacheBytes = Bool.random(using: &random) ? 0 : 64 << 20
    options.blockSize = [1, 7, 65_536][Int(seed % 3)]
    self.options = options
    store = try MemoirStore(folder: folder.path + "/store", options: options)
  }

  var isComplete: Bool { history.entries.count == all.entries.count }

  /// The next events; in a request with another user's in their midst, or alone.
  func append() throws {
    let batch = all.entries.dropFirst(history.entries.count).prefix(Int.random(in: 1...12, using: &random)).map(\.data)
    let noise = try EventData(
      .messageAdded(MessageAdded(role: .user, content: "?")), id: batch[0].id, occurredAt: clock.now)
    clock.advance(byMicroseconds: Int64.random(in: -2...5, using: &random))
    let head = try store.log.lastPosition()
    let place = Int.random(in: 1...batch.count, using: &random)
    var appends = [StreamAppend(Array(batch[..<place]), to: bob)]
    if place < batch.count {
      appends.append(StreamAppend([noise], to: StreamName(UserID(unchecked: "eve"))))
      appends.append(StreamAppend(Array(batch[place...]), to: bob))
    }
    let results = try store.log.appendAndWait(appends)
    for (offset, event) in batch.enumerated() {
      history.append(event)
      recordedAt.append(results[0].recordedAt)
      positions.append(LogPosition(head.number + UInt64(offset) + (offset < place ? 1 : 2)))
    }
    clock.advance(byMicroseconds: max(0, results[0].recordedAt.microseconds - clock.now.microseconds))
  }

  /// What may happen beside appending.
  func disturb() throws {
    switch Int.random(in: 0...5, using: &random) {
    case 0: try store.log.storeDueSnapshots()
    case 1:
      try store.close()
      store = try MemoirStore(folder: folder.path + "/store", options: options)
    case 2:
      let version = Int.random(in: 1...history.entries.count, using: &random)
      try store.log.redact(StreamVersion(UInt64(version)), of: bob)
      history.redact(version)
    default: break
    }
  }

  func states(by order: FoldOrder) throws -> [[String]] {
    var model = ModelState()
    var states = [model.lines]
    for entry in history.ordered(by: order) {
      try model.apply(entry, MemoirEvent(history.recorded(entry.version)))
      states.append(model.lines)
    }
    return states
  }

  /// A point, and how many events come by it in which order.
  func point() throws -> (point: AsOfText, order: FoldOrder, count: Int) {
    let index = Int.random(in: 0..<history.entries.count, using: &random)
    let step = Int64.random(in: -1...1, using: &random)
    switch Int.random(in: 0...5, using: &random) {
    case 0: return (.now, .version, history.entries.count)
    case 1: return (.version(StreamVersion(UInt64(index))), .version, index)
    case 2:
      let position = LogPosition(UInt64.random(in: 0...(try store.log.lastPosition().number), using: &random))
      return (.position(position), .version, positions.count { $0 <= position })
    case 3:
      let time = min(recordedAt[index].advanced(byMicroseconds: step), clock.now)
      return (.recorded(time), .version, recordedAt.count { $0 <= time })
    default:
      let time = history.entries[index].occurredAt.advanced(byMicroseconds: step)
      return (.occurred(time), .occurredAt, history.entries.count { $0.occurredAt <= time })
    }
  }
}

@Suite struct `A store of any history` {
  @Test(arguments: 1...9) func `says at every point what the plain model says`(seed: UInt64) throws {
    let recorded = try RecordedHistory(seed: seed)
    var round = 0
    while !recorded.isComplete {
      round += 1
      try recorded.append()
      try recorded.disturb()
      guard round % 6 == 0 || recorded.isComplete else { continue }
      let states = [try recorded.states(by: .version), try recorded.states(by: .occurredAt)]
      for _ in 0..<20 {
        let (point, order, count) = try recorded.point()
        let found = try recorded.store.state(of: recorded.bob, at: point)
        try #require(found.state.lines == states[order == .version ? 0 : 1][count], "seed \(seed), \(point)")
        let included = recorded.history.ordered(by: order).prefix(count)
        try #require(found.version == included.map(\.version).max() ?? 0, "seed \(seed), \(point)")
      }
    }
  }
}
