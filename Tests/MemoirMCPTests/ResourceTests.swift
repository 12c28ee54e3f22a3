// Resources, the prompt, and completing names.
import Foundation
import Memoir
import MemoirMCP
import TestSupport
import Testing

@Suite struct `Resources` {
  private func read(_ desk: MCPDesk, _ uri: String) async throws -> Object {
    let contents = try #require(try await desk.result("resources/read", ["uri": uri])["contents"] as? [Object])
    #expect(contents.count == 1 && contents[0]["uri"] as? String == uri)
    #expect(contents[0]["mimeType"] as? String == "application/json")
    let text = try #require(contents[0]["text"] as? String)
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
  }

  @Test func `are listed for one person, and templates for all`() async throws {
    let name = "ana maria/ü%?"
    let one = try await MCPDesk(user: name)
    let listed = try #require(try await one.result("resources/list")["resources"] as? [Object])
    #expect(
      listed.compactMap { $0["uri"] as? String } == [
        "memoir://users/ana%20maria%2F%C3%BC%25%3F/state", "memoir://users/ana%20maria%2F%C3%BC%25%3F/timeline",
      ])
    #expect((try await one.result("resources/templates/list")["resourceTemplates"] as? [Object])?.isEmpty == true)
    let all = try await MCPDesk()
    #expect((try await all.result("resources/list")["resources"] as? [Object])?.isEmpty == true)
    let templates = try #require(try await all.result("resources/templates/list")["resourceTemplates"] as? [Object])
    #expect(
      templates.compactMap { $0["uriTemplate"] as? String } == [
        "memoir://users/{user}/state", "memoir://users/{user}/timeline",
      ])
    // What is listed can be read.
    try await one.use("remember", ["content": "Owns a cat"])
    for resource in listed {
      #expect(try await read(one, try #require(resource["uri"] as? String))["user"] as? String == name)
    }
  }

  @Test func `show the state, and the latest events first`() async throws {
    let desk = try await MCPDesk()
    for number in 1...120 {
      try await desk.use(
        "remember", ["user": "bob", "content": "Fact \(number) stands alone", "fact_id": "f\(number)"])
    }
    let state = try await read(desk, "memoir://users/bob/state")
    #expect((state["facts"] as? [Object])?.count == 120)
    let timeline = try await read(desk, "memoir://users/bob/timeline")
    let events = try #require(timeline["events"] as? [Object])
    #expect(events.count == 100 && events.first?["version"] as? Int == 120 && events.last?["version"] as? Int == 21)
    #expect(timeline["next"] as? Int == 20)
  }

  @Test(arguments: [
    "memoir://users/nobody/state", "memoir://users/bob/secrets", "memoir://users/bob", "memoir://users//state",
    "memoir://users/bob/state/more", "memoir://users/bo%b/state", "memoir://users/%ff/state",
    "memoir://users/%2E/state",
    "memoir://users/%0A/state", "file:///etc/passwd", "", "memoir://users/bob%/state", "memoir://users/bob%4/state",
  ]) func `that are not there are not found`(uri: String) async throws {
    let desk = try await MCPDesk()
    try await desk.use("remember", ["user": "bob", "content": "Owns a cat"])
    #expect(try await desk.errorCode("resources/read", ["uri": uri]) == -32002)
  }

  @Test func `of others are not found where a person is fixed`() async throws {
    let desk = try await MCPDesk(user: "bob")
    try await desk.store.append([.factLearned(try FactLearned(fact: "x", category: "y", confidence: 1))], to: .alice)
    #expect(try await desk.errorCode("resources/read", ["uri": "memoir://users/alice/state"]) == -32002)
    #expect(try await desk.errorCode("resources/read") == -32602)
  }
}

@Suite struct `The prompt` {
  private func text(_ desk: MCPDesk, _ arguments: Object) async throws -> String {
    let result = try await desk.result("prompts/get", ["name": "begin_session", "arguments": arguments])
    let messages = try #require(result["messages"] as? [Object])
    #expect(messages.count == 1 && messages[0]["role"] as? String == "user")
    return try #require((messages[0]["content"] as? Object)?["text"] as? String)
  }

  @Test func `gives the context for the first message`() async throws {
    let desk = try await MCPDesk(user: "bob")
    #expect(try await text(desk, [:]).contains("Nothing is remembered of bob yet."))
    try await desk.use("remember", ["content": "Lives in Porto"])
    let begun = try await text(desk, ["first_message": "Where do I live?"])
    #expect(begun.contains("Lives in Porto") && begun.hasSuffix("Where do I live?"))
    // It is a question, not the beginning of a session.
    #expect(try desk.store.log.lastPosition() == 1)
  }

  @Test func `asks for a user where none is fixed`() async throws {
    func arguments(_ desk: MCPDesk) async throws -> [String] {
      let prompts = try #require(try await desk.result("prompts/list")["prompts"] as? [Object])
      #expect(prompts.count == 1 && prompts[0]["name"] as? String == "begin_session")
      return try #require(prompts[0]["arguments"] as? [Object]).compactMap { $0["name"] as? String }
    }
    let desk = try await MCPDesk()
    #expect(try await arguments(desk) == ["user", "first_message"])
    #expect(try await arguments(MCPDesk(user: "bob")) == ["first_message"])
    #expect(try await text(desk, ["user": "bob"]).contains("bob"))
    for wrong: Object in [[:], ["user": ""], ["user": 7], ["user": "bob", "more": "x"]] {
      #expect(try await desk.errorCode("prompts/get", ["name": "begin_session", "arguments": wrong]) == -32602)
    }
  }

  @Test func `that does not exist is refused`() async throws {
    let desk = try await MCPDesk(user: "bob")
    #expect(try await desk.errorCode("prompts/get", ["name": "other"]) == -32602)
    #expect(try await desk.errorCode("prompts/get") == -32602)
    let foreign: Object = ["name": "begin_session", "arguments": ["user": "alice"]]
    #expect(try await desk.errorCode("prompts/get", foreign) == -32602)
  }
}

@Suite struct `Completing a user's name` {
  private func complete(_ desk: MCPDesk, _ value: String, _ reference: Object) async throws -> Object {
    let params: Object = ["ref": reference, "argument": ["name": "user", "value": value]]
    return try #require(try await desk.result("completion/complete", params)["completion"] as? Object)
  }

  @Test func `lists those that begin so, of its namespace`() async throws {
    let desk = try await MCPDesk()
    let fact = MemoirEvent.factLearned(try FactLearned(fact: "x", category: "y", confidence: 1))
    for user in ["alice", "bob", "bobby", "bo", "carol"] { try await desk.store.append([fact], to: .named(user)) }
    try await desk.store.append([fact], to: .named("bonnie", in: "elsewhere"))
    for reference: Object in [
      ["type": "ref/prompt", "name": "begin_session"], ["type": "ref/resource", "uri": "memoir://users/{user}/state"],
    ] {
      #expect(try await complete(desk, "bo", reference)["values"] as? [String] == ["bo", "bob", "bobby"])
      #expect(
        try await complete(desk, "", reference)["values"] as? [String] == ["alice", "bo", "bob", "bobby", "carol"])
      #expect(try await complete(desk, "z", reference)["values"] as? [String] == [])
    }
  }

  @Test func `stops at a hundred, and says that there are more`() async throws {
    let desk = try await MCPDesk()
    let fact = MemoirEvent.factLearned(try FactLearned(fact: "x", category: "y", confidence: 1))
    for number in 100..<220 { try await desk.store.append([fact], to: .named("u\(number)")) }
    let found = try await complete(desk, "u", ["type": "ref/prompt", "name": "begin_session"])
    #expect((found["values"] as? [String])?.count == 100 && found["hasMore"] as? Bool == true)
  }

  @Test func `says nothing of others where a person is fixed, and refuses what there is not`() async throws {
    let desk = try await MCPDesk(user: "bob")
    try await desk.use("remember", ["content": "Owns a cat"])
    let reference: Object = ["type": "ref/prompt", "name": "begin_session"]
    #expect(try await complete(desk, "", reference)["values"] as? [String] == [])
    for wrong: Object in [
      [:], ["type": "ref/other"], ["type": "ref/prompt", "name": "x"], ["type": "ref/resource", "uri": "x"],
    ] {
      let params: Object = ["ref": wrong, "argument": ["name": "user", "value": ""]]
      #expect(try await desk.errorCode("completion/complete", params) == -32602)
    }
  }
}
