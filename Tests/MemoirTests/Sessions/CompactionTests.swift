// Old sessions in one summary, and the log as it was.
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

@Suite struct `Sessions that ended long ago` {
  private func end(_ range: ClosedRange<Int>, on desk: SessionDesk) async throws {
    for number in range {
      try await desk.say("I want to talk about subject \(number).", in: "s-\(number)")
      _ = try await desk.store.endSession(.named("s-\(number)"), of: desk.bob)
    }
  }

  @Test func `are combined by tens once more than fifty have ended, without the last twenty`() async throws {
    let desk = try SessionDesk()
    try await end(1...50, on: desk)
    #expect(try desk.events("SessionsCompacted").isEmpty)
    let before = try desk.store.log.readStream(desk.bob).events.map(\.id)
    try await end(51...51, on: desk)
    let compacted = try desk.store.state(of: desk.bob).state.sessions.compacted
    #expect(compacted.count == 3)
    for (index, compaction) in compacted.enumerated() {
      #expect(compaction.sessions.strings == (1...10).map { "s-\(10 * index + $0)" })
      #expect(compaction.summary.contains("subject \(10 * index + 1).") && compaction.summary.utf8.count <= 4_096)
    }
    // Nothing left the log, and before it is as it was.
    #expect(try Array(desk.store.log.readStream(desk.bob).events.map(\.id).prefix(before.count)) == before)
    let then = try desk.store.state(of: desk.bob, at: .version(StreamVersion(UInt64(before.count))))
    #expect(then.levels.longTerm.isEmpty && then.levels.shortTerm.count == 20)
    #expect(try desk.store.messages(of: .named("s-1"), of: desk.bob).messages.count == 1)

    try await end(52...80, on: desk)
    #expect(try desk.events("SessionsCompacted").count == 3)
    try await end(81...81, on: desk)
    #expect(try desk.events("SessionsCompacted").count == 6)
  }

  @Test func `are combined once by several at a time`() async throws {
    let desk = try SessionDesk()
    for number in 1...75 { try await desk.endRaw("s-\(number)", summary: "Subject \(number)") }
    let made = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 1...6 { group.addTask { try await desk.store.compactSessions(of: desk.bob) } }
      return try await group.reduce(into: 0) { $0 += $1 }
    }
    #expect(made == 5)
    let names = try desk.events("SessionsCompacted").compactMap { event -> [SessionID]? in
      guard case .sessionsCompacted(let compacted) = try MemoirEvent(event) else { return nil }
      return compacted.sessions
    }
    #expect(names.count == 5 && Set(names.joined()).count == 50)
  }

  @Test func `are counted beyond what a state remembers of them`() async throws {
    let desk = try SessionDesk { policy in
      policy.compaction.threshold = 4
      policy.compaction.keptCount = 2
      policy.compaction.groupSize = 2
    }
    for number in 1...100 { try await desk.endRaw("s-\(number)", summary: "Subject \(number)") }
    #expect(try await desk.store.compactSessions(of: desk.bob) == 49)
    #expect(try await desk.store.compactSessions(of: desk.bob) == 0)
    // Of 98 sessions in 49 summaries the state keeps the latest twenty, and the count.
    let sessions = try desk.store.state(of: desk.bob).state.sessions
    #expect(sessions.compacted.count == 20 && sessions.compactedTotal == 98)
    for number in 101...103 { try await desk.endRaw("s-\(number)", summary: "Subject \(number)") }
    #expect(try await desk.store.compactSessions(of: desk.bob) == 1)
  }

  @Test func `have a combined summary that gives each its share`() async throws {
    let desk = try SessionDesk { policy in
      policy.compaction.threshold = 9
      policy.compaction.keptCount = 0
    }
    for number in 1...10 {
      try await desk.endRaw("s-\(number)", summary: number == 1 ? String(repeating: "wort ", count: 10_000) : nil)
    }
    #expect(try await desk.store.compactSessions(of: desk.bob) == 1)
    let summary = try #require(try desk.store.state(of: desk.bob).state.sessions.compacted.first?.summary)
    #expect(summary.utf8.count <= 4_096 && summary.split(separator: "\n").count == 10 && summary.contains("wort…"))
  }

  @Test func `are combined by a sweep and by distilling, where that is due`() async throws {
    let desk = try SessionDesk()
    for number in 1...51 { try await desk.endRaw("s-\(number)", summary: "Subject \(number)") }
    #expect(try await desk.store.sweep().compactions == 3)
    for number in 52...81 { try await desk.endRaw("s-\(number)") }
    _ = try await desk.store.distill(desk.bob)
    #expect(try desk.events("SessionsCompacted").count == 6)
  }
}
