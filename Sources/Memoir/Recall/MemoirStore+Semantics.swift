// The store's door to recall by meaning.
public import EventStore

extension MemoirStore {
  /// What makes vectors of texts, where one was given at opening.
  public var embedder: (any Embedder)? { semantics?.embedder }

  /// How near a user's texts are to `query`, as of a version. Never fails: where there is no answer, it says why.
  ///
  /// Waits for the vector of the question, at most ``SemanticOptions/queryTimeLimit``. Texts that were appended lately
  /// may have none yet; ``SemanticAnswer/missing`` counts them.
  ///
  /// - Parameter last: Only texts of events up to it; all where nothing is said.
  /// - Complexity: O(vectors that were not in memory)
  public func semanticScores(
    for query: String, of user: StreamName, through last: StreamVersion = StreamVersion(.max)
  ) async -> SemanticAnswer {
    guard let semantics else { return SemanticAnswer(.notConfigured) }
    return await semantics.scores(for: query, of: user, through: last)
  }

  /// Has vectors made beside the appends: of texts that have none, in this store and by whomever they come, until the
  /// store is closed. Does nothing where there is no embedder, or it was begun.
  ///
  /// For programs that stay. Nothing waits for it, and it waits out an embedder that fails.
  public func maintainVectors() { semantics?.beginWork().start() }

  /// Ends what ``maintainVectors()`` began, and waits until it has ended.
  public func stopMaintainingVectors() async { await semantics?.work?.stop() }

  /// How far the embedding has come; `nil` where it was not begun.
  public var embeddingStatus: EmbeddingStatus? { semantics?.work?.status }

  /// Questions sent to the embedder since the store was opened, and how many it did not answer; while it rests after a
  /// failure it is not asked. `nil` where there is none.
  public var embeddedQuestions: (asked: Int, failed: Int)? { semantics?.asked }

  /// Makes the vectors that are missing, and returns when all texts there were have one.
  ///
  /// - Parameter namespace: Only texts of its users are sent to the model; of all where nothing is said.
  /// - Returns: How many texts were embedded and refused since the store was opened.
  /// - Throws: `unavailable` where there is no embedder, or it fails, or gives vectors of another length than those that
  ///   are stored: what was done until then is kept. What the log throws.
  @discardableResult
  public func embedMissing(in namespace: Namespace? = nil) async throws(MemoirError) -> EmbeddingStatus {
    guard let semantics else { throw MemoirError(.unavailable, SemanticAbsence.notConfigured.description) }
    let work = semantics.beginWork()
    do {
      try await work.embedMissing(in: namespace)
    } catch let error as ModelError {
      throw MemoirError(.unavailable, error.description)
    } catch is CancellationError {
      throw MemoirError(.unavailable, ModelError.cancelled.description)
    } catch {
      throw MemoirError(error)
    }
    return work.status
  }

  /// Drops all vectors of a model: of one that is not used any more, or to have them made anew.
  public func dropVectors(of model: String) async throws(MemoirError) {
    semantics?.forgetVectors()
    do throws(StorageError) { try await log.dropDerived(SemanticMemory.kind(of: model)) } catch {
      throw MemoirError(error)
    }
  }
}
