// The facts of a state as recall and contexts look at them: a little of each, in the order of their texts.
internal import EventStore
internal import Synchronization

/// What is asked of every fact, for every question.
struct FactWording: Sendable {
  /// The version of the event that said it in these words: that of its text.
  let version: UInt64
  /// The version of the event that it was learned by.
  let origin: StreamVersion
  let category: String
  /// When it was learned, revised or confirmed last, in microseconds since 1970.
  let usedAt: Int64
  /// From when on it no longer holds.
  let expiresAt: Int64
  /// How much it matters, where that was said.
  let importance: Double?
  /// Where the rest of it is.
  let place: Dictionary<ItemKey, Fact>.Index
}

/// The wordings of facts as long as these stay as they are: made where somebody asks, for every copy of the facts.
final class FactWordings: Sendable {
  private let known = Mutex<[FactWording]?>(nil)

  /// - Complexity: O(1), the first time O(n log n).
  func of(_ facts: [ItemKey: Fact]) -> [FactWording] {
    known.withLock { known in
      if let known { return known }
      let made = facts.indices.map { place in
        let fact = facts.values[place]
        return FactWording(
          version: fact.wordedAt.number, origin: fact.origin.version, category: fact.category,
          usedAt: fact.updatedAt.microseconds,
          expiresAt: fact.expiresAt?.microseconds ?? .max, importance: fact.importance?.value, place: place)
      }.sorted { $0.version < $1.version }
      known = made
      return made
    }
  }

  func forget() { known.withLock { $0 = nil } }
}
