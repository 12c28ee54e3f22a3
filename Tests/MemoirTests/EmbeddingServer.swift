// Stand-ins for models: vectors of words, so that texts that share words are near; as a server, and in process.
import JSON
import Memoir
import Synchronization
import TestSupport

/// Vectors of the words in a text.
enum WordVectors {
  static func vector(of text: String, dimension: Int = 32) -> [Float] {
    var vector = [Float](repeating: 0.01, count: dimension)
    for word in text.lowercased().split(whereSeparator: { !$0.isLetter }) {
      var random = SeededRandom(seed: word.utf8.reduce(5_381) { $0 &* 33 &+ UInt64($1) })
      for index in vector.indices { vector[index] += Float.random(in: -1...1, using: &random) }
    }
    return vector
  }
}

extension LoopbackServer {
  /// The texts of a request for embeddings.
  static func texts(_ request: ReceivedRequest) -> [String] {
    let texts = try? JSONParser().parse(request.body) { node -> [String]? in
      guard let input = node["input"] else { return nil }
      return JSONText(input).strings
    }
    return texts.flatMap { $0 } ?? []
  }

  /// The answer for a request for embeddings, the last first.
  static func embeddings(_ request: ReceivedRequest, dimension: Int = 32) -> ServerReply {
    let items = texts(request).enumerated().map { index, text in
      let numbers = WordVectors.vector(of: text, dimension: dimension).map { "\($0)" }.joined(separator: ",")
      return #"{"object":"embedding","index":\#(index),"embedding":[\#(numbers)]}"#
    }
    return .json(#"{"object":"list","data":[\#(items.reversed().joined(separator: ","))],"model":"words"}"#)
  }

  /// The answer for a request for words.
  static func chat(_ content: String) -> ServerReply {
    let text = JSONText(string: content)
    return .json(#"{"choices":[{"index":0,"message":{"role":"assistant","content":\#(text)}}]}"#)
  }
}

/// A model in this process that can be told to fail.
final class WordEmbedder: Embedder {
  let model: String
  let dimension: Int
  /// Asked about each request.
  private let failure: Mutex<@Sendable ([String]) -> EmbedderError?>
  private let asked = Mutex<[[String]]>([])

  init(
    model: String = "words", dimension: Int = 32,
    failing: @escaping @Sendable ([String]) -> EmbedderError? = { _ in nil }
  ) {
    self.model = model
    self.dimension = dimension
    failure = Mutex(failing)
  }

  /// All requests so far.
  var requests: [[String]] { asked.withLock { $0 } }

  func fail(_ failing: @escaping @Sendable ([String]) -> EmbedderError?) { failure.withLock { $0 = failing } }

  func embed(_ texts: [String]) async throws(EmbedderError) -> [[Float]] {
    asked.withLock { $0.append(texts) }
    if let error = failure.withLock({ $0 })(texts) { throw error }
    return texts.map { WordVectors.vector(of: $0, dimension: dimension) }
  }
}

extension ModelRetryPolicy {
  /// As often as ever, and quicker.
  static let quick = ModelRetryPolicy(attempts: 4, firstDelay: .milliseconds(1), longestDelay: .milliseconds(4))
}
