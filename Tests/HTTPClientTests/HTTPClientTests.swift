// The client against a real server that behaves, misbehaves, or is not there.
import HTTPClient
import TestSupport
import Testing

private func post(
  _ text: String, to server: LoopbackServer, headers: [(name: String, value: String)] = [],
  limits: HTTPLimits = HTTPLimits(), with client: HTTPClient = HTTPClient()
) async throws -> HTTPAnswer {
  try await client.post(
    HTTPRequest(HTTPAddress(server.url).appending("v1/things"), headers: headers, body: Array(text.utf8)),
    limits: limits)
}

@Suite struct `Posting` {
  @Test func `sends the body and headers and gives back the answer`() async throws {
    let server = try LoopbackServer { request in .answer(status: 201, body: Array(request.body.reversed())) }
    let answer = try await post("abc", to: server, headers: [("X-Word", "Grüße")])
    #expect(answer.status == 201 && answer.body == Array("cba".utf8) && answer.retryAfter == nil)
    let request = try #require(server.requests.first)
    #expect(request.path == "/v1/things" && request.headers["x-word"] == "Grüße")
  }

  @Test func `sends an empty body and one of megabytes as they are`() async throws {
    let server = try LoopbackServer { request in .answer(body: request.body) }
    for size in [0, 1, 3 << 20] {
      let text = String(repeating: "x", count: size)
      #expect(try await post(text, to: server).body.count == size)
    }
  }

  @Test func `uses a connection again`() async throws {
    let server = try LoopbackServer { _ in .answer() }
    let client = HTTPClient()
    for _ in 0..<5 { #expect(try await post("", to: server, with: client).status == 200) }
    #expect(server.connectionCount == 1)
  }

  @Test func `many at a time gives each its own answer`() async throws {
    let server = try LoopbackServer { request in .after(milliseconds: 20, .answer(body: request.body)) }
    let client = HTTPClient()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<40 {
        group.addTask { try await post("\(number)", to: server, with: client).body == Array("\(number)".utf8) }
      }
      for try await isOwn in group { #expect(isOwn) }
    }
  }

  @Test func `gives back a refusal and how long to wait`() async throws {
    let server = try LoopbackServer { _ in
      .json(#"{"error":"slow down"}"#, status: 429, headers: [("Retry-After", "7")])
    }
    let answer = try await post("", to: server)
    #expect(answer.status == 429 && answer.retryAfter == .seconds(7))
    #expect(String(decoding: answer.body, as: UTF8.self).contains("slow down"))
  }
}

@Suite struct `A server that` {
  private static let short = HTTPLimits(connecting: .seconds(2), total: .milliseconds(150))

  @Test func `never answers runs into the time limit`() async throws {
    let server = try LoopbackServer { _ in .never }
    await #expect(throws: HTTPClientError.timedOut) { try await post("", to: server, limits: Self.short) }
  }

  @Test func `answers later than the limit runs into it`() async throws {
    let server = try LoopbackServer { _ in .after(milliseconds: 400, .answer()) }
    await #expect(throws: HTTPClientError.timedOut) { try await post("", to: server, limits: Self.short) }
  }

  @Test func `hangs up is unreachable`() async throws {
    let server = try LoopbackServer { _ in .hangUp }
    await #expect {
      try await post("", to: server)
    } throws: {
      if case HTTPClientError.unreachable = $0 { true } else { false }
    }
  }

  @Test func `is not there is unreachable`() async throws {
    let server = try LoopbackServer { _ in .answer() }
    let address = try HTTPAddress(server.url)
    server.close()
    await #expect {
      try await HTTPClient().post(HTTPRequest(address, body: []))
    } throws: {
      if case HTTPClientError.unreachable = $0 { true } else { false }
    }
  }

  @Test(arguments: [nil, 1 << 30] as [Int?]) func `sends without end is cut off`(announced: Int?) async throws {
    let server = try LoopbackServer { _ in .endless(announcing: announced) }
    await #expect(throws: HTTPClientError.tooLarge(limit: 100_000)) {
      try await post("", to: server, limits: HTTPLimits(answerSize: 100_000))
    }
  }

  // With the redirection the key would go wherever the answer says.
  @Test(arguments: [301, 302, 307, 308]) func `redirects is not followed`(status: Int) async throws {
    let other = try LoopbackServer { _ in .answer() }
    let server = try LoopbackServer { _ in .answer(status: status, headers: [("Location", other.url)]) }
    await #expect(throws: HTTPClientError.redirected(status: status)) {
      try await post("", to: server, headers: [("Authorization", "Bearer secret-key")])
    }
    #expect(other.requests.isEmpty)
  }

  @Test func `speaks no TLS where it should is not trusted`() async throws {
    let server = try LoopbackServer { _ in .answer() }
    let address = try HTTPAddress(server.url.replacing("http:", with: "https:"))
    await #expect {
      try await HTTPClient().post(HTTPRequest(address, headers: [("Authorization", "Bearer secret-key")], body: []))
    } throws: { error in
      guard case HTTPClientError.insecure = error else { return false }
      return !"\(error)".contains("secret-key")
    }
  }
}

@Suite struct `A request` {
  @Test func `ends with its task, at once`() async throws {
    let server = try LoopbackServer { _ in .never }
    let began = ContinuousClock.now
    let task = Task { try await post("", to: server) }
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    let result = await task.result
    #expect(throws: HTTPClientError.cancelled) { try result.get() }
    #expect(ContinuousClock.now - began < .seconds(120))
  }

  @Test func `of a task that was cancelled before is never made`() async throws {
    let server = try LoopbackServer { _ in .answer() }
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await post("", to: server)
    }
    task.cancel()
    let result = await task.result
    #expect(throws: HTTPClientError.cancelled) { try result.get() }
    #expect(server.requests.isEmpty)
  }

  @Test func `ends with its client, which refuses the next`() async throws {
    let server = try LoopbackServer { _ in .never }
    let client = HTTPClient()
    let task = Task { try await post("", to: server, with: client) }
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    client.close()
    let result = await task.result
    #expect(throws: HTTPClientError.cancelled) { try result.get() }
    await #expect(throws: HTTPClientError.cancelled) { try await post("", to: server, with: client) }
  }

  @Test(arguments: ["a\r\nX-Other: b", "a\u{0}b", "a\nb"])
  func `with a header that would be two is refused`(value: String) async throws {
    let server = try LoopbackServer { _ in .answer() }
    await #expect {
      try await post("", to: server, headers: [("Authorization", value)])
    } throws: { error in
      guard case HTTPClientError.invalid(let reason) = error else { return false }
      return !reason.contains(value)
    }
    #expect(server.requests.isEmpty)
  }
}

@Suite struct `An address` {
  @Test(arguments: [
    "", "localhost", "ftp://host", "file:///etc/passwd", "http://", "http:///v1", "http://user:key@host/v1",
    "http://host/v1?key=1", "http://host/#x", "http://host:0", "http://host:65536", "http://host:x", "http://ho st",
    "http://host\u{0}", "http://höst", "http://host\\@other", "javascript:alert(1)",
  ]) func `that is none, or carries a secret, is refused`(text: String) {
    #expect {
      try HTTPAddress(text)
    } throws: { error in
      guard case HTTPClientError.invalid(let reason) = error else { return false }
      return !reason.contains("key")
    }
  }

  @Test func `knows its host and whether that is this machine`() throws {
    for (text, host, isLoopback) in [
      ("http://localhost:8080/v1", "localhost", true), ("HTTP://127.0.0.1/v1/", "127.0.0.1", true),
      ("http://[::1]:80", "::1", true), ("https://api.example.com/v1", "api.example.com", false),
      ("http://127.evil.com", "127.evil.com", false),
    ] {
      let address = try HTTPAddress(text)
      #expect(address.host == host && address.isLoopback == isLoopback && address.description == text)
    }
    #expect(try HTTPAddress("http://host/v1/").appending("embeddings").description == "http://host/v1/embeddings")
    #expect(try HTTPAddress("http://host").appending("chat/completions").description == "http://host/chat/completions")
  }
}
