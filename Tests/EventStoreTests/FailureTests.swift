// Storage that fails, call by call. Calls are made to fail for a whole process, so these tests run in one of their own.
import EventStore
import Foundation
import LMDB
import Synchronization
import TestSupport
import Testing

private func note(_ number: Int) -> EventData {
  Diary.written("k\(number % 3)", "text \(number)", id: .number(number))
}

#if DEBUG
/// What a caller does who never gives up: some appends, a redaction, states and snapshots, opening again when it must.
private struct Persistent {
  let folder = TemporaryFolder()
  let clock = TestClock()
  var log: EventLog?
  var acknowledged: [[StreamAppend]] = []

  static let requests: [[StreamAppend]] = (1...9).map { number in
    let first = StreamAppend([note(10 * number), note(10 * number + 1)], to: .bob)
    return number % 3 == 0
      ? [first, StreamAppend([note(10 * number).inSession(.named("s"))], to: .alice)] : [first]
  }

  mutating func open() throws(StorageError) -> EventLog {
    if let log { return log }
    var options = EventLog.Options()
    options.blockSize = 4
    options.cacheBytes = 0
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    options.clock = { [clock] in clock.now }
    let opened = try EventLog(folder: folder.path + "/store", schema: Diary.schema, options: options)
    log = opened
    return opened
  }

  /// Tries until it succeeds; an error is taken for what it says about what was stored.
  mutating func insist(_ body: (EventLog) throws -> Void) throws {
    var tries = 0
    while true {
      tries += 1
      do {
        return try body(try open())
      } catch {
        guard tries < 4 else { throw error }
        let storage: StorageError? =
          switch error {
          case let error as StorageError: error
          case AppendError.storage(let error): error
          case ReadError.storage(let error): error
          default: nil
          }
        guard let storage else { throw error }
        if case .stopped = storage {
          try log?.close()
          log = nil
        }
      }
    }
  }

  mutating func run() throws {
    for (number, request) in Self.requests.enumerated() {
      try insist { log in _ = try log.appendAndWait(request) }
      acknowledged.append(request)
      switch number {
      case 2: try insist { log in _ = try log.state(of: .bob, by: NotebookProjector()) }
      case 3: try insist { log in try log.storeDueSnapshots() }
      case 4: try insist { log in try log.redact(2, of: .bob) }
      case 5:
        try insist { log in _ = try log.state(of: .bob, by: NotebookProjector(), at: .occurredAt(.latest)) }
      case 6: try insist { log in _ = try log.readStream(.bob, direction: .backward, limit: 3) }
      default: break
      }
    }
  }

  /// Nothing lost, nothing doubled, nothing wrong.
  mutating func check(_ what: String) throws {
    try log?.close()
    log = nil
    let log = try open()
    var model = ModelStore()
    for request in Self.requests { _ = model.append(request, now: clock.now) }
    let expected = model.log.map { "\($0.stream) \($0.version) \($0.data.id)" }
    let found = try log.readAll().events.map { "\($0.stream) \($0.version) \($0.id)" }
    #expect(found == expected, "\(what)")
    #expect(try log.verify().problems == [], "\(what)")
    let state = try log.state(of: .bob, by: NotebookProjector())?.state
    #expect(try state == log.state(of: .bob, by: NotebookProjector(), usesSnapshots: false)?.state, "\(what)")
    #expect(state?.events == 18 && state?.brokenPromises == 0, "\(what)")
    try log.close()
  }

  /// Has what fails told by the process of a test, which else would only be known to have ended badly.
  static func reporting(_ body: () throws -> Void) {
    do { try body() } catch { Issue.record(error) }
  }

  /// Lets every call fail once, beginning with `first` and going on in steps.
  static func failEachCall(with code: Int32, from first: Int = 1, by step: Int = 1) throws {
    for occurrence in stride(from: first, to: .max, by: step) {
      var caller = Persistent()
      let what = "code \(code) at call \(occurrence)"
      let fired = try Failpoint.with(occurrence: occurrence, code: code, scope: .process) { try caller.run() }
      #expect(caller.acknowledged.count == requests.count, "\(what)")
      try caller.check(what)
      if !fired {
        #expect(occurrence > 100)
        return
      }
    }
  }
}

@Suite struct `Whichever call of the storage fails` {
  @Test func `by an error of the disk, nothing acknowledged is lost and nothing is doubled`() async {
    await #expect(processExitsWith: .success) {
      Persistent.reporting { try Persistent.failEachCall(with: EIO, by: 2) }
    }
  }

  @Test func `for want of room, nothing acknowledged is lost and nothing is doubled`() async {
    await #expect(processExitsWith: .success) {
      Persistent.reporting {
        try Persistent.failEachCall(with: ENOSPC, by: 5)
        // MDB_MAP_FULL, MDB_TXN_FULL
        try Persistent.failEachCall(with: -30_792, from: 2, by: 13)
        try Persistent.failEachCall(with: -30_788, from: 3, by: 17)
      }
    }
  }

  @Test func `for want of memory or of a reader's slot, nothing acknowledged is lost and nothing is doubled`()
    async
  {
    await #expect(processExitsWith: .success) {
      Persistent.reporting {
        try Persistent.failEachCall(with: ENOMEM, by: 7)
        // MDB_READERS_FULL
        try Persistent.failEachCall(with: -30_790, from: 2, by: 17)
      }
    }
  }
}

@Suite struct `A commit that fails` {
  private static func append(_ number: Int, to store: TemporaryStore) -> AppendError? {
    do throws(AppendError) {
      try store.append(note(number))
      return nil
    } catch {
      return error
    }
  }

  @Test func `for want of room stores nothing, and the next one goes on`() async {
    await #expect(processExitsWith: .success) {
      let store = try TemporaryStore()
      try store.append(note(1))
      for code in [ENOSPC, EDQUOT, -30_792] {
        let fired = Failpoint.with(call: .transactionCommit, code: code, scope: .process) {
          guard case .storage(.full)? = Self.append(2, to: store) else {
            Issue.record("code \(code) was not told as a full disk")
            return
          }
        }
        #expect(fired)
        #expect(try store.log.lastPosition() == 1)
        #expect(try store.notebook()?.events == 1)
      }
      #expect(Self.append(2, to: store) == nil)
      #expect(try store.log.verify().isSound)
    }
  }

  // The first such error said only that something failed, as if nothing had been stored; nobody knows.
  @Test func `by an error of the disk stops writing until the store is opened again`() async {
    await #expect(processExitsWith: .success) {
      let store = try TemporaryStore()
      try store.append(note(1))
      func isStopped(_ error: AppendError?) -> Bool {
        if case .storage(.stopped)? = error { true } else { false }
      }
      let fired = Failpoint.with(call: .transactionCommit, code: EIO, scope: .process) {
        #expect(isStopped(Self.append(2, to: store)))
      }
      #expect(fired)
      #expect(isStopped(Self.append(2, to: store)))
      #expect(isStopped(Self.append(3, to: store)))
      #expect(try store.log.readAll().events.count == 1)
      #expect(try store.notebook()?.events == 1)

      try store.reopen()
      #expect(Self.append(2, to: store) == nil)
      #expect(try store.log.readAll().events.map(\.id) == [.number(1), .number(2)])
      #expect(try store.log.verify().isSound)
    }
  }

  @Test func `fails all that share it, and each can be done again`() async {
    await #expect(processExitsWith: .success) {
      let store = try TemporaryStore()
      let log = store.log
      func appendAll() throws -> [Result<[AppendResult], AppendError>] {
        let results = Mutex<[Result<[AppendResult], AppendError>]>([])
        let group = DispatchGroup()
        for number in 1...32 {
          group.enter()
          let ready = try log.prepareAppend([StreamAppend([note(number)], to: .bob)], repeats: .request)
          log.beginAppend(ready) { result in
            results.withLock { $0.append(result) }
            group.leave()
          }
        }
        group.wait()
        return results.withLock { $0 }
      }
      try store.append(note(100))
      var results: [Result<[AppendResult], AppendError>] = []
      let fired = Failpoint.with(call: .transactionCommit, code: ENOSPC, scope: .process) {
        results = (try? appendAll()) ?? []
      }
      #expect(fired)
      let stored = results.count { (try? $0.get()) != nil }
      #expect(stored < 32)
      #expect(try log.lastPosition().number == UInt64(stored + 1))
      let again = try appendAll().compactMap { try? $0.get()[0] }
      #expect(again.count == 32 && again.count { $0.isDuplicate } == stored)
      #expect(try log.verify().isSound)
    }
  }
}
#endif

@Suite struct `A store that has reached its largest size` {
  @Test func `refuses appends, is read on, and goes on with a larger one`() throws {
    var options = EventLog.Options()
    options.mapSize = 1 << 19
    options.blockSize = 16
    let store = try TemporaryStore(options)
    func large(_ number: Int) -> EventData {
      Diary.written("k", String(repeating: "x", count: 4_000), id: .number(number))
    }
    var count = 0
    while count < 1_000 {
      do throws(AppendError) {
        try store.append(large(count))
        count += 1
      } catch {
        guard case .storage(.full) = error else { throw error }
        break
      }
    }
    #expect(count > 10 && count < 1_000)
    #expect(try store.log.lastPosition().number == UInt64(count))
    #expect(throws: AppendError.self) { try store.append(large(count)) }
    #expect(try store.notebook()?.events == UInt64(count))

    store.options.mapSize = 1 << 30
    try store.reopen()
    #expect(try store.log.lastPosition().number == UInt64(count))
    #expect(try store.append(large(count)).lastVersion.number == UInt64(count + 1))
    #expect(try store.append(large(0)).isDuplicate)
    #expect(try store.log.verify().isSound)
  }
}
