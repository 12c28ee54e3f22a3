// Stored states: never more than an offer.
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct `Snapshots of another schema` {
  // A snapshot was kept under the projector alone, so what an older schema had folded was taken for today's.
  @Test func `are not used`() throws {
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    let store = try TemporaryStore(options, schema: Diary.firstSchema)
    for number in 1...5 { try store.append(Diary.firstWritten("k\(number)", "text", id: .number(number))) }
    _ = try store.notebook()
    _ = try store.notebook(at: .occurredAt(.latest))
    try store.log.storeDueSnapshots()

    store.schema = Diary.schema
    try store.reopen()
    for point: AsOf in [.head, .occurredAt(.latest)] {
      #expect(try store.notebook(at: point) == store.notebook(at: point, usesSnapshots: false))
    }
  }
}

@Suite struct `Snapshots beside the appends` {
  // Bytes that came in during a fold, enough for the next by what it found, were waited for once more, and for ever.
  @Test func `are taken again where enough came in during a fold`() throws {
    let (began, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let folds = Mutex(0)
    let maintenance = SnapshotMaintenance()
    try maintenance.begin(minimumBytes: 100) { _ in
      began.signal()
      go.wait()
      return folds.withLock { folds in
        folds += 1
        return folds == 1 ? 10 : 1_000
      }
    }
    maintenance.count([AppendedEvent(stream: 1, sizeInBytes: 100)])
    began.wait()
    maintenance.count([AppendedEvent(stream: 1, sizeInBytes: 50)])
    go.signal()
    go.signal()
    maintenance.drain()
    #expect(folds.withLock { $0 } == 2)
    maintenance.close()
  }

  @Test func `leave nothing due`() throws {
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 2, minimumBytes: 2_000)
    let store = try TemporaryStore(options)
    try store.log.maintainSnapshots(of: NotebookProjector())
    let text = String(repeating: "word ", count: 40)
    for batch in 0..<20 {
      let events = (0..<100).map { Diary.written("k\($0 % 30)", text, id: .number(batch * 100 + $0)) }
      try store.log.appendAndWait([StreamAppend(events, to: .bob)])
    }
    try store.log.finishSnapshots()
    #expect(try store.log.storeStatistics(for: NotebookProjector()).dueSnapshots == 0)

    try store.reopen()
    let found = try #require(try store.log.state(of: .bob, by: NotebookProjector()))
    #expect(found.bytesFolded < max(2_000, 2 * found.state.encodedSize) + 400)
  }
}

@Suite struct `Snapshots on their way to disk` {
  @Test func `are held only up to a limit`() {
    let queue = SnapshotQueue()
    let large = DueSnapshot(
      stream: 1, order: .version, number: 1, highest: 1,
      projector: ProjectorIdentity(NotebookProjector(), schema: Diary.schema), head: 1, redactions: 0,
      state: Array(repeating: 0, count: 40 << 20))
    queue.add([large, large])
    #expect(queue.count == 1)
    #expect(queue.take(upTo: .max).count == 1)
    queue.add([large])
    #expect(queue.count == 1)
  }
}
