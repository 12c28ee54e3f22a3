// What the guide to proofs shows.
import Foundation
import Memoir
import Testing

@Suite struct `The examples of proofs` {
  @Test func `attest, and hold the store to it`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    try await store.append([.messageAdded(try MessageAdded(role: .user, content: "hi"))], to: bob)
    // snippet
    let kept = try store.attest().text
    // … events later, perhaps from another machine:
    let report = try store.verify(since: try Attestation(kept))
    print(report.isSound)  // true
    // end
    #expect(report.isSound)
    try store.close()
  }
}
