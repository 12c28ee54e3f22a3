// What the guide to contexts shows.
import Foundation
import Memoir
import Testing

@Suite struct `The examples of contexts` {
  @Test func `give the same bytes again`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    try await store.remember(MemoryDraft("The database is MySQL", category: FactCategory.decision), for: bob)
    // snippet
    var request = ContextRequest("Which database do we use?")
    request.budget = 1_000
    let (context, receipt) = try await store.contextWithReceipt(request, for: bob)
    let prompt = context.text + "\nAnswer the person's question."
    let again = try receipt.map { try store.receipt($0.id) }  // whatever was appended since
    // end
    #expect(prompt.contains("- decision: The database is MySQL\n"))
    #expect(again?.answer == receipt?.answer && again?.text == context.text)
    try store.close()
  }
}
