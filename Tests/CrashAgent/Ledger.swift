// What a store with its chores must hold, as far as its processes have said: each line right after the fact.
//
//   ack …                         an append, see ``Acknowledgement``
//   begin NAME [ARGUMENT]         a chore is begun …
//   done NAME [ARGUMENT]          … and done
//   next WRITER REQUEST           of a writer, so many requests were found
import EventStore
import Memoir
import TestSupport

/// What is known to be there, and what may be.
struct Ledger {
  /// What must be in a store.
  struct Promises {
    var acknowledged: [Acknowledgement] = []
    /// Up to which position the events of people were erased.
    var erased: [StreamName: LogPosition] = [:]
    /// Up to which position messages were redacted.
    var retained: LogPosition = 0
    /// Of which erasures no byte is left in any file.
    var scrubbed: [StreamName: LogPosition] = [:]
    /// Up to where no byte of redacted messages is left.
    var scrubbedMessages: LogPosition = 0
    /// Where the subscription is.
    var checkpoint: LogPosition = 0

    /// The last position that must be there.
    var end: LogPosition { acknowledged.map(\.firstPosition).max() ?? 0 }
  }

  private(set) var store = Promises()
  /// What the backup must hold; `nil` while nobody has said that there is one.
  private(set) var backup: Promises?
  /// What was restored; `nil` while that is unknown.
  private(set) var restored: Promises?
  private(set) var isMade = false
  /// What was begun, and may be done.
  private(set) var mayBeErased: Set<StreamName> = []
  private(set) var mayBeRetained: LogPosition = 0
  /// For each writer the first request that nobody can have tried to append.
  private(set) var next: [Int: Int] = [:]
  private var atBegin = Promises()

  init(_ lines: [String] = []) { for line in lines { note(line) } }

  mutating func note(_ line: String) {
    if let acknowledgement = Acknowledgement(line) {
      store.acknowledged.append(acknowledgement)
      next[acknowledgement.writer] = max(next[acknowledgement.writer] ?? 0, acknowledgement.request + 1)
      return
    }
    let words = line.split(separator: " ").map(String.init)
    let argument = words.count > 2 ? words[2] : ""
    let position = LogPosition(UInt64(argument) ?? 0)
    switch (words.first ?? "", words.count > 1 ? words[1] : "") {
    case ("open", _): isMade = true
    case ("next", let writer):
      if let writer = Int(writer), let request = Int(argument) { next[writer] = max(next[writer] ?? 0, request) }
    case ("begin", let chore):
      atBegin = store
      switch chore {
      case "erase": mayBeErased.insert(.named(argument))
      case "retain": mayBeRetained = max(mayBeRetained, position)
      case "restore", "restore-at": restored = nil
      default: break
      }
    case ("done", "erase"): store.erased[.named(argument)] = atBegin.end
    case ("done", "scrub"): store.scrubbed = atBegin.erased
    case ("done", "retain"): store.retained = max(store.retained, position)
    case ("done", "clear"): (store.scrubbedMessages, store.scrubbed) = (atBegin.retained, atBegin.erased)
    case ("done", "acknowledge"): store.checkpoint = position
    case ("done", "backup"):
      backup = atBegin
      // Copied, it has no page in which anything could be left.
      backup?.scrubbed = atBegin.erased
      backup?.scrubbedMessages = atBegin.retained
    case ("done", "restore"): restored = backup
    case ("done", "restore-at"):
      restored = backup
      restored?.acknowledged.removeAll { $0.firstPosition.number + 2 > position.number }
      restored?.checkpoint = 0
    default: break
    }
  }
}

/// Compares a store with what must be in it.
struct Inspection {
  let talk: Talk
  let ledger: Ledger
  let promises: Ledger.Promises
  private(set) var problems: [String] = []
  /// For each writer the first request that is not there.
  private(set) var next: [Int: Int] = [:]

  private struct Found {
    var position: LogPosition
    var version: StreamVersion
    var isMessage: Bool
    var isRedacted: Bool
    var user: StreamName
  }

  private var found: [EventID: Found] = [:]

  init(_ talk: Talk, _ ledger: Ledger, _ promises: Ledger.Promises) {
    (self.talk, self.ledger, self.promises) = (talk, ledger, promises)
  }

  private mutating func expect(_ isTrue: Bool, _ problem: @autoclosure () -> String) {
    if !isTrue, problems.count < 10 { problems.append(problem()) }
  }

  /// Looks at all of a store: at the log, at each person, at what was promised, at what follows from the log.
  ///
  /// - Parameter isCopy: Whether it may end anywhere after what must be there.
  mutating func run(_ log: EventLog, isCopy: Bool = false) throws {
    let requests = try readAll(log)
    checkAcknowledged(requests)
    if !isCopy {
      for (writer, requests) in requests {
        expect(
          requests.count <= ledger.next[writer, default: 0] + 1, "writer \(writer) stored more than it can have tried")
        next[writer] = requests.count
      }
    }
    try readStreams(log)
    if promises.checkpoint > 0 {
      let checkpoint = try log.subscription(named: "reader")?.checkpoint ?? 0
      expect(checkpoint >= promises.checkpoint, "the subscription is at \(checkpoint)")
    }
    let report = try log.verify()
    for problem in report.problems { expect(false, "verify: \(problem.kind) \(problem.reason)") }
    expect(report.events == (try log.lastPosition().number), "verify saw \(report.events) events")
    var options = ReplayOptions()
    options.resumes = false
    let replayed = try log.replay(by: ContextProjector(), options).digest
    options.usesSnapshots = false
    expect(try log.replay(by: ContextProjector(), options).digest == replayed, "the states are not those of the log")
  }

  /// Reads the log in its order: without gaps, requests whole, each once.
  private mutating func readAll(_ log: EventLog) throws -> [Int: [(StreamVersion, LogPosition)]] {
    var requests: [Int: [(StreamVersion, LogPosition)]] = [:]
    var inRequest: EventID?
    var position: LogPosition = 0
    while true {
      let page = try log.readAll(after: position, limit: 10_000)
      for event in page.events {
        expect(event.position == position.next, "\(event.position) comes after \(position)")
        position = event.position
        if event.type == .userErased { continue }
        guard let (writer, number) = NumberedWork.origin(of: event.id) else {
          expect(false, "\(event.id) at \(position) is nobody's")
          continue
        }
        if let inRequest {
          expect(inRequest == event.id, "the request broken off before \(position)")
        } else {
          expect(number % talk.work.group == 0, "a request begins within at \(position)")
          let count = requests[writer, default: []].count
          expect(number / talk.work.group == count, "writer \(writer) goes on with \(number) at \(position)")
          requests[writer, default: []].append((event.version, event.position))
        }
        inRequest =
          number % talk.work.group == talk.work.group - 1 ? nil : NumberedWork.id(number + 1, by: writer)
        let user = talk.user(ofRequest: number / talk.work.group, by: writer)
        expect(found[event.id] == nil, "doubled: \(event.id) at \(position)")
        found[event.id] = Found(
          position: position, version: event.version, isMessage: event.type == .messageAdded,
          isRedacted: event.isRedacted, user: user)
        let made = try Talk.event(number, by: writer)
        expect(
          event.type == made.type && event.occurredAt == made.occurredAt
            && (event.isRedacted
              || event.stream == user && event.payload == made.payload && event.session == made.session),
          "the event at \(position) is not as it was made")
      }
      guard page.next != nil else { break }
    }
    expect(inRequest == nil, "the last request is cut short")
    return requests
  }

  private mutating func checkAcknowledged(_ requests: [Int: [(StreamVersion, LogPosition)]]) {
    for acknowledgement in promises.acknowledged {
      let stored = requests[acknowledgement.writer] ?? []
      guard acknowledgement.request < stored.count else {
        expect(false, "lost: \(acknowledgement)")
        continue
      }
      expect(
        stored[acknowledgement.request] == (acknowledgement.firstVersion, acknowledgement.firstPosition),
        "elsewhere: \(acknowledgement)")
    }
  }

  /// Reads person by person: versions without gaps, and erased all or nothing.
  private mutating func readStreams(_ log: EventLog) throws {
    var count = 0
    for user in talk.users {
      let erasure = try log.lastErasure(of: user)
      expect(erasure == nil || ledger.mayBeErased.contains(user), "\(user) was erased, and nobody asked for it")
      var version: StreamVersion = 0
      for event in try log.readStream(user, limit: 100_000).events {
        expect(event.version == version.next, "\(user) goes from \(version) to \(event.version)")
        version = event.version
        count += 1
        if event.type == .userErased { continue }
        guard let found = found[event.id], found.user == user, found.position == event.position else {
          expect(false, "\(event.id) of \(user) is elsewhere in the log")
          continue
        }
        let isErased = erasure.map { event.version <= $0.version } ?? false
        let mayBeRetained = found.isMessage && event.position <= ledger.mayBeRetained
        expect(event.isRedacted || !isErased, "the erasure of \(user) has left \(event.position)")
        expect(!event.isRedacted || isErased || mayBeRetained, "\(event.position) of \(user) was taken out")
        if let erased = promises.erased[user] {
          expect(event.position > erased || event.isRedacted, "\(event.position) of \(user) is not erased any more")
        }
        expect(
          !found.isMessage || event.position > promises.retained || event.isRedacted,
          "the message at \(event.position) is still kept")
      }
      expect(try log.version(of: user) == version, "\(user) is said to be elsewhere than at \(version)")
    }
    expect(count == Int(try log.lastPosition().number), "\(count) events are somebody's")
  }

  /// Looks for what must be gone in the bytes of a file.
  mutating func scan(_ bytes: [UInt8], of name: String) {
    for id in Talk.marks(in: bytes) {
      guard let event = found[id], event.isRedacted else { continue }
      expect(
        event.position > promises.scrubbed[event.user] ?? 0,
        "\(name) holds what \(event.user) said at \(event.position)")
      expect(
        !event.isMessage || event.position > promises.scrubbedMessages,
        "\(name) holds the message that was at \(event.position)")
    }
  }
}
