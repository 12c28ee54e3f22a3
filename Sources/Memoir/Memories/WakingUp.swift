// What an assistant is to have in mind before anything was asked: what matters most and is freshest.
public import EventStore
internal import Glibc

/// The memories with which to begin, and how many there were to choose from.
public struct WakeUp: Sendable {
  /// The memories, those that matter most first.
  public let memories: [StoredMemory]
  /// How many memories were important enough.
  public let total: Int
}

extension MemoirStore {
  /// After so long without use a memory matters half as much when waking up.
  private static var wakeUpHalfLife: Double { 14 * 86_400_000_000 }

  /// The memories of a user that matter most now: by stated importance, halved with every 14 days since the last use.
  ///
  /// - Parameters:
  ///   - limit: How many at most.
  ///   - least: Only memories of at least this stated importance.
  /// - Returns: Nothing for a user nobody has heard of.
  public func wakeUp(
    _ user: StreamName, limit: Int = 20, minStatedImportance least: Double = 0
  ) throws(MemoirError) -> WakeUp {
    guard let state = try stateIfKnown(of: user) else { return WakeUp(memories: [], total: 0) }
    var ranked: [(fact: Fact, weight: Double)] = []
    for fact in state.facts {
      let importance = memory.decay.statedImportance(of: fact)
      guard importance >= least else { continue }
      let age = max(0, Double(state.clock.microseconds - fact.updatedAt.microseconds))
      ranked.append((fact, importance * exp2(-age / Self.wakeUpHalfLife)))
    }
    ranked.sort { ($0.weight, $0.fact.origin.version) > ($1.weight, $1.fact.origin.version) }
    var memories: [StoredMemory] = []
    for (fact, _) in ranked.prefix(max(limit, 0)) { memories.append(try stored(fact, of: user)) }
    return WakeUp(memories: memories, total: ranked.count)
  }
}
