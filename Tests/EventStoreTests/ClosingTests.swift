// The end of a log: closed by its owner, or let go of.
import Glibc
import LMDB
import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A log that is let go of` {
  // The thread that folds for snapshots took the last reference with it, and waited for its own end.
  @Test(arguments: 1...10) func `ends also where a fold beside the appends is under way`(attempt: Int) throws {
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

@Suite struct `A log that was closed` {
  // Closing with a long tail took the folder's lock for itself alone, and kept it until the object was gone.
  @Test func `can be opened again while the old object lives`() throws {
    let folder = TemporaryFolder()
    let log = try EventLog(folder: folder.path + "/store", schema: Diary.schema)
    let many = (0..<5_000).map { Diary.removed("k", id: .number($0)) }
    try log.appendAndWait([StreamAppend(many, to: .bob)])
    try log.close()
    try log.close()
    let again = try EventLog(folder: folder.path + "/store", schema: Diary.schema)
    #expect(try again.lastPosition() == 5_000)
    withExtendedLifetime(log) {}
  }

  @Test func `refuses reading and appending`() async throws {
    let store = try TemporaryStore()
    try store.append(Diary.removed("k", id: .number(1)))
    try store.log.close()
    let log = store.log
    func isClosed(_ error: any Error) -> Bool {
      switch error {
      case StorageError.closed, AppendError.storage(.closed), ReadError.storage(.closed): true
      default: false
      }
    }
    await #expect(
      performing: { try await log.append([Diary.removed("k", id: .number(2))], to: .bob) }, throws: isClosed)
    await #expect(
      performing: { try await log.append([Diary.removed("k", id: .number(2))], to: .alice) }, throws: isClosed
    )
    #expect(
      performing: { try log.appendAndWait([StreamAppend([], to: .bob)]) }, throws: { $0 is AppendError })
    #expect(performing: { try log.readStream(.bob) }, throws: isClosed)
    #expect(performing: { try log.readAll() }, throws: isClosed)
    #expect(performing: { try log.state(of: .bob, by: NotebookProjector()) }, throws: isClosed)
    #expect(performing: { try log.redact(1, of: .bob) }, throws: isClosed)
    #expect(performing: { try log.verify() }, throws: isClosed)
    try store.reopen()
    #expect(try store.log.lastPosition() == 1)
  }
}

@Suite struct `A log that is being closed` {
  // Closing started no writer any more, but went on taking appends: a log's first append then waited for ever.
  @Test func `refuses the first append as it refuses any other`() throws {
    let store = try TemporaryStore()
    let outcomes = Mutex<[Result<[AppendResult], AppendError>]>([])
    let log = store.log
    let ready = try log.prepareAppend(
      [StreamAppend([Diary.removed("k", id: .number(1))], to: .bob)], repeats: .request)
    // Followers are told in the middle of closing.
    _ = log.followers.add {
      log.beginAppend(ready) { result in
        outcomes.withLock { $0.append(result) }
      }
    }
    try log.close()
    let refused = outcomes.withLock { $0 }
    #expect(refused.count == 1)
    #expect(throws: AppendError.storage(.closed(reason: "the store was closed"))) { try refused.first?.get() }
  }
}

@Suite struct `A subscription whose log is closed` {
  @Test(.timeLimit(.minutes(1))) func `ends, whenever that happens`() async throws {
    let store = try TemporaryStore()
    try store.append(Diary.removed("k", id: .number(1)))
    var events = store.log.subscribe(after: 0).makeAsyncIterator()
    #expect(try await events.next()?.position == 1)
    // After it has looked whether the log is closed, and before it reads; that was told as an error.
    store.log.environment.close()
    #expect(try await events.next()?.position == nil)
    try store.log.close()
    #expect(try await events.next()?.position == nil)
  }
}

@Suite struct `A log in the child of a fork` {
  // An append waited for a writer that was not there, and closing for its end; and it let go of the parent's lock.
  @Test func `is closed, and its end does the parent no harm`() async {
    await #expect(processExitsWith: .success) {
      let store = try TemporaryStore()
      try store.append(Diary.removed("k", id: .number(1)))
      // Once more, so that the stream is known and nothing needs to be read for an append.
      try store.append(Diary.removed("k", id: .number(2)))
      let symbol = unsafe dlsym(nil, "fork")
      let child = unsafe unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)()
      if child == 0 {
        do throws(AppendError) {
          try store.append(Diary.removed("k", id: .number(3)))
          _exit(1)
        } catch {
          guard case .storage(.closed) = error else { _exit(2) }
        }
        do { try store.log.close() } catch { _exit(3) }
        _exit(0)
      }
      var status: Int32 = -1
      let deadline = ContinuousClock.now + .seconds(20)
      while unsafe waitpid(child, &status, WNOHANG) == 0 {
        // Its signals are blocked, but for this one.
        if ContinuousClock.now > deadline { kill(child, SIGKILL) }
        usleep(10_000)
      }
      #expect(status == 0)
      let lock = unsafe open(store.path + "/openers.lock", O_RDWR)
      #expect(flock(lock, LOCK_EX | LOCK_NB) == -1)
      #expect(try store.append(Diary.removed("k", id: .number(3))).lastVersion == 3)
    }
  }
}
