// The end of a log: closed by its owner, or let go of.
import EventStore
import TestSupport
import Testing

@Suite struct `A log that is let go of` {
  // The thread that folds for snapshots took the last reference with it, and waited for its own end.
  @Test(arguments: 1...10) func `ends also where a fold beside the appends is under way`(attempt: Int) throws
  {
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    let folder = TemporaryFolder()
    var log: EventLog? = try EventLog(folder: folder.path + "/store", schema: Diary.schema, options: options)
    try log?.maintainSnapshots(of: NotebookProjector())
    for number in 1...20 {
      try log?.appendAndWait([StreamAppend([Diary.written("a", "1", id: .number(number))], to: .bob)])
    }
    log = nil
    // Whoever lets go last closes; that may be the fold, a moment later.
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
      do throws(StorageError) {
        let reopened = try EventLog(folder: folder.path + "/store", schema: Diary.schema)
        #expect(try reopened.lastPosition() == 20)
        return
      } catch {
        guard case .inUse = error, ContinuousClock.now < deadline else { throw error }
      }
    }
  }
}
