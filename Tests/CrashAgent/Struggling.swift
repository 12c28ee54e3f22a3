// Appending while commits fail now and then, with readers beside that believe nothing they cannot check.
import EventStore
import LMDB
import Platform
import Synchronization
import TestSupport

#if DEBUG
extension Agent {
  /// Appends as ``append(_:)`` does, trying again where the disk is said to be full, which it often is.
  static func struggle(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let work = arguments.work
    let base = arguments["base", default: 0]
    let requests = arguments["requests", default: 100]
    let writers = arguments["writers", default: 2]
    let struggle = Struggle(log, work, seed: UInt64(arguments["seed", default: 1]))
    say("open")
    hear()
    var threads: [DedicatedThread] = []
    for number in 0..<writers {
      threads.append(
        try DedicatedThread(name: "append") {
          struggle.telling { try struggle.append(requests, by: base + number) }
          struggle.working.subtract(1, ordering: .sequentiallyConsistent)
        })
    }
    struggle.working.add(writers, ordering: .sequentiallyConsistent)
    let failures = try DedicatedThread(name: "fail") { struggle.failCommits() }
    var beside = [failures, try DedicatedThread(name: "follow") { struggle.telling { try struggle.follow() } }]
    for number in 0..<arguments["readers", default: 2] {
      beside.append(try DedicatedThread(name: "read") { struggle.telling { try struggle.read(number) } })
    }
    for thread in threads + beside { thread.join() }
    say("failed \(struggle.failed.load(ordering: .sequentiallyConsistent))")
    try log.close()
    say("closed")
  }
}

/// What the threads of a struggle share.
private final class Struggle: Sendable {
  let log: EventLog
  let work: NumberedWork
  let seed: UInt64
  /// How many threads still append.
  let working = Atomic<Int>(0)
  /// How many calls have failed.
  let failed = Atomic<Int>(0)

  init(_ log: EventLog, _ work: NumberedWork, seed: UInt64) {
    self.log = log
    self.work = work
    self.seed = seed
  }

  /// Whether all appends are done.
  var isOver: Bool { working.load(ordering: .sequentiallyConsistent) <= 0 }

  /// Runs `body`, and says what goes wrong.
  func telling(_ body: () throws -> Void) {
    do { try body() } catch { say("error \(error)") }
  }

  /// Makes calls of the writer fail, one after the other.
  func failCommits() {
    var random = SeededRandom(seed: seed)
    while !isOver {
      let call: LMDBError.Call = random.next() % 2 == 0 ? .transactionCommit : .put
      let occurrence = 1 + Int(random.next() % 12)
      // ENOSPC
      let fired = Failpoint.with(call: call, occurrence: occurrence, code: 28, scope: .process) {
        MonotonicClock.sleep(nanoseconds: 500_000)
      }
      if fired { failed.add(1, ordering: .relaxed) }
    }
  }

  /// Appends requests, looking after each for what was acknowledged.
  func append(_ requests: Int, by writer: Int) throws {
    var request = 0
    while request < requests {
      let user = work.user(ofRequest: request, by: writer)
      // Never to be seen again: it is not where it is said to be.
      let ghost = StreamAppend(
        [Diary.removed("ghost", id: .number(request))], to: .named("ghost-\(writer)-\(request)"),
        expecting: .exactly(7))
      do throws(AppendError) {
        _ = try log.appendAndWait([ghost])
        throw AppendError.storage(.failed(reason: "a ghost was stored"))
      } catch {
        switch error {
        case .versionConflict, .storage(.full): break
        default: throw error
        }
      }
      do throws(AppendError) {
        let result = try log.appendAndWait([StreamAppend(work.request(request, by: writer), to: user)])[0]
        say("\(Acknowledgement(writer: writer, request: request, result))")
        let last = request * work.group + work.group - 1
        let found: RecordedEvent?
        do throws(StorageError) {
          found = try log.event(NumberedWork.id(last, by: writer), of: user)
        } catch { throw AppendError.storage(error) }
        guard let found, found.version == result.lastVersion, found.position == result.lastPosition else {
          throw AppendError.storage(.failed(reason: "\(user) misses what was acknowledged: \(result)"))
        }
        request += 1
      } catch {
        guard case .storage(.full) = error else { throw error }
      }
    }
  }

  /// Whether an event is as it was made.
  func isSound(_ event: RecordedEvent) -> Bool {
    guard let (writer, number) = NumberedWork.origin(of: event.id) else { return false }
    let made = NumberedWork.event(number, by: writer)
    return event.stream == work.user(ofRequest: number / work.group, by: writer) && event.type == made.type
      && event.payload == made.payload && event.session == made.session
  }

  /// Reads everything in the order of the log, and streams in between.
  func read(_ number: Int) throws {
    var random = SeededRandom(seed: seed ^ UInt64(number) << 20)
    var position: LogPosition = 0
    var versions: [StreamName: UInt64] = [:]
    var isLast = false
    while !isLast {
      isLast = isOver
      let page = try log.readAll(after: position, limit: 200)
      for event in page.events {
        versions[event.stream, default: 0] += 1
        guard event.position == position.next, event.version.number == versions[event.stream], isSound(event) else {
          return say("error \(event.stream) \(event.version) at \(event.position) after \(position)")
        }
        position = event.position
      }
      if page.next != nil { isLast = false }
      for _ in 0..<5 { try look(&random, versions) }
      if random.next() % 50 == 0 {
        for summary in try log.streams() where summary.name.user.description.hasPrefix("ghost") {
          say("error \(summary.name) is there")
        }
      }
    }
    say("read \(position)")
  }

  /// Looks at one stream in several ways.
  private func look(_ random: inout SeededRandom, _ versions: [StreamName: UInt64]) throws {
    let user = StreamName.named("user-\(random.next() % UInt64(work.users))")
    let known = versions[user] ?? 0
    let head = try log.version(of: user)
    guard head.number >= known else { return say("error \(user) is at \(head), and was at \(known)") }
    let page = try log.readStream(user, direction: .backward, limit: 12)
    guard let newest = page.events.first else {
      if head > 0 { say("error \(user) has nothing, and was at \(head)") }
      return
    }
    guard newest.version >= head else { return say("error \(user) ends at \(newest.version), and was at \(head)") }
    for (offset, event) in page.events.enumerated() {
      guard event.version.number + UInt64(offset) == newest.version.number, isSound(event) else {
        return say("error \(user) has \(event.id) at \(event.version)")
      }
    }
    guard let event = page.events.last, try log.event(event.id, of: user)?.position == event.position else {
      return say("error \(user) has nothing under the id of its event")
    }
    if let session = event.session {
      let filter = EventFilter(session: session)
      guard
        try log.readStream(user, from: event.version, to: event.version, filter: filter).events.map(\.position) == [
          event.position
        ]
      else {
        return say("error \(user) has nothing in \(session) at \(event.version)")
      }
    }
    if random.next() % 4 == 0 {
      let state = try log.state(of: user, by: NotebookProjector(), at: .version(newest.version))
      let plain = try log.state(
        of: user, by: NotebookProjector(), at: .version(newest.version), usesSnapshots: false)
      guard let state, state.state == plain?.state else { return say("error \(user) has two states") }
      let occurred = try log.state(of: user, by: NotebookProjector(), at: .occurredAt(.latest))
      if let occurred, occurred.state.events < state.state.events { say("error \(user) has lost events by time") }
    }
  }

  /// Waits for events as they come.
  func follow() throws {
    var position: LogPosition = 0
    while true {
      let isLast = isOver
      let deadline = MonotonicClock.nanoseconds + 200_000_000
      if try !log.waitForEvents(after: position, until: deadline) {
        if isLast { break }
        continue
      }
      position = try log.lastPosition()
    }
    say("followed \(position)")
  }
}
#endif
