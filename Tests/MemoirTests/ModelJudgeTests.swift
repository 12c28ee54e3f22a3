// A language model that judges contradictions the rules leave open.
import EventStore
import TestSupport
import Testing

@testable import Memoir

/// Answers as it is told, in turn.
private struct ScriptedChat: ChatModel {
  let model = "scripted"
  var answers: [String]
  private let asked = AskedQuestions()

  init(_ answers: String...) { self.answers = answers }

  func answer(to messages: [ChatMessage]) async throws(ModelError) -> String {
    let number = await asked.add(messages.map(\.content).joined(separator: "\n"))
    guard answers.indices.contains(number) else { throw .unreachable(reason: "nobody is there") }
    return answers[number]
  }

  var questions: [String] { get async { await asked.questions } }
}

private actor AskedQuestions {
  private(set) var questions: [String] = []

  func add(_ question: String) -> Int {
    questions.append(question)
    return questions.count - 1
  }
}

@Suite struct `A model as judge of contradictions` {
  /// Two facts that the rules see nothing in, then a third that a person would know to end the first.
  private func live(after chat: ScriptedChat) async throws -> [String] {
    var memory = MemoryOptions()
    memory.judge = ModelJudge(chat)
    var options = EventLog.Options()
    options.mapSize = 1 << 32
    let folder = TemporaryFolder()
    let store = try MemoirStore(folder: folder.path + "/store", options: options, memory: memory)
    defer { try? store.close() }
    try await store.append(
      [
        .factLearned(FactLearned(fact: "Trains for the marathon in Berlin", category: "sport", confidence: 0.9)),
        .factLearned(FactLearned(fact: "Collects stamps of Berlin", category: "sport", confidence: 0.9)),
      ], to: .bob)
    try await store.remember(
      MemoryDraft("Gave up the marathon in Berlin after an injury", category: "sport"), for: .bob)
    return try store.state(of: .bob).facts.map(\.fact)
  }

  @Test func `ends the facts it names`() async throws {
    // The latest is shown first.
    let chat = ScriptedChat(#"{"contradicted": [2]}"#)
    #expect(
      try await live(after: chat) == ["Collects stamps of Berlin", "Gave up the marathon in Berlin after an injury"])
    let question = try #require(await chat.questions.first)
    #expect(question.contains("New: Gave up the marathon") && question.contains("2. Trains for the marathon"))
  }

  @Test func `ends none where it names none`() async throws {
    #expect(try await live(after: ScriptedChat(#"{"contradicted": []}"#)).count == 3)
  }

  @Test func `is asked once more where its answer can't be used`() async throws {
    #expect(try await live(after: ScriptedChat("Hard to say.", #"{"contradicted": [2]}"#)).count == 2)
  }

  @Test(arguments: [
    ["nonsense", "nonsense"], [#"{"contradicted": [3]}"#, #"{"contradicted": [0]}"#], [],
    [#"{"contradicted": "2"}"#, #"{"contradicted": [1.5]}"#],
  ])
  func `that fails ends nothing, and the memory is stored`(answers: [String]) async throws {
    var chat = ScriptedChat()
    chat.answers = answers
    #expect(try await live(after: chat).count == 3)
  }
}
