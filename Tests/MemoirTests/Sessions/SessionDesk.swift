// A store with a clock and a session policy of its own, for tests of sessions.
import EventStore
import JSON
import TestSupport

@testable import Memoir

/// A store in a temporary folder, whose clock the test moves.
final class SessionDesk: Sendable {
  let clock = TestClock()
  let store: MemoirStore
  let bob = StreamName.bob
  private let folder = TemporaryFolder()

  init(_ change: (inout SessionPolicy) -> Void = { _ in }) throws {
    var options = EventLog.Options()
    options.clock = { [clock] in clock.now }
    // Many are open at once, and the address space of a process holds only so many large ones.
    options.mapSize = 1 << 32
    var memory = MemoryOptions()
    change(&memory.sessions)
    store = try MemoirStore(folder: folder.path + "/store", options: options, memory: memory)
  }

  deinit { try? store.close() }

  func advance(hours: Double = 0, seconds: Double = 0) {
    clock.advance(byMicroseconds: Int64((hours * 3_600 + seconds) * 1_000_000))
  }

  /// Says something in a session of Bob's; the person and the assistant in turn.
  func say(_ texts: String..., in session: String, of user: StreamName = .bob) async throws {
    for (index, text) in texts.enumerated() {
      advance(seconds: 1)
      try await store.append(
        [.messageAdded(try MessageAdded(role: index % 2 == 0 ? .user : .assistant, content: text))],
        to: user, session: .named(session))
    }
  }

  /// Ends a session as an application does that knows nothing of distillation.
  func endRaw(_ session: String, summary: String? = nil, of user: StreamName = .bob) async throws {
    advance(seconds: 1)
    try await store.append(
      [.sessionEnded(try SessionEnded(reason: "closed", summary: summary))], to: user, session: .named(session))
  }

  func session(_ name: String) throws -> Session { try store.session(.named(name), of: bob) }

  /// What was learned in a session, with the category.
  func memories(_ session: String) throws -> [String] {
    try store.memories(of: .named(session), of: bob).facts.map { "\($0.category): \($0.fact)" }
  }

  func events(_ type: String, of user: StreamName = .bob) throws -> [RecordedEvent] {
    try store.log.readStream(user, filter: EventFilter(types: [type])).events
  }

  /// The types of all events of a user.
  func types(of user: StreamName = .bob) throws -> [String] { try store.log.readStream(user).events.map(\.typeName) }
}

/// A distiller that does as the test says.
struct ScriptedDistiller: Distiller {
  var identity = DistillerIdentity(name: "scripted", model: "m-1", version: "7")
  var answer: @Sendable (SessionTranscript) async throws(DistillerError) -> Distillation

  func distill(_ transcript: SessionTranscript) async throws(DistillerError) -> Distillation {
    try await answer(transcript)
  }
}
