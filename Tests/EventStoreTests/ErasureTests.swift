// Erasing a person: nothing of them is left in any file, and everything else is as it was.
import Bytes
import Foundation
import LMDB
import Sodium
import TestSupport
import Testing

@testable import EventStore

/// What is searched for in the files: in everything that somebody says, and in their names.
private let marker = "Zebulon"

extension TemporaryStore {
  /// Whether any file of the store has these bytes.
  fileprivate func filesHold(_ text: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    return try names.filter { name in
      try Data(contentsOf: URL(filePath: path + "/" + name)).range(of: Data(text.utf8)) != nil
    }
  }

  /// Has somebody say something in every form there is: told apart by a number.
  fileprivate func say(_ number: Int, _ stream: StreamName = .named("\(marker)-user")) throws {
    let first = 10 * number
    try append(
      Diary.written("k-\(marker)-\(number)", "text of \(marker)", id: .number(first))
        .inSession(.named("session \(number % 3) \(marker)")),
      Diary.custom("feeling \(marker)", id: .number(first + 1)),
      Diary.custom("other \(marker)", named: "app.\(marker)", id: .number(first + 2)),
      Diary.valued("json", #"{"a":"\#(marker)"}"#, id: .number(first + 3)).with(metadata: #"{"by":"\#(marker)"}"#),
      to: stream)
  }

  fileprivate func erase(_ stream: StreamName = .named("\(marker)-user")) async throws -> ErasureSummary? {
    try await log.erase(stream, by: "the office")
  }
}

@Suite struct `Erasing a person` {
  @Test(arguments: [1, 3, 64, 65_536])
  func `leaves nothing of them in any file`(blockSize: Int) async throws {
    var options = EventLog.Options()
    options.blockSize = blockSize
    options.stepLimit = blockSize == 3 ? 2 : nil
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 100)
    let store = try TemporaryStore(options)
    let stream = StreamName.named("\(marker)-user")
    let kind = DerivedKind("vectors")
    for number in 1...60 {
      try store.say(number)
      try store.append(Diary.written("a\(number % 5)", "about alice", id: .number(number)), to: .alice)
      if number % 20 == 0 {
        _ = try store.notebook(of: stream)
        _ = try store.notebook(of: stream, at: .occurredAt(.latest))
        try store.log.storeDueSnapshots()
        let entry = DerivedEntry(of: 3, in: stream, bytes: Array("vector of \(marker)".utf8))
        #expect(try await store.log.storeDerived([entry], as: kind, redactions: 0))
      }
    }
    try await store.log.keepRecord(Array(stream.user.description.utf8), at: [1], in: .receipts)
    try await store.log.keepRecord(Array("somebody".utf8), at: [2], in: .receipts)
    let alice = try store.notebook(of: .alice)
    #expect(try store.filesHold(marker) == ["data.mdb"])

    let summary = try #require(try await store.erase())
    #expect(summary == ErasureSummary(erased: 240, isScrubbed: true))
    #expect(try store.filesHold(marker) == [])

    // Nor does it come back with what is written then, or with closing and opening.
    #expect(try store.notebook(of: .alice) == alice)
    for number in 61...90 {
      try store.append(Diary.written("a\(number % 5)", "about alice", id: .number(number)), to: .alice)
    }
    #expect(try store.filesHold(marker) == [])
    #expect(try store.log.record(at: [1], in: .receipts) == nil)
    #expect(try store.log.record(at: [2], in: .receipts) != nil)
    try store.reopen()
    #expect(try store.filesHold(marker) == [])
    let report = try store.log.verify()
    #expect(report.problems == [] && report.redacted == 240 && report.erasures == 1)
    try store.log.repairDerived()
    #expect(try store.log.verify().problems == [])
    #expect(try store.filesHold(marker) == [])
    #expect(try store.notebook(of: stream, usesSnapshots: false)?.notes.isEmpty == true)
  }

  // In each of these the same record lies in two places, or its names are in something half done.
  @Test(arguments: RunStage.allCases)
  func `finds everything, also while it is moved`(stage: RunStage) async throws {
    let store = try RunStore(blockSize: 8, stepLimit: 3, seed: 7)
    try store.append(until: { RunStage.all(of: $0).contains(stage) })
    for stream in store.kept.streams.prefix(3) {
      let texts = store.kept.events(of: stream).map(\.payload)
      #expect(try await store.erase(stream)?.erased == UInt64(texts.count))
      try store.checkAll()
      for text in texts { #expect(try !store.fileHolds(text), "\(stream)") }
      #expect(try !store.fileHolds(Array(stream.user.description.utf8)))
    }
    // And goes on from there.
    for _ in 0..<30 { try store.append() }
    try store.checkAll()
    try store.checkRepeats(store.log)
    try store.settle()
    try store.checkAll()
    try store.store.reopen()
    try store.checkAll()
    try store.log.repairDerived()
    try store.checkAll()
  }

  @Test func `lets the stream go on at its next version, under a new secret`() async throws {
    let store = try TemporaryStore()
    for number in 1...3 { try store.append(Diary.written("k", "one", id: .number(number)).inSession(.named("s"))) }
    let before = try store.log.view().index.epoch(of: 1, store.log.view().transaction)
    #expect(try await store.erase(.bob)?.erased == 3)
    #expect(try store.log.streams().isEmpty)
    #expect(try store.log.version(of: .bob) == 4)
    #expect(throws: AppendError.versionConflict(stream: .bob, expected: .noStream, actual: 4)) {
      try store.append(Diary.removed("k", id: .number(9)), expecting: .noStream)
    }
    let result = try store.append(
      Diary.written("k", "two", id: .number(10)).inSession(.named("s")), expecting: .exactly(4))
    #expect(result.firstVersion == 5)
    #expect(try store.log.streams().map(\.name) == [.bob])
    let events = try store.log.readStream(.bob).events
    #expect(events.map(\.isRedacted) == [true, true, true, false, false])
    #expect(events.map(\.session) == [nil, nil, nil, nil, .named("s")])
    #expect(try store.log.readStream(.bob, filter: EventFilter(session: .named("s"))).events.map(\.version) == [5])
    let after = try store.log.view().index.epoch(of: 1, store.log.view().transaction)
    #expect(after.name == before.name && after.secret != before.secret && after.secret != .zero)
    #expect(try store.notebook()?.notes == ["k": Array("two".utf8)])
    #expect(try store.notebook(at: .version(3))?.notes.isEmpty == true)
    #expect(try store.log.verify().isSound)
    try store.reopen()
    #expect(try store.append(Diary.written("k", "3", id: .number(11))).firstVersion == 6)
    #expect(try store.log.verify().isSound)
  }

  @Test func `refuses what was erased when it is handed in again, unless told otherwise`() async throws {
    let store = try TemporaryStore()
    let events = (1...3).map { Diary.written("k", "text \($0)", id: .number($0)) }
    try store.log.appendAndWait([StreamAppend(events, to: .bob)])
    _ = try await store.erase(.bob)
    let refusal = AppendError.idConflict(stream: .bob, ids: events.map(\.id), isErased: true)
    for repeats in [RepeatRule.request, .event] {
      #expect(throws: refusal) {
        try store.log.appendAndWait([StreamAppend(events, to: .bob)], repeats: repeats)
      }
    }
    let again = try store.log.appendAndWait([StreamAppend(events, to: .bob)], takingErased: true)
    #expect(again[0].firstVersion == 5 && again[0].appended == 3)
    // They are there now, and so are repeats.
    for takesErased in [false, true] {
      let repeated = try store.log.appendAndWait([StreamAppend(events, to: .bob)], takingErased: takesErased)
      #expect(repeated[0].isDuplicate && repeated[0].firstVersion == 5)
    }
    #expect(try store.log.event(.number(2), of: .bob)?.version == 6)
    #expect(try store.log.verify().isSound)
  }

  @Test func `twice is once, and of nobody is nothing`() async throws {
    let store = try TemporaryStore()
    #expect(try await store.erase(.bob) == nil)
    try store.append(Diary.written("k", "text", id: .number(1)))
    #expect(try await store.erase(.bob)?.erased == 1)
    #expect(try await store.erase(.bob)?.erased == 0)
    #expect(try store.log.version(of: .bob) == 2)
    #expect(try store.log.tombstones().count == 1)
    #expect(try store.log.erasableEvents(of: .bob) == 0)
    #expect(try store.log.erasableEvents(of: .alice) == nil)
    let tombstone = try #require(try store.log.lastErasure(of: .bob))
    #expect(tombstone.by == "the office" && tombstone.events == 1 && tombstone.version == 1)
    #expect(try store.log.lastErasure(of: .alice) == nil)
  }

  // Streams of nobody have one name, and what is kept by name would be the other's.
  @Test func `of two leaves states that are each its own`() async throws {
    let store = try TemporaryStore()
    for (stream, count) in [(StreamName.bob, 3), (.alice, 5)] {
      for number in 1...count { try store.append(Diary.written("k", "text", id: .number(number)), to: stream) }
      _ = try await store.erase(stream)
    }
    for number: StreamNumber in [1, 2, 1] { try store.log.takeSnapshots(of: number, by: NotebookProjector()) }
    try store.log.storeDueSnapshots()
    for (stream, count) in [(StreamName.bob, 4), (.alice, 6)] {
      let state = try store.notebook(of: stream)
      #expect(state?.events == UInt64(count))
      #expect(try state == store.notebook(of: stream, usesSnapshots: false))
    }
  }

  @Test func `of a stream with a damaged record is refused, and hurts no one`() async throws {
    let store = try TemporaryStore()
    for number in 1...3 {
      try store.append(Diary.written("k", "text", id: .number(number)))
      try store.append(Diary.written("k", "text", id: .number(number)), to: .alice)
    }
    try store.reopen {
      try StoredLog.change(in: store.path) { log in
        var bytes = try #require(log.records[3])
        bytes[30] ^= 1
        log.put(bytes, at: 3)
      }
    }
    await #expect(throws: StorageError.self) { try await store.erase(.bob) }
    #expect(try await store.erase(.alice)?.erased == 3)
    #expect(try store.log.readAll(after: 4, limit: 1).events.first?.isRedacted == false)
  }

  @Test func `is seen by other processes, whose appends go on`() async throws {
    let store = try RunStore(blockSize: 8, stepLimit: 4)
    let other = AnotherProcess(beside: store.store)
    for _ in 0..<40 { try store.append() }
    // It has the names in its tail, its writer's cache and a sealing under way.
    for _ in 0..<5 {
      let request = store.newRequest()
      _ = try other.append([request])[0].get()
      store.note(request)
    }
    for stream in store.kept.streams.prefix(2) {
      try await store.erase(stream)
      for _ in 0..<12 {
        let request = store.newRequest()
        _ = try other.append([request])[0].get()
        store.note(request)
        try store.append()
      }
      #expect(try store.fileHolds(Array("user-0".utf8)) == store.speaking.contains(.named("user-0")))
      try store.checkAll()
    }
    // It erases, too.
    for stream in store.speaking.prefix(2) {
      let work = Erasure(
        stream: stream, by: "elsewhere", rules: try #require(Diary.schema.erasure),
        chances: Erasure.Chances(nameKey: NameKey(key: .random()), id: .number(900_000 + store.kept.events.count)),
        known: nil)
      try other.perform(work)
      try store.noteErasure(of: stream)
      try store.checkAll()
      for _ in 0..<12 { try store.append() }
      try store.checkAll()
    }
    try store.store.reopen()
    try store.checkAll()
  }

  @Test func `leaves a reader that began before all that it sees, and is scrubbed when it has ended`() async throws {
    let store = try TemporaryStore()
    try store.say(1)
    let stream = StreamName.named("\(marker)-user")
    do {
      let view = try store.log.view()
      #expect(try await store.erase()?.isScrubbed == false)
      #expect(try store.log.isScrubDue())
      #expect(try store.filesHold(marker) == ["data.mdb"])
      let number = try #require(try view.stream(stream))
      #expect(try view.head(of: number)?.version == 4)
      var decoder = EventDecoder()
      let event = try decoder.event(try view.record(at: 1), view)
      #expect(event.stream == stream && event.session == .named("session 1 \(marker)") && !event.isRedacted)
      #expect(try store.log.storeStatistics(for: NotebookProjector()).isScrubbed == false)
      #expect(try await store.log.scrubErased() == false)
    }
    #expect(try await store.log.scrubErased())
    #expect(try store.filesHold(marker) == [])
    let statistics = try store.log.storeStatistics(for: NotebookProjector())
    #expect(statistics.isScrubbed && statistics.erasedStreams == 1 && statistics.streams == 0)
  }

  // What was read before did not go with what was read afterwards, and a sound store was called damaged.
  @Test func `is no damage to whoever verifies meanwhile`() throws {
    var options = EventLog.Options()
    options.blockSize = 3
    let store = try TemporaryStore(options)
    for number in 1...4 { try store.say(number) }
    let work = Erasure(
      stream: .named("\(marker)-user"), by: "the office", rules: try #require(Diary.schema.erasure),
      chances: Erasure.Chances(nameKey: NameKey(key: .random()), id: .number(900_000)), known: nil)
    var isErased = false
    let report = try store.log.verify(progress: { _, _ in
      if isErased { return }
      isErased = true
      do { try store.log.perform(work) } catch { Issue.record(error) }
    })
    #expect(isErased && report.problems == [] && report.erasures == 1)
  }

  @Test func `that was not scrubbed is scrubbed by whoever appends next`() async throws {
    let store = try TemporaryStore()
    try store.say(1)
    do {
      let view = try store.log.view()
      #expect(try await store.erase()?.isScrubbed == false)
      #expect(view.last == 4)
    }
    try store.reopen()
    #expect(try store.filesHold(marker) == ["data.mdb"])
    try store.append(Diary.removed("k", id: .number(1)), to: .alice)
    // Behind the append, which nobody is to wait longer for.
    for _ in 0..<1_000 {
      if try !store.log.isScrubDue() { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try !store.log.isScrubDue())
    #expect(try store.filesHold(marker) == [])
  }

  #if DEBUG
  @Test func `that fails at any call is not begun, or done`() throws {
    for occurrence in stride(from: 1, to: 10_000, by: 3) {
      let store = try RunStore(blockSize: 3, stepLimit: 2, seed: 3, sizes: 5...50)
      for _ in 0..<14 { try store.append() }
      let other = AnotherProcess(beside: store.store)
      let stream = store.kept.streams[0]
      let work = Erasure(
        stream: stream, by: "elsewhere", rules: try #require(Diary.schema.erasure),
        chances: Erasure.Chances(nameKey: NameKey(key: .random()), id: .number(900_000)), known: nil)
      var failure: (any Error)?
      let fired = Failpoint.with(occurrence: occurrence, code: ENOSPC) {
        do { try other.perform(work) } catch { failure = error }
      }
      if failure == nil { try store.noteErasure(of: stream) }
      try store.checkAll()
      #expect(try store.fileHolds(Array(stream.user.description.utf8)) == (failure != nil))
      let event = store.newEvent()
      do {
        try store.append([event], to: stream)
      } catch AppendError.storage(.stopped) {
        // A sync of the scrub failed: opened again, the store goes on.
        try store.store.reopen()
        try store.append([event], to: stream)
      }
      try store.checkAll()
      if !fired { break }
    }
  }
  #endif

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `again and again, in any order with all else, reads as the model says`(seed: UInt64) async throws {
    let store = try RunStore(
      blockSize: [1, 2, 5, 9, 17, 65_536][Int(seed - 1)], stepLimit: seed % 2 == 0 ? 1 : nil, seed: seed,
      sizes: 5...200)
    try store.append()
    for step in 1...120 {
      switch store.number(0...19) {
      case 0...12: try store.append(store.number(1...3))
      case 13...15:
        guard let stream = store.speaking.randomElement(using: &store.random) else { continue }
        try await store.erase(stream)
      case 16:
        let kept = store.kept.events.filter { !$0.stream.isNameless && !$0.isTombstone && !$0.isRedacted }
        if let event = kept.randomElement(using: &store.random) { try store.redact(event.position) }
      case 17: try store.store.reopen()
      case 18:
        for stream in store.kept.streams { _ = try store.store.notebook(of: stream) }
        try store.log.storeDueSnapshots()
      default: try store.log.repairDerived()
      }
      if step % 12 == 0 { try checkAll(store) }
    }
    try checkAll(store)
  }

  private func checkAll(_ store: RunStore) throws {
    try store.checkAll()
    for stream in store.kept.streams {
      let events = store.kept.events(of: stream)
      let said = events.filter { !$0.isRedacted && !$0.isTombstone }
      for version in [events.count, store.number(0...events.count)] {
        let point = AsOf.version(StreamVersion(UInt64(version)))
        let state = try store.store.notebook(of: stream, at: point)
        try check(
          state, is: try store.store.notebook(of: stream, at: point, usesSnapshots: false), "\(stream) at \(version)")
      }
      let erasure = events.last { $0.isTombstone }
      try check(store.log.lastErasure(of: stream)?.notedAt, is: erasure?.version, "the last erasure of \(stream)")
      try check(store.log.erasableEvents(of: stream), is: UInt64(said.count), "what \(stream) says")
    }
    try check(store.log.streams(limit: 100).map(\.name), is: store.speaking, "the streams")
  }
}

@Suite struct `A store of before an erasure` {
  private func erasedStore() async throws -> (TemporaryStore, backup: String, TemporaryFolder) {
    let store = try TemporaryStore()
    let folder = TemporaryFolder()
    try store.say(1)
    try store.append(Diary.written("k", "text", id: .number(1)), to: .alice)
    _ = try store.log.backup(to: folder.path + "/backup")
    try store.say(2)
    #expect(try await store.erase()?.erased == 8)
    return (store, folder.path + "/backup", folder)
  }

  private func hasMarker(_ path: String) throws -> Bool {
    try Data(contentsOf: URL(filePath: path + "/data.mdb")).range(of: Data(marker.utf8)) != nil
  }

  @Test func `erases again when it is restored with the tombstones`() async throws {
    let (store, backup, folder) = try await erasedStore()
    let restored = folder.path + "/restored"
    #expect(try hasMarker(backup))
    try EventLog.restore(
      from: backup, to: restored, schema: Diary.schema, tombstones: store.path + "/TOMBSTONES")
    #expect(try !hasMarker(restored))
    let log = try EventLog(folder: restored, schema: Diary.schema)
    #expect(try log.verify().problems == [])
    #expect(try log.verify().erasures == 1)
    #expect(try log.streams().map(\.name) == [.alice])
    let stream = StreamName.named("\(marker)-user")
    let tombstone = try #require(try log.lastErasure(of: stream))
    let first = try #require(try store.log.lastErasure(of: stream))
    #expect(tombstone.isSame(as: first))
    #expect(throws: AppendError.self) {
      try log.appendAndWait([StreamAppend([Diary.custom("again", id: .number(11))], to: stream)])
    }
    let file = URL(filePath: restored + "/TOMBSTONES")
    #expect(try Data(contentsOf: file) == Data(contentsOf: URL(filePath: store.path + "/TOMBSTONES")))
    #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)
    try log.close()
    // Once is enough.
    let again = try EventLog(folder: restored, schema: Diary.schema)
    #expect(try again.tombstones().count == 1 && again.lastPosition() == 6)
  }

  // Two that opened it at once both found somebody to be erased; the second one erased what was new by then.
  @Test func `erases nobody twice for the same erasure`() async throws {
    let (store, backup, folder) = try await erasedStore()
    let restored = folder.path + "/restored"
    try EventLog.restore(from: backup, to: restored, schema: Diary.schema, tombstones: store.path + "/TOMBSTONES")
    let log = try EventLog(folder: restored, schema: Diary.schema)
    let stream = StreamName.named("\(marker)-user")
    try await log.append([Diary.custom("is back", id: .number(777))], to: stream)
    let work = Erasure(
      stream: stream, by: "the office", rules: try #require(Diary.schema.erasure),
      chances: Erasure.Chances(nameKey: NameKey(key: .random()), id: .number(900_000)),
      known: try store.log.lastErasure(of: stream))
    try log.perform(work)
    #expect(try work.outcome.get().events == 0)
    #expect(try log.readStream(stream).events.last?.isRedacted == false)
    #expect(try log.tombstones().count == 1)
    try log.close()
  }

  @Test func `grows behind who came back, and is restored at any point`() async throws {
    var options = EventLog.Options()
    options.blockSize = 5
    let store = try TemporaryStore(options)
    let folder = TemporaryFolder()
    let (stream, backup) = (StreamName.named("\(marker)-user"), folder.path + "/backup")
    func alice(_ number: Int) throws {
      try store.append(Diary.written("a\(number)", "about alice", id: .number(number)), to: .alice)
    }
    for number in 1...3 {
      try store.say(number)
      try alice(number)
    }
    _ = try store.log.backup(to: backup)
    #expect(try hasMarker(backup))
    _ = try await store.erase()
    let erased = try store.log.lastPosition()
    _ = try store.log.backup(to: backup)
    #expect(try !hasMarker(backup))
    for number in 4...6 {
      try store.say(number)
      try alice(number)
      // After the first time, another epoch of a stream that the backup has is all that is new.
      #expect(try store.log.backup(to: backup).added == 5)
    }
    let last = try store.log.lastPosition()
    for position in 0...last.number {
      let restored = folder.path + "/restored \(position)"
      try EventLog.restore(
        from: backup, to: restored, schema: Diary.schema, at: .position(LogPosition(position)), options: store.options)
      let log = try EventLog(folder: restored, schema: Diary.schema, options: store.options)
      let end = try log.lastPosition()
      #expect(try end.number <= position && log.verify().problems == [])
      #expect(try hasMarker(restored) == (end > erased))
      #expect(try log.lastErasure(of: stream)?.events == 12)
      let state = try log.state(of: stream, by: NotebookProjector(), at: .head, usesSnapshots: false)
      let expected = try store.log.state(of: stream, by: NotebookProjector(), at: .position(end), usesSnapshots: false)
      #expect(state?.version ?? 0 == expected?.version ?? 0)
      // The person goes on where the stream ends, found by the hash of the name.
      let before = try log.version(of: stream)
      let result = try log.appendAndWait([StreamAppend([Diary.written("on", "and on", id: .number(999))], to: stream)])
      #expect(result[0].firstVersion == before.next)
      #expect(try log.verify().problems == [])
      try log.close()
    }
  }

  @Test func `is not read before it has erased again`() async throws {
    let (store, backup, folder) = try await erasedStore()
    defer { withExtendedLifetime(folder) {} }
    try FileManager.default.copyItem(atPath: store.path + "/TOMBSTONES", toPath: backup + "/TOMBSTONES")
    var options = EventLog.Options()
    options.isReadOnly = true
    #expect {
      try EventLog(folder: backup, schema: Diary.schema, options: options)
    } throws: { error in
      if case StorageError.unavailable? = error as? StorageError { true } else { false }
    }
    let log = try EventLog(folder: backup, schema: Diary.schema)
    #expect(try log.streams().map(\.name) == [.alice])
    try log.close()
    #expect(try !hasMarker(backup))
    _ = try EventLog(folder: backup, schema: Diary.schema, options: options)
  }

  @Test func `is told from it by its own file, which is made again where it is lost`() async throws {
    let (store, _, folder) = try await erasedStore()
    let path = store.path + "/TOMBSTONES"
    let written = try Data(contentsOf: URL(filePath: path))
    try store.reopen { try FileManager.default.removeItem(atPath: path) }
    #expect(try Data(contentsOf: URL(filePath: path)) == written)
    _ = try store.log.backup(to: folder.path + "/later")
    #expect(try Data(contentsOf: URL(filePath: folder.path + "/later/TOMBSTONES")) == written)
    #expect(String(decoding: written, as: UTF8.self).contains("the office"))
    #expect(!String(decoding: written, as: UTF8.self).contains(marker))
  }

  @Test func `refuses tombstones that are damaged, missing, or another store's`() async throws {
    let (store, backup, folder) = try await erasedStore()
    let whole = try Data(contentsOf: URL(filePath: store.path + "/TOMBSTONES"))
    let other = try TemporaryStore()
    try other.append(Diary.removed("k", id: .number(1)))
    #expect(try await other.erase(.bob)?.erased == 1)
    var files: [String: Data] = ["missing": Data()]
    for place in [0, 20, 60, whole.count / 2, whole.count - 2] {
      var bytes = whole
      bytes[place] ^= 1
      files["byte \(place)"] = bytes
    }
    files["cut"] = whole.prefix(whole.count - 3)
    files["empty"] = Data()
    files["other"] = try Data(contentsOf: URL(filePath: other.path + "/TOMBSTONES"))
    for (name, bytes) in files {
      let path = folder.path + "/tombstones \(name)"
      if name != "missing" { try bytes.write(to: URL(filePath: path)) }
      let restored = folder.path + "/restored \(name)"
      #expect(throws: StorageError.self, "\(name)") {
        try EventLog.restore(from: backup, to: restored, schema: Diary.schema, tombstones: path)
      }
      #expect(!FileManager.default.fileExists(atPath: restored + "/data.mdb"), "\(name)")
    }
  }
}
