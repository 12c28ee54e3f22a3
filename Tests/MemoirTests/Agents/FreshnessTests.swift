// Waiting for a version, and hearing of what others do.
import EventStore
import JSON
import Memoir
import TestSupport
import Testing

@Suite struct `A reading of at least a version` {
  @Test func `is answered at once where it is there`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat")
    #expect(try await desk.store.state(of: desk.bob, atLeast: 1, within: .zero).version == 1)
  }

  @Test func `waits for it, also of a user who is new`() async throws {
    let desk = try Desk()
    let reading = Task { try await desk.store.state(of: desk.bob, atLeast: 3, within: .seconds(60)).version }
    for number in 1...3 {
      try await Task.sleep(for: .milliseconds(5))
      try await desk.remember("Fact \(number)")
    }
    #expect(try await reading.value == 3)
  }

  @Test func `is refused when its time is over`() async throws {
    let desk = try Desk()
    try await desk.remember("Owns a cat")
    let begin = ContinuousClock.now
    do {
      _ = try await desk.store.state(of: desk.bob, atLeast: 2, within: .milliseconds(120))
      Issue.record("there is no version 2")
    } catch {
      #expect(error.code == .unavailable && error.details.description == #"{"actual":1,"expected":2}"#)
    }
    #expect(ContinuousClock.now - begin >= .milliseconds(120))
  }

  @Test func `ends when its task is cancelled or the store closed`() async throws {
    let desk = try Desk()
    func reading() -> Task<ErrorCode?, Never> {
      Task { await code { _ = try await desk.store.state(of: desk.bob, atLeast: 1, within: .seconds(600)) } }
    }
    let cancelled = reading()
    cancelled.cancel()
    #expect(await cancelled.value == .unavailable)
    let closed = reading()
    try desk.store.close()
    #expect(await closed.value == .unavailable)
  }
}

@Suite struct `The changes of a user` {
  @Test func `come once and in order, those there are and those to come, with their agents`() async throws {
    let desk = try Desk()
    func say(_ text: String, as agent: String) async throws {
      try await desk.store.remember(MemoryDraft(text), for: desk.bob, agent: agent)
    }
    try await say("Fact 1", as: "web")
    try await say("Fact 2", as: "phone")
    let heard = Task {
      var heard: [String] = []
      for try await event in desk.store.changes(of: desk.bob, after: 1) {
        heard.append("\(event.version) \(event.agent ?? "")")
        if heard.count == 4 { break }
      }
      return heard
    }
    try await desk.store.remember(MemoryDraft("Of somebody else"), for: .alice, agent: "web")
    try await say("Fact 3", as: "web")
    try await say("Fact 4", as: "phone")
    try await desk.remember("Fact 5")
    #expect(try await heard.value == ["2 phone", "3 web", "4 phone", "5 "])
  }

  @Test func `end when the store is closed, or the task cancelled`() async throws {
    let desk = try Desk()
    try await desk.remember("Fact 1")
    func listener() -> Task<Int, any Error> {
      Task { try await desk.store.changes(of: desk.bob).reduce(0) { count, _ in count + 1 } }
    }
    let cancelled = listener()
    try await Task.sleep(for: .milliseconds(20))
    cancelled.cancel()
    #expect(try await cancelled.value <= 1)
    let closed = listener()
    try await Task.sleep(for: .milliseconds(20))
    try desk.store.close()
    #expect(try await closed.value <= 1)
  }
}
