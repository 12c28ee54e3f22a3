// Replays that once came to something else than the plain fold.
import EventStore
import LMDB
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A replay of a damaged log` {
  // The pass that finds the records of many streams left out what it could not read, and nobody missed the last one.
  @Test(arguments: [true, false]) func `fails, also where a stream's last record is lost`(isMissing: Bool) throws {
    var settings = EventLog.Options()
    settings.checkpointInterval = 1
    let store = try TemporaryStore(settings)
    for number in 1...6 {
      try store.append(
        Diary.written("k", "text", id: .number(number)), to: number % 2 == 0 ? .alice : .bob)
    }
    try store.append(Diary.written("k", "text", id: .number(7)), to: .named("carl"))
    try store.append(Diary.written("k", "text", id: .number(8)), to: .named("carl"))
    var options = ReplayOptions()
    options.usesSnapshots = false
    options.resumes = false
    options.streams = [.alice, .bob]
    #expect(try store.log.replay(by: NotebookProjector(), options).events == 6)

    try store.reopen {
      let environment = try Environment(folder: store.path)
      defer { environment.close() }
      let log = try environment.openTables(["log"])[0]
      var transaction = try environment.beginWrite()
      let key = Key.position(6)
      if isMissing {
        _ = try transaction.delete(key.rawSpan, in: log)
      } else {
        try transaction.put([0, 1, 2].rawSpan, at: key.rawSpan, in: log)
      }
      try transaction.commit()
    }
    #expect { try store.log.replay(by: NotebookProjector(), options) } throws: { "\($0)".contains("position 6") }
  }
}
