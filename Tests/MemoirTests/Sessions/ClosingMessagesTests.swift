// A conversation that is handed in at its end.
import EventStore
import Memoir
import TestSupport
import Testing

@Suite struct `Recording a conversation at its end` {
  private func said(_ texts: String...) throws -> [MessageAdded] {
    try texts.map { try MessageAdded(role: .user, content: $0) }
  }

  private func desk() async throws -> SessionDesk {
    let desk = try SessionDesk()
    try await desk.store.startSession(.named("s"), of: .bob, context: nil)
    return desk
  }

  private func texts(_ desk: SessionDesk) throws -> [String] {
    try desk.store.messages(of: .named("s"), of: .bob).messages.compactMap { event in
      guard case .messageAdded(let message)? = try MemoirEvent(event) else { return nil }
      return message.content
    }
  }

  @Test func `keeps the messages in order, repeated ones included, with who handed them in`() async throws {
    let desk = try await desk()
    let ids = try await desk.store.recordClosingMessages(
      said("Yes", "No", "Yes"), of: .named("s"), of: .bob, agent: "a")
    #expect(ids.count == 3 && Set(ids).count == 3)
    #expect(try texts(desk) == ["Yes", "No", "Yes"])
    #expect(try desk.events("MessageAdded").map(\.agent) == ["a", "a", "a"])
  }

  @Test func `twice records nothing twice, and adds what was not there`() async throws {
    let desk = try await desk()
    let ids = try await desk.store.recordClosingMessages(said("One", "Two"), of: .named("s"), of: .bob)
    desk.advance(hours: 1)
    #expect(try await desk.store.recordClosingMessages(said("One", "Two"), of: .named("s"), of: .bob) == ids)
    let more = try await desk.store.recordClosingMessages(said("One", "Two", "Three"), of: .named("s"), of: .bob)
    #expect(more.starts(with: ids))
    #expect(try texts(desk) == ["One", "Two", "Three"])
  }

  @Test func `by two agents at once records everything once`() async throws {
    let desk = try await desk()
    let messages = try (0..<20).map { try MessageAdded(role: .user, content: "Message \($0)") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { try await desk.store.recordClosingMessages(messages, of: .named("s"), of: .bob) }
      }
      try await group.waitForAll()
    }
    #expect(try texts(desk) == messages.map(\.content))
  }

  @Test func `comes too late once it has ended`() async throws {
    let desk = try await desk()
    try await desk.store.endSession(.named("s"), of: .bob)
    let version = try desk.store.log.version(of: .bob)
    #expect(try await desk.store.recordClosingMessages(said("Late"), of: .named("s"), of: .bob).isEmpty)
    #expect(try desk.store.log.version(of: .bob) == version)
  }

  @Test func `needs a session that there is, and no more than a request may have`() async throws {
    let desk = try await desk()
    #expect(
      await code { try await desk.store.recordClosingMessages(said("x"), of: .named("other"), of: .bob) } == .notFound)
    #expect(
      await code { try await desk.store.recordClosingMessages(said("x"), of: .named("s"), of: .alice) } == .notFound)
    let many = Array(repeating: try MessageAdded(role: .user, content: "x"), count: Limits.eventsPerRequest + 1)
    #expect(
      await code { try await desk.store.recordClosingMessages(many, of: .named("s"), of: .bob) } == .invalidArgument)
    #expect(try await desk.store.recordClosingMessages([], of: .named("s"), of: .bob).isEmpty)
  }
}
