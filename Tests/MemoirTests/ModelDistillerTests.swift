// Distillation by a language model: what it is shown, and what of its answers is believed.
import EventStore
import Synchronization
import TestSupport
import Testing

@testable import Memoir

/// A model that gives these answers in turn, and notes what it was asked.
private final class ScriptedChat: ChatModel {
  let model = "talker"
  private let answers: [Result<String, ModelError>]
  private let asked = Mutex<[[ChatMessage]]>([])

  init(_ answers: Result<String, ModelError>...) { self.answers = answers }

  var questions: [[ChatMessage]] { asked.withLock { $0 } }

  func answer(to messages: [ChatMessage]) async throws(ModelError) -> String {
    let number = asked.withLock { asked -> Int in
      asked.append(messages)
      return asked.count - 1
    }
    return try answers[min(number, answers.count - 1)].get()
  }
}

private func transcript(_ texts: [String] = ["We moved from Postgres to MySQL.", "Noted."]) -> SessionTranscript {
  SessionTranscript(
    user: .bob, session: .named("s-1"),
    messages: texts.enumerated().map { index, text in
      SessionTranscript.Message(
        eventID: .number(index + 1), version: StreamVersion(UInt64(index + 1)),
        role: index % 2 == 0 ? .user : .assistant,
        content: text, occurredAt: .earliest)
    })
}

private func memory(
  _ content: String = "Moved to MySQL.", importance: String = "0.8", message: String = "1", more: String = ""
) -> String {
  #"{"content":"\#(content)","category":"decision","importance":\#(importance),"message":\#(message)\#(more)}"#
}

private func answer(_ memories: String..., summary: String = "They moved to MySQL.") -> String {
  #"{"summary":"\#(summary)","memories":[\#(memories.joined(separator: ","))]}"#
}

@Suite struct `A language model that distils` {
  @Test func `gives a summary and memories with the messages that say so`() async throws {
    let chat = ScriptedChat(
      .success(answer(memory(more: #","tags":["mysql","database"]"#), memory("Was noted.", message: "2"))))
    let distiller = ModelDistiller(chat)
    #expect(distiller.identity == DistillerIdentity(name: "chat", model: "talker", version: "1"))
    let found = try await distiller.distill(transcript())
    #expect(
      found.summary == "They moved to MySQL." && found.memories.map(\.content) == ["Moved to MySQL.", "Was noted."])
    let first = try #require(found.memories.first)
    #expect(first.category == "decision" && first.importance == 0.8 && first.tags == ["mysql", "database"])
    #expect(first.session == .named("s-1") && first.sourceMessageID?.description == EventID.number(1).description)
    let shown = try #require(chat.questions.first?.last?.content)
    #expect(shown.contains("[1] user: We moved from Postgres to MySQL.\n[2] assistant: Noted.\n"))
  }

  @Test(arguments: [
    ("0.1", 0.75), ("2", 0.9), ("-5", 0.75), ("0.8349", 0.83), ("1e300", 0.9),
  ]) func `is believed within bounds about what matters`(said: String, kept: Double) async throws {
    let found = try await ModelDistiller(ScriptedChat(.success(answer(memory(importance: said))))).distill(transcript())
    #expect(found.memories.map(\.importance.value) == [kept])
  }

  @Test(arguments: ["0", "3", "-1", "99999999999", "null", "\"1\"", "1.5"])
  func `is not believed about a message that is none of the session`(message: String) async throws {
    let found = try await ModelDistiller(ScriptedChat(.success(answer(memory(message: message))))).distill(transcript())
    #expect(found.memories.count == 1 && found.memories[0].sourceMessageID == nil)
  }

  @Test func `is cut off after six memories, and loses tags that cannot be`() async throws {
    let many = Array(repeating: memory(more: #","tags":["ok","","\u0007",7]"#), count: 9).joined(separator: ",")
    let found = try await ModelDistiller(ScriptedChat(.success(#"{"summary":"s","memories":[\#(many)]}"#)))
      .distill(transcript())
    #expect(found.memories.count == 6 && found.memories.allSatisfy { $0.tags == ["ok"] })
  }

  @Test func `may find nothing worth keeping`() async throws {
    let found = try await ModelDistiller(ScriptedChat(.success(answer()))).distill(transcript())
    #expect(found.memories.isEmpty && found.summary == "They moved to MySQL.")
  }

  @Test(arguments: [
    "Sorry, I can't.", #"{"summary":"","memories":[]}"#, #"{"summary":"x"}"#, #"{"memories":[]}"#,
    #"{"summary":"x","memories":[{"content":" ","importance":0.8}]}"#, #"{"summary":"x","memories":["text"]}"#,
    #"{"summary":"x","memories":[{"content":"a","importance":"high"}]}"#, #"{"summary":7,"memories":[]}"#,
    #"{"summary":"x","memories":[{"content":"\#(String(repeating: "a", count: 601))","importance":0.8}]}"#,
  ]) func `is asked once more after an answer of another form, then given up`(bad: String) async throws {
    let mended = ScriptedChat(.success(bad), .success(answer(memory())))
    #expect(try await ModelDistiller(mended).distill(transcript()).memories.count == 1)
    #expect(mended.questions.count == 2)
    let useless = ScriptedChat(.success(bad))
    await #expect(throws: DistillerError.malformed) { try await ModelDistiller(useless).distill(transcript()) }
    #expect(useless.questions.count == 2)
  }

  @Test(arguments: [
    (ModelError.timedOut, DistillerError.timeout), (.unreachable(reason: ""), .unavailable),
    (.failed(status: 500), .unavailable),
    (.rateLimited, .rateLimited), (.misconfigured(status: 401, reason: ""), .refused),
    (.refused(status: 400, reason: ""), .refused), (.malformed(reason: ""), .malformed), (.cancelled, .failed),
  ]) func `fails in the words of distillers`(error: ModelError, expected: DistillerError) async throws {
    await #expect(throws: expected) { try await ModelDistiller(ScriptedChat(.failure(error))).distill(transcript()) }
  }

  // A conversation of megabytes must not become a request of megabytes.
  @Test func `is shown of a long conversation the beginning and the end`() async throws {
    let texts = (1...2_000).map { "message number \($0) " + String(repeating: "x", count: 100) }
    let chat = ScriptedChat(.success(answer(memory(message: "2"))))
    let long = transcript(["first " + String(repeating: "é", count: 1 << 20)] + texts)
    let found = try await ModelDistiller(chat).distill(long)
    let shown = try #require(chat.questions.first?.last?.content)
    #expect(shown.utf8.count < 64 << 10)
    #expect(
      shown.contains("[1] user: first é") && shown.contains("message number 1 ")
        && shown.contains("message number 2000 "))
    #expect(!shown.contains("message number 1000 "))
    #expect(found.memories[0].sourceMessageID?.description == EventID.number(2).description)
  }

  @Test func `ends a session whose distillation is the model's, or without one the rules'`() async throws {
    for (chat, distiller) in [
      (ScriptedChat(.success(answer(memory("Uses MySQL now.")))), "chat"), (ScriptedChat(.failure(.timedOut)), "rules"),
    ] {
      let folder = TemporaryFolder()
      var options = MemoryOptions()
      options.sessions.distiller = ModelDistiller(chat)
      let store = try MemoirStore(folder: folder.path + "/store", memory: options)
      try await store.append(
        [.messageAdded(try MessageAdded(role: .user, content: "We decided to move from Postgres to MySQL."))],
        to: .bob, session: .named("s-1"))
      _ = try await store.endSession(.named("s-1"), of: .bob)
      let events = try store.log.readStream(.bob).events.filter { $0.type != .messageAdded }
      #expect(events.contains { $0.type == .sessionEnded })
      #expect(events.allSatisfy { $0.metadata.description.contains(#""name":"\#(distiller)""#) })
      try store.close()
    }
  }
}
