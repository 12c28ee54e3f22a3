// A store in memory for fuzzers that need one, made anew now and then: what came before must not grow for ever, nor lock
// out what comes.
import EventStore
import JSON
import Memoir
import TestSupport

@testable import Memoir

final class FuzzStore {
  let store: MemoirStore
  private let folder = TemporaryFolder(inMemory: true)

  init() throws {
    let clock = TestClock()
    var options = EventLog.Options()
    options.mapSize = 1 << 30
    options.cacheBytes = 1 << 20
    options.clock = { clock.now }
    store = try MemoirStore(folder: folder.path + "/store", options: options)
    let session = try SessionID("s-1")
    var events: [MemoirEvent] = [
      .sessionStarted(try SessionStarted()),
      .messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon.")),
      .preferenceUpdated(try PreferenceUpdated(key: "theme", value: JSONText(string: "dark"))),
    ]
    for (id, fact) in [("home", "Lives in Lisbon"), ("drink", "Likes tea"), ("game", "Plays chess")] {
      events.append(.factLearned(try FactLearned(fact: fact, category: "life", confidence: 0.9, factID: FactID(id))))
    }
    let data = try events.enumerated().map { try EventData($1, session: session, id: .number($0 + 1)) }
    try store.log.appendAndWait([StreamAppend(data, to: .bob), StreamAppend([data[1]], to: .named("eve"))])
  }

  deinit { try? store.close() }
}
