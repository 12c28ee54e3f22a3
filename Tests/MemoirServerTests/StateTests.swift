// States and memories over HTTP.
import EventStore
import Memoir
import MemoirServer
import TestSupport
import Testing

@Suite struct `A state over HTTP` {
  @Test func `is what the library says`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("hi"))
    let reply = try await served.get("/v1/users/bob/state")
    let bob = StreamName(try UserID("bob"))
    #expect(reply.status == 200)
    #expect(reply.text == served.printed(try served.store.state(of: bob)))
  }

  @Test(arguments: [("at_version=1", "1"), ("at_position=2", "2"), ("occurred_at=1990-01-01T00:00:00Z", "0")])
  func `can be had as it was`(point: String, version: String) async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2", "3"))
    #expect(try await served.get("/v1/users/bob/state?\(point)").json("version") == version)
  }

  @Test(arguments: [
    ("/v1/users/nobody/state", 404), ("/v1/users/bob/state?at_version=9", 400),
    ("/v1/users/bob/state?at_version=x", 400),
    ("/v1/users/bob/state?at_version=1&at_position=1", 400), ("/v1/users/bob/state?recorded_at=tomorrow", 400),
    ("/v1/users/bob/state?recorded_at=2999-01-01T00:00:00Z", 400), ("/v1/users/bob/state?include=all", 400),
    ("/v1/users/bob/diff?from=start", 400), ("/v1/users/bob/diff?from=now&to=start", 400),
    ("/v1/users/bob/diff?from=v9&to=now", 400), ("/v1/users/nobody/diff?from=start&to=now", 404),
    ("/v1/users/bob/explain?item=fact:none", 404), ("/v1/users/bob/recall", 400), ("/v1/users/bob/recall?query=", 400),
    ("/v1/users/bob/recall?query=x&top_k=0", 400), ("/v1/users/bob/recall?query=x&top_k=10001", 400),
    ("/v1/users/bob/recall?query=x&min_importance=1.1", 400), ("/v1/users/bob/recall?query=x&kind=thing", 400),
    ("/v1/users/bob/context?query=x&budget=0", 400), ("/v1/receipts/none", 400),
    ("/v1/receipts/01930000-0000-7000-8000-000000000001", 404), ("/v1/users/nobody/report", 404),
    ("/v1/users/nobody/export", 404), ("/v1/subscriptions/none", 404), ("/v1/subscriptions/none/events", 404),
    ("/v1/subscriptions/a:b", 400), ("/v1/events/live?after_position=99", 400),
  ]) func `asked for wrongly says so`(target: String, status: Int) async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1"))
    let reply = try await served.get(target)
    #expect(reply.status == status)
    #expect(reply.json("error", "code") == (status == 404 ? "not_found" : "invalid_argument"))
  }

  // The slash and the mark behind it were taken for one character, and so for part of the segment before.
  @Test func `of somebody whose name begins with a mark that combines is found`() async throws {
    let served = try ServedStore()
    let user = "\u{301}bob"
    #expect(try await served.post("/v1/users/\(user)/events", said("1")).status == 201)
    #expect(try await served.get("/v1/users/\(user)/state").json("user") == user)
  }

  @Test func `waits for a version that is to come`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1"))
    async let waiting = served.get("/v1/users/bob/state?min_version=2")
    try await Task.sleep(for: .milliseconds(50))
    _ = try await served.post("/v1/users/bob/events", said("2"))
    #expect(try await waiting.json("version") == "2")
  }

  @Test func `comes with all messages, page by page`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2", "3"))
    let page = try await served.get("/v1/users/bob/state?include=messages&limit=2")
    #expect(page.json("messages", "next_version") == "3")
    let rest = try await served.get("/v1/users/bob/state?include=messages&from_version=3&at_version=3")
    #expect(rest.json("messages", "next_version") == "null")
    #expect(rest.json("messages", "all")?.contains(#""content":"3""#) == true)
  }

  @Test func `is sent again only where it has changed`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1"))
    let tag = try #require(try await served.get("/v1/users/bob/state").headers["etag"])
    #expect(try await served.ask("GET", "/v1/users/bob/state", headers: [("If-None-Match", tag)]).status == 304)
    _ = try await served.post("/v1/users/bob/events", said("2"))
    let changed = try await served.ask("GET", "/v1/users/bob/state", headers: [("If-None-Match", tag)])
    #expect(changed.status == 200 && changed.headers["etag"] != tag)
  }
}

@Suite struct `A state that is asked for again` {
  @Test func `has the same bytes and tag, is noted each time, and needs no printing where it is known`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1"))
    let first = try await served.get("/v1/users/bob/state")
    let second = try await served.get("/v1/users/bob/state")
    #expect(second.body == first.body && second.headers["etag"] == first.headers["etag"])
    let tag = try #require(first.headers["etag"])
    let known = try await served.ask("GET", "/v1/users/bob/state", headers: [("If-None-Match", "\"other\", \(tag)")])
    #expect(known.status == 304 && known.body.isEmpty && known.headers["etag"] == tag)
    try await served.store.accesses.flush()
    let noted = try served.store.accesses.accesses(of: StreamName(UserID("bob"))).entries.map(\.access)
    #expect(noted.count { $0.operation == "state" } == 3)
    #expect(noted.filter { $0.operation == "state" }.map(\.bytes) == [0, first.body.count, first.body.count])
  }

  @Test func `is another one once a fact has expired`() async throws {
    let served = try ServedStore()
    let expiry = served.clock.now.advanced(byMicroseconds: 2_000_000)
    let fact =
      #"{"events":[{"type":"FactLearned","data":{"fact":"Is in Rome","category":"x","confidence":1,"expires_at":"\#(expiry)"}}]}"#
    _ = try await served.post("/v1/users/bob/events", fact)
    let tag = try #require(try await served.get("/v1/users/bob/state").headers["etag"])
    served.clock.advance(byMicroseconds: 1_000_000)
    #expect(try await served.ask("GET", "/v1/users/bob/state", headers: [("If-None-Match", tag)]).status == 304)
    served.clock.advance(byMicroseconds: 1_000_000)
    let later = try await served.ask("GET", "/v1/users/bob/state", headers: [("If-None-Match", tag)])
    #expect(later.status == 200 && !later.text.contains("Rome"))
  }
}

@Suite struct `A memory over HTTP` {
  @Test func `is recalled, handed out as context, and shown again by its receipt`() async throws {
    let served = try ServedStore()
    let fact =
      #"{"events":[{"type":"FactLearned","data":{"fact":"Sails a dinghy called Otter","category":"general","confidence":1}}]}"#
    _ = try await served.post("/v1/users/bob/events", fact)
    let recalled = try await served.get("/v1/users/bob/recall?query=dinghy+name")
    #expect(recalled.elements("memories").first?.json("content") == "Sails a dinghy called Otter")
    let context = try await served.get("/v1/users/bob/context?query=dinghy&budget=500")
    #expect(context.json("text")?.contains("Otter") == true)
    let receipt = try #require(context.json("receipt"))
    #expect(try await served.get("/v1/receipts/\(receipt)").body == context.body)
    // Where a session only begins, there is no question yet.
    #expect(try await served.get("/v1/users/bob/context").json("text")?.contains("Otter") == true)
    #expect(try await served.get("/v1/users/bob/export").text.contains("Otter"))
  }

  @Test func `of somebody unknown is no memory`() async throws {
    let served = try ServedStore()
    #expect(
      try await served.get("/v1/users/nobody/recall?query=x").text == #"{"faded":0,"known":false,"memories":[]}"#)
    #expect(
      try await served.get("/v1/users/nobody/context").text
        == #"{"items":[],"known":false,"omitted":0,"text":"","tokens":0}"#)
  }
}

@Suite struct `A subscription over HTTP` {
  @Test func `gives the same again until it is acknowledged`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2", "3"))
    #expect(try await served.ask("PUT", "/v1/subscriptions/mail").json("checkpoint") == "0")
    #expect(try await served.get("/v1/subscriptions/mail/events?limit=2").elements("events").count == 2)
    #expect(try await served.get("/v1/subscriptions/mail/events").elements("events").count == 3)
    #expect(try await served.post("/v1/subscriptions/mail/ack", #"{"position":2}"#).json("checkpoint") == "2")
    #expect(try await served.get("/v1/subscriptions/mail/events").elements("events").first?.json("position") == "3")
    #expect(try await served.post("/v1/subscriptions/mail/ack", #"{"position":99}"#).status == 400)
    #expect(try await served.ask("DELETE", "/v1/subscriptions/mail").status == 204)
    #expect(try await served.get("/v1/subscriptions/mail").status == 404)
  }

  @Test func `follows its own namespace alone`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events?namespace=work", said("secret"))
    _ = try await served.ask("PUT", "/v1/subscriptions/mail")
    #expect(try await served.get("/v1/subscriptions/mail/events").elements("events").isEmpty)
    #expect(try await served.get("/v1/subscriptions/mail?namespace=work").status == 404)
  }
}

@Suite struct `Live events` {
  @Test func `come in order, those there are and those to come, and go on after the last one seen`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2"))
    let connection = try served.connect()
    await connection.send(Array("GET /v1/events/live?after_position=0 HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    var text = await connection.receive(until: "id: 2\n")
    _ = try await served.post("/v1/users/bob/events", said("3"))
    text += await connection.receive(until: "id: 3\n")
    #expect(text.contains("text/event-stream"))
    #expect(text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") } == ["id: 1", "id: 2", "id: 3"])

    let again = try served.connect()
    await again.send(Array("GET /v1/events/live HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 2\r\n\r\n".utf8))
    #expect(!(await again.receive(until: "id: 3\n")).contains("id: 2"))
  }

  @Test func `of one user or type are that alone`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/ann/events", said("1"))
    _ = try await served.post("/v1/users/bob/events", #"{"events":[{"type":"X","data":1},{"type":"Y","data":1}]}"#)
    let connection = try served.connect()
    await connection.send(
      Array("GET /v1/events/live?after_position=0&user=bob&type=Y HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    let text = await connection.receive(until: "id: 3\n")
    #expect(text.contains("id: 3") && !text.contains("id: 1") && !text.contains("id: 2"))
  }

  @Test func `end with the server`() async throws {
    let served = try ServedStore()
    let connection = try served.connect()
    await connection.send(Array("GET /v1/events/live HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    #expect(!(await connection.receiveSome()).isEmpty)
    served.server.end(within: .seconds(60))
    while !(await connection.receiveSome()).isEmpty {}
  }
}
