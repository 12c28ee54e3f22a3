// What is handed out of a user's memory.
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `An export` {
  @Test func `begins after the last erasure`() async throws {
    let folder = TemporaryFolder()
    let store = try MemoirStore(folder: folder.path + "/store")
    let bob = StreamName(try UserID("bob"))
    for content in ["one", "two", "three"] {
      try await store.append([.messageAdded(MessageAdded(role: .user, content: content))], to: bob)
      if content != "three" { try await store.append([.userErased(UserErased())], to: bob) }
    }
    var text = ""
    try store.export(bob) { text += String(decoding: $0, as: UTF8.self) }
    #expect(text.split(separator: "\n").count == 1)
    #expect(text.contains(#""content":"three""#))
    try store.close()
  }
}
