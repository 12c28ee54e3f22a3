// Recall by meaning: what a store with an embedder keeps, and what it answers.
public import EventStore
internal import Synchronization

/// How texts are made into vectors and asked for by them.
public struct SemanticOptions: Sendable {
  /// How long a question may wait for its vector; then recall does without.
  public var queryTimeLimit: Duration
  /// After a question that got none, the embedder is left alone for so long: recall does without at once.
  public var restAfterFailure: Duration
  /// Texts embedded at once, beside the appends.
  public var batchSize: Int
  /// Between attempts of the embedding beside the appends, while the embedder fails: at first, and at most.
  public var retryDelays: ClosedRange<Duration>
  /// Memory for users' vectors, in bytes.
  public var cacheBytes: Int

  /// 2 s, 5 s, 64 texts, 1 s to 60 s, 256 MiB.
  public init(
    queryTimeLimit: Duration = .seconds(2), restAfterFailure: Duration = .seconds(5), batchSize: Int = 64,
    retryDelays: ClosedRange<Duration> = .seconds(1) ... .seconds(60), cacheBytes: Int = 256 << 20
  ) {
    self.queryTimeLimit = queryTimeLimit
    self.restAfterFailure = restAfterFailure
    self.batchSize = max(batchSize, 1)
    self.retryDelays = retryDelays
    self.cacheBytes = cacheBytes
  }
}

/// Why there are no scores by meaning.
public enum SemanticAbsence: Error, Hashable, Sendable {
  /// The store has no embedder.
  case notConfigured
  /// The embedder gave no vector of the question, or not in time.
  case embedder(EmbedderError)
  /// The vectors cannot be read.
  case storage(StorageError)
}

extension SemanticAbsence: CustomStringConvertible {
  /// One sentence for people.
  public var description: String {
    switch self {
    case .notConfigured: "no embedding model is configured"
    case .embedder(let error): error.description
    case .storage(let error): error.description
    }
  }
}

/// How near a user's texts are to a question, as of a version; or why that cannot be said.
public struct SemanticAnswer: Sendable {
  /// Why there are no scores; `nil` where there are.
  public let absence: SemanticAbsence?
  /// The model that made the vectors; `nil` where none is configured.
  public let model: String?
  /// Texts up to the version that have no vector: not made yet, or refused by the model. 0 where there are no scores.
  public let missing: Int

  private let query: QuantizedVector?
  private let index: VectorIndex
  private let last: StreamVersion

  init(_ absence: SemanticAbsence, model: String? = nil) {
    self.absence = absence
    self.model = model
    missing = 0
    query = nil
    index = VectorIndex()
    last = 0
  }

  init(_ query: QuantizedVector, _ vectors: UserVectors, through last: StreamVersion, model: String) {
    absence = nil
    self.model = model
    // Of another dimension than the question's, none can be compared.
    let isComparable = vectors.index.dimension.map { $0 == query.dimension } ?? true
    missing = vectors.missing(through: last) + (isComparable ? 0 : vectors.index.count)
    self.query = query
    index = vectors.index
    self.last = last
  }

  /// The nearest texts of a kind, nearest first; of equally near ones the earlier.
  ///
  /// - Parameter isWanted: Which events may be among them.
  /// - Complexity: O(texts of the kind)
  public func nearest(
    _ count: Int, of kind: MemoryKind, where isWanted: (StreamVersion) -> Bool = { _ in true }
  ) -> [SemanticScore] {
    guard let query else { return [] }
    var best = BestScores(limit: count)
    index.forEachScore(of: query, kind, through: last) { version, score in
      let found = SemanticScore(version: version, kind: kind, score: score)
      if best.takes(found), isWanted(version) { best.add(found) }
    }
    return best.sorted
  }

  /// Hands the score of each text of a kind to `body`, by version.
  func forEachScore(of kind: MemoryKind, _ body: (StreamVersion, Float) -> Void) {
    if let query { index.forEachScore(of: query, kind, through: last, body) }
  }

  /// The score of the text of the event at `version`; `nil` where it has no vector, or came later.
  public func score(of kind: MemoryKind, at version: StreamVersion) -> Float? {
    guard let query, version <= last else { return nil }
    return index.score(of: query, kind, at: version)
  }
}

/// What a store with an embedder keeps for recall by meaning.
final class SemanticMemory: Sendable {
  let embedder: any Embedder
  let options: SemanticOptions
  let log: EventLog
  let kind: DerivedKind
  private let cache: VectorCache
  private let rest = Mutex<(until: ContinuousClock.Instant, error: EmbedderError)?>(nil)
  private let worker = Mutex<EmbeddingWorker?>(nil)
  private let questions = Atomic<Int>(0)
  private let failures = Atomic<Int>(0)

  init(_ log: EventLog, _ embedder: any Embedder, _ options: SemanticOptions) {
    self.log = log
    self.embedder = embedder
    self.options = options
    kind = Self.kind(of: embedder.model)
    cache = VectorCache(log, kind, limit: options.cacheBytes)
  }

  /// Vectors of another model, or in another form, are another kind: nothing mixes.
  static func kind(of model: String) -> DerivedKind { DerivedKind("vectors 1 \(model)") }

  /// How near the user's texts are to `query`.
  func scores(for query: String, of user: StreamName, through last: StreamVersion) async -> SemanticAnswer {
    let vectors: UserVectors
    do throws(StorageError) { vectors = try await self.vectors(of: user) } catch {
      return SemanticAnswer(.storage(error), model: embedder.model)
    }
    do throws(EmbedderError) {
      return SemanticAnswer(try await vector(of: query), vectors, through: last, model: embedder.model)
    } catch {
      return SemanticAnswer(.embedder(error), model: embedder.model)
    }
  }

  private func vectors(of user: StreamName) async throws(StorageError) -> UserVectors {
    let (vectors, damaged) = try cache.vectors(of: user)
    // From there on they are made anew. A store that can only be read does without them.
    if let damaged { try? await log.dropDerived(kind, of: user, from: damaged) }
    return vectors
  }

  private func vector(of query: String) async throws(EmbedderError) -> QuantizedVector {
    if let rest = rest.withLock({ $0 }), ContinuousClock.now < rest.until { throw rest.error }
    questions.add(1, ordering: .relaxed)
    let limit = options.queryTimeLimit
    let result = await firstResult(within: limit, timedOut: .timedOut, cancelled: .cancelled) {
      [embedder] () async -> Result<QuantizedVector, EmbedderError> in
      // A server that fails at once is not asked again for so long that it would seem to be slow.
      await ModelServer.$patience.withValue(.now + limit) { () async -> Result<QuantizedVector, EmbedderError> in
        do throws(EmbedderError) { return .success(try await embedder.quantized([query])[0]) } catch {
          return .failure(error)
        }
      }
    }
    if case .failure(let error) = result, error != .cancelled {
      let until = ContinuousClock.now + options.restAfterFailure
      rest.withLock { $0 = (until, error) }
      failures.add(1, ordering: .relaxed)
    }
    return try result.get()
  }

  /// Questions sent to the embedder, and how many it did not answer.
  var asked: (asked: Int, failed: Int) {
    (questions.load(ordering: .relaxed), failures.load(ordering: .relaxed))
  }

  // MARK: Beside the appends

  /// The embedding beside the appends; made where there is none yet.
  func beginWork() -> EmbeddingWorker {
    worker.withLock { worker in
      if let worker { return worker }
      let made = EmbeddingWorker(log, embedder, kind, options)
      worker = made
      return made
    }
  }

  var work: EmbeddingWorker? { worker.withLock { $0 } }

  func close() { work?.cancel() }

  func forgetVectors() { cache.removeAll() }
}

extension Embedder {
  /// A checked vector for each text.
  func quantized(_ texts: [String]) async throws(EmbedderError) -> [QuantizedVector] {
    let vectors = try await embed(texts)
    guard vectors.count == texts.count else {
      throw .malformed(reason: "it has \(vectors.count) vectors for \(texts.count) texts")
    }
    var checked: [QuantizedVector] = []
    checked.reserveCapacity(vectors.count)
    for vector in vectors {
      guard let vector = QuantizedVector(vector), vector.dimension == checked.first?.dimension ?? vector.dimension
      else { throw .malformed(reason: "a vector is empty, of zeros, not of finite numbers, or of another length") }
      checked.append(vector)
    }
    return checked
  }
}
