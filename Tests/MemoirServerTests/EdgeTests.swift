// What is no request, or could be read as two.
import EventStore
import HTTPServer
import Memoir
import MemoirServer
import TestSupport
import Testing

@Suite struct `A request that could be read in two ways` {
  @Test(arguments: [
    "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: identity\r\n\r\n",
    "Content-Length : 2\r\n\r\n{}",
    "Content-Length: 2\r\n 3\r\n\r\n{}",
    "X-A: b\r\n\tc\r\nContent-Length: 2\r\n\r\n{}",
    "X(A: b\r\nContent-Length: 2\r\n\r\n{}",
    "X-A: a\rb\r\nContent-Length: 2\r\n\r\n{}",
    "Host: other\r\nContent-Length: 2\r\n\r\n{}",
    "Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: -2\r\n\r\n{}", "Content-Length: +2\r\n\r\n{}", "Content-Length: 2, 2\r\n\r\n{}",
    "Content-Length: 0x2\r\n\r\n{}", "Content-Length: 99999999999999999999\r\n\r\n{}",
  ]) func `is refused, and its connection ends`(head: String) async throws {
    let served = try ServedStore()
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    let (reply, connection) = try await served.send(
      "POST /v1/users/bob/events HTTP/1.1\r\nHost: x\r\n\(head)\(smuggled)")
    #expect([400, 413].contains(reply.status))
    #expect(await connection.hasEnded())
    #expect(!served.log.contains { $0.contains(#""operation":"health""#) })
  }

  @Test(arguments: [
    ("GET /healthz HTTP/1.1\r\n\r\n", "host"), ("GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", "host"),
    ("GET /health z HTTP/1.1\r\nHost: x\r\n\r\n", "space"),
    ("GET /v1/users?after=a b HTTP/1.1\r\nHost: x\r\n\r\n", "space"),
    ("GET /healthz HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n", "space"),
    ("GET /health\tz HTTP/1.1\r\nHost: x\r\n\r\n", "control character"),
    ("GET /health\u{7f}z HTTP/1.1\r\nHost: x\r\n\r\n", "control character"),
  ]) func `is told what is wrong with it, in the form of other errors`(request: String, reason: String) async throws {
    let served = try ServedStore()
    let (reply, connection) = try await served.send(request)
    #expect(reply.status == 400)
    #expect(reply.json("error", "code") == "invalid_argument")
    #expect(reply.json("error", "message")?.contains(reason) == true, "\(reply.text)")
    #expect(await connection.hasEnded())
  }

  @Test func `of the first version of HTTP needs no host`() async throws {
    let served = try ServedStore()
    #expect(try await served.send("GET /healthz HTTP/1.0\r\n\r\n").reply.status == 200)
  }

  @Test func `does not keep the next connection from being served`() async throws {
    let served = try ServedStore()
    _ = try await served.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}")
    #expect(try await served.get("/healthz").status == 200)
  }
}

@Suite struct `A request that is too much` {
  @Test func `for the head is refused`() async throws {
    let served = try ServedStore()
    let (reply, connection) = try await served.send(
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: \(String(repeating: "a", count: 40_000))\r\n\r\n")
    #expect(reply.status == 431)
    #expect(await connection.hasEnded())
  }

  @Test func `for the body is told so after it was read`() async throws {
    let served = try ServedStore { $0.http.bodyLimit = 1_000 }
    let reply = try await served.post("/v1/users/bob/events", String(repeating: " ", count: 2_000))
    #expect(reply.status == 413)
    #expect(reply.json("error", "code") == "too_large")
    #expect(try served.store.log.lastPosition() == 0)
  }

  @Test func `drips for longer than a body may take is cut`() async throws {
    let served = try ServedStore { $0.http.bodyTimeLimit = .milliseconds(400) }
    let connection = try served.connect()
    await connection.send(Array("POST /v1/users/bob/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".utf8))
    var sent = 0
    while sent < 100, await connection.send([0x20]) {
      sent += 1
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(sent < 100)
  }
}

@Suite struct `A path` {
  @Test func `that leads nowhere is not found`() async throws {
    let served = try ServedStore()
    let reply = try await served.get("/v1/nothing")
    #expect(reply.status == 404)
    #expect(reply.json("code") == "ROUTE_NOT_FOUND")
    #expect(try await served.get("/nothing").json("error", "code") == "not_found")
  }

  @Test func `asked by another method says which it takes`() async throws {
    let served = try ServedStore()
    let reply = try await served.ask("PATCH", "/v1/users/bob/state")
    #expect(reply.status == 405)
    #expect(reply.headers["allow"] == "GET")
  }

  @Test(arguments: ["/v1/users/%ff/state", "/v1/users/%zz/state", "/v1/users/%0/state", "/v1/users/a%00b/state"])
  func `that is no text is refused`(path: String) async throws {
    let reply = try await ServedStore().get(path)
    #expect(reply.status == 400)
    #expect(reply.json("error", "code") == "invalid_argument")
  }

  @Test func `may hold any id`() async throws {
    let served = try ServedStore()
    let body = #"{"events":[{"type":"MessageAdded","session":"s","data":{"role":"user","content":"hi"}}]}"#
    #expect(try await served.post("/v1/users/a%2Fb%20%C3%A9/events", body).status == 201)
    #expect(try await served.get("/v1/users/a%2Fb%20%C3%A9/state").json("user") == "a/b é")
  }
}
