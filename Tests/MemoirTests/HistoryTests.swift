// What changed between two points, and where an item comes from.
import Bytes
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

extension History {
  /// What a recorder notes of the events after the first `count`.
  fileprivate func changes(after count: Int, by order: FoldOrder = .version) throws -> ChangeRecorder {
    let projector = ContextProjector()
    var before = projector.initialState()
    var recorder = ChangeRecorder(from: before)
    try forEach(by: order) { index, event in
      if index < count {
        if event.isRedacted {
          try projector.applyRedacted(event, to: &before)
        } else {
          try projector.apply(event, to: &before)
        }
        recorder = ChangeRecorder(from: before)
      } else {
        try recorder.apply(event)
      }
    }
    return recorder
  }

  fileprivate func provenance(of text: String) throws -> ProvenanceRecorder {
    var recorder = ProvenanceRecorder(of: try HistoryItem.candidates(text))
    try forEach { _, event in try recorder.apply(event) }
    return recorder
  }
}

/// A week with Bob, of which the first seven events are the time before.
private func story() throws -> History {
  var history = History()
  func learned(_ text: String, _ id: String, expires seconds: Int? = nil) throws -> MemoirEvent {
    .factLearned(
      try FactLearned(
        fact: text, category: "home", confidence: 0.5, factID: FactID(id),
        expiresAt: seconds.map(History.time)))
  }
  try history.append(.sessionStarted(SessionStarted()), session: "s-1")
  try history.append(learned("Lives in Porto", "home"))
  try history.append(learned("Owns a car", "car"))
  try history.append(learned("Is on holiday", "holiday", expires: 50))
  try history.append(learned("Rents", "rent"))
  try history.append(.preferenceUpdated(PreferenceUpdated(key: "theme", value: JSONText(string: "dark"))))
  try history.append(.preferenceUpdated(PreferenceUpdated(key: "size", value: JSONText(parsing: "1"))))
  // The time after.
  try history.append(.messageAdded(MessageAdded(role: .user, content: "I moved.")), session: "s-1")
  try history.append(
    .factRevised(FactRevised(factID: FactID("home"), fact: "Lives in Lisbon", importance: 0.9)))
  try history.append(.factForgotten(FactForgotten(factID: FactID("car"), reason: "sold")))
  try history.append(learned("Owns a flat", "flat"))
  try history.append(.factRevised(FactRevised(factID: FactID("rent"), supersededBy: FactID("flat"))))
  try history.append(.preferenceUpdated(PreferenceUpdated(key: "theme", value: JSONText(string: "light"))))
  try history.append(.preferenceUpdated(PreferenceUpdated(key: "size", value: JSONText(parsing: "1.0"))))
  try history.append(.sessionEnded(SessionEnded(reason: "closed", summary: "Moving.")), session: "s-1")
  try history.append(.sessionEnded(SessionEnded()), session: "s-2")
  return history
}

@Suite struct `A diff` {
  @Test func `tells what changed and which event did it`() throws {
    let history = try story()
    let diff = StateDiff(try history.changes(after: 7), from: History.time(7), to: History.time(100))
    var writer = JSONWriter()
    try diff.write(to: &writer, stream: history.recorded(1).stream, from: .version(7), to: .now) { version in
      var event = history.recorded(version)
      event.payload = []
      event.isRedacted = true
      return event
    }
    let text = try JSONText(parsing: writer.bytes.span)
    let shown = try JSONParser().parse(text.utf8.span) { diff in
      var versions: [UInt64] = []
      if var events = diff["events"]?.elements {
        while let event = events.next() { versions.append(event["version"]?.uint64 ?? 0) }
      }
      var parts: [String] = []
      for key in ["facts", "from", "messages", "preferences", "sessions", "to", "user"] {
        if let part = diff.member(named: key) { parts.append("\(key) \(JSONText(part))") }
      }
      return (versions, parts)
    }
    func id(_ number: Int) -> String { "\"event_id\":\"\(History.id(number))\"" }
    func time(_ number: Int) -> String { "\"\(History.time(number))\"" }
    func fact(_ number: Int, _ id: Int, _ text: String, _ name: String, _ rest: [String: String] = [:])
      -> String
    {
      var members = [
        "archived": "false", "category": "\"home\"", "confidence": "0.5", "event_id": "\"\(History.id(id))\"",
        "fact": "\"\(text)\"", "fact_id": "\"\(name)\"", "learned_at": time(number), "version": "\(id)",
      ]
      members.merge(rest) { $1 }
      return "{"
        + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }
    #expect(shown.0 == [4, 9, 10, 11, 12, 13, 15, 16])
    #expect(
      shown.1 == [
        "facts {\"expired\":[\(fact(4, 4, "Is on holiday", "holiday", ["expires_at": time(50)]))],"
          + "\"forgotten\":[\(fact(3, 10, "Owns a car", "car", ["reason": "\"sold\""])),"
          + "\(fact(5, 12, "Rents", "rent", ["superseded_by": "\"flat\""]))],"
          + "\"learned\":[\(fact(11, 11, "Owns a flat", "flat"))],\"revised\":["
          + fact(
            2, 9, "Lives in Lisbon", "home",
            [
              "importance": "0.9", "revised_by": "[{\(id(9)),\"version\":9}]",
              "from": "{\"fact\":\"Lives in Porto\",\"importance\":null}",
            ]) + "]}",
        "from \"v7\"", "messages {\"added\":1}",
        "preferences {\"changed\":[{\(id(13)),\"from\":\"dark\",\"key\":\"theme\",\"to\":\"light\",\"version\":13}]}",
        "sessions {\"begun\":[{\(id(16)),\"session\":\"s-2\",\"started_at\":\(time(16)),\"version\":16}],"
          + "\"ended\":[{\"ended_at\":\(time(15)),\(id(15)),\"reason\":\"closed\",\"session\":\"s-1\","
          + "\"summary\":\"Moving.\",\"version\":15},{\"ended_at\":\(time(16)),\(id(16)),\"session\":\"s-2\","
          + "\"version\":16}]}",
        "to \"now\"", "user \"bob\"",
      ])
  }

  @Test func `of a point with itself is empty`() throws {
    let history = try story()
    let diff = StateDiff(try history.changes(after: 16), from: History.time(100), to: History.time(100))
    #expect(diff.events.isEmpty)
    #expect(diff.messagesAdded == 0)
  }

  @Test(arguments: 1...12, FoldOrder.allCases)
  func `of any two points accounts for both end states`(seed: UInt64, order: FoldOrder) throws {
    var random = SeededRandom(seed: seed)
    let history = try History.random(events: 150, with: &random)
    let recorder = try history.changes(after: Int.random(in: 0...150, using: &random), by: order)
    #expect(try recorder.after == history.fold(ContextProjector(), by: order))
    let (from, to) = (History.time(1_050), History.time(1_200))
    let diff = StateDiff(recorder, from: from, to: to)
    let before = Set(recorder.before.facts.facts.filter { !$0.isExpired(at: from) }.map(\.factID))
    let after = Set(recorder.after.facts.facts.filter { !$0.isExpired(at: to) }.map(\.factID))
    let gone = Set((diff.forgotten + diff.expired).map(\.fact.factID))
    #expect(before.subtracting(after) == gone)
    #expect(after.subtracting(before).isSuperset(of: diff.learned.map(\.factID)))
    #expect(
      after.subtracting(before).isSubset(of: diff.learned.map(\.factID) + diff.revised.map(\.after.factID)))
    #expect(UInt64(diff.begun.count) == recorder.after.sessions.total - recorder.before.sessions.total)
    #expect(
      diff.begun.count - diff.ended.count
        == recorder.after.sessions.openCount - recorder.before.sessions.openCount)
    for change in diff.preferences {
      #expect(recorder.before.preferences[change.key]?.value == change.from)
      #expect(recorder.after.preferences[change.key]?.value == change.to)
    }
    #expect(diff.events == diff.events.sorted())
  }
}

@Suite struct `A diff from a later point to an earlier one` {
  // Where the same events of the user came before both, nothing but the events was compared: what had expired in between
  // was shown as revised.
  @Test func `is refused, also where only others did something in between`() throws {
    let (folder, clock) = (TemporaryFolder(), TestClock())
    var options = EventLog.Options()
    options.clock = { clock.now }
    let store = try MemoirStore(folder: folder.path + "/store", options: options)
    let bob = StreamName(try UserID("bob"))
    func append(_ number: Int, to user: StreamName) throws {
      let holiday = try FactLearned(
        fact: "Is on holiday", category: "home", confidence: 1,
        expiresAt: clock.now.advanced(byMicroseconds: 1_500))
      let event = try EventData(.factLearned(holiday), id: History.id(number), occurredAt: clock.now)
      _ = try store.log.appendAndWait([StreamAppend([event], to: user)])
      clock.advance(byMicroseconds: 1_000)
    }
    try append(1, to: bob)
    let learned = clock.now
    for number in 2...3 { try append(number, to: StreamName(try UserID("eve"))) }
    let later: [AsOfText] = [.position(3), .recorded(clock.now), .now]
    for earlier: AsOfText in [.version(1), .position(2), .recorded(learned)] {
      for point in later {
        #expect(throws: MemoirError.self, "from \(point) to \(earlier)") {
          try store.diff(of: bob, from: point, to: earlier)
        }
        let changes = try store.diff(of: bob, from: earlier, to: point).changes
        #expect(changes.expired.count == 1 && changes.revised.isEmpty, "from \(earlier) to \(point)")
      }
    }
    try store.close()
  }
}

@Suite struct `The provenance of an item` {
  private func steps(_ history: History, _ text: String) throws -> [String] {
    try history.provenance(of: text).found().steps.map { "\($0.event.version) \($0.effect)" }
  }

  @Test func `is every event that put it there or changed it`() throws {
    var history = try story()
    try history.append(
      .factLearned(FactLearned(fact: "Again", category: "c", confidence: 1, factID: FactID("car"))))
    try history.append(.sessionsCompacted(SessionsCompacted(sessions: [SessionID("s-1")], summary: "")))
    #expect(try steps(history, "fact:home") == ["2 learned", "9 revised"])
    #expect(try steps(history, "fact:car") == ["3 learned", "10 forgotten"])
    #expect(try steps(history, "rent") == ["5 learned", "12 superseded"])
    #expect(try steps(history, "preference:theme") == ["6 updated", "13 updated"])
    #expect(try steps(history, "session:s-1") == ["1 began", "15 ended", "18 compacted"])
    #expect(try steps(history, "s-2") == ["16 began", "16 ended"])
  }

  @Test func `shows the item as it is, and null once it is gone`() throws {
    let history = try story()
    func current(_ text: String) throws -> String? {
      var writer = JSONWriter()
      try history.provenance(of: text).write(
        to: &writer, stream: history.recorded(1).stream, clock: History.time(100)
      ) { history.recorded($0) }
      let bytes = writer.finish()
      #expect(try JSONText(parsing: bytes.span).kind == .object)
      return try JSONParser().parse(bytes.span) { node -> String? in
        guard let current = node["current"] else { return nil }
        return JSONText(current).description
      }
    }
    #expect(try current("fact:car") == "null")
    #expect(try current("fact:holiday") == "null")
    #expect(try current("fact:home")?.contains("Lives in Lisbon") == true)
    #expect(try current("theme")?.contains(#""value":"light""#) == true)
    #expect(try current("s-1")?.contains(#""summary":"Moving.""#) == true)
  }

  // Followed through a state that holds only the sessions which ended last, one that ended before those was shown as open
  // still, and its late start was not seen.
  @Test func `of a session is whole, however many have ended since`() throws {
    var history = History()
    try history.append(.messageAdded(MessageAdded(role: .user, content: "Hi.")), session: "old", at: 1)
    for number in 1...SessionsState.endedLimit {
      try history.append(.sessionEnded(SessionEnded()), session: "s-\(number)", at: 100 + number)
    }
    try history.append(.sessionEnded(SessionEnded(reason: "timeout")), session: "old", at: 50)
    try history.append(.sessionStarted(SessionStarted(idleTimeoutSeconds: 60)), session: "old", at: 51)
    try history.append(.messageAdded(MessageAdded(role: .user, content: "Bye.")), session: "old", at: 52)
    let recorder = try history.provenance(of: "old")
    let steps = try recorder.found().steps.map { "\($0.event.version) \($0.effect)" }
    #expect(steps == ["1 began", "22 ended", "23 started"])
    var writer = JSONWriter()
    try recorder.write(to: &writer, stream: history.recorded(1).stream, clock: History.time(100)) { _ in nil }
    let text = String(decoding: writer.finish(), as: UTF8.self)
    #expect(text.contains(#""ended_at":"\#(History.time(50))""#), "\(text)")
    #expect(text.contains(#""message_count":2"#), "\(text)")
  }

  @Test func `needs a name that fits one item`() throws {
    var history = try story()
    try history.append(.preferenceUpdated(PreferenceUpdated(key: "home", value: .null)))
    #expect { try steps(history, "home") } throws: { ($0 as? MemoirError)?.code == .invalidArgument }
    #expect { try steps(history, "fact:none") } throws: { ($0 as? MemoirError)?.code == .notFound }
    #expect(throws: InvalidValue.self) { try HistoryItem.candidates("fact:") }
    #expect(throws: InvalidValue.self) { try HistoryItem.candidates("") }
  }
}
