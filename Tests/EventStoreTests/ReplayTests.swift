// Replays that once came to something else than the plain fold.
import Bytes
import Foundation
import LMDB
import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A replay while appends go on` {
  @Test func `takes a report of one job that comes after a later one of another`() {
    let run = ReplayRun(totalStreams: 3, totalEvents: 3)
    #expect(run.finish(nil, at: 300_000_000, since: 0) != nil)
    #expect(run.finish(nil, at: 200_000_000, since: 0) == nil)
    #expect(run.finish(nil, at: 400_000_000, since: 0) != nil)
  }

  // Only a replay of the heads kept to the log as it was at the start; as of a time, streams whose turn came later were
  // folded with what had been appended meanwhile.
  @Test(arguments: [AsOf.head, .occurredAt(.latest), .recordedAt(TestClock().now)], [true, false])
  func `is of the log as it was at the start`(point: AsOf, usesSnapshots: Bool) throws {
    var policy = EventLog.Options()
    policy.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    let store = try TemporaryStore(policy)
    let noon = store.clock.now
    store.clock.advance(byMicroseconds: -1_000)
    for (number, stream) in [StreamName.alice, .bob].enumerated() {
      for minute: Int64 in [3, 1, 5] {
        let id = EventID.number(number * 10 + Int(minute))
        try store.append(
          Diary.written("k\(minute)", "text", id: id).occurring(at: noon.advanced(byMicroseconds: minute)), to: stream)
      }
    }
    var options = ReplayOptions()
    options.point = point
    options.usesSnapshots = usesSnapshots
    options.resumes = false
    store.clock.advance(byMicroseconds: 1_000)
    let undisturbed = try store.log.replay(by: NotebookProjector(), options)

    // Told after the first stream: then something happens to the second, which a fold by time would put in its midst.
    let log = store.log
    let isFirst = Atomic(true)
    let disturbed = try store.log.replay(by: NotebookProjector(), options) { _ in
      guard isFirst.exchange(false, ordering: .relaxed) else { return }
      let late = Diary.written("late", "text", id: .number(100)).occurring(at: noon.advanced(byMicroseconds: 2))
      _ = try? log.appendAndWait([StreamAppend([late], to: .bob)])
      _ = try? log.state(of: .bob, by: NotebookProjector(), at: .occurredAt(.latest))
      try? log.storeDueSnapshots()
    }
    #expect(try store.log.version(of: .bob) == 4)
    #expect(disturbed.digest == undisturbed.digest)
    #expect(disturbed.events == 6)
  }
}

/// A projector that can be made to fail at every stream's second event.
private struct Unreliable: Projector {
  let name = "unreliable"
  let version = 1
  let fails: Bool
  private let notes = NotebookProjector()

  init(fails: Bool) { self.fails = fails }

  func initialState() -> Notebook { notes.initialState() }

  func apply(_ event: borrowing EventView, to state: inout Notebook) throws(DamagedBytes) {
    if fails, event.version == 2 { throw DamagedBytes() }
    try notes.apply(event, to: &state)
  }
}

@Suite struct `A replay that was interrupted` {
  /// What goes on after a replay that had done Alice's stream and failed in Bob's, and one from the start.
  private func replays(
    isEncrypted: Bool = false, after change: (TemporaryStore) throws -> Void
  ) throws -> (resumed: ReplayResult, anew: ReplayResult) {
    let store = try TemporaryStore(isEncrypted ? .encrypted() : EventLog.Options())
    for (number, stream) in [StreamName.alice, .bob, .bob].enumerated() {
      try store.append(Diary.written("k", "text", id: .number(number)), to: stream)
    }
    #expect(throws: ReadError.self) { try store.log.replay(by: Unreliable(fails: true)) }
    try change(store)
    let resumed = try store.log.replay(by: Unreliable(fails: false))
    var options = ReplayOptions()
    options.resumes = false
    return (resumed, try store.log.replay(by: Unreliable(fails: false), options))
  }

  @Test(arguments: [false, true]) func `goes on after the streams it had done`(isEncrypted: Bool) throws {
    let (resumed, anew) = try replays(isEncrypted: isEncrypted) { _ in }
    #expect(resumed.resumedStreams == 1 && anew.resumedStreams == 0)
    #expect(resumed.digest == anew.digest)
  }

  @Test func `folds a stream anew that has grown since`() throws {
    let (resumed, anew) = try replays { store in
      try store.append(Diary.written("l", "text", id: .number(9)), to: .alice)
    }
    #expect(resumed.resumedStreams == 0 && resumed.events == 4)
    #expect(resumed.digest == anew.digest)
  }

  // What a short text folds to can be guessed, and then be known by its digest.
  @Test func `shows no digest of a state in an encrypted store`() throws {
    var digests: [String] = []
    for isEncrypted in [false, true] {
      let (resumed, _) = try replays(isEncrypted: isEncrypted) { store in
        let text = try String(contentsOfFile: store.path + "/replay.log", encoding: .utf8)
        digests.append(String(try #require(text.split(separator: "\n").last).split(separator: " ")[4]))
      }
      digests.append(resumed.digest)
    }
    let (plain, sealed) = (digests[0], digests[2])
    #expect(plain.count == 64 && sealed.count > 64 && !sealed.contains(plain))
    #expect(digests[1] == digests[3])
  }

  @Test(arguments: [false, true])
  func `takes over no line that is not what was written`(isEncrypted: Bool) throws {
    let (resumed, anew) = try replays(isEncrypted: isEncrypted) { store in
      let path = store.path + "/replay.log"
      var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
      var words = try #require(lines.last).split(separator: " ").map(String.init)
      words[4] = String(words[4].reversed())
      lines[lines.count - 1] = words.joined(separator: " ")
      try lines.joined(separator: "\n").appending("\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(resumed.resumedStreams == 0)
    #expect(resumed.digest == anew.digest)
  }
}

@Suite struct `A replay of streams by name` {
  // Folded together with others, all records of a stream went to the last mention of it, and the first had none.
  @Test(arguments: [true, false]) func `folds one once that is named twice`(usesSnapshots: Bool) throws {
    let store = try TemporaryStore()
    for (number, stream) in [StreamName.bob, .alice].enumerated() {
      try store.append(Diary.written("k", "text", id: .number(number)), to: stream)
    }
    var options = ReplayOptions()
    options.usesSnapshots = usesSnapshots
    options.streams = [.bob, .alice]
    let once = try store.log.replay(by: NotebookProjector(), options)
    options.streams = [.bob, .bob, .alice, .bob]
    let twice = try store.log.replay(by: NotebookProjector(), options)
    #expect(twice.streams == 2 && twice.events == 2)
    #expect(twice.digest == once.digest)
  }
}

@Suite struct `A replay of a damaged log` {
  // The pass that finds the records of many streams left out what it could not read, and nobody missed the last one.
  @Test(arguments: [true, false]) func `fails, also where a stream's last record is lost`(isMissing: Bool) throws {
    var settings = EventLog.Options()
    settings.blockSize = 1
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
      try StoredLog.change(in: store.path) { log in
        if isMissing { log.remove(6) } else { log.put([0, 1, 2], at: 6) }
      }
    }
    #expect(
      performing: { try store.log.replay(by: NotebookProjector(), options) },
      throws: { if case ReadError.storage(.corrupt) = $0 { true } else { false } })
  }
}
