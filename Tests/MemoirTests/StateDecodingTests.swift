// States that no fold made: what a snapshot may hold where somebody else wrote it. Found by the fuzzers.
import Bytes
import Memoir
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A stored state that no fold made` {
  // Two facts of one event came out in either order, so that one state had several digests.
  @Test func `is refused where two facts come from one event`() throws {
    func bytes(of id: String) throws -> [UInt8] {
      var history = History()
      try history.append(
        .factLearned(FactLearned(fact: "Likes tea", category: "food", confidence: 1, factID: FactID(id))))
      return try history.fold(FactProjector()).bytes
    }
    // A count, the facts, and that there are none of before.
    let (first, second) = (try bytes(of: "a"), try bytes(of: "b"))
    let both = [2] + first.dropFirst().dropLast(2) + second.dropFirst().dropLast(2) + [0, 0]
    #expect(throws: Never.self) { try FactsState.decode(first) }
    #expect(throws: DamagedBytes.self) { try FactsState.decode(both) }
  }

  @Test func `is refused where two relationships come from one event`() throws {
    func bytes(of object: String) throws -> [UInt8] {
      var history = History()
      try history.append(
        .relationshipLearned(RelationshipLearned(subject: "Bob", predicate: "knows", object: object)))
      return try history.fold(RelationshipProjector()).bytes
    }
    let (first, second) = (try bytes(of: "Eve"), try bytes(of: "Mallory"))
    let both = [2] + first.dropFirst() + second.dropFirst()
    #expect(throws: Never.self) { try RelationshipsState.decode(first) }
    #expect(throws: DamagedBytes.self) { try RelationshipsState.decode(both) }
  }
}
