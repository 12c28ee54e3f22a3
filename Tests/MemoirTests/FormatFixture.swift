// The stores among the fixtures: how they were written, and what was found in them then.
import Bytes
import Foundation
import JSON
import Memoir
import Sodium
import TestSupport

@testable import EventStore

/// A store of one format, `Fixtures/Formats/<format>`, copied to a place of its own.
final class FormatFixture {
  let log: EventLog
  let folder: URL
  private let format: Int
  private let copy = TemporaryFolder()

  /// The store of a format.
  convenience init(_ format: Int) throws { try self.init(at: Self.folder(of: format).path, of: format) }

  /// A store at `path` that holds the events of a format.
  init(at path: String, of format: Int) throws {
    folder = URL(fileURLWithPath: path)
    self.format = format
    try Self.copy(folder, to: copy.path)
    var options = EventLog.Options()
    options.creates = false
    options.masterKey = try Self.masterKey(of: format)
    // Written in May 2026; whatever clock this machine has, it is June.
    options.clock = { Self.now }
    log = try EventLog(folder: copy.path, schema: .memoir, options: options)
  }

  static let now = Timestamp(clamping: 1_780_300_000_000_000)

  static func folder(of format: Int) -> URL {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.appending(path: "Fixtures/Formats/\(format)")
  }

  /// Copies the store of a format into a folder that is there.
  static func copy(_ format: Int, to path: String) throws { try copy(folder(of: format), to: path) }

  private static func copy(_ store: URL, to path: String) throws {
    for name in try files(in: store) {
      try FileManager.default.copyItem(
        at: store.appending(path: name), to: URL(fileURLWithPath: path).appending(path: name))
    }
  }

  /// What a store is made of, without its locks.
  static func files(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
      ["MEMOIR", "data.mdb", "TOMBSTONES"].contains($0)
    }
  }

  // MARK: The events

  /// Lines of `events.jsonl`, as they were handed in. The third format has those of the second.
  static func events(of format: Int) throws -> [(stream: StreamName, event: EventData)] {
    let text = try Data(contentsOf: folder(of: min(format, 2)).appending(path: "events.jsonl"))
    let parser = JSONParser()
    return try text.split(separator: UInt8(ascii: "\n")).map { line in
      let read = try EventJSON.read(Array(line).span, with: parser, now: now)
      guard let user = read.user else { throw InvalidValue(field: "user", reason: "is missing") }
      return (StreamName(user, in: read.namespace ?? .default), read.event)
    }
  }

  /// The event in the form that `FactLearned` had first: the confidence as a word.
  static func firstForm(_ event: EventData) throws -> EventData {
    var writer = PayloadWriter()
    var reader = PayloadReader(event.payload.rawSpan)
    while let field = try reader.next() {
      switch (field.number, field.kind) {
      case (3, _):
        let words = ["0.3": "low", "0.6": "medium", "0.9": "high"]
        guard let word = words[try field.bytes.string()] else { throw DamagedBytes() }
        writer.write(word, field: 3)
      case (let number, .json): writer.write(json: field.bytes, field: number)
      case (let number, .integer): writer.write(field.integer, field: number)
      case (let number, _): writer.write(try field.text(), field: number)
      }
    }
    var old = event
    old.typeVersion = 1
    old.payload = writer.bytes
    return old
  }

  /// Whether the event was written in its first form.
  static func isOld(_ event: EventData) -> Bool {
    event.metadata == JSONText(canonical: Array(#"{"form":1}"#.utf8))
  }

  /// The event whose payload was taken out again.
  static let redacted: StreamVersion = 20

  /// Who was erased, and how many of their events came after it, at the end of all; from the second format on.
  static func erased(in format: Int) -> (stream: StreamName, laterEvents: Int)? {
    format < 2 ? nil : (.named("charles"), 2)
  }

  // MARK: What is found

  /// What a store of the format is encrypted with, from the third on.
  static func masterKey(of format: Int) throws -> MasterKey? {
    format < 3 ? nil : MasterKey(bytes: Array(repeating: 3, count: MasterKey.size))
  }

  /// The points at which states are compared: each is there for a reason that the other three have not.
  static func points(of format: Int) -> [(user: String, point: AsOfText)] {
    format < 2 ? plainPoints : plainPoints + [("charles", .now), ("charles", .version(4))]
  }

  private static let plainPoints: [(user: String, point: AsOfText)] = [
    ("ada", .now), ("ada", .version(5)), ("ada", .version(100)), ("ada", .position(150)),
    ("ada", .recorded(Timestamp(clamping: 1_780_000_030_000_000))),
    ("ada", .occurred(Timestamp(clamping: 1_772_446_000_000_000))), ("grace", .now),
    ("grace", .occurred(Timestamp(clamping: 1_772_528_500_000_000))), ("acme/ada", .now),
  ]

  static func stream(_ name: String) -> StreamName {
    let parts = name.split(separator: "/").map(String.init)
    return parts.count == 2 ? .named(parts[1], in: parts[0]) : .named(name)
  }

  /// The states, a line each, as every surface prints them.
  func states(usesSnapshots: Bool) throws -> [String] {
    try Self.points(of: format).map { user, point in
      let stream = Self.stream(user)
      guard
        let folded = try log.state(
          of: stream, by: ContextProjector(), at: point.asOf, usesSnapshots: usesSnapshots)
      else { throw InvalidValue(field: "user", reason: "\(user) is not there") }
      var writer = JSONWriter()
      let form = StateJSON(
        stream: stream, version: folded.version, asOf: point, clock: folded.judgedAt ?? Self.now)
      try form.write(folded.state, to: &writer) { try log.event(at: $0, of: stream) }
      return String(decoding: writer.finish(), as: UTF8.self)
    }
  }

  /// What a format is known by: numbers, the value of the log's chain, and a digest of each projector's states.
  func findings() throws -> [String: String] {
    let statistics = try log.storeStatistics(for: ContextProjector())
    let report = try log.verify()
    var found = [
      "chain": report.chain, "checkpoint": "\(statistics.checkpoint)", "events": "\(report.events)",
      "redacted": "\(report.redacted)", "snapshots": "\(report.snapshots)", "store": "\(log.storeID)",
    ]
    if report.erasures > 0 { found["erasures"] = "\(report.erasures)" }
    for summary in try log.streams() { found["version of \(summary.name)"] = "\(summary.version)" }
    for subscription in try log.subscriptions() {
      found["subscription \(subscription.name)"] = "\(subscription.checkpoint)"
    }
    func replay(_ projector: some Projector) throws {
      found["replay \(projector.name)"] = try log.replay(by: projector).digest
      var plain = ReplayOptions()
      plain.usesSnapshots = false
      found["replay \(projector.name), from the first event"] = try log.replay(by: projector, plain).digest
    }
    try replay(ContextProjector())
    try replay(MessageProjector())
    try replay(FactProjector())
    try replay(PreferenceProjector())
    try replay(RelationshipProjector())
    try replay(SessionProjector())
    try replay(EpisodeProjector())
    try replay(ProfileProjector())
    return found
  }
}

/// Writes a store of today's format: once for each format, by hand, when its bytes are settled.
enum FormatWriter {
  static func write(_ format: Int, to folder: String) async throws {
    let clock = TestClock()
    var options = EventLog.Options()
    options.clock = { clock.now }
    // Small, so that a few hundred events have a checkpoint, an anchor in it, snapshots and a tail.
    options.blockSize = 240
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 4_096)
    options.masterKey = try FormatFixture.masterKey(of: format)
    // Whatever this machine's processor can do, others must be able to read it.
    options.algorithm = .xChaCha20Poly1305
    let store = try MemoirStore(folder: folder, options: options)
    let log = store.log
    let all = try FormatFixture.events(of: format)
    let erased = FormatFixture.erased(in: format)
    try append(all.dropLast(erased?.laterEvents ?? 0), to: log, clock)
    if let erased {
      try await store.erase(erased.stream, by: "the office")
      try append(all.suffix(erased.laterEvents), to: log, clock)
    }
    try log.redact(FormatFixture.redacted, of: .named("ada"))
    try log.makeSubscription(named: "mirror", after: 42)
    for summary in try log.streams() {
      _ = try log.state(of: summary.name, by: ContextProjector())
      _ = try log.state(of: summary.name, by: ContextProjector(), at: .occurredAt(.latest))
    }
    try log.storeDueSnapshots()
    try store.close()
  }

  private static func append(
    _ events: ArraySlice<(stream: StreamName, event: EventData)>, to log: EventLog, _ clock: TestClock
  ) throws {
    var rest = events
    var size = 1
    while !rest.isEmpty {
      // Requests of one to seven events, some of them over several users.
      var appends: [StreamAppend] = []
      for (stream, event) in rest.prefix(size) {
        let event = FormatFixture.isOld(event) ? try FormatFixture.firstForm(event) : event
        if appends.last?.stream == stream {
          appends[appends.count - 1].events.append(event)
        } else {
          appends.append(StreamAppend([event], to: stream))
        }
      }
      try log.appendAndWait(appends)
      rest = rest.dropFirst(size)
      size = size % 7 + 1
      clock.advance(byMicroseconds: 1_000_000)
    }
  }
}
