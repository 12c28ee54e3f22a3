// What the fuzzers found: each a plain test that opens with what went wrong.
import Bytes
import EventStore
import Memoir
import Testing

@testable import Memoir

@Suite struct `A stored state that no fold made` {
  /// What a projector folds an event to, as it is stored: a count, the item, and whatever follows.
  private func state<P: Projector>(of event: MemoirEvent, _ projector: P) throws -> [UInt8] {
    let data = try EventData(event, id: .generate(at: .earliest))
    var writer = ByteWriter()
    writer.write(data.type.number)
    writer.write(0 as UInt8)
    writer.writeLengthPrefixed(data.payload)
    var state = projector.initialState()
    var folding = Folding(projector, writer.bytes)
    try folding.run(&state)
    return state.encoded()
  }

  private func isRead<S: ProjectionState>(_ bytes: [UInt8], as type: S.Type) -> Bool {
    var reader = ByteReader(bytes.rawSpan)
    return (try? S(decoding: &reader)) != nil
  }

  // Two facts of one event came out in either order, so that one state had several digests.
  @Test func `is refused where two facts come from one event`() throws {
    let states = try ["a", "b"].map { id in
      let fact = try FactLearned(fact: "Likes tea", category: "food", confidence: 1, factID: FactID(id))
      return try state(of: .factLearned(fact), FactProjector())
    }
    // Two zeros follow: there are no facts of before.
    let both = [2] + states[0].dropFirst().dropLast(2) + states[1].dropFirst().dropLast(2) + [0, 0]
    #expect(states[0].suffix(2) == [0, 0] && states[0] != states[1])
    #expect(isRead(states[0], as: FactsState.self) && isRead(states[1], as: FactsState.self))
    #expect(!isRead(both, as: FactsState.self))
  }

  @Test func `is refused where two relationships come from one event`() throws {
    let states = try ["Eve", "Mallory"].map { name in
      let relationship = try RelationshipLearned(subject: "Bob", predicate: "knows", object: name)
      return try state(of: .relationshipLearned(relationship), RelationshipProjector())
    }
    let both = [2] + states[0].dropFirst() + states[1].dropFirst()
    #expect(isRead(states[0], as: RelationshipsState.self) && isRead(states[1], as: RelationshipsState.self))
    #expect(!isRead(both, as: RelationshipsState.self))
  }
}
