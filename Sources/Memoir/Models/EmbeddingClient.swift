// Vectors from a server with the OpenAI-compatible embeddings interface.
internal import JSON
internal import Synchronization

/// An ``Embedder`` that asks a server: `POST {base}/embeddings`.
///
/// Texts go out in batches. What may pass (no answer, 429, 5xx) is tried again within the endpoint's time limit, which
/// holds for each batch. Vectors are checked and brought to length 1.
public final class EmbeddingClient: Embedder {
  /// What one request may hold.
  public struct Limits: Sendable {
    /// Texts at most.
    public var texts: Int
    /// Bytes of all texts together; a longer one goes alone.
    public var bytes: Int
    /// Bytes of one text: what is longer is cut, since models read no further.
    public var textBytes: Int

    /// 64 texts, 256 KiB together, 8 KiB each.
    public init(texts: Int = 64, bytes: Int = 256 << 10, textBytes: Int = 8 << 10) {
      self.texts = max(texts, 1)
      self.bytes = max(bytes, 1)
      self.textBytes = max(textBytes, 4)
    }
  }

  /// The model's name at the server.
  public var model: String { server.endpoint.model }

  private let server: ModelServer
  private let limits: Limits
  /// Of all vectors of this model; known from the first answer on.
  private let dimension = Mutex<Int?>(nil)

  /// A client that has asked nothing yet.
  public init(_ endpoint: ModelEndpoint, limits: Limits = Limits(), retries: ModelRetryPolicy = ModelRetryPolicy()) {
    server = ModelServer(endpoint, retries)
    self.limits = limits
  }

  /// Asks for the vectors, a batch after the other.
  public func embed(_ texts: [String]) async throws(EmbedderError) -> [[Float]] {
    var vectors: [[Float]] = []
    vectors.reserveCapacity(texts.count)
    var rest = texts.map(cut)[...]
    while !rest.isEmpty {
      let batch = rest.prefix(nextBatch(of: rest))
      rest = rest.dropFirst(batch.count)
      vectors += try await embed(batch: Array(batch))
    }
    return vectors
  }

  private func nextBatch(of texts: ArraySlice<String>) -> Int {
    var count = 0
    var bytes = 0
    for text in texts.prefix(limits.texts) {
      bytes += text.utf8.count
      if count > 0, bytes > limits.bytes { break }
      count += 1
    }
    return count
  }

  /// The text up to the limit, not within a character. An empty one is a space: servers refuse none at all.
  private func cut(_ text: String) -> String {
    text.isEmpty ? " " : text.beginning(atMost: limits.textBytes)
  }

  private func embed(batch texts: [String]) async throws(EmbedderError) -> [[Float]] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("input")
    writer.beginArray()
    for text in texts { writer.string(text) }
    writer.endArray()
    writer.key("model")
    writer.string(model)
    writer.endObject()
    let answer = try await server.post(writer.finish(), to: "embeddings")
    let vectors = try Self.vectors(in: answer, count: texts.count)
    let found = vectors[0].count
    let expected = dimension.withLock { dimension -> Int in
      if dimension == nil { dimension = found }
      return dimension ?? found
    }
    guard found == expected else {
      throw .malformed(reason: "the model gave vectors of \(expected) numbers before, and now of \(found)")
    }
    return vectors
  }

  /// Numbers of a vector at most: the largest models in use have some thousand.
  static let greatestDimension = 16_384

  /// Reads `{"data":[{"index":0,"embedding":[…]}, …]}`, in whatever order.
  static func vectors(in answer: [UInt8], count: Int) throws(EmbedderError) -> [[Float]] {
    let limits = JSONLimits(depth: 16, sizeInBytes: JSONLimits.greatestSizeInBytes)
    var vectors = try JSONParser().parse(
      answer.span, limits: limits, refusal: { ModelError.malformed(reason: "it is no JSON: \($0)") }
    ) { node throws(ModelError) -> [[Float]] in
      guard let data = node["data"], data.kind == .array, data.count == count else {
        throw .malformed(reason: "it has not \(count) vectors in data")
      }
      var vectors = [[Float]](repeating: [], count: count)
      var elements = data.elements
      var place = 0
      while let element = elements.next() {
        let index = Int(clamping: element["index"]?.int64 ?? Int64(place))
        guard vectors.indices.contains(index), vectors[index].isEmpty else {
          throw .malformed(reason: "it has no vector, or two, for a text")
        }
        vectors[index] = try vector(element["embedding"])
        place += 1
      }
      return vectors
    }
    let dimension = vectors.first?.count ?? 0
    for index in vectors.indices {
      guard vectors[index].count == dimension else { throw .malformed(reason: "its vectors differ in length") }
      guard vectors[index].normalize() else {
        throw .malformed(reason: "a vector is of zeros, or not of finite numbers")
      }
    }
    return vectors
  }

  private static func vector(_ node: JSONNode?) throws(EmbedderError) -> [Float] {
    guard let node, node.kind == .array, 1...greatestDimension ~= node.count else {
      throw .malformed(reason: "an embedding is not an array of 1 to \(greatestDimension) numbers")
    }
    var numbers: [Float] = []
    numbers.reserveCapacity(node.count)
    var elements = node.elements
    while let element = elements.next() {
      guard let number = element.double else { throw .malformed(reason: "an embedding holds what is no number") }
      numbers.append(Float(number))
    }
    return numbers
  }
}

extension [Float] {
  /// Brings it to length 1.
  ///
  /// - Returns: Whether it could be.
  mutating func normalize() -> Bool {
    var sum = 0.0
    for number in self { sum += Double(number) * Double(number) }
    let length = sum.squareRoot()
    guard length.isFinite, length > 1e-12 else { return false }
    for index in indices { self[index] = Float(Double(self[index]) / length) }
    return true
  }
}
