// What a person is told about their own memory.
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `A person's report` {
  private func fill(_ desk: TrustDesk) async throws {
    for number in 1...7 {
      try await desk.append(.sessionStarted(SessionStarted()), session: "s-\(number)")
      try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")), session: "s-\(number)")
    }
    try await desk.append(.sessionEnded(SessionEnded(reason: "closed", summary: "Said hello.")), session: "s-7")
    try await desk.append(.factLearned(FactLearned(fact: "Lives in Porto", category: "home", confidence: 1)))
    try await desk.append(.factLearned(FactLearned(fact: "Owns a cat", category: "pets", confidence: 1)))
    try await desk.append(
      .factLearned(
        FactLearned(
          fact: "Is away", category: "home", confidence: 1,
          expiresAt: desk.clock.now.advanced(byMicroseconds: 3_600_000_000))))
    try await desk.append(.preferenceUpdated(PreferenceUpdated(key: "theme", value: JSONText(string: "dark"))))
  }

  @Test func `counts what is kept, and tells since when`() async throws {
    let desk = try TrustDesk()
    let start = desk.clock.now.advanced(byMicroseconds: 1_000_000)
    try await fill(desk)
    try await desk.append(.factLearned(FactLearned(fact: "Is Ann", category: "name", confidence: 1)), to: desk.ann)
    let report = try desk.store.report(of: desk.bob)
    #expect(
      report.totals
        == TransparencyReport.Totals(
          events: 19, messages: 7, facts: 3, preferences: 1, relationships: 0, sessions: 7, episodes: 0))
    #expect(report.memorySince == start)
    #expect(report.factsByCategory.map(\.category) == ["home", "pets"])
    #expect(report.factsByCategory.map(\.count) == [2, 1])
    #expect(report.recentSessions.map(\.id.description) == ["s-7", "s-6", "s-5", "s-4", "s-3"])
  }

  @Test func `leaves out facts that expired by the time it speaks of`() async throws {
    let desk = try TrustDesk()
    try await fill(desk)
    desk.wait(seconds: 3_600)
    #expect(try desk.store.report(of: desk.bob).totals.facts == 2)
    let before = desk.clock.now.advanced(byMicroseconds: -3_600_000_000)
    #expect(try desk.store.report(of: desk.bob, at: before).totals.facts == 3)
  }

  @Test func `tells how many events were erased`() async throws {
    let desk = try TrustDesk()
    try await fill(desk)
    #expect(try desk.store.report(of: desk.bob).erasedEvents == 0)
    try await desk.store.erase(desk.bob, by: "the office")
    var report = try desk.store.report(of: desk.bob)
    #expect(report.totals.events == 20 && report.erasedEvents == 19 && report.memorySince == nil)
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello again")))
    report = try desk.store.report(of: desk.bob)
    #expect(report.totals.events == 21 && report.erasedEvents == 19 && report.memorySince != nil)
  }

  @Test func `of a person nobody has heard of there is none`() throws {
    let desk = try TrustDesk()
    #expect { try desk.store.report(of: desk.bob) } throws: { ($0 as? MemoirError)?.code == .notFound }
  }

  @Test func `says how to export, whatever the names are made of`() async throws {
    let desk = try TrustDesk()
    for (user, namespace, command, request) in [
      ("bob", "default", "memoir export bob", "GET /v1/users/bob/export"),
      (
        "o'neil & co", "über", "memoir --namespace='über' export 'o'\\''neil & co'",
        "GET /v1/users/o%27neil%20%26%20co/export?namespace=%C3%BCber"
      ),
      ("-v", "default", "memoir export -- -v", "GET /v1/users/-v/export"),
    ] {
      let name = StreamName(try UserID(user), in: try Namespace(namespace))
      try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")), to: name)
      let report = try desk.store.report(of: name)
      #expect(report.howToExport.command == command)
      #expect(report.howToExport.request == request)
    }
  }

  @Test func `as JSON is canonical and the same twice`() async throws {
    let desk = try TrustDesk()
    try await fill(desk)
    let report = try desk.store.report(of: desk.bob)
    var writer = JSONWriter()
    report.write(to: &writer)
    let text = writer.finish()
    #expect(try JSONText(parsing: text.span).utf8 == text)
    var again = JSONWriter()
    try desk.store.report(of: desk.bob).write(to: &again)
    #expect(again.finish() == text)
  }
}
