// Commands that append: to be killed, to compete, to come late.
import EventStore
import Platform
import Synchronization
import TestSupport

extension Agent {
  /// Appends requests of ``NumberedWork`` with some writers at a time; `first` names where each of them begins.
  static func append(_ arguments: Arguments) throws {
    if arguments["graceful", default: 0] == 1 { try Interruption.watch() }
    let log = try arguments.open()
    say("open")
    let first = (arguments[text: "first"] ?? "").split(separator: ",").compactMap { Int($0) }
    let requests = arguments["requests", default: .max]
    let base = arguments["base", default: 0]
    let work = arguments.work
    let problem = Mutex<(any Error)?>(nil)
    var threads: [DedicatedThread] = []
    for number in 0..<arguments["writers", default: 1] {
      let writer = base + number
      let start = number < first.count ? first[number] : 0
      threads.append(
        try DedicatedThread(name: "append") {
          do {
            var request = start
            while request - start < requests, Interruption.signal == nil {
              let append = StreamAppend(
                work.request(request, by: writer), to: work.user(ofRequest: request, by: writer))
              let result = try log.appendAndWait([append])[0]
              say("\(Acknowledgement(writer: writer, request: request, result))")
              request += 1
            }
          } catch {
            problem.withLock { $0 = error }
          }
        })
    }
    if arguments["mix", default: 0] == 1 { try mix(log, work, rounds: requests) }
    for thread in threads { thread.join() }
    if let problem = problem.withLock({ $0 }) { throw problem }
    try log.close()
    say("closed")
  }

  /// What else writes to a store: acknowledgements of a subscription, snapshots.
  private static func mix(_ log: EventLog, _ work: NumberedWork, rounds: Int) throws {
    try log.makeSubscription(named: "reader")
    for round in 0..<rounds {
      let position = try log.lastPosition()
      try log.acknowledge(position, of: "reader")
      say("acknowledged \(position)")
      // Folds, and so leaves snapshots that are due for the next commit.
      _ = try log.state(of: work.user(ofRequest: round, by: 0), by: NotebookProjector())
    }
  }

  /// Appends very many small events in large requests.
  static func importMany(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let count = arguments["count", default: 1]
    let users = arguments["users", default: 100]
    let batch = 2_000
    for start in stride(from: 0, to: count, by: batch) {
      let appends = (0..<users).compactMap { user -> StreamAppend? in
        let events = stride(from: start + user, to: min(start + batch, count), by: users).map {
          Diary.custom("\($0)", id: NumberedWork.id($0, by: 999))
        }
        return events.isEmpty ? nil : StreamAppend(events, to: .named("many-\(user)"))
      }
      try log.appendAndWait(appends)
    }
    say("imported \(try log.lastPosition())")
    try log.close()
    say("closed")
  }

  /// Appends to one stream, always at the version it believes the stream to be at, until that is `count`; beside it
  /// reads. Every other event has an id and content that all competitors share.
  static func compete(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let count = UInt64(arguments["count", default: 100])
    let me = arguments["writer", default: 1]
    let isDone = Atomic<Bool>(false)
    let reader = try DedicatedThread(name: "read") {
      do {
        var position: LogPosition = 0
        while true {
          let isLast = isDone.load(ordering: .sequentiallyConsistent)
          for event in try log.readAll(after: position).events {
            guard event.position == position.next, event.version.number == event.position.number else {
              say("error read \(event.version) at \(event.position) after \(position)")
              return
            }
            position = event.position
          }
          if isLast, try log.lastPosition() == position { break }
        }
        say("read \(position)")
      } catch {
        say("error \(error)")
      }
    }
    say("open")
    hear()
    var version: UInt64 = 0
    while version < count {
      let writer = version % 2 == 0 ? 0 : me
      let event = NumberedWork.event(Int(version), by: writer)
      do throws(AppendError) {
        let result = try log.appendAndWait([
          StreamAppend([event], to: .named("contested"), expecting: .exactly(StreamVersion(version)))
        ])[0]
        say("\(result.isDuplicate ? "again" : "won") \(event.id) \(result.firstVersion)")
        version = result.lastVersion.number
      } catch .versionConflict(_, _, let actual) {
        say("conflict \(version) \(actual)")
        version = actual.number
      }
    }
    isDone.store(true, ordering: .sequentiallyConsistent)
    reader.join()
    try log.close()
    say("closed")
  }

  /// Opens, sleeps until told, and then appends and reads.
  static func behind(_ arguments: Arguments) throws {
    let log = try arguments.open()
    let work = arguments.work
    let user = work.user(ofRequest: 0, by: 500)
    let first = try log.appendAndWait([StreamAppend(work.request(0, by: 500), to: user)])[0]
    say("ready \(first.lastPosition)")
    hear()
    let second = try log.appendAndWait([StreamAppend(work.request(1, by: 500), to: user)])[0]
    say("appended \(second.firstVersion) \(second.firstPosition)")
    var position: LogPosition = 0
    var versions: [StreamName: UInt64] = [:]
    while true {
      let page = try log.readAll(after: position, limit: 20_000)
      for event in page.events {
        versions[event.stream, default: 0] += 1
        guard event.position == position.next, event.version.number == versions[event.stream] else {
          throw Misuse(reason: "\(event.stream) \(event.version) at \(event.position) after \(position)")
        }
        position = event.position
      }
      if page.next == nil { break }
    }
    let isRight = try log.streams().allSatisfy { $0.version.number == versions[$0.name] }
    say("read \(position) \(versions.count) \(isRight)")
    try log.close()
  }

  /// Opens the same store a second time.
  static func openTwice(_ arguments: Arguments) throws {
    let log = try arguments.open()
    do throws(StorageError) {
      _ = try arguments.open()
      say("opened")
    } catch {
      if case .inUse = error { say("refused") } else { say("error \(error)") }
    }
    try log.close()
    try arguments.open().close()
    say("closed")
  }
}
