// What is accepted as an event, what is refused and how it is named, and that what is printed reads back the same.
import Bytes
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

private func read(_ json: String) throws -> IncomingEvent {
  try EventJSON.read(json.utf8Span.span, with: JSONParser(), now: History.time(0))
}

/// An event of `type` with `data`, in a session.
private func read(_ type: String, _ data: String) throws -> EventData {
  try read(#"{"user":"bob","session":"s-1","type":"\#(type)","data":\#(data)}"#).event
}

/// The JSON of `data` as it is printed for an event that was handed in with it.
private func printedData(_ type: String, _ data: String) throws -> String {
  var history = History()
  history.append(try read(type, data))
  var writer = JSONWriter()
  try EventJSON.writeData(of: history.recorded(1), to: &writer)
  return String(decoding: writer.finish(), as: UTF8.self)
}

private func refusal(_ body: () throws -> Void) -> MemoirError? {
  do {
    try body()
    return nil
  } catch {
    return error as? MemoirError
  }
}

@Suite struct `Reading an event` {
  @Test(arguments: [
    ("SessionStarted", #"{}"#),
    ("SessionStarted", #"{"idle_timeout_seconds":90,"metadata":{"agent":"web","n":[1,2.50]}}"#),
    ("MessageAdded", #"{"content":"","role":"tool"}"#),
    ("MessageAdded", #"{"content":"a\"\u0000\nß🙂","message_id":"m-1","role":"user"}"#),
    ("FactLearned", #"{"category":"food","confidence":0.90,"fact":"Likes tea"}"#),
    (
      "FactLearned",
      #"{"category":"c","confidence":1,"expires_at":"2026-11-20T10:00:00.123456Z","fact":"f","#
        + #""fact_id":"0193f9a0-0000-7000-8000-000000000001","importance":5e-1,"memory_type":"procedural","#
        + #""metadata":{"k":[]},"source_message_id":"m","tags":["a","b"]}"#
    ),
    ("FactRevised", #"{"confidence":0.2,"fact_id":"f-1"}"#),
    ("FactRevised", #"{"fact_id":"f-1","superseded_by":"f-2","tags":[]}"#),
    ("FactForgotten", #"{"fact_id":"f-1","reason":"asked"}"#),
    ("PreferenceUpdated", #"{"key":"theme","previous_value":1.0,"value":null}"#),
    ("PreferenceUpdated", #"{"key":"0193f9a0-0000-7000-8000-000000000001","value":{"a":[1,{"b":2}]}}"#),
    ("RelationshipLearned", #"{"confidence":0,"object":"Alice","predicate":"works with","subject":"Bob"}"#),
    ("EpisodeRecorded", #"{"actions":["a"],"lessons":["l"],"outcomes":[],"success":true,"task":"t"}"#),
    ("EpisodeRecorded", #"{"actions":"did it","outcomes":"went well","success":false,"task":"t"}"#),
    ("SessionEnded", #"{"reason":"closed","summary":"About tea."}"#),
    ("SessionsCompacted", #"{"sessions":["s-1","s-2"],"summary":"Tea."}"#),
    ("acme:Order.placed-2", #"[1,{"a":"$"},null]"#),
    ("Bytes", #"{"x":{"$bytes":"AAEC/w=="}}"#),
    ("MessageAdded", #"{"aaa":1,"content":"c","mood":{"x":[1]},"role":"user","zzz":null}"#),
  ])
  func `what was handed in is printed again`(type: String, data: String) throws {
    #expect(try printedData(type, data) == data)
  }

  @Test(arguments: [
    ("MessageAdded", #"{"role":"user","message_id":null,"content":"c"}"#, #"{"content":"c","role":"user"}"#),
    (
      "FactLearned",
      #"{"fact":"f","category":"c","confidence":0.5,"tags":null,"expires_at":"2026-11-20T12:00:00+02:00"}"#,
      #"{"category":"c","confidence":0.5,"expires_at":"2026-11-20T10:00:00.000000Z","fact":"f"}"#
    ),
    (
      "FactForgotten", #"{"fact_id":"0193F9A0-0000-7000-8000-00000000000A"}"#,
      #"{"fact_id":"0193f9a0-0000-7000-8000-00000000000a"}"#
    ),
    (
      "PreferenceUpdated", #"{"value":{"b":1,"a":2},"key":"k","previous_value":null}"#,
      #"{"key":"k","value":{"a":2,"b":1}}"#
    ),
  ])
  func `there is one spelling for the same data`(type: String, data: String, canonical: String) throws {
    #expect(try printedData(type, data) == canonical)
  }

  @Test(arguments: [
    (#"{"type":"MessageAdded","data":{"role":"robot","content":"x"}}"#, "data.role"),
    (#"{"type":"MessageAdded","data":{"content":"x"}}"#, "data.role"),
    (#"{"type":"MessageAdded","data":{"role":"user"}}"#, "data.content"),
    (#"{"type":"MessageAdded","data":{"role":"user","content":null}}"#, "data.content"),
    (#"{"type":"MessageAdded","data":{"role":"user","content":3}}"#, "data.content"),
    (#"{"type":"MessageAdded","data":{"role":"user","content":"","message_id":""}}"#, "data.message_id"),
    (#"{"type":"MessageAdded","data":[]}"#, "data"),
    (#"{"type":"MessageAdded"}"#, "data"),
    (#"{"data":{}}"#, "type"),
    (#"{"type":7,"data":{}}"#, "type"),
    (#"{"type":"messageadded","data":{}}"#, "type"),
    (#"{"type":"USERERASED","data":{}}"#, "type"),
    (#"{"type":"UserErased","data":{}}"#, "type"),
    (#"{"type":"1abc","data":{}}"#, "type"),
    (#"{"type":"a b","data":{}}"#, "type"),
    (#"{"type":"","data":{}}"#, "type"),
    (#"{"type":"X","data":{"a":[{"$x":1}]}}"#, "data.a[0].$x"),
    (#"{"type":"X","data":{"$bytes":"AAE"}}"#, "data.$bytes"),
    (#"{"type":"X","data":{"$bytes":"AAE=","b":1}}"#, "data.$bytes"),
    (#"{"type":"X","data":{"\u0024y":1}}"#, "data.$y"),
    (#"{"type":"SessionStarted","data":{}}"#, "session"),
    (#"{"type":"SessionEnded","data":{}}"#, "session"),
    (
      #"{"type":"SessionStarted","session":"s","data":{"idle_timeout_seconds":-1}}"#,
      "data.idle_timeout_seconds"
    ),
    (
      #"{"type":"SessionStarted","session":"s","data":{"idle_timeout_seconds":1.5}}"#,
      "data.idle_timeout_seconds"
    ),
    (#"{"type":"SessionStarted","session":"s","data":{"metadata":[]}}"#, "data.metadata"),
    (#"{"type":"SessionsCompacted","data":{"sessions":[],"summary":""}}"#, "data.sessions"),
    (#"{"type":"SessionsCompacted","data":{"sessions":["a",".."],"summary":""}}"#, "data.sessions[1]"),
    (#"{"type":"FactLearned","data":{"fact":"f","category":"c"}}"#, "data.confidence"),
    (#"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":1.01}}"#, "data.confidence"),
    (#"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":-0.1}}"#, "data.confidence"),
    (#"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":"high"}}"#, "data.confidence"),
    (
      #"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":1,"importance":1e400}}"#,
      "data.importance"
    ),
    (#"{"type":"FactLearned","data":{"fact":"","category":"c","confidence":1}}"#, "data.fact"),
    (#"{"type":"FactLearned","data":{"fact":"f","category":"","confidence":1}}"#, "data.category"),
    (
      #"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":1,"tags":["a",1]}}"#, "data.tags"
    ),
    (
      #"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":1,"memory_type":"Semantic"}}"#,
      "data.memory_type"
    ),
    (
      #"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":1,"expires_at":"2026-11-20"}}"#,
      "data.expires_at"
    ),
    (
      #"{"type":"FactLearned","data":{"fact":"f","category":"c","confidence":1,"expires_at":"2026-11-20T10:00:60Z"}}"#,
      "data.expires_at"
    ),
    (#"{"type":"FactRevised","data":{"fact":"f"}}"#, "data.fact_id"),
    (#"{"type":"FactRevised","data":{"fact_id":"a","superseded_by":"a"}}"#, "data.superseded_by"),
    (#"{"type":"FactForgotten","data":{"fact_id":"a\u200bb"}}"#, "data.fact_id"),
    (#"{"type":"PreferenceUpdated","data":{"key":"k"}}"#, "data.value"),
    (#"{"type":"PreferenceUpdated","data":{"key":"","value":1}}"#, "data.key"),
    (#"{"type":"RelationshipLearned","data":{"subject":"a","predicate":"b","object":""}}"#, "data.object"),
    (
      #"{"type":"EpisodeRecorded","data":{"task":"t","actions":[1],"outcomes":[],"success":true}}"#,
      "data.actions"
    ),
    (
      #"{"type":"EpisodeRecorded","data":{"task":"t","actions":[],"outcomes":[],"success":"yes"}}"#,
      "data.success"
    ),
    (#"{"type":"X","data":1,"colour":"red"}"#, "colour"),
    (#"{"type":"X","data":1,"id":"123"}"#, "id"),
    (#"{"type":"X","data":1,"user":"a\u202eb"}"#, "user"),
    (#"{"type":"X","data":1,"user":5}"#, "user"),
    (#"{"type":"X","data":1,"namespace":"."}"#, "namespace"),
    (#"{"type":"X","data":1,"session":""}"#, "session"),
    (#"{"type":"X","data":1,"occurred_at":"1969-12-31T23:59:59Z"}"#, "occurred_at"),
    (#"{"type":"X","data":1,"metadata":"m"}"#, "metadata"),
  ])
  func `what cannot be accepted is refused by name`(json: String, field: String) throws {
    let error = try #require(refusal { _ = try read(json) })
    #expect(error.code == .invalidArgument)
    #expect(error.message.hasPrefix(field + ":"))
    let named = try JSONParser().parse(error.details.utf8.span) { $0["field"]?.string }
    #expect(named == field)
  }

  @Test func `what was taken out of another store is refused, with what would have it`() throws {
    for field in [#""redacted":true"#, #""redacted":true,"data":{}"#] {
      let refused = refusal { _ = try read(#"{"user":"bob","type":"MessageAdded",\#(field)}"#) }
      #expect(refused?.code == .invalidArgument)
      #expect(refused?.message.hasPrefix("redacted: what it said was taken out; only an export") == true)
    }
    let other = refusal { _ = try read(#"{"user":"bob","type":"MessageAdded","data":{},"redacted":1}"#) }
    #expect(other?.message == "redacted: is no known field")
  }

  @Test func `several unknown fields are all named`() throws {
    let error = try #require(refusal { _ = try read(#"{"type":"X","data":1,"a":1,"b":2}"#) })
    #expect(error.details.description == #"{"field":"a","fields":["a","b"]}"#)
  }

  @Test func `what the store gives is ignored`() throws {
    let event = try read(
      #"{"type":"X","data":1,"version":"x","position":-3,"recorded_at":null,"user":"bob","namespace":"shop"}"#
    )
    #expect(event.user?.description == "bob")
    #expect(event.namespace?.description == "shop")
    #expect(event.event.occurredAt == nil)
  }

  @Test(
    arguments: [
      (#"{"type":"X","data":{"a":1,"a":2}}"#, ErrorCode.invalidJSON),
      (#"{"type":"X","data":"\ud800"}"#, .invalidJSON),
      (#"{"type":"X","data":1"#, .invalidJSON),
      ("[" + String(repeating: "[", count: 64) + String(repeating: "]", count: 65), .invalidJSON),
      (
        #"{"type":"X","data":"# + String(repeating: "[", count: 63) + String(repeating: "]", count: 63) + "}",
        nil
      ),
      (#"{"type":"X","data":""# + String(repeating: "x", count: 1 << 20) + #""}"#, nil),
      (#"{"type":"X","data":""# + String(repeating: "x", count: 1 << 20) + #"y"}"#, .tooLarge),
      (
        #"{"type":"MessageAdded","data":{"role":"user","content":""# + String(repeating: "x", count: 1 << 20)
          + #"y"}}"#, .tooLarge
      ),
      (
        #"{"type":"X","data":1,"metadata":{"m":""# + String(repeating: "x", count: 16 << 10) + #""}}"#,
        .tooLarge
      ),
      (#"{"type":"X","data":1}"# + String(repeating: " ", count: 4 << 20), .tooLarge),
    ] as [(String, ErrorCode?)])
  func `limits hold`(json: String, code: ErrorCode?) {
    #expect(refusal { _ = try read(json) }?.code == code)
  }

  // A line is no longer than an event may be; a part of a larger text can be.
  @Test func `the limit of an event holds also where many come in one text`() throws {
    let text = "\"" + String(repeating: "x", count: 1 << 20) + "\""
    let json = #"{"type":"X","data":["# + Array(repeating: text, count: 5).joined(separator: ",") + "]}"
    let refused = refusal {
      _ = try JSONParser().parse(json.utf8Span.span) { try EventJSON.read($0, now: History.time(0)) }
    }
    #expect(refused?.code == .tooLarge)
  }
}

@Suite struct `Printing an event` {
  @Test func `members stand in the contract's order and absent ones are left out`() throws {
    var history = History()
    history.append(
      try read(
        #"{"id":"0193F9A0-0000-7000-8000-00000000000A","user":"bob","session":"s-1","type":"MessageAdded","#
          + #""occurred_at":"2026-11-20T10:00:00Z","data":{"role":"user","content":"hi"},"metadata":{"b":1,"a":2}}"#
      ).event)
    try history.append(.custom(CustomEvent(type: "Ping", data: .null)), at: 5)
    var writer = JSONWriter()
    try EventJSON.write(history.recorded(1), to: &writer)
    writer.endLine()
    try EventJSON.write(history.recorded(2), to: &writer)
    #expect(
      String(decoding: writer.finish(), as: UTF8.self) == #"""
        {"id":"0193f9a0-0000-7000-8000-00000000000a","namespace":"default","user":"bob","session":"s-1","version":1,"position":3,"type":"MessageAdded","occurred_at":"2026-11-20T10:00:00.000000Z","recorded_at":"2026-12-01T23:46:40.000000Z","data":{"content":"hi","role":"user"},"metadata":{"a":2,"b":1}}
        {"id":"01930000-0000-7000-8000-000000000002","namespace":"default","user":"bob","version":2,"position":6,"type":"Ping","occurred_at":"2026-11-20T10:00:05.000000Z","recorded_at":"2026-12-01T23:46:40.000000Z","data":null}
        """#)
  }

  @Test func `an event whose payload is gone says so`() throws {
    var history = History()
    try history.append(.messageAdded(MessageAdded(role: .user, content: "secret")))
    history.redact(1)
    var writer = JSONWriter()
    try EventJSON.write(history.recorded(1), to: &writer)
    let text = String(decoding: writer.finish(), as: UTF8.self)
    #expect(text.hasSuffix(#""redacted":true}"#))
    #expect(!text.contains("data"))
  }

  @Test func `an event printed is read as the same event`() throws {
    var random = SeededRandom(seed: 7)
    let history = try History.random(events: 300, with: &random)
    for entry in history.entries where !entry.isRedacted {
      var writer = JSONWriter()
      try EventJSON.write(history.recorded(entry.version), to: &writer)
      let text = writer.finish()
      let again = try EventJSON.read(text.span, with: JSONParser(), now: History.time(0))
      #expect(again.event.id == entry.data.id)
      #expect(again.event.type == entry.data.type)
      #expect(again.event.session == entry.data.session)
      #expect(again.event.occurredAt == entry.occurredAt)
      #expect(again.event.payload == entry.data.payload)
      #expect(again.event.metadata == entry.data.metadata)
    }
  }

  @Test func `fields of a type that is not known are shown by number`() throws {
    var payload = PayloadWriter()
    payload.write("text", field: 1)
    payload.write(7, field: 12)
    var history = History()
    history.append(EventData(id: History.id(1), type: EventTypeCode(200), payload: payload.bytes))
    var writer = JSONWriter()
    try EventJSON.writeData(of: history.recorded(1), to: &writer)
    #expect(String(decoding: writer.finish(), as: UTF8.self) == #"{"field_01":"text","field_12":7}"#)
  }
}

@Suite struct `Points in time as text` {
  @Test(arguments: [
    "start", "now", "v0", "v12", "p345", "recorded:2026-11-20T10:00:00.000000Z",
    "occurred:2026-11-20T10:00:00.000000Z",
  ])
  func `are read and printed`(text: String) throws {
    #expect(try AsOfText(text).description == text)
  }

  @Test(arguments: [
    "", "v", "v-1", "v+1", "v 1", "12", "head", "recorded:", "occurred:yesterday", "p99999999999999999999",
  ])
  func `are refused with the name of the field`(text: String) {
    #expect(throws: InvalidValue.self) { try AsOfText(text, field: "from") }
  }
}
