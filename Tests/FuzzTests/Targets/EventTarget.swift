// Events as JSON, as files, requests and imports bring them.
import Bytes
import EventStore
import JSON
import Memoir
import TestSupport

@testable import EventStore
@testable import Memoir

struct EventTarget: FuzzTarget {
  static let name = "event"
  private let parser = JSONParser()

  func check(_ bytes: [UInt8]) throws -> Bool {
    let read: IncomingEvent
    do throws(MemoirError) {
      read = try EventJSON.read(bytes.span, with: parser, now: .earliest)
    } catch {
      try hold(error.code != .internal, "bad input is no fault of the program: \(error.message)")
      return false
    }
    let event = read.event
    let recorded = Self.recorded(event)
    let text = try Self.printed(recorded)
    let again = try EventJSON.read(text.span, with: parser, now: .earliest).event
    try hold(again.payload == event.payload, "an event that was printed and read says something else")
    try hold(
      again.id == event.id && again.metadata == event.metadata && again.session == event.session
        && again.type == event.type && again.customType == event.customType,
      "an event that was printed and read is another")
    try hold(try Self.printed(Self.recorded(again)) == text, "an event is printed in one way")
    let isKnown = try MemoirEvent(recorded) != nil
    try hold(isKnown, "an event that was accepted is one of the vocabulary")
    return true
  }

  private static func recorded(_ event: EventData) -> RecordedEvent {
    RecordedEvent(
      stream: .bob, version: 1, position: 3, id: event.id, type: event.type,
      typeName: event.customType ?? EventSchema.memoir.name(of: event.type), typeVersion: event.typeVersion,
      session: event.session, occurredAt: event.occurredAt ?? .earliest, recordedAt: .earliest,
      metadata: event.metadata, payload: event.payload, isRedacted: false)
  }

  private static func printed(_ event: RecordedEvent) throws -> [UInt8] {
    var writer = JSONWriter()
    try EventJSON.write(event, to: &writer)
    return writer.finish()
  }

  static let words =
    JSONTarget.words + [
      "\"type\"", "\"data\"", "\"user\"", "\"session\"", "\"metadata\"", "\"occurred_at\"", "\"namespace\"", "\"id\"",
      "MessageAdded", "FactLearned", "FactRevised", "FactForgotten", "PreferenceUpdated", "RelationshipLearned",
      "EpisodeRecorded", "SessionStarted", "SessionEnded", "SessionsCompacted", "UserErased", "$bytes",
      "\"expires_at\"", "\"memory_type\"", "\"superseded_by\"", "\"idle_timeout_seconds\"", "2026-01-01T00:00:00Z",
    ]

  static func seeds() throws -> [[UInt8]] {
    let id = #""id":"0193f9a0-0000-7000-8000-000000000001","user":"bob","session":"s-1""#
    return [
      ("SessionStarted", #"{"idle_timeout_seconds":90,"metadata":{"agent":"web","n":[1,2.50]}}"#),
      ("MessageAdded", #"{"content":"a\"\u0000\nß🙂","message_id":"m-1","role":"user"}"#),
      (
        "FactLearned",
        #"{"category":"c","confidence":1,"expires_at":"2026-11-20T10:00:00.123456Z","fact":"f","#
          + #""fact_id":"0193f9a0-0000-7000-8000-000000000001","importance":5e-1,"memory_type":"procedural","#
          + #""metadata":{"k":[]},"source_message_id":"m","tags":["a","b"],"other":[1]}"#
      ),
      ("FactRevised", #"{"fact_id":"f-1","superseded_by":"f-2","tags":[]}"#),
      ("FactForgotten", #"{"fact_id":"f-1","reason":"asked"}"#),
      ("PreferenceUpdated", #"{"key":"theme","previous_value":1.0,"value":{"a":[1,{"b":2}]}}"#),
      ("RelationshipLearned", #"{"confidence":0,"object":"Alice","predicate":"works with","subject":"Bob"}"#),
      ("EpisodeRecorded", #"{"actions":["a"],"lessons":["l"],"outcomes":"well","success":true,"task":"t"}"#),
      ("SessionEnded", #"{"reason":"closed","summary":"About tea."}"#),
      ("SessionsCompacted", #"{"sessions":["s-1","s-2"],"summary":"Tea."}"#),
      ("acme:Order.placed-2", #"[1,{"a":"$"},null]"#), ("acme.Bytes", #"{"$bytes":"AAEC"}"#),
    ].map { type, data in
      Array(#"{\#(id),"type":"\#(type)","occurred_at":"2026-01-01T00:00:00+02:00","data":\#(data)}"#.utf8)
    }
  }
}
