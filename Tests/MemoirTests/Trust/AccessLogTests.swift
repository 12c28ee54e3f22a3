// The access log: nothing is left out, nothing can be changed, and the person can read it.
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `The access log` {
  private func access(_ operation: String, _ user: StreamName?, _ desk: TrustDesk) -> Access {
    Access(
      operation, by: .local, in: user?.namespace ?? .default, user: user?.user, at: desk.clock.now, items: 2, bytes: 300
    )
  }

  @Test func `tells a person who was told what, the latest first`() async throws {
    let desk = try TrustDesk()
    let log = desk.store.accesses
    let (key, _) = try await desk.store.keys.create(.of([.read]))
    var noted: [Access] = []
    for number in 0..<20 {
      desk.wait(seconds: 1)
      try await log.note(access("other", desk.ann, desk))
      let access = Access(
        "GET /v1/users/{user}/state", by: .key(key.id), in: .default, user: desk.bob.user, at: desk.clock.now,
        items: number,
        bytes: 100 * number, requestID: number % 2 == 0 ? "r-\(number)" : nil,
        outcome: Access.Outcome.allCases[number % 3])
      noted.insert(access, at: 0)
      try await log.note(access)
    }
    try await log.flush()
    let all = try log.accesses(of: desk.bob)
    #expect(all.entries.map(\.access) == noted && all.next == nil)
    var pages: [Access] = []
    var before: UInt64?
    repeat {
      let page = try log.accesses(of: desk.bob, limit: 7, before: before)
      pages += page.entries.map(\.access)
      before = page.next
    } while before != nil
    #expect(pages == noted)
    let (since, until) = (noted[15].time, noted[10].time)
    #expect(try log.accesses(of: desk.bob, since: since, until: until).entries.map(\.access) == Array(noted[10...15]))
    #expect(try log.accesses(of: .named("bobby")).entries.isEmpty)
  }

  @Test func `has everything that was noted when the store is closed, and in a backup`() async throws {
    let desk = try TrustDesk()
    for _ in 0..<100 { try desk.store.accesses.noteAndWait(access("state", desk.bob, desk)) }
    try desk.reopen()
    #expect(try desk.store.accesses.accesses(of: desk.bob).entries.map(\.number) == (1...100).reversed())
    try desk.store.log.repairDerived()
    _ = try desk.store.log.backup(to: desk.folder.path + "/copy")
    let report = try EventLog.restore(
      from: desk.folder.path + "/copy", to: desk.folder.path + "/restored", schema: .memoir)
    #expect(report.accesses == 100 && report.isSound)
    let restored = try TrustDesk.open(desk.folder.path + "/restored", desk.clock)
    #expect(try restored.accesses.accesses(of: desk.bob).entries.count == 100)
    try restored.close()
  }

  @Test func `loses nothing where more is noted at once than it can hold`() async throws {
    let desk = try TrustDesk()
    let (store, bob, now) = (desk.store, desk.bob, desk.clock.now)
    let (tasks, each) = (8, AccessLog.queueLimit / 4)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<tasks {
        group.addTask {
          for number in 0..<each {
            try await store.accesses.note(
              Access("state", by: .local, in: .default, user: bob.user, at: now, items: task * each + number))
          }
        }
      }
      try await group.waitForAll()
    }
    try await store.accesses.flush()
    let entries = try store.accesses.accesses(of: bob, limit: .max).entries
    #expect(Set(entries.map(\.access.items)) == Set(0..<tasks * each))
    #expect(try store.log.verify().accesses == UInt64(tasks * each))
  }

  @Test func `takes in no access that it could not show again`() async throws {
    let desk = try TrustDesk()
    for wrong in ["", "a\nb", String(repeating: "x", count: 101)] {
      #expect(await code { try await desk.store.accesses.note(access(wrong, desk.bob, desk)) } == .invalidArgument)
    }
    try desk.store.close()
    #expect(await code { try await desk.store.accesses.note(access("state", desk.bob, desk)) } == .unavailable)
  }

  // Who cannot be noted must not be answered.
  @Test func `lets nobody in once it is full and cannot be stored`() async throws {
    let desk = try TrustDesk()
    let log = desk.store.log
    try await desk.store.accesses.note(access("state", desk.bob, desk))
    try await desk.store.accesses.flush()
    let end = try #require(try log.record(at: JournalKey.end, in: .access))
    try await log.keepRecord([1, 2, 3], at: JournalKey.end, in: .access)
    var failure: ErrorCode?
    for _ in 0...AccessLog.queueLimit where failure == nil {
      failure = await code { try await desk.store.accesses.note(access("state", desk.bob, desk)) }
    }
    #expect(failure == .corrupt)
    #expect(await code { try desk.store.accesses.noteAndWait(access("state", desk.bob, desk)) } == .corrupt)
    try await log.keepRecord(end, at: JournalKey.end, in: .access)
    try await desk.store.accesses.flush()
    #expect(try log.verify().accesses == UInt64(AccessLog.queueLimit + 1))
  }

  // A name in the log could not be forgotten: the chain proves every byte of it.
  @Test func `finds a person's entries by name, and has no name in it`() async throws {
    let desk = try TrustDesk()
    let stranger = StreamName.named("a-stranger-of-the-store")
    for user in [stranger, desk.bob, stranger] { try desk.store.accesses.noteAndWait(access("state", user, desk)) }
    try desk.reopen()
    #expect(try desk.store.accesses.accesses(of: stranger).entries.map(\.number) == [3, 1])
    #expect(try desk.store.accesses.accesses(of: .named("a-stranger-of-the-store", in: "other")).entries.isEmpty)
    #expect(try desk.store.log.verify().isSound)
    #expect(try !desk.dataFile().contains(Array("a-stranger-of-the-store".utf8)))
    // Other stores know the same person by another hash.
    let other = try TrustDesk()
    try other.store.accesses.noteAndWait(access("state", stranger, other))
    try other.reopen()
    #expect(try other.store.log.verify().accessChain != desk.store.log.verify().accessChain)
  }

  @Test func `whose secret is lost is damaged, and takes in nothing more`() async throws {
    let desk = try await filled()
    try await desk.store.log.removeRecord(at: JournalKey.secret, in: .access)
    #expect(try desk.store.log.verify().problems.contains { $0.reason.contains("secret") })
    try await desk.store.accesses.note(access("state", desk.bob, desk))
    #expect(await code { try await desk.store.accesses.flush() } == .corrupt)
  }

  // MARK: Proof

  private func filled() async throws -> TrustDesk {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")))
    for number in 0..<10 {
      try await desk.store.accesses.note(access("op-\(number)", number % 2 == 0 ? desk.bob : desk.ann, desk))
    }
    try await desk.store.accesses.flush()
    return desk
  }

  @Test func `that nobody touched verifies, and its chain is the same twice`() async throws {
    let desk = try await filled()
    let report = try desk.store.log.verify()
    #expect(report.isSound && report.accesses == 10)
    #expect(try desk.store.log.verify().accessChain == report.accessChain)
    try await desk.store.accesses.note(access("more", desk.bob, desk))
    try await desk.store.accesses.flush()
    let later = try desk.store.log.verify()
    #expect(later.isSound && later.accessChain != report.accessChain)
  }

  /// What somebody does who has the file in hand, and knows how entries are stored.
  @Test(arguments: ["change", "remove", "swap", "insert", "truncate"])
  func `that was tampered with does not verify, and the first bad entry is named`(how: String) async throws {
    let desk = try await filled()
    let log = desk.store.log
    func entry(_ number: UInt64) throws -> [UInt8] {
      try #require(try log.record(at: JournalKey.entry(number), in: .access))
    }
    switch how {
    case "change":
      var changed = try entry(4)
      let place = try #require(changed.indices.first { Array(changed[$0...].prefix(4)) == Array("op-3".utf8) })
      changed[place + 3] = UInt8(ascii: "x")
      try await log.keepRecord(changed, at: JournalKey.entry(4), in: .access)
    case "remove": try await log.removeRecord(at: JournalKey.entry(4), in: .access)
    case "swap":
      let (fourth, sixth) = (try entry(4), try entry(6))
      try await log.keepRecord(sixth, at: JournalKey.entry(4), in: .access)
      try await log.keepRecord(fourth, at: JournalKey.entry(6), in: .access)
    case "insert": try await log.keepRecord(try entry(10), at: JournalKey.entry(11), in: .access)
    default: try await log.removeRecord(at: JournalKey.entry(10), in: .access)
    }
    let report = try log.verify()
    #expect(!report.isSound)
    let first = try #require(report.problems.first)
    #expect(first.kind == .records)
    switch how {
    case "insert": #expect(first.reason == "access has an entry that was never added")
    case "truncate": #expect(first.reason.contains("entry 10 of access"))
    case "remove": #expect(first.reason.contains("entry 4 of access"))
    default: #expect(first.reason == "the chain of access breaks at entry 4")
    }
    // The log itself is as it was.
    #expect(report.problems.allSatisfy { $0.kind == .records })
  }

  @Test func `that is damaged stops accesses, and no append`() async throws {
    let desk = try await filled()
    try await desk.store.log.keepRecord([1, 2, 3], at: JournalKey.end, in: .access)
    try await desk.store.accesses.note(access("state", desk.bob, desk))
    #expect(await code { try await desk.store.accesses.flush() } == .corrupt)
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "still here")))
    #expect(try desk.store.log.version(of: desk.bob) == 2)
  }

  // MARK: In the report

  @Test func `tells in a person's report who was told, and what is granted`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")))
    let (key, _) = try await desk.store.keys.create(.of([.read]))
    let grant = try await desk.store.grants.grant([.recall], on: desk.bob, to: .key(key.id))
    let first = desk.clock.now
    for outcome in [Access.Outcome.ok, .ok, .denied, .notFound] {
      try await desk.store.accesses.note(
        Access("state", by: .key(key.id), in: .default, user: desk.bob.user, at: desk.clock.now, outcome: outcome))
      desk.wait(seconds: 1)
    }
    try await desk.store.accesses.note(access("state", desk.bob, desk))
    try await desk.store.accesses.note(access("state", desk.ann, desk))
    try await desk.store.accesses.flush()
    try await desk.store.keys.revoke(key.id)
    let report = try desk.store.report(of: desk.bob)
    #expect(report.readers.map(\.accessor) == [.local, .key(key.id)])
    let reader = try #require(report.readers.last)
    #expect(reader.name == "web" && reader.answered == 2 && reader.denied == 1 && reader.notFound == 1)
    #expect(reader.firstAt == first && reader.lastAt == first.advanced(byMicroseconds: 3_000_000))
    #expect(report.grants == [grant])
  }
}
