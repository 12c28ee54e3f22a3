// Texts to vectors: what a model must be able to do, whoever brings it.

/// Why an embedder gave no vectors.
public typealias EmbedderError = ModelError

/// Makes vectors of texts, near to each other where the texts mean nearly the same.
///
/// ``EmbeddingClient`` asks a server; an application may bring a model of its own.
public protocol Embedder: Sendable {
  /// Tells this model from all others, its release included: vectors of different models are never compared.
  var model: String { get }

  /// A vector for each of `texts`, in their order: all of one dimension, finite, of length 1.
  ///
  /// - Throws: ``EmbedderError``; ``ModelError/refused(status:reason:)`` where one of the texts is what is wrong.
  func embed(_ texts: [String]) async throws(EmbedderError) -> [[Float]]
}
