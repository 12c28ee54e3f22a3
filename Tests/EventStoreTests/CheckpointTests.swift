// Folding the tail into the tables: beside the appends, and as fast as they come.
import EventStore
import TestSupport
import Testing

@Suite struct `Checkpoints` {
  // An event may need three entries in the tables; at fewer for each, the tail would grow without end.
  @Test(arguments: [1, 7]) func `keep pace with streams of one event that names a session`(batch: Int) throws {
    var options = EventLog.Options()
    options.blockSize = 64
    let store = try TemporaryStore(options)
    for first in stride(from: 0, to: 1_400, by: batch) {
      try store.log.appendAndWait(
        (first..<first + batch).map { number in
          let event = Diary.removed("k", id: .number(number)).inSession(.named("session-\(number)"))
          return StreamAppend([event], to: .named("user-\(number)"))
        })
    }
    #expect(try store.log.storeStatistics(for: NotebookProjector()).tailEvents < 5 * 64)
    #expect(try store.log.verify().isSound)
  }

  @Test func `keep pace with many streams that get one event each`() throws {
    var options = EventLog.Options()
    options.blockSize = 32
    let store = try TemporaryStore(options)
    for number in 0..<1_600 {
      try store.append(Diary.removed("k", id: .number(number)), to: .named("user-\(number % 80)"))
    }
    #expect(try store.log.storeStatistics(for: NotebookProjector()).tailEvents < 5 * 32)
    #expect(try store.log.verify().isSound)
  }
}
