// What README shows of the library.
import Foundation
import Memoir
import Testing

@Suite struct `The example in README` {
  @Test func `remembers, and looks back`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // snippet
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    try await store.append(
      [
        .messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon.")),
        .factLearned(try FactLearned(fact: "Lives in Lisbon", category: "home", confidence: 0.9)),
      ], to: bob, session: try SessionID("s-1"))

    let now = try store.state(of: bob)
    let before = try store.state(of: bob, at: .version(1))
    let known = now.facts.map(\.fact)  // ["Lives in Lisbon"]
    let knownBefore = before.facts.map(\.fact)  // []
    try store.close()
    // end
    #expect(known == ["Lives in Lisbon"] && knownBefore.isEmpty)
  }
}
