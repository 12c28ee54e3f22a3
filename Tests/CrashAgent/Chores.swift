// A store that is appended to while everything that can be done to a store is done to it: to be killed, starved, or cut
// off at any moment of it.
import EventStore
import Memoir
import Platform
import Synchronization
import TestSupport

extension Agent {
  /// Does chores, in rounds: each of them once, in an order of the seed, with appends in between, or by threads beside.
  ///
  /// In the folder come to be `store`, `backup` and `restored`. What is said is a ``Ledger``'s.
  static func chores(_ arguments: Arguments) throws {
    var chores = Chores(arguments)
    for round in 0..<arguments["rounds", default: 1] { try chores.run(round) }
    say("closed")
  }
}

/// Small enough that sealing, merging and snapshots fall into every round.
struct ChoreOptions {
  static var store: EventLog.Options {
    var options = EventLog.Options()
    options.blockSize = 16
    options.stepLimit = 5
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 1_024)
    options.readerCheckInterval = 0
    if CurrentProcess.environment("MEMOIR_AGENT_ENCRYPTS") != nil {
      options.masterKey = MasterKey(bytes: Array(repeating: 1, count: MasterKey.size))
    }
    return options
  }
}

private struct Chores {
  private let folder: String
  private let talk: Talk
  private let writers: Int
  /// Requests that a writer appends in a round, or that are appended between two chores.
  private let requests: Int
  /// How often a thing is tried before it is given up.
  private let tries: Int
  private let names: [String]
  private var next: [Int]
  private var random: SeededRandom
  private var store: MemoirStore?

  static let all = [
    "snapshots", "acknowledge", "erase", "retain", "backup", "repair", "restore", "erase", "backup", "restore-at",
    "compact",
  ]

  init(_ arguments: Arguments) {
    folder = arguments.folder
    talk = Talk(work: arguments.work)
    writers = arguments["writers", default: 0]
    requests = arguments["requests", default: 3]
    tries = arguments["tries", default: 1]
    let wanted = (arguments[text: "only"] ?? "").split(separator: ",").map(String.init)
    names = wanted.isEmpty ? Self.all : wanted
    let first = (arguments[text: "first"] ?? "").split(separator: ",").compactMap { Int($0) }
    next = (0..<max(1, writers)).map { $0 < first.count ? first[$0] : 0 }
    random = SeededRandom(seed: UInt64(arguments["seed", default: 1]))
  }

  private func open() throws -> MemoirStore { try MemoirStore(folder: folder + "/store", options: ChoreOptions.store) }

  /// Tries, and tries again where that may help, as a patient caller does.
  private mutating func insist(_ body: (inout Chores, MemoirStore) throws -> Void) throws {
    for count in 1... {
      do {
        let known = try store ?? open()
        store = known
        return try body(&self, known)
      } catch {
        guard count < tries else { throw error }
        // It may be that nothing more is written until it is opened again.
        try? store?.close()
        store = nil
      }
    }
  }

  mutating func run(_ round: Int) throws {
    try insist { _, _ in }
    say("open")
    var threads: [DedicatedThread] = []
    let problem = Mutex<(any Error)?>(nil)
    if writers > 0, let store {
      for writer in 0..<writers {
        threads.append(
          try DedicatedThread(name: "append") { [talk, range = next[writer]..<next[writer] + requests] in
            do {
              for request in range { try Self.append(request, by: writer, talk, store) }
            } catch {
              problem.withLock { $0 = error }
            }
          })
        next[writer] += requests
      }
    }
    for name in names.shuffled(using: &random) {
      if writers == 0 { try appendSome() }
      if name == "compact" {
        for thread in threads { thread.join() }
        threads = []
      }
      try doChore(name)
    }
    for thread in threads { thread.join() }
    if let problem = problem.withLock({ $0 }) { throw problem }
    try insist { chores, store in
      try store.close()
      chores.store = nil
    }
  }

  private static func append(_ request: Int, by writer: Int, _ talk: Talk, _ store: MemoirStore) throws {
    let result = try store.log.appendAndWait([try talk.append(request, by: writer)])[0]
    say("\(Acknowledgement(writer: writer, request: request, result))")
  }

  private mutating func appendSome() throws {
    for _ in 0..<requests {
      try insist { chores, store in try Self.append(chores.next[0], by: 0, chores.talk, store) }
      next[0] += 1
    }
  }

  // MARK: Each of them

  /// Says that a chore begins, does it, and says that it is done; unless the body says that it is not.
  private mutating func chore(
    _ name: String, _ argument: String = "", _ body: (inout Chores, MemoirStore) throws -> Bool
  ) throws {
    say("begin \(name) \(argument)")
    var isDone = false
    try insist { chores, store in isDone = try body(&chores, store) }
    if isDone { say("done \(name) \(argument)") }
  }

  private mutating func doChore(_ name: String) throws {
    switch name {
    case "snapshots":
      try chore(name) { _, store in
        _ = try store.log.replay(by: store.projector)
        try store.log.storeDueSnapshots()
        return true
      }
    case "acknowledge":
      try insist { chores, store in
        let position = try store.log.lastPosition()
        try store.log.makeSubscription(named: "reader")
        try store.log.acknowledge(position, of: "reader")
        say("done acknowledge \(position)")
      }
    case "erase":
      let user = talk.users.randomElement(using: &random) ?? talk.users[0]
      try chore(name, "\(user.user)") { _, store in
        do {
          _ = try Agent.runTask { try await store.erase(user, by: "the office") }
        } catch let error as MemoirError where error.code == .notFound {
          // Nobody has said anything by this name yet.
        }
        return true
      }
      try chore("scrub") { _, store in try Agent.runTask { try await store.log.scrubErased() } }
    case "retain": try retain()
    case "backup":
      try chore(name) { chores, store in
        _ = try store.log.backup(to: chores.folder + "/backup")
        return true
      }
    case "repair":
      try chore(name) { _, store in
        try store.log.repairDerived()
        return true
      }
    case "restore":
      guard try hasBackup() else { break }
      try chore(name) { chores, _ in
        try chores.restore()
        return true
      }
    case "restore-at":
      guard try hasBackup() else { break }
      let end = try insistOnPosition()
      let position = LogPosition(end.number / 2)
      try chore(name, "\(position)") { chores, _ in
        try chores.restore(at: .position(position))
        return true
      }
    case "compact":
      try chore(name) { chores, store in
        try store.close()
        chores.store = nil
        _ = try EventLog.compact(chores.folder + "/store", schema: .memoir, masterKey: ChoreOptions.store.masterKey)
        return true
      }
    default: throw Misuse(reason: "no chore is called \(name)")
    }
  }

  /// Redacts the messages of the first half of the log.
  private mutating func retain() throws {
    var place: (position: LogPosition, recordedAt: Timestamp)?
    try insist { _, store in
      let middle = LogPosition(try store.log.lastPosition().number / 2)
      // What was appended together was recorded together.
      for event in try store.log.readAll(after: middle, limit: 20).events {
        if let known = place, known.recordedAt != event.recordedAt { break }
        place = (event.position, event.recordedAt)
      }
    }
    guard let (position, recordedAt) = place else { return }
    try chore("retain", "\(position)") { _, store in
      let day: Int64 = 86_400_000_000
      _ = try Agent.runTask {
        try await store.setRetention(RetentionPolicy(of: .default, days: [.messages: 1]))
        return try await store.runRetention(now: recordedAt.advanced(byMicroseconds: day + 1))
      }
      return true
    }
    try chore("clear") { _, store in try Agent.runTask { try await store.scrubRedacted() } }
  }

  private func hasBackup() throws -> Bool { try Files.exists(folder + "/backup/MEMOIR") }

  private mutating func insistOnPosition() throws -> LogPosition {
    var position: LogPosition = 0
    try insist { _, store in position = try store.log.lastPosition() }
    return position
  }

  private func restore(at point: RestorePoint? = nil) throws {
    let target = folder + "/restored"
    try Files.removeTree(target)
    var options = ChoreOptions.store
    options.readerCheckInterval = 10_000_000_000
    try EventLog.restore(from: folder + "/backup", to: target, schema: .memoir, at: point, options: options)
  }
}
