// What a state looks like to those who ask for it.
import Bytes
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

private func text(_ history: History, asOf: AsOfText = .now, at seconds: Int = 100) throws -> String {
  let state = try history.fold(ContextProjector())
  var writer = JSONWriter(style: .indented)
  var json = StateJSON(
    stream: history.recorded(1).stream, version: StreamVersion(UInt64(history.entries.count)), asOf: asOf,
    clock: History.time(seconds))
  if case .occurred(let time) = asOf { json.erasedAt = time }
  try json.write(state, to: &writer) { history.recorded($0) }
  return String(decoding: writer.finish(), as: UTF8.self)
}

@Suite struct `A state as JSON` {
  @Test func `shows every part, with the events behind it`() throws {
    var history = History()
    try history.append(
      .sessionStarted(SessionStarted(metadata: JSONText(parsing: #"{"agent":"web"}"#))), session: "s-1")
    try history.append(
      .messageAdded(MessageAdded(role: .user, content: "I'm Bob and I hike.")), session: "s-1")
    try history.append(
      .factLearned(
        FactLearned(
          fact: "Hikes", category: "interest", confidence: Fraction(text: "0.90"), importance: 0.8,
          tags: ["sport"])), session: "s-1")
    try history.append(.preferenceUpdated(PreferenceUpdated(key: "name", value: JSONText(string: "Bob"))))
    try history.append(.preferenceUpdated(PreferenceUpdated(key: "name", value: JSONText(string: "Robert"))))
    try history.append(.factRevised(FactRevised(factID: FactID(History.id(3)), fact: "Hikes a lot")))
    try history.append(
      .relationshipLearned(RelationshipLearned(subject: "Bob", predicate: "knows", object: "Al")))
    try history.append(
      .episodeRecorded(
        EpisodeRecorded(task: "Book a hut", actions: ["called"], outcomes: "booked", success: true)))
    try history.append(
      .factLearned(
        FactLearned(fact: "Is in town", category: "place", confidence: 1, expiresAt: History.time(50))))
    try history.append(.sessionEnded(SessionEnded(reason: "closed", summary: "Hiking.")), session: "s-1")
    let golden = #"""
      {
        "as_of": {
          "head": true
        },
        "episodes": [
          {
            "actions": [
              "called"
            ],
            "event_id": "01930000-0000-7000-8000-000000000008",
            "occurred_at": "2026-11-20T10:00:08.000000Z",
            "outcomes": "booked",
            "success": true,
            "task": "Book a hut",
            "version": 8
          }
        ],
        "facts": [
          {
            "archived": false,
            "category": "interest",
            "confidence": 0.90,
            "event_id": "01930000-0000-7000-8000-000000000003",
            "fact": "Hikes a lot",
            "fact_id": "01930000-0000-7000-8000-000000000003",
            "importance": 0.8,
            "learned_at": "2026-11-20T10:00:03.000000Z",
            "revised_by": [
              {
                "event_id": "01930000-0000-7000-8000-000000000006",
                "version": 6
              }
            ],
            "tags": [
              "sport"
            ],
            "version": 3
          }
        ],
        "messages": {
          "recent": [
            {
              "content": "I'm Bob and I hike.",
              "event_id": "01930000-0000-7000-8000-000000000002",
              "occurred_at": "2026-11-20T10:00:02.000000Z",
              "role": "user",
              "session": "s-1",
              "version": 2
            }
          ],
          "total": 1
        },
        "namespace": "default",
        "preferences": {
          "name": {
            "event_id": "01930000-0000-7000-8000-000000000005",
            "previous_value": "Bob",
            "updated_at": "2026-11-20T10:00:05.000000Z",
            "value": "Robert",
            "version": 5
          }
        },
        "profile": {
          "goals": [],
          "interests": [
            "Hikes a lot"
          ],
          "name": "Robert"
        },
        "relationships": [
          {
            "event_id": "01930000-0000-7000-8000-000000000007",
            "learned_at": "2026-11-20T10:00:07.000000Z",
            "object": "Al",
            "predicate": "knows",
            "subject": "Bob",
            "version": 7
          }
        ],
        "sessions": [
          {
            "ended_at": "2026-11-20T10:00:10.000000Z",
            "event_id": "01930000-0000-7000-8000-000000000001",
            "message_count": 1,
            "metadata": {
              "agent": "web"
            },
            "reason": "closed",
            "revised_by": [
              {
                "event_id": "01930000-0000-7000-8000-00000000000a",
                "version": 10
              }
            ],
            "session": "s-1",
            "started_at": "2026-11-20T10:00:01.000000Z",
            "summary": "Hiking.",
            "version": 1
          }
        ],
        "sessions_open": 0,
        "sessions_total": 1,
        "user": "bob",
        "version": 10
      }
      """#
    #expect(try text(history) == golden)
  }

  @Test func `has its keys sorted at every level`() throws {
    var random = SeededRandom(seed: 21)
    let history = try History.random(events: 400, with: &random)
    let state = try text(history, asOf: .occurred(History.time(5)), at: 1_200)
    #expect(try String(decoding: JSONText(parsing: state).indented(), as: UTF8.self) == state)
  }

  @Test func `shows a fact until it expires, and again once a later expiry revives it`() throws {
    var history = History()
    try history.append(
      .factLearned(
        FactLearned(
          fact: "Here", category: "c", confidence: 1, factID: FactID("f"), expiresAt: History.time(50))))
    #expect(try text(history, at: 49).contains("Here"))
    #expect(try !text(history, at: 50).contains("Here"))
    try history.append(.factRevised(FactRevised(factID: FactID("f"), expiresAt: History.time(90))))
    #expect(try text(history, at: 50).contains("Here"))
  }

  @Test func `says which facts have faded`() throws {
    var history = History()
    try history.append(.factLearned(FactLearned(fact: "Old", category: "c", confidence: 1)), at: 0)
    // 0.5 × 0.95³¹ is just above 0.1, 0.5 × 0.95³² just below.
    #expect(try text(history, at: 31 * 86_400).contains(#""archived": false"#))
    #expect(try text(history, at: 32 * 86_400).contains(#""archived": true"#))
  }

  @Test func `calls a fact archived below the limit, not at it`() throws {
    var history = History()
    try history.append(.factLearned(FactLearned(fact: "f", category: "c", confidence: 1, importance: 0.1)), at: 0)
    let fact = try #require(try history.fold(FactProjector()).facts.first)
    #expect(!Decay().isArchived(fact, at: History.time(0)))
    #expect(Decay().isArchived(fact, at: History.time(1)))
  }

  @Test func `cuts a long message between characters`() throws {
    var history = History()
    let content = String(repeating: "x", count: 4_095) + "ü"
    try history.append(.messageAdded(MessageAdded(role: .user, content: content)))
    try history.append(
      .messageAdded(MessageAdded(role: .user, content: String(repeating: "y", count: 4_096))))
    let state = try text(history)
    #expect(state.contains(String(repeating: "x", count: 4_095) + "\","))
    #expect(state.contains(String(repeating: "y", count: 4_096) + "\","))
    #expect(state.split(separator: "\"truncated\": true").count == 2)
  }
}
