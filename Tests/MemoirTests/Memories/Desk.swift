// A store with a clock of its own, for tests of what agents do with a person's memory.
import EventStore
import JSON
import Memoir
import Synchronization
import TestSupport

/// A store in a temporary folder, whose clock the test moves.
final class Desk: Sendable {
  let clock = TestClock()
  let store: MemoirStore
  let bob = StreamName.bob
  private let folder = TemporaryFolder()

  init(_ memory: MemoryOptions = MemoryOptions()) throws {
    var options = EventLog.Options()
    options.clock = { [clock] in clock.now }
    // Many are open at once, and the address space of a process holds only so many large ones.
    options.mapSize = 1 << 32
    store = try MemoirStore(folder: folder.path + "/store", options: options, memory: memory)
  }

  deinit { try? store.close() }

  func advance(days: Double = 0, seconds: Double = 0) {
    clock.advance(byMicroseconds: Int64((days * 86_400 + seconds) * 1_000_000))
  }

  /// Remembers a sentence about Bob.
  @discardableResult
  func remember(_ text: String, _ category: String = "general", id: String? = nil) async throws -> MemoryOutcome {
    advance(seconds: 1)
    let id = try id.map { id throws in try FactID(id) }
    return try await store.remember(MemoryDraft(text, category: category, factID: id), for: bob).result
  }

  /// What is remembered of Bob.
  func texts(at point: AsOfText = .now) throws -> [String] {
    try store.memories(of: bob, at: point).memories.map(\.fact.fact)
  }

  /// The types of all of Bob's events.
  func types() throws -> [String] { try store.log.readStream(bob).events.map(\.typeName) }
}

/// Something that happens in the middle of something else: once, or each time, as the test says.
final class Interruption: Sendable {
  private let body = Mutex<(@Sendable () async -> Void)?>(nil)
  private let done = Atomic<Int>(0)

  /// How often it has happened.
  var count: Int { done.load(ordering: .acquiring) }

  func set(_ body: @escaping @Sendable () async -> Void) { self.body.withLock { $0 = body } }

  func run(keeping isKept: Bool = true) async {
    let body = body.withLock { body in
      defer { if !isKept { body = nil } }
      return body
    }
    guard let body else { return }
    await body()
    done.add(1, ordering: .acquiringAndReleasing)
  }
}

/// The code of the error that `body` throws; `nil` where it throws none.
func code(_ body: () async throws -> Void) async -> ErrorCode? {
  do {
    try await body()
    return nil
  } catch {
    return MemoirError(error).code
  }
}
