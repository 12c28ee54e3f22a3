// What the guide to access and keys shows.
import Foundation
import Memoir
import Testing

@Suite struct `The examples of access and keys` {
  @Test func `let one person's key reach that person alone`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    let ann = StreamName(try UserID("ann"))
    // snippet
    let (key, secret) = try await store.keys.create(
      APIKeyDraft(
        "bob's phone", namespaces: .only([.default]), scopes: [.recall], users: [.exactly(bob.user)]))
    let shown = SecretKey(secret.revealed)  // what a request brings
    if case .key(let found) = try store.keys.authenticate(shown) {
      let decision = try store.decide(.recall, by: found, in: bob.namespace, user: bob.user)
      let other = try store.decide(.recall, by: found, in: ann.namespace, user: ann.user)
      print(decision.isAllowed, other)  // true denied(user)
    }
    // end
    #expect(try store.keys.authenticate(shown) == .key(key))
    #expect(try store.decide(.recall, by: key, in: .default, user: bob.user) == .allowed(.key))
    #expect(try store.decide(.recall, by: key, in: .default, user: ann.user) == .denied(.user))
    try store.close()
  }
}
