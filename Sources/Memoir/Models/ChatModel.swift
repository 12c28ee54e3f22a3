// Asking a model in words: the interface, the client, and answers that must be JSON.
internal import JSON

/// A part of a conversation with a model.
public struct ChatMessage: Hashable, Sendable {
  /// Who speaks.
  public enum Role: String, Sendable {
    /// Instructions.
    case system
    /// Who asks.
    case user
    /// The model.
    case assistant
  }

  /// Who speaks.
  public var role: Role
  /// What is said.
  public var content: String

  /// A part of a conversation.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}

/// A model that answers in words.
public protocol ChatModel: Sendable {
  /// Tells this model from all others.
  var model: String { get }

  /// The model's next words.
  ///
  /// - Throws: ``ModelError``
  func answer(to messages: [ChatMessage]) async throws(ModelError) -> String
}

/// A ``ChatModel`` behind the OpenAI-compatible chat interface: `POST {base}/chat/completions`.
///
/// What may pass (no answer, 429, 5xx) is tried again within the endpoint's time limit.
public struct ChatClient: ChatModel {
  /// The model's name at the server.
  public var model: String { server.endpoint.model }

  private let server: ModelServer

  /// A client that has asked nothing yet.
  public init(_ endpoint: ModelEndpoint, retries: ModelRetryPolicy = ModelRetryPolicy()) {
    server = ModelServer(endpoint, retries)
  }

  /// Asks with a temperature of 0, so that the same question is likely to get the same answer.
  public func answer(to messages: [ChatMessage]) async throws(ModelError) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("messages")
    writer.array(messages) { writer, message in
      writer.beginObject()
      writer.key("content")
      writer.string(message.content)
      writer.key("role")
      writer.string(message.role.rawValue)
      writer.endObject()
    }
    writer.key("model")
    writer.string(model)
    writer.key("temperature")
    writer.integer(0)
    writer.endObject()
    let answer = try await server.post(writer.finish(), to: "chat/completions")
    return try JSONParser().parse(
      answer.span, refusal: { ModelError.malformed(reason: "it is no JSON: \($0)") }
    ) { node throws(ModelError) -> String in
      var choices = node["choices"]?.elements
      guard let content = choices?.next()?["message"]?["content"]?.string else {
        throw .malformed(reason: "it has no choices[0].message.content")
      }
      return content
    }
  }
}

extension ChatModel {
  /// Asks for JSON, and once more where the answer is none, or not what `read` takes: the model is told what was wrong.
  ///
  /// - Parameter read: Makes of the JSON what is wanted; what it throws is told to the model.
  /// - Throws: ``ModelError/malformed(reason:)`` where the second answer is no better.
  func answer<Answer: Sendable>(
    to messages: [ChatMessage], reading read: @Sendable (JSONNode) throws(UnusableAnswer) -> Answer
  ) async throws(ModelError) -> Answer {
    let first = try await answer(to: messages)
    let problem: UnusableAnswer
    do throws(UnusableAnswer) { return try ChatJSON.read(first, read) } catch { problem = error }
    let repair = """
      That cannot be used: \(problem.reason). Answer again with the whole JSON object, corrected, and nothing else.
      """
    let second = try await answer(
      to: messages + [
        ChatMessage(.assistant, String(first.prefix(ChatJSON.longestRepeat))), ChatMessage(.user, repair),
      ])
    do throws(UnusableAnswer) { return try ChatJSON.read(second, read) } catch {
      throw .malformed(reason: error.reason)
    }
  }
}

/// What is wrong with a model's answer, as half a sentence.
struct UnusableAnswer: Error, Hashable {
  var reason: String
}

/// JSON among a model's words.
enum ChatJSON {
  /// Of a useless answer, what the model is shown again.
  static let longestRepeat = 4_000

  /// Reads the object in an answer: alone, within a fence of code, or between sentences.
  static func read<Answer>(
    _ answer: String, _ read: (JSONNode) throws(UnusableAnswer) -> Answer
  ) throws(UnusableAnswer) -> Answer {
    let bytes = Array(answer.utf8)
    guard let first = bytes.firstIndex(of: UInt8(ascii: "{")), let last = bytes.lastIndex(of: UInt8(ascii: "}")),
      first < last
    else { throw UnusableAnswer(reason: "it has no JSON object") }
    return try JSONParser().parse(
      bytes.span.extracting(first...last), refusal: { UnusableAnswer(reason: "it is no valid JSON: \($0)") }, read)
  }
}
