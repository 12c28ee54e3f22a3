// A real server: begun, asked, and ended.
import Glibc
import Memoir
import MemoirServer
import Platform
import Synchronization
import TestSupport
import Testing

extension `A real server` {
  @Suite struct `in its life` {
    private let folder = TemporaryFolder()
    private var store: String { folder.path + "/store" }

    private final class Acknowledged: Sendable {
      let ids = Mutex<[EventID]>([])
    }

    private func append(_ text: String, id: EventID) -> String {
      """
      {"events":[{"id":"\(id)","type":"MessageAdded","session":"s","data":{"role":"user","content":"\(text)"}}]}
      """
    }

    @Test func `says when it is ready, answers, and ends with 0 when it is asked to`() async throws {
      let server = try ServeProcess(store)
      #expect(try await server.get("/readyz").json("status") == "ready")
      let ended = try server.end()
      #expect(ended.end == .exit(0))
      #expect(ended.time < .seconds(10))
      #expect(ended.log.compactMap { ServeProcess.member("event", of: $0) }.suffix(2) == ["ending", "ended"])
    }

    @Test func `loses no append that it acknowledged when it is ended amid many`() async throws {
      let server = try ServeProcess(store)
      let port = server.port
      let acknowledged = Acknowledged()
      let ended = try await withThrowingTaskGroup(of: Void.self) { group in
        for user in 1...8 {
          group.addTask {
            let connection = try LoopbackConnection(port: port)
            while true {
              let id = EventID.generate(at: .earliest)
              let body = self.append("Hello.", id: id)
              guard await connection.ask("POST", "/v1/users/user-\(user)/events", body: body).status == 201 else {
                return
              }
              acknowledged.ids.withLock { $0.append(id) }
            }
          }
        }
        let deadline = ContinuousClock.now + .seconds(60)
        while acknowledged.ids.withLock({ $0.count }) < 200, ContinuousClock.now < deadline {
          try await Task.sleep(for: .milliseconds(5))
        }
        let ended = try server.end()
        try await group.waitForAll()
        return ended
      }
      #expect(ended.end == .exit(0))
      #expect(ended.time < .seconds(10))
      let ids = acknowledged.ids.withLock { $0 }
      #expect(ids.count >= 200)
      let kept = try MemoirStore(folder: store)
      defer { try? kept.close() }
      var found: Set<EventID> = []
      var next: LogPosition? = 0
      while let position = next {
        let page = try kept.log.readAll(after: position)
        found.formUnion(page.events.map(\.id))
        next = page.next
      }
      #expect(Set(ids).isSubset(of: found))
    }

    @Test func `ends live answers when it is ended`() async throws {
      let server = try ServeProcess(store)
      let live = try server.connect()
      await live.send(Array("GET /v1/events/live HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      #expect(String(decoding: await live.receiveSome(), as: UTF8.self).hasPrefix("HTTP/1.1 200"))
      let ended = try server.end()
      #expect(ended.end == .exit(0) && ended.time < .seconds(10))
      while case let bytes = await live.receiveSome(), !bytes.isEmpty {}
    }

    @Test func `ends in time and with 0 beside clients that hardly send or read anything`() async throws {
      let server = try ServeProcess(store)
      var clients: [LoopbackConnection] = []
      for request in [
        "", "GET /healthz HTTP/1.1\r\nA: ", "GET /v1/events/live HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/users/bob/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{",
      ] {
        for _ in 1...10 {
          let client = try server.connect()
          await client.send(Array(request.utf8))
          clients.append(client)
        }
      }
      let asking = try server.connect()
      let body = append("x", id: .generate(at: .earliest))
      #expect(await asking.ask("POST", "/v1/users/bob/events", body: body).status == 201)
      let ended = try server.end()
      #expect(ended.end == .exit(0) && ended.time < .seconds(10))
      #expect(ended.log.compactMap { ServeProcess.member("event", of: $0) }.suffix(2) == ["ending", "ended"])
      withExtendedLifetime(clients) {}
    }

    @Test func `asks for a key once another process has made one, and hears SIGHUP without a certificate`() async throws
    {
      let server = try ServeProcess(store)
      #expect(try await server.get("/v1/users").status == 200)
      let other = try MemoirStore(folder: store)
      let draft = APIKeyDraft("web", namespaces: .only([.default]), scopes: [.read])
      let (key, secret) = try await other.keys.create(draft)
      func status(_ secret: String) async throws -> Int {
        let connection = try server.connect()
        return await connection.ask("GET", "/v1/users", headers: [("Authorization", "Bearer \(secret)")]).status
      }
      #expect(try await server.get("/v1/users").status == 401)
      #expect(try await status(secret.revealed) == 200)
      server.process.signal(SIGHUP)
      _ = try server.waitFor("hangup")
      #expect(try await status(secret.revealed) == 200)
      _ = try await other.keys.revoke(key.id)
      try other.close()
      #expect(try await status(secret.revealed) == 401)
      #expect(try server.end().end == .exit(0))
    }

    @Test func `keeps a second one from the same store, and goes on itself`() async throws {
      let server = try ServeProcess(store)
      let second = try ServeProcess.start(store, ["--listen", "127.0.0.1:0"])
      let lines = try second.lines()
      #expect(try second.wait() == .exit(1))
      #expect(lines.contains { $0.contains("another process serves this store") }, "\(lines)")
      #expect(try await server.get("/healthz").status == 200)
    }

    @Test func `says what is wrong with an address that is taken`() throws {
      let server = try ServeProcess(store)
      let second = try ServeProcess.start(folder.path + "/other", ["--listen", "127.0.0.1:\(server.port)"])
      let lines = try second.lines()
      #expect(try second.wait() == .exit(2))
      #expect(lines.contains { $0.contains("--listen") }, "\(lines)")
    }

    @Test func `logs JSON lines without what people said, and by the ids that callers gave`() async throws {
      let server = try ServeProcess(store)
      let secret = "dk-0000000000000000-4444444444444444444444444444444444444444444444444444444444444444"
      let connection = try server.connect()
      let reply = await connection.ask(
        "POST", "/v1/users/bob-of-lisbon/events?namespace=default",
        headers: [("X-Request-Id", "mine-17"), ("X-Other", secret)],
        body: append("I have a secret recipe.", id: .generate(at: .earliest)))
      #expect(reply.status == 201)
      #expect(reply.headers["x-request-id"] == "mine-17")
      let own = await connection.ask("GET", "/healthz", headers: [("X-Request-Id", "has a space")])
      #expect(own.headers["x-request-id"]?.contains(" ") == false && own.headers["x-request-id"]?.isEmpty == false)
      let log = try server.end().log
      for line in log { #expect(ServeProcess.member("event", of: line) != nil, "\(line)") }
      let text = log.joined(separator: "\n")
      #expect(text.contains(#""request_id":"mine-17""#))
      for part in ["recipe", "dk-", "bob-of-lisbon"] { #expect(!text.contains(part), "\(part)") }
    }

    @Test func `listens elsewhere only with TLS and with a key, or where it is told to do without`() throws {
      func refusal(_ arguments: String...) throws -> (code: RunningProcess.End, text: String) {
        let process = try ServeProcess.start(store, ["--listen", "0.0.0.0:0"] + arguments)
        let text = try process.lines().joined(separator: "\n")
        return (try process.wait(), text)
      }
      let plain = try refusal("--insecure-no-keys")
      #expect(plain.code == .exit(2) && plain.text.contains("--insecure-plaintext"), "\(plain.text)")
      let keyless = try refusal("--insecure-plaintext")
      #expect(keyless.code == .exit(2) && keyless.text.contains("--insecure-no-keys"), "\(keyless.text)")
      let forced = try ServeProcess(store, ["--insecure-plaintext", "--insecure-no-keys"], listen: "0.0.0.0:0")
      #expect(try forced.end().end == .exit(0))
    }

    @Test func `listens elsewhere with a key in its store`() async throws {
      let made = try MemoirStore(folder: store)
      _ = try await made.keys.create(APIKeyDraft("web", namespaces: .only([.default]), scopes: [.read]))
      try made.close()
      let server = try ServeProcess(store, ["--insecure-plaintext"], listen: "0.0.0.0:0")
      #expect(server.log.contains { $0.contains(#""keys":true"#) })
      #expect(try server.end().end == .exit(0))
    }
  }
}

@Suite struct `A server that ends` {
  /// Ends it on a thread of its own, since that blocks.
  private func end(_ server: MemoirServer, within patience: Duration) async -> Duration {
    let start = ContinuousClock.now
    await withCheckedContinuation { continuation in
      // A test without a thread has nothing to test.
      _ = try? DedicatedThread(name: "end") {
        server.end(within: patience)
        continuation.resume()
      }
    }
    return ContinuousClock.now - start
  }

  @Test func `waits no longer than it was told for who does not read`() async throws {
    let served = try ServedStore()
    let long = String(repeating: "a", count: 1_000_000)
    for _ in 1...3 {
      #expect(try await served.post("/v1/users/bob/events", said(long, long, long, long)).status == 201)
    }
    let clients = try ["/v1/users/bob/export", "/v1/users/bob/events"].map { ($0, try served.connect()) }
    for (target, client) in clients {
      await client.send(Array("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      #expect(await client.receiveSome().starts(with: "HTTP/1.1 200".utf8))
    }
    #expect(await end(served.server, within: .seconds(1)) < .seconds(5))
  }

  @Test func `does not wait for requests that are still on their way`() async throws {
    let served = try ServedStore()
    let clients = try [
      "", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: x\r\nA: ",
      "POST /v1/users/bob/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
      "POST /v1/users/bob/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
      "GET /v1/events/live HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n",
    ].map { ($0, try served.connect()) }
    for (text, client) in clients { await client.send(Array(text.utf8)) }
    for (_, client) in clients.suffix(2) {
      #expect(await client.receiveSome().starts(with: "HTTP/1.1 200".utf8))
    }
    #expect(await end(served.server, within: .seconds(30)) < .seconds(5))
    for (_, client) in clients { while case let bytes = await client.receiveSome(), !bytes.isEmpty {} }
  }
}
