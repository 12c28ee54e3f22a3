// Stores that were written by each format there ever was, opened by today's program.
import Foundation
import JSON
import Memoir
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A store written by an earlier version` {
  static let formats = [1, 2, 3]

  static func expectations(_ format: Int) throws -> [String: String] {
    let url = FormatFixture.folder(of: format).appending(path: "findings.json")
    return try JSONDecoder().decode([String: String].self, from: Data(contentsOf: url))
  }

  private static func expectedStates(_ format: Int) throws -> [String] {
    let url = FormatFixture.folder(of: format).appending(path: "states.jsonl")
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  // A difference here means that histories mean something else than they did. Where that is intended, the projector's
  // version goes up and the recorded figures change with it, in the same commit.
  @Test(arguments: formats) func `replays to the states it had then`(format: Int) throws {
    let fixture = try FormatFixture(format)
    let expected = try Self.expectations(format)
    let found = try fixture.findings()
    for key in Set(expected.keys).union(found.keys).sorted() {
      #expect(found[key] == expected[key], "\(key)")
    }
  }

  @Test(arguments: formats, [true, false])
  func `shows what it showed, at every kind of point`(format: Int, usesSnapshots: Bool) throws {
    let fixture = try FormatFixture(format)
    let expected = try Self.expectedStates(format)
    let found = try fixture.states(usesSnapshots: usesSnapshots)
    for (found, expected) in zip(found, expected) { #expect(found == expected) }
    #expect(found.count == expected.count)
  }

  @Test(arguments: formats) func `is sound, and so are its index and snapshots`(format: Int) throws {
    let fixture = try FormatFixture(format)
    let report = try fixture.log.verify()
    #expect(report.problems.isEmpty)
    let statistics = try fixture.log.storeStatistics(for: ContextProjector())
    #expect(statistics.checkpoint > 0 && statistics.tailEvents > 0, "it has a part of each kind")
    #expect(report.snapshots > 0 && report.redacted > 0)
  }

  @Test(arguments: [2, 3])
  func `says who was erased to none but who knows them, and takes them back`(format: Int) throws {
    let fixture = try FormatFixture(format)
    let stream = try #require(FormatFixture.erased(in: format)).stream
    let events = try fixture.log.readStream(stream).events
    #expect(events.map(\.isRedacted) == Array(repeating: true, count: 6) + [false, false, false])
    #expect(events.prefix(6).allSatisfy { $0.session == nil && $0.payload.isEmpty })
    #expect(events[6].type == .userErased && events[7].stream == stream)
    let tombstone = try #require(try fixture.log.lastErasure(of: stream))
    #expect(tombstone.events == 6 && tombstone.version == 6 && tombstone.by == "the office")
    let store = try Data(contentsOf: FormatFixture.folder(of: format).appending(path: "data.mdb"))
    #expect(store.range(of: Data("difference".utf8)) == nil)
    #expect((store.range(of: Data("Back again".utf8)) == nil) == (format == 3))
  }

  // The same events, encrypted: what they fold to says nothing of how they were kept.
  @Test func `means the same where it is encrypted`() throws {
    let (plain, encrypted) = (try Self.expectations(2), try Self.expectations(3))
    for key in plain.keys where key.hasPrefix("replay") || key.hasPrefix("version") || key == "redacted" {
      #expect(plain[key] == encrypted[key], "\(key)")
    }
    #expect(try Self.expectedStates(2) == Self.expectedStates(3))
    #expect(throws: StorageError.self) {
      let folder = TemporaryFolder()
      try FormatFixture.copy(3, to: folder.path)
      _ = try EventLog(folder: folder.path, schema: .memoir)
    }
  }

  // It got the tables it had not before it was refused.
  @Test func `is left as it is where a master key is given for one that is not encrypted`() throws {
    let folder = TemporaryFolder()
    try FormatFixture.copy(1, to: folder.path)
    let data = URL(fileURLWithPath: folder.path + "/data.mdb")
    let before = try Data(contentsOf: data)
    var options = EventLog.Options()
    options.masterKey = try FormatFixture.masterKey(of: 3)
    let error = #expect(throws: StorageError.self) {
      try EventLog(folder: folder.path, schema: .memoir, options: options)
    }
    if case .wrongKey = error {} else { Issue.record("\(String(describing: error))") }
    #expect(try Data(contentsOf: data) == before)
  }

  @Test(arguments: formats) func `gives back every event as it was handed in`(format: Int) throws {
    let fixture = try FormatFixture(format)
    for (stream, event) in try FormatFixture.events(of: format) {
      let found = try #require(try fixture.log.event(event.id, of: stream))
      #expect(found.type == event.type && found.occurredAt == event.occurredAt)
      let isErased = stream == FormatFixture.erased(in: format)?.stream && found.isRedacted
      #expect(found.session == (isErased ? nil : event.session))
      if found.isRedacted { continue }
      #expect(found.metadata == event.metadata)
      #expect(found.typeName == event.customType ?? EventSchema.memoir.name(of: event.type))
      let isSame = Payload.isSame(found.payload.rawSpan, event.payload.rawSpan)
      #expect(isSame, "\(found.position)")
    }
  }

  // It was written before there was a table for what is made of events.
  @Test func `does without what is derived while it can only be read, and has it from the next writing on`()
    async throws
  {
    let folder = TemporaryFolder()
    try FormatFixture.copy(1, to: folder.path)
    var options = EventLog.Options()
    options.creates = false
    options.isReadOnly = true
    let kind = DerivedKind("test")
    var log = try EventLog(folder: folder.path, schema: .memoir, options: options)
    let stream = try #require(try log.streams().first).name
    let entry = DerivedEntry(of: 1, in: stream, bytes: [7])
    #expect(try log.lastDerived(kind, of: stream) == 0 && log.verify().isSound)
    await #expect(throws: StorageError.self) {
      try await log.storeDerived([entry], as: kind, redactions: log.redactionCount())
    }
    try log.close()
    options.isReadOnly = false
    log = try EventLog(folder: folder.path, schema: .memoir, options: options)
    #expect(try await log.storeDerived([entry], as: kind, redactions: log.redactionCount()))
    #expect(try log.lastDerived(kind, of: stream) == 1 && log.verify().isSound)
    try log.close()
    options.isReadOnly = true
    log = try EventLog(folder: folder.path, schema: .memoir, options: options)
    #expect(try log.lastDerived(kind, of: stream) == 1)
    try log.close()
  }

  // Facts of the first form are repeated in today's: the same content all the same.
  @Test(arguments: formats) func `knows every event again`(format: Int) throws {
    let fixture = try FormatFixture(format)
    let last = try fixture.log.lastPosition()
    let events = try FormatFixture.events(of: format)
    #expect(events.contains { FormatFixture.isOld($0.event) })
    for (stream, event) in events {
      if let known = try fixture.log.event(event.id, of: stream), known.isRedacted {
        #expect(throws: AppendError.idConflict(stream: stream, ids: [event.id], isErased: true)) {
          try fixture.log.appendAndWait([StreamAppend([event], to: stream)])
        }
        continue
      }
      let results = try fixture.log.appendAndWait([StreamAppend([event], to: stream)])
      #expect(results[0].isDuplicate, "\(event.id)")
      if FormatFixture.isOld(event) {
        let old = try FormatFixture.firstForm(event)
        #expect(try fixture.log.appendAndWait([StreamAppend([old], to: stream)])[0].isDuplicate)
      }
    }
    #expect(try fixture.log.lastPosition() == last)
  }

  @Test(arguments: formats) func `takes new events, and is rebuilt from its log`(format: Int) throws {
    let fixture = try FormatFixture(format)
    let before = try fixture.states(usesSnapshots: true)
    try fixture.log.repairDerived()
    #expect(try fixture.states(usesSnapshots: true) == before)
    let event = try EventData(
      .messageAdded(MessageAdded(role: .user, content: "Still here.")), session: .named("new"), id: .number(1)
    )
    try fixture.log.appendAndWait([StreamAppend([event], to: .named("ada"))])
    #expect(try fixture.log.verify().problems.isEmpty)
  }
}

@Suite struct `The same events, written today` {
  private static let target = ProcessInfo.processInfo.environment["MEMOIR_WRITE_FORMAT"].flatMap { Int($0) }

  // With MEMOIR_WRITE_FORMAT=N what comes out is kept as Fixtures/Formats/N: once, when a format is new.
  @Test(arguments: target.map { [$0] } ?? [2, 3]) func `mean what they meant then`(format: Int) async throws {
    let made = TemporaryFolder()
    try await FormatWriter.write(format, to: made.path + "/store")
    if let target = Self.target { try Self.keep(made.path + "/store", as: target) }

    let fixture = try FormatFixture(at: made.path + "/store", of: format)
    let expected = try `A store written by an earlier version`.expectations(format)
    // The store's own id and secrets differ, and so its chain; what the events fold to does not.
    let found = try fixture.findings()
    for key in expected.keys.sorted() where key.hasPrefix("replay") || key.hasPrefix("version") {
      #expect(found[key] == expected[key], "\(key)")
    }
  }

  private static func keep(_ store: String, as format: Int) throws {
    let folder = FormatFixture.folder(of: format)
    try #require(!FileManager.default.fileExists(atPath: folder.appending(path: "data.mdb").path))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in try FormatFixture.files(in: URL(fileURLWithPath: store)) {
      try FileManager.default.copyItem(
        at: URL(fileURLWithPath: store + "/" + name), to: folder.appending(path: name))
    }
    let fixture = try FormatFixture(format)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(try fixture.findings()).write(to: folder.appending(path: "findings.json"))
    let states = try fixture.states(usesSnapshots: false).map { $0 + "\n" }.joined()
    try Data(states.utf8).write(to: folder.appending(path: "states.jsonl"))
  }
}
