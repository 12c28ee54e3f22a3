// Keeping for a time: what is too old is gone from the answers and from the files, and nothing else is.
import Foundation
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `Keeping for a time` {
  private static let day: Int64 = 86_400

  private func policy(_ days: [RetainedKind: Int], in namespace: Namespace = .default) throws -> RetentionPolicy {
    try RetentionPolicy(of: namespace, days: days)
  }

  private func says(_ text: String, to user: StreamName? = nil, session: String = "s-1", in desk: TrustDesk)
    async throws
  {
    try await desk.append(
      .messageAdded(MessageAdded(role: .user, content: text)), to: user, session: session)
  }

  /// Of each of Bob's kinds of events an old one and a new one, a hundred days apart.
  private func filled() async throws -> TrustDesk {
    let desk = try TrustDesk()
    for age in ["old", "new"] {
      try await says("message-\(age)", session: "s-\(age)", in: desk)
      try await desk.append(
        .factLearned(FactLearned(fact: "fact-\(age)", category: "home", confidence: 0.9)),
        session: "s-\(age)")
      try await desk.append(
        .preferenceUpdated(PreferenceUpdated(key: "colour", value: JSONText(string: "preference-\(age)"))))
      try await desk.append(
        .sessionEnded(SessionEnded(reason: "reason-\(age)", summary: "summary-\(age)")), session: "s-\(age)")
      if age == "old" { desk.wait(seconds: 100 * Self.day) }
    }
    return desk
  }

  /// All bytes of all files of the store.
  private func files(of desk: TrustDesk) throws -> Data {
    try FileManager.default.contentsOfDirectory(atPath: desk.path).reduce(into: Data()) { all, name in
      all += try Data(contentsOf: URL(filePath: desk.path + "/" + name))
    }
  }

  private func isInFiles(_ text: String, _ desk: TrustDesk) throws -> Bool {
    try files(of: desk).range(of: Data(text.utf8)) != nil
  }

  @Test func `what a policy names goes when it is too old, from the answers and from the files`() async throws {
    for kinds in [Set([RetainedKind.messages]), [.facts], [.summaries], Set(RetainedKind.allCases)] {
      let desk = try await filled()
      let chain = try desk.store.log.verify().chain
      let words: [RetainedKind: [String]] = [
        .messages: ["message"], .facts: ["fact"], .summaries: ["summary", "reason"],
      ]
      try await desk.store.setRetention(try policy(Dictionary(uniqueKeysWithValues: kinds.map { ($0, 30) })))
      let dry = try desk.store.previewRetention()
      #expect(dry.isScrubbed == nil)
      #expect(try isInFiles("message-old", desk))
      let report = try await desk.store.runRetention()
      #expect(report.isScrubbed == true)
      #expect(report.users == dry.users && report.users.map(\.name) == [desk.bob])
      #expect(report.users[0].counts == Dictionary(uniqueKeysWithValues: kinds.map { ($0, 1) }))
      for (kind, words) in words {
        for word in words {
          #expect(try isInFiles("\(word)-old", desk) == !kinds.contains(kind), "\(word) of \(kinds)")
          #expect(try isInFiles("\(word)-new", desk))
        }
      }
      #expect(try isInFiles("preference-old", desk))
      let verified = try desk.store.log.verify()
      #expect(verified.isSound && verified.chain == chain && verified.redacted == kinds.count)
      // Nothing is left to be done.
      let again = try await desk.store.runRetention()
      #expect(again.users.isEmpty && again.isScrubbed == true)
      // The session has ended, whatever became of its summary.
      let state = try desk.store.state(of: desk.bob).state
      #expect(state.sessions.open.isEmpty && state.sessions.ended.count == 2)
      #expect(state.sessions.ended.first?.end?.summary == (kinds.contains(.summaries) ? nil : "summary-old"))
      #expect(state.messages.total == (kinds.contains(.messages) ? 1 : 2))
      #expect(state.facts.facts.count == (kinds.contains(.facts) ? 1 : 2))
      try desk.reopen()
      #expect(try desk.store.state(of: desk.bob).state == state)
      #expect(try !isInFiles("message-old", desk) == kinds.contains(.messages))
    }
  }

  @Test func `as of every version the state is the plain fold of what is left`() async throws {
    let desk = try await filled()
    try await desk.store.setRetention(try policy([.messages: 30, .facts: 30, .summaries: 30]))
    _ = try await desk.store.runRetention()
    let head = try desk.store.log.version(of: desk.bob)
    for version in 0...head.number {
      let point = AsOf.version(StreamVersion(version))
      let stored = try desk.store.log.state(of: desk.bob, by: ContextProjector(), at: point)
      let plain = try desk.store.log.state(of: desk.bob, by: ContextProjector(), at: point, usesSnapshots: false)
      #expect(stored?.state == plain?.state)
      #expect((stored?.state.facts.facts ?? []).allSatisfy { $0.fact != "fact-old" })
    }
  }

  @Test func `policies are of their namespace alone`() async throws {
    let desk = try TrustDesk()
    let other = StreamName.named("bob", in: "other")
    try await says("message-here", in: desk)
    try await says("message-there", to: other, in: desk)
    desk.wait(seconds: 31 * Self.day)
    try await says("later", in: desk)
    try await desk.store.setRetention(try policy([.messages: 30], in: other.namespace))
    #expect(try await desk.store.runRetention(in: .default).users.isEmpty)
    #expect(try await desk.store.runRetention().users.map(\.name) == [other])
    #expect(try isInFiles("message-here", desk))
    #expect(try !isInFiles("message-there", desk))
  }

  @Test func `a policy is kept, replaced and removed`() async throws {
    let desk = try TrustDesk()
    #expect(try desk.store.retentionPolicies().isEmpty)
    let first = try policy([.messages: 30]), second = try policy([.facts: 7, .summaries: 36_500])
    try await desk.store.setRetention(first)
    try await desk.store.setRetention(try policy([.messages: 1], in: Namespace("other")))
    try await desk.store.setRetention(second)
    try desk.reopen()
    #expect(try desk.store.retention(of: .default) == second)
    #expect(try desk.store.retentionPolicies().map(\.namespace.description) == ["default", "other"])
    #expect(try desk.store.log.verify().isSound)
    try await desk.store.removeRetention(of: .default)
    try await desk.store.removeRetention(of: .default)
    #expect(try desk.store.retention(of: .default) == nil)
  }

  @Test func `days out of bounds and a policy that says nothing are refused`() throws {
    for days in [[:], [RetainedKind.messages: 0], [.facts: -1], [.summaries: 36_501]] as [[RetainedKind: Int]] {
      #expect { try policy(days) } throws: { ($0 as? MemoirError)?.code == .invalidArgument }
    }
  }

  @Test func `another kind that is added later is taken out from the beginning`() async throws {
    let desk = try await filled()
    try await desk.store.setRetention(try policy([.messages: 30]))
    #expect(try await desk.store.runRetention().users.first?.counts == [.messages: 1])
    try await desk.store.setRetention(try policy([.messages: 30, .facts: 30]))
    #expect(try await desk.store.runRetention().users.first?.counts == [.facts: 1])
    // And what has become too old since.
    desk.wait(seconds: 31 * Self.day)
    #expect(try await desk.store.runRetention().users.first?.counts == [.messages: 1, .facts: 1])
    #expect(try desk.store.state(of: desk.bob).state.messages.total == 0)
  }

  @Test func `receipts go with what they quote, and with what was asked`() async throws {
    let desk = try TrustDesk()
    try await says("The harbour is blue at dawn.", in: desk)
    desk.wait(seconds: 20 * Self.day)
    let request = ContextRequest("harbour at dawn")
    let early = try await desk.store.contextWithReceipt(request, for: desk.bob)
    desk.wait(seconds: 5 * Self.day)
    let quoting = try await desk.store.contextWithReceipt(request, for: desk.bob)
    let silent = try await desk.store.contextWithReceipt(ContextRequest("unrelated words"), for: desk.bob)
    try #require(quoting.context.text.contains("harbour is blue"))
    try #require(!silent.context.text.contains("harbour"))
    desk.wait(seconds: 6 * Self.day)
    try await says("later", in: desk)
    try await desk.store.setRetention(try policy([.messages: 30]))
    #expect(try desk.store.previewRetention().receipts == [.default: 2])
    let report = try await desk.store.runRetention()
    #expect(report.receipts == [.default: 2])
    for gone in [early, quoting] {
      #expect { try desk.store.receipt(try #require(gone.receipt).id) } throws: {
        ($0 as? MemoirError)?.code == .notFound
      }
    }
    let kept = try #require(silent.receipt)
    #expect(try desk.store.receipt(kept.id).answer == kept.answer)
    #expect(try !isInFiles("harbour is blue", desk))
    desk.wait(seconds: 30 * Self.day)
    #expect(try await desk.store.runRetention().receipts == [.default: 1])
    #expect(try !isInFiles("unrelated words", desk))
  }

  // Once the event that had forgotten it was gone, the one that taught it again brought it back.
  @Test(arguments: [false, true], [0, 25, 60])
  func `a fact that was forgotten or superseded does not come back`(isSuperseded: Bool, days: Int64) async throws {
    let desk = try TrustDesk()
    let id = try FactID("f-1")
    let learned = MemoirEvent.factLearned(
      try FactLearned(fact: "Lives in Porto", category: "home", confidence: 1, factID: id))
    try await desk.append(learned)
    // What buries it becomes too old with it, or later.
    desk.wait(seconds: days * Self.day)
    if isSuperseded {
      try await desk.append(.factRevised(FactRevised(factID: id, supersededBy: FactID("f-2"))))
    } else {
      try await desk.append(.factForgotten(FactForgotten(factID: id)))
    }
    desk.wait(seconds: 20 * Self.day)
    try await desk.append(learned, .factLearned(FactLearned(fact: "Owns a cat", category: "pets", confidence: 1)))
    desk.wait(seconds: 10 * Self.day)
    try await says("later", in: desk)
    #expect(try desk.store.state(of: desk.bob).facts.map(\.fact) == ["Owns a cat"])
    try await desk.store.setRetention(try policy([.facts: 60]))
    for _ in 0..<4 {
      let dry = try desk.store.previewRetention()
      let report = try await desk.store.runRetention()
      #expect(report.users == dry.users)
      let facts = try desk.store.state(of: desk.bob).facts.map(\.fact)
      #expect(!facts.contains("Lives in Porto"), "\(facts)")
      desk.wait(seconds: 15 * Self.day)
    }
    #expect(try !isInFiles("Lives in Porto", desk))
    #expect(try desk.store.log.verify().isSound)
  }

  @Test func `a fact that is taught again keeps its own time where nothing had buried it`() async throws {
    let desk = try TrustDesk()
    let id = try FactID("f-1")
    let learned = MemoirEvent.factLearned(
      try FactLearned(fact: "Lives in Porto", category: "home", confidence: 1, factID: id))
    // To forget what nobody knows changes nothing.
    try await desk.append(.factForgotten(FactForgotten(factID: id)))
    desk.wait(seconds: 50 * Self.day)
    try await desk.append(learned)
    desk.wait(seconds: 20 * Self.day)
    try await desk.store.setRetention(try policy([.facts: 60]))
    #expect(try await desk.store.runRetention().users.first?.counts == [.facts: 1])
    #expect(try desk.store.state(of: desk.bob).facts.map(\.fact) == ["Lives in Porto"])
    desk.wait(seconds: 41 * Self.day)
    _ = try await desk.store.runRetention()
    #expect(try desk.store.state(of: desk.bob).facts.isEmpty)
  }

  // One damaged record stopped every run, in every namespace.
  @Test func `what is damaged is passed over, and told`() async throws {
    let folder = TemporaryFolder()
    let clock = TestClock()
    let path = folder.path + "/store"
    func open() throws -> MemoirStore {
      var options = EventLog.Options()
      options.clock = { clock.now }
      options.mapSize = 1 << 30
      // In a run by then.
      options.blockSize = 4
      options.stepLimit = 64
      return try MemoirStore(folder: path, options: options)
    }
    var store = try open()
    let people = [StreamName.named("bob"), .named("ann"), .named("bob", in: "two")]
    for number in 0..<30 {
      clock.advance(byMicroseconds: 1_000_000)
      try await store.append(
        [.messageAdded(MessageAdded(role: .user, content: "old-\(number)."))], to: people[number % 3])
    }
    var receipts: [ContextReceipt] = []
    for person in people.prefix(2) {
      let handedOut = try await store.contextWithReceipt(ContextRequest("anything"), for: person)
      receipts.append(try #require(handedOut.receipt))
    }
    clock.advance(byMicroseconds: 31 * Self.day * 1_000_000)
    try await store.append([.messageAdded(MessageAdded(role: .user, content: "new."))], to: people[0])
    for name in ["default", "two"] { try await store.setRetention(try policy([.messages: 30], in: Namespace(name))) }
    try await store.log.keepRecord([1, 2, 3], at: receipts[0].id.key, in: .receipts)
    try store.close()
    let url = URL(filePath: path + "/data.mdb")
    var data = try Data(contentsOf: url)
    // Bob's fifth, in every page that has it.
    while let place = data.range(of: Data("old-12.".utf8)) { data[place.lowerBound] ^= 1 }
    try data.write(to: url)
    store = try open()

    let dry = try store.previewRetention()
    #expect(dry.damaged == [13] && dry.damagedReceipts == 1 && !dry.isWhole)
    let report = try await store.runRetention()
    #expect(report.damaged == [13] && report.damagedReceipts == 1)
    #expect(report.users == dry.users && report.users.map { $0.counts[.messages] } == [10, 9, 10])
    #expect(report.receipts == [.default: 1])
    data = try Data(contentsOf: url)
    for number in 0..<30 where number != 12 {
      #expect(data.range(of: Data("old-\(number).".utf8)) == nil, "\(number)")
    }
    // What came since is looked at as ever; the damaged event is for `verify`.
    clock.advance(byMicroseconds: 31 * Self.day * 1_000_000)
    let next = try await store.runRetention()
    #expect(next.users.map(\.name) == [people[0]] && next.damaged.isEmpty)
    #expect(try !store.log.verify().isSound)
    try store.close()
  }

  @Test func `while a reader still sees it the file is not clear, and afterwards it is`() async throws {
    let desk = try await filled()
    try await desk.store.setRetention(try policy([.messages: 30]))
    do {
      let view = try desk.store.log.view()
      #expect(try await desk.store.runRetention().isScrubbed == false)
      #expect(try await desk.store.scrubRedacted() == false)
      #expect(try isInFiles("message-old", desk))
      #expect(view.last > 0)
    }
    #expect(try await desk.store.scrubRedacted())
    #expect(try !isInFiles("message-old", desk))
    // In a program of its own it is known too.
    try desk.reopen()
    #expect(try await desk.store.scrubRedacted())
  }

  @Test func `a run that is cut short is finished by the next`() async throws {
    let desk = try TrustDesk()
    desk.wait(seconds: 1)
    let texts = try (0..<3_000).map {
      MemoirEvent.messageAdded(try MessageAdded(role: .user, content: "message-old-\($0)"))
    }
    try await desk.store.append(texts, to: desk.bob)
    desk.wait(seconds: 31 * Self.day)
    try await says("message-new", in: desk)
    try await desk.store.setRetention(try policy([.messages: 30]))
    let store = desk.store
    let run = Task { try await store.runRetention() }
    while try store.log.redactionCount() == 0 { await Task.yield() }
    run.cancel()
    _ = try? await run.value
    let redacted = try store.log.verify().redacted
    #expect(redacted > 0)
    try desk.reopen()
    let left = try await desk.store.runRetention()
    #expect((left.users.first?.counts[.messages] ?? 0) + redacted == 3_000)
    #expect(try !isInFiles("message-old", desk))
    #expect(try isInFiles("message-new", desk))
    #expect(try desk.store.state(of: desk.bob).state.messages.total == 1)
    #expect(try desk.store.log.verify().isSound)
  }

  @Test func `two at once do the same as one`() async throws {
    let desk = try TrustDesk()
    let texts = try (0..<1_200).map {
      MemoirEvent.messageAdded(try MessageAdded(role: .user, content: "message-old-\($0)"))
    }
    try await desk.store.append(texts, to: desk.bob)
    desk.wait(seconds: 31 * Self.day)
    try await says("message-new", in: desk)
    try await desk.store.setRetention(try policy([.messages: 30]))
    let store = desk.store
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 { group.addTask { _ = try await store.runRetention() } }
      try await group.waitForAll()
    }
    #expect(try await store.scrubRedacted())
    #expect(try store.log.verify().redacted == 1_200)
    #expect(try !isInFiles("message-old", desk))
    #expect(try store.log.verify().isSound)
  }

  @Test func `a store that can only be read is looked at, and not changed`() async throws {
    let desk = try await filled()
    try await desk.store.setRetention(try policy([.messages: 30]))
    try desk.store.close()
    let reading = try TrustDesk.open(desk.path, desk.clock, readOnly: true)
    #expect(try reading.previewRetention().users.count == 1)
    #expect(await code { _ = try await reading.runRetention() } == .forbidden)
    try reading.close()
  }
}
