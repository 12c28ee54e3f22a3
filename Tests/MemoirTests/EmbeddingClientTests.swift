// Vectors from a server that behaves, fails for a while, fails for good, or talks nonsense.
import Memoir
import Synchronization
import TestSupport
import Testing

private func client(
  _ server: LoopbackServer, key: SecretKey? = nil, timeLimit: Duration = .seconds(600),
  limits: EmbeddingClient.Limits = EmbeddingClient.Limits()
) throws -> EmbeddingClient {
  EmbeddingClient(
    try ModelEndpoint(baseURL: server.url + "/v1", model: "words", key: key, timeLimit: timeLimit), limits: limits,
    retries: .quick)
}

private func isUnit(_ vector: [Float]) -> Bool { abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4 }

@Suite struct `Embedding` {
  @Test func `gives each text its own vector, of length 1`() async throws {
    let server = try LoopbackServer { LoopbackServer.embeddings($0) }
    let vectors = try await client(server, key: SecretKey("k-1")).embed(["red apple", "green pear", "red apple"])
    #expect(vectors.count == 3 && vectors[0] == vectors[2] && vectors[0] != vectors[1])
    #expect(vectors.allSatisfy(isUnit))
    let expected = WordVectors.vector(of: "red apple")
    let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(zip(vectors[0], expected).allSatisfy { abs($0 - $1 / length) < 1e-5 })
    let request = try #require(server.requests.first)
    #expect(request.path == "/v1/embeddings" && request.headers["authorization"] == "Bearer k-1")
    #expect(request.headers["content-type"] == "application/json")
  }

  @Test func `sends batches of so many texts and bytes, and a long text alone and cut`() async throws {
    let server = try LoopbackServer { LoopbackServer.embeddings($0) }
    let limits = EmbeddingClient.Limits(texts: 3, bytes: 20, textBytes: 30)
    let texts = ["a", "b", "c", "d", String(repeating: "é", count: 40), "", "0123456789", "0123456789x", "e"]
    #expect(try await client(server, limits: limits).embed(texts).count == texts.count)
    let sent = server.requests.map { LoopbackServer.texts($0) }
    let long = String(repeating: "é", count: 15)
    #expect(sent == [["a", "b", "c"], ["d"], [long], [" ", "0123456789"], ["0123456789x", "e"]])
  }

  @Test func `of nothing asks nobody`() async throws {
    let server = try LoopbackServer { LoopbackServer.embeddings($0) }
    #expect(try await client(server).embed([]).isEmpty && server.requests.isEmpty)
  }

  @Test(arguments: [429, 500, 502, 503, 504]) func `goes on after what passes`(status: Int) async throws {
    let server = try LoopbackServer { request in
      request.number < 2 ? .json("{}", status: status) : LoopbackServer.embeddings(request)
    }
    #expect(try await client(server).embed(["a"]).count == 1 && server.requests.count == 3)
  }

  @Test func `goes on after a connection that broke`() async throws {
    let server = try LoopbackServer { request in request.number == 0 ? .hangUp : LoopbackServer.embeddings(request) }
    #expect(try await client(server).embed(["a"]).count == 1 && server.requests.count >= 2)
  }

  @Test func `waits as long as the server asks`() async throws {
    let server = try LoopbackServer { request in
      request.number == 0
        ? .json("{}", status: 429, headers: [("Retry-After", "1")]) : LoopbackServer.embeddings(request)
    }
    let began = ContinuousClock.now
    #expect(try await client(server).embed(["a"]).count == 1)
    #expect(ContinuousClock.now - began >= .seconds(1))
  }

  @Test func `does not wait past its time limit`() async throws {
    let server = try LoopbackServer { _ in .json("{}", status: 429, headers: [("Retry-After", "3000")]) }
    let began = ContinuousClock.now
    await #expect(throws: ModelError.rateLimited) { try await client(server, timeLimit: .seconds(5)).embed(["a"]) }
    #expect(ContinuousClock.now - began < .seconds(120) && server.requests.count == 1)
  }
}

@Suite struct `A model's server` {
  @Test(arguments: [(429, ModelError.rateLimited), (500, .failed(status: 500)), (503, .failed(status: 503))])
  func `that stays in trouble is asked four times`(status: Int, error: ModelError) async throws {
    let server = try LoopbackServer { _ in .json("{}", status: status) }
    await #expect(throws: error) { try await client(server).embed(["a"]) }
    #expect(server.requests.count == 4)
  }

  @Test(arguments: [400, 413, 422]) func `that refuses is asked once, and its reason kept`(status: Int) async throws {
    let server = try LoopbackServer { _ in .json(#"{"error":{"message":"too\nlong"}}"#, status: status) }
    await #expect(throws: ModelError.refused(status: status, reason: "too long")) {
      try await client(server).embed(["a"])
    }
    #expect(server.requests.count == 1)
  }

  // Servers are known to repeat the key in what they say of it.
  @Test(arguments: [401, 403, 404]) func `that lets nobody in is asked once, and does not give the key away`(
    status: Int
  ) async throws {
    let server = try LoopbackServer { request in
      .json(#"{"error":{"message":"wrong key \#(request.headers["authorization"] ?? "")"}}"#, status: status)
    }
    await #expect {
      try await client(server, key: SecretKey("sk-very-secret")).embed(["a"])
    } throws: { error in
      guard case ModelError.misconfigured(status, _) = error else { return false }
      return !"\(error)".contains("very-secret") && "\(error)".contains("(secret)")
    }
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [
    String(repeating: "x", count: 290) + "KEY", String(repeating: "KEY ", count: 60), "KEY\u{301}",
    #"{"message":"\#(String(repeating: "KEY ", count: 60))"}"#,
  ]) func `gives no part of the key away where what it says is cut`(said: String) async throws {
    let key = "sk-" + String(repeating: "very-secret", count: 10)
    let server = try LoopbackServer { _ in .json(said.replacing("KEY", with: key), status: 401) }
    await #expect {
      try await client(server, key: SecretKey(key)).embed(["a"])
    } throws: { error in
      guard case ModelError.misconfigured(401, let reason) = error else { return false }
      return !reason.contains("sk-") && !reason.contains("very") && reason.count <= 300
    }
  }

  @Test func `that never answers costs no more than the time limit`() async throws {
    let server = try LoopbackServer { _ in .never }
    let began = ContinuousClock.now
    await #expect(throws: ModelError.timedOut) { try await client(server, timeLimit: .milliseconds(300)).embed(["a"]) }
    #expect(ContinuousClock.now - began < .seconds(120))
  }

  @Test func `that is not there is unreachable`() async throws {
    let server = try LoopbackServer { _ in .never }
    let client = try client(server)
    server.close()
    await #expect {
      try await client.embed(["a"])
    } throws: {
      if case ModelError.unreachable = $0 { true } else { false }
    }
  }

  @Test func `that redirects is not followed`() async throws {
    let server = try LoopbackServer { _ in .answer(status: 307, headers: [("Location", "http://127.0.0.1:1/")]) }
    await #expect {
      try await client(server).embed(["a"])
    } throws: {
      if case ModelError.misconfigured = $0 { true } else { false }
    }
  }

  @Test(arguments: [
    "", "[]", "{}", "<html>", #"{"data":{}}"#, #"{"data":[]}"#, #"{"data":[1,2]}"#,
    #"{"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]}"#, #"{"data":[{"index":0,"embedding":[1]}]}"#,
    #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
    #"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
    #"{"data":[{"index":-1,"embedding":[1]},{"index":1,"embedding":[1]}]}"#,
    #"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#, #"{"data":[{"embedding":[]},{"embedding":[]}]}"#,
    #"{"data":[{"embedding":[0,0]},{"embedding":[1,0]}]}"#, #"{"data":[{"embedding":["1"]},{"embedding":[1]}]}"#,
    #"{"data":[{"embedding":[null]},{"embedding":[1]}]}"#, #"{"data":[{"embedding":[1e300]},{"embedding":[1]}]}"#,
    #"{"data":[{"embedding":[NaN]},{"embedding":[1]}]}"#, #"{"data":[{"embedding":"AACAPw=="},{"embedding":[1]}]}"#,
  ]) func `that talks nonsense is told so`(answer: String) async throws {
    let server = try LoopbackServer { _ in .json(answer) }
    await #expect {
      try await client(server).embed(["a", "b"])
    } throws: {
      if case ModelError.malformed = $0 { true } else { false }
    }
    #expect(server.requests.count == 1)
  }

  @Test func `whose vectors change their dimension is not believed`() async throws {
    let server = try LoopbackServer { LoopbackServer.embeddings($0, dimension: $0.number == 0 ? 32 : 16) }
    let client = try client(server)
    #expect(try await client.embed(["a"])[0].count == 32)
    await #expect {
      try await client.embed(["a"])
    } throws: {
      if case ModelError.malformed = $0 { true } else { false }
    }
  }

  @Test func `that sends more than anyone wants is cut off`() async throws {
    let server = try LoopbackServer { _ in .endless(announcing: 1 << 40) }
    await #expect {
      try await client(server).embed(["a"])
    } throws: {
      if case ModelError.malformed = $0 { true } else { false }
    }
  }

  @Test func `is left at once by a task that is cancelled`() async throws {
    let server = try LoopbackServer { _ in .never }
    let client = try client(server)
    let task = Task { try await client.embed(["a"]) }
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    let result = await task.result
    #expect(throws: ModelError.cancelled) { try result.get() }
  }
}
