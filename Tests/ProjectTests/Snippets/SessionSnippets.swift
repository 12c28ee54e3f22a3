// What the guide to sessions shows.
import Foundation
import Memoir
import Testing

@Suite struct `The example of a session` {
  @Test func `comes to three memories`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    // snippet
    let first = try MessageAdded(role: .user, content: "Hi, I live in Porto. Which museums are open today?")
    let session = try await store.startSession(of: bob, firstMessage: first, agent: "web").session.id
    try await store.append(
      [
        .messageAdded(try MessageAdded(role: .assistant, content: "The Serralves museum is open until seven.")),
        .messageAdded(try MessageAdded(role: .user, content: "Sounds good! I still need to buy tickets.")),
      ], to: bob, session: session)

    let ended = try await store.endSession(session, of: bob, agent: "web")
    let memories = try store.memories(of: session, of: bob).facts.map(\.fact)
    // end
    #expect(
      memories == [
        "Lives in Porto.", "Agreed to “The Serralves museum is open until seven.”.", "Still needs to buy tickets.",
      ])
    #expect(ended.session.end?.reason == "closed")
    try store.close()
  }
}
