// Asking a model in words: servers that answer, late, never, or nonsense.
import JSON
import TestSupport
import Testing

@testable import Memoir

private func client(_ server: LoopbackServer, timeLimit: Duration = .seconds(600)) throws -> ChatClient {
  ChatClient(
    try ModelEndpoint(baseURL: server.url, model: "talker", key: SecretKey("k"), timeLimit: timeLimit), retries: .quick)
}

private let question = [ChatMessage(.system, "Be brief."), ChatMessage(.user, "How many?")]

/// Takes `{"count": n}` with n up to 9.
@Sendable private func count(_ node: JSONNode) throws(UnusableAnswer) -> Int {
  guard let count = node["count"]?.int64, count <= 9 else { throw UnusableAnswer(reason: "count is not up to 9") }
  return Int(count)
}

private func roles(_ request: ReceivedRequest) -> [String] {
  let roles = try? JSONParser().parse(request.body) { node -> [String] in
    var roles: [String] = []
    var messages = node["messages"]?.elements
    while let message = messages?.next() { roles.append(message["role"]?.string ?? "?") }
    return roles
  }
  return roles ?? []
}

@Suite struct `A question to a model` {
  @Test func `goes out as it is, and comes back in words`() async throws {
    let server = try LoopbackServer { _ in LoopbackServer.chat("Seven.") }
    #expect(try await client(server).answer(to: question) == "Seven.")
    let request = try #require(server.requests.first)
    #expect(request.path == "/chat/completions" && request.headers["authorization"] == "Bearer k")
    let body = try JSONText(parsing: request.body.span)
    let expected = """
      {"messages":[{"content":"Be brief.","role":"system"},{"content":"How many?","role":"user"}],\
      "model":"talker","temperature":0}
      """
    #expect(body.description == expected)
  }

  @Test func `is asked again after what passes`() async throws {
    let server = try LoopbackServer { request in
      [.json("{}", status: 429), .json("{}", status: 500), .hangUp][safe: request.number] ?? LoopbackServer.chat("Yes.")
    }
    #expect(try await client(server).answer(to: question) == "Yes.")
  }

  @Test func `that is never answered costs no more than its time`() async throws {
    let server = try LoopbackServer { _ in .never }
    await #expect(throws: ModelError.timedOut) {
      try await client(server, timeLimit: .milliseconds(300)).answer(to: question)
    }
  }

  @Test func `that is answered late is not waited for`() async throws {
    let server = try LoopbackServer { _ in .after(milliseconds: 600, LoopbackServer.chat("Late.")) }
    await #expect(throws: ModelError.timedOut) {
      try await client(server, timeLimit: .milliseconds(200)).answer(to: question)
    }
  }

  @Test func `that nobody wants to answer fails as such`() async throws {
    let server = try LoopbackServer { _ in .json("{}", status: 429) }
    await #expect(throws: ModelError.rateLimited) { try await client(server).answer(to: question) }
    #expect(server.requests.count == 4)
  }

  @Test(arguments: [
    "", "nonsense", "{}", #"{"choices":[]}"#, #"{"choices":[{"message":{}}]}"#, #"{"choices":{"message":1}}"#,
    #"{"choices":[{"message":{"content":null}}]}"#, #"{"choices":[{"message":{"content":["a"]}}]}"#,
  ]) func `that is answered in no known form fails as such`(answer: String) async throws {
    let server = try LoopbackServer { _ in .json(answer) }
    await #expect {
      try await client(server).answer(to: question)
    } throws: {
      if case ModelError.malformed = $0 { true } else { false }
    }
  }
}

@Suite struct `A question that wants JSON` {
  @Test(arguments: [
    #"{"count":7}"#, "```json\n{\"count\":7}\n```", "Here you are: {\"count\":7} Anything else?",
    " {\"count\" : 7.0}\n",
  ]) func `finds it in the answer, however it is wrapped`(answer: String) async throws {
    let server = try LoopbackServer { _ in LoopbackServer.chat(answer) }
    #expect(try await client(server).answer(to: question, reading: count) == 7)
    #expect(server.requests.count == 1)
  }

  @Test(arguments: ["Seven, I think.", "{\"count\":", #"{"count":12}"#, "[7]", "}{", "", #"{"count":7,"count":8}"#])
  func `is asked once more, with what was wrong`(first: String) async throws {
    let server = try LoopbackServer { request in LoopbackServer.chat(request.number == 0 ? first : #"{"count":3}"#) }
    #expect(try await client(server).answer(to: question, reading: count) == 3)
    #expect(server.requests.count == 2)
    #expect(roles(server.requests[1]) == ["system", "user", "assistant", "user"])
    #expect(String(decoding: server.requests[1].body, as: UTF8.self).contains("cannot be used"))
  }

  @Test func `fails where the second answer is no better`() async throws {
    let server = try LoopbackServer { _ in LoopbackServer.chat(#"{"count":12}"#) }
    await #expect(throws: ModelError.malformed(reason: "count is not up to 9")) {
      try await client(server).answer(to: question, reading: count)
    }
    #expect(server.requests.count == 2)
  }

  @Test func `fails at once where there is no answer at all`() async throws {
    let server = try LoopbackServer { _ in .json(#"{"error":"no"}"#, status: 401) }
    await #expect(throws: ModelError.misconfigured(status: 401, reason: "no")) {
      try await client(server).answer(to: question, reading: count)
    }
    #expect(server.requests.count == 1)
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
