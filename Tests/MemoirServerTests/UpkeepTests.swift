// What a server does for its store by itself.
import EventStore
import HTTPServer
import Memoir
import MemoirServer
import Synchronization
import TestSupport
import Testing

@Suite struct `A server that looks after its store` {
  private let bob: StreamName
  private let session: SessionID

  init() throws {
    bob = StreamName(try UserID("bob"))
    session = try SessionID("s-1")
  }

  private final class Served {
    let clock = TestClock()
    let folder = TemporaryFolder()
    let store: MemoirStore
    let log = Mutex<[String]>([])
    var server: MemoirServer?

    init(_ embedder: (any Embedder)? = nil) throws {
      var options = EventLog.Options()
      options.mapSize = 1 << 33
      options.clock = { [clock] in clock.now }
      var memory = MemoryOptions()
      memory.embedder = embedder
      store = try MemoirStore(folder: folder.path + "/store", options: options, memory: memory)
    }

    func serve(every interval: Duration) throws {
      var options = MemoirServerOptions(.loopback(port: 0))
      options.sweepInterval = interval
      server = try MemoirServer(store, options)
    }

    deinit {
      server?.end(within: .seconds(5))
      try? store.close()
    }
  }

  private func wait(until isSo: () throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if try isSo() { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  private func talk(in served: Served, session: SessionID) async throws {
    try await served.store.append(
      [.messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon."))], to: bob, session: session)
  }

  private func ended(in served: Served) throws -> Int {
    try served.store.log.readStream(bob, filter: EventFilter(types: ["SessionEnded"])).events.count
  }

  @Test func `closes a session that nobody ended when it begins`() async throws {
    let served = try Served()
    try await talk(in: served, session: session)
    served.clock.advance(byMicroseconds: 5 * 3_600_000_000)
    try served.serve(every: .seconds(3_600))
    #expect(try await wait { try ended(in: served) == 1 })
  }

  @Test func `closes one that is left alone later, once`() async throws {
    let served = try Served()
    try served.serve(every: .milliseconds(50))
    try await talk(in: served, session: session)
    try await Task.sleep(for: .milliseconds(200))
    #expect(try ended(in: served) == 0)
    served.clock.advance(byMicroseconds: 5 * 3_600_000_000)
    #expect(try await wait { try ended(in: served) == 1 })
    try await Task.sleep(for: .milliseconds(200))
    #expect(try ended(in: served) == 1)
  }

  @Test func `leaves sessions alone where it is not asked to`() async throws {
    let served = try ServedStore()
    try await served.store.append(
      [.messageAdded(try MessageAdded(role: .user, content: "Hello."))], to: bob, session: session)
    served.clock.advance(byMicroseconds: 5 * 3_600_000_000)
    _ = try await served.get("/healthz")
    try await Task.sleep(for: .milliseconds(200))
    #expect(try served.store.log.version(of: bob) == 1)
  }

  /// Gives each text a vector of its length.
  private struct LengthEmbedder: Embedder {
    let model = "length-1"
    func embed(_ texts: [String]) async throws(EmbedderError) -> [[Float]] {
      texts.map { $0.utf8.count % 2 == 0 ? [1, 0] : [0, 1] }
    }
  }

  @Test func `has vectors made of what is appended`() async throws {
    let served = try Served(LengthEmbedder())
    try served.serve(every: .seconds(3_600))
    try await talk(in: served, session: session)
    #expect(try await wait { served.store.embeddingStatus?.embedded ?? 0 >= 1 })
  }

  @Test func `takes out what is older than it may be`() async throws {
    let served = try Served()
    try await talk(in: served, session: session)
    try await served.store.setRetention(try RetentionPolicy(of: .default, days: [.messages: 30]))
    served.clock.advance(byMicroseconds: 31 * 86_400_000_000)
    try served.serve(every: .milliseconds(50))
    #expect(try await wait { try served.store.state(of: bob).state.messages.total == 0 })
    #expect(try await wait { try served.store.log.verify().redacted == 1 })
  }

  @Test func `ends with the server, and does nothing afterwards`() async throws {
    let served = try Served(LengthEmbedder())
    try await talk(in: served, session: session)
    try served.serve(every: .milliseconds(20))
    served.server?.end(within: .seconds(5))
    served.clock.advance(byMicroseconds: 5 * 3_600_000_000)
    try await Task.sleep(for: .milliseconds(200))
    #expect(try ended(in: served) == 0)
  }
}
