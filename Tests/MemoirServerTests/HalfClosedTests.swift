// Clients that say at once that they send no more, and read on.
import HTTPServer
import Memoir
import TestSupport
import Testing

@Suite struct `A client that ends its own direction` {
  private func ask(_ served: ServedStore, _ request: String) async throws -> LoopbackConnection {
    let connection = try served.connect()
    await connection.send(Array(request.utf8))
    connection.endSending()
    return connection
  }

  private func request(_ method: String, _ target: String, _ body: String = "") -> String {
    "\(method) \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// Each was lost once, now and then: as long as it was answered on another thread, and beside a connection that rested.
  @Test func `gets its answer, and then the end`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("hi"))
    for round in 1...5 {
      for (method, target, body, status) in [
        ("GET", "/healthz", "", 200), ("GET", "/v1/users/bob/report", "", 200),
        ("POST", "/v1/users/bob/events", said("\(round)"), 201), ("GET", "/v1/users/bob/export", "", 200),
        ("GET", "/nowhere", "", 404),
      ] {
        let connection = try await ask(served, request(method, target, body))
        let reply = await connection.receive()
        #expect(reply.status == status, "\(target), round \(round)")
        #expect(await connection.hasEnded())
      }
    }
    #expect(try served.store.log.lastPosition() == 6)
  }

  @Test func `gets the answers to all it asked for`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("hi"))
    let both = request("GET", "/v1/users/bob/report") + request("GET", "/healthz")
    let connection = try await ask(served, both)
    let text = await connection.receive(until: #"{"status":"ok"}"#)
    #expect(text.ranges(of: "HTTP/1.1 200 OK").count == 2, "\(text)")
  }

  @Test func `hears of events as they come`() async throws {
    let served = try ServedStore()
    for target in ["/v1/events/live?after_position=0", "/v1/events/stream"] {
      let connection = try await ask(served, request("GET", target))
      #expect(await connection.receive(until: "\n\n").contains("200 OK"))
      try await served.remember("Heard \(target)")
      #expect(await connection.receive(until: "Heard \(target)").contains("Heard"))
    }
  }
}
