// Events over HTTP: appended, repeated, refused, read.
import EventStore
import Memoir
import TestSupport
import Testing

@Suite struct `Appending over HTTP` {
  private let id = "01930000-0000-7000-8000-000000000001"

  @Test func `answers where the events are`() async throws {
    let served = try ServedStore()
    let reply = try await served.post("/v1/users/bob/events", said("hi", "there"))
    #expect(reply.status == 201)
    #expect(reply.json("first_version") == "1" && reply.json("last_version") == "2")
    #expect(reply.json("first_position") == "1" && reply.json("last_position") == "2")
    #expect(reply.json("duplicate") == "false")
    #expect(reply.json("recorded_at")?.hasSuffix("Z") == true)
  }

  @Test func `a repeat gets the first result, whatever it expects`() async throws {
    let served = try ServedStore()
    let body = #"{"expected_version":0,"events":[{"id":"\#(id)","type":"X","data":{}}]}"#
    let first = try await served.post("/v1/users/bob/events", body)
    let again = try await served.post("/v1/users/bob/events", body)
    #expect(first.status == 201 && again.status == 200)
    #expect(again.json("duplicate") == "true")
    #expect(again.json("first_position") == first.json("first_position"))
    #expect(again.json("recorded_at") == first.json("recorded_at"))
  }

  @Test func `a known id with other content is a conflict`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", #"{"events":[{"id":"\#(id)","type":"X","data":1}]}"#)
    let reply = try await served.post("/v1/users/bob/events", #"{"events":[{"id":"\#(id)","type":"X","data":2}]}"#)
    #expect(reply.status == 409)
    #expect(reply.json("error", "code") == "id_conflict")
    #expect(reply.json("error", "details", "ids") == #"["\#(id)"]"#)
  }

  @Test func `another version than expected is a conflict that says both`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("hi"))
    let reply = try await served.post(
      "/v1/users/bob/events", #"{"expected_version":7,"events":[{"type":"X","data":1}]}"#)
    #expect(reply.status == 409)
    #expect(reply.json("error", "code") == "version_conflict")
    #expect(reply.json("error", "details", "expected") == "7")
    #expect(reply.json("error", "details", "actual") == "1")
  }

  @Test(
    arguments: [
      ("", "invalid_json", nil), ("{", "invalid_json", nil), ("[]", "invalid_argument", nil),
      (#"{"events":[]}"#, "invalid_argument", "events"), (#"{}"#, "invalid_argument", "events"),
      (#"{"events":{}}"#, "invalid_argument", "events"), (#"{"events":[1]}"#, "invalid_argument", "events[0]"),
      (#"{"events":[{"type":"X","data":1},{"type":"X"}]}"#, "invalid_argument", "events[1].data"),
      (#"{"events":[{"type":"X","data":1}],"x":1}"#, "invalid_argument", "x"),
      (#"{"events":[{"type":"X","data":1,"user":"ann"}]}"#, "invalid_argument", "events[0].user"),
      (#"{"events":[{"type":"X","data":1,"namespace":"n"}]}"#, "invalid_argument", "events[0].namespace"),
      (#"{"events":[{"type":"X","data":1}],"expected_version":"soon"}"#, "invalid_argument", "expected_version"),
      (#"{"events":[{"type":"X","data":1}],"expected_version":-1}"#, "invalid_argument", "expected_version"),
      (#"{"events":[{"type":"X","data":1}],"namespace":1}"#, "invalid_argument", "namespace"),
      (#"{"events":[{"type":"X","data":1}],"events":[]}"#, "invalid_json", nil),
      (#"{"events":[{"type":"UserErased","data":{}}]}"#, "invalid_argument", "events[0].type"),
      (
        #"{"events":[{"type":"MessageAdded","session":"s","data":{"role":"boss","content":"x"}}]}"#, "invalid_argument",
        "events[0].data.role"
      ),
    ] as [(String, String, String?)]) func `what cannot be stored is refused, and its field named`(
      body: String, code: String, field: String?
    ) async throws
  {
    let served = try ServedStore()
    let reply = try await served.post("/v1/users/bob/events", body)
    #expect(reply.status == 400)
    #expect(reply.json("error", "code") == code)
    if let field { #expect(reply.json("error", "details", "field") == field) }
    #expect(try served.store.log.lastPosition() == 0)
  }

  @Test func `the namespace may stand in the query or in the body, not differently in both`() async throws {
    let served = try ServedStore()
    #expect(try await served.post("/v1/users/bob/events?namespace=work", said("hi")).status == 201)
    let body = #"{"namespace":"work","events":[{"type":"X","data":1}]}"#
    #expect(try await served.post("/v1/users/bob/events", body).json("first_version") == "2")
    #expect(try await served.post("/v1/users/bob/events?namespace=work", body).json("first_version") == "3")
    let reply = try await served.post("/v1/users/bob/events?namespace=home", body)
    #expect(reply.status == 400 && reply.json("error", "details", "field") == "namespace")
    #expect(try await served.get("/v1/users/bob").status == 404)
  }

  @Test func `several users' events are all stored, or none`() async throws {
    let served = try ServedStore()
    let good = try await served.post(
      "/v1/events",
      #"{"appends":[{"user":"a","events":[{"type":"X","data":1}]},{"user":"b","expected_version":0,"events":[{"type":"X","data":2}]},{"user":"a","expected_version":1,"events":[{"type":"X","data":3}]}]}"#
    )
    #expect(good.status == 201)
    let positions = try served.store.log.readAll(after: 0).events.map { "\($0.stream.user) \($0.version)" }
    #expect(positions == ["a 1", "b 1", "a 2"])
    let bad = try await served.post(
      "/v1/events",
      #"{"appends":[{"user":"a","events":[{"type":"X","data":1}]},{"user":"b","expected_version":0,"events":[{"type":"X","data":2}]}]}"#
    )
    #expect(bad.status == 409)
    #expect(try served.store.log.lastPosition() == 3)
  }
}

@Suite struct `Reading events over HTTP` {
  @Test func `goes on page by page in either direction`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2", "3", "4", "5"))
    var seen: [String] = []
    var next: String? = "1"
    while let from = next, from != "null" {
      let page = try await served.get("/v1/users/bob/events?limit=2&from_version=\(from)")
      seen += page.elements("events").compactMap { $0.json("version") }
      next = page.json("next_version")
    }
    #expect(seen == ["1", "2", "3", "4", "5"])
    let back = try await served.get("/v1/users/bob/events?limit=2&direction=backward")
    #expect(back.elements("events").compactMap { $0.json("version") } == ["5", "4"])
    #expect(back.json("next_version") == "3")
  }

  @Test func `filters by type and session`() async throws {
    let served = try ServedStore()
    _ = try await served.post(
      "/v1/users/bob/events",
      #"{"events":[{"type":"X","data":1},{"type":"Y","data":1,"session":"s"},{"type":"Z","data":1}]}"#)
    let types = try await served.get("/v1/users/bob/events?type=X&type=Z")
    #expect(types.elements("events").compactMap { $0.json("type") } == ["X", "Z"])
    #expect(try await served.get("/v1/users/bob/events?session=s").elements("events").count == 1)
  }

  @Test func `of somebody unknown is an empty page`() async throws {
    let reply = try await ServedStore().get("/v1/users/nobody/events")
    #expect(reply.status == 200)
    #expect(reply.text == #"{"events":[],"next_version":null}"#)
  }

  @Test(arguments: [
    "limit=0", "limit=10001", "limit=x", "limit=", "limit=1&limit=2", "direction=up", "from_version=-1",
    "from_version=1.5",
    "nothing=1", "type=", "session=", "limit=%31%zz",
  ]) func `with what is no parameter's value is refused`(query: String) async throws {
    let reply = try await ServedStore().get("/v1/users/bob/events?\(query)")
    #expect(reply.status == 400)
    #expect(reply.json("error", "code") == "invalid_argument")
  }

  @Test func `of the log says where its head is`() async throws {
    let served = try ServedStore()
    #expect(try await served.get("/v1/events").text == #"{"events":[],"head_position":0,"next_position":null}"#)
    _ = try await served.post("/v1/users/bob/events", said("1", "2", "3"))
    let page = try await served.get("/v1/events?limit=2")
    #expect(page.json("head_position") == "3" && page.json("next_position") == "2")
    #expect(try await served.get("/v1/events?after_position=2&to_position=3").elements("events").count == 1)
  }

  @Test func `one of them comes by its id`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1"))
    let id = try #require(try await served.get("/v1/events").elements("events").first?.json("id"))
    #expect(try await served.get("/v1/users/bob/events/\(id)").json("id") == id)
    #expect(try await served.get("/v1/users/ann/events/\(id)").status == 404)
    #expect(try await served.get("/v1/users/bob/events/x").status == 400)
  }
}

/// The body of an append of messages.
func said(_ texts: String...) -> String {
  let events = texts.map {
    #"{"type":"MessageAdded","session":"s-1","data":{"role":"user","content":"\#($0)"}}"#
  }
  return #"{"events":[\#(events.joined(separator: ","))]}"#
}
