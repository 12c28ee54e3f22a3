// What the guide to remembering shows.
import Foundation
import Memoir
import Testing

@Suite struct `The examples of remembering` {
  @Test func `confirm, supersede, decide and merge`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    // snippet
    let lisbon = try MemoryDraft("Lives in Lisbon", category: "home", tags: ["place"])
    try await store.remember(lisbon, for: bob, agent: "web")

    let again = try await store.remember(MemoryDraft("lives in Lisbon!", category: "home"), for: bob)
    // again.result.kind is .confirmed: no second fact, and the first is surer now.

    let moved = try await store.remember(MemoryDraft("Lives in Porto", category: "home"), for: bob)
    // moved.result.kind is .stored, and moved.result.superseded is the first fact.
    let known = try store.memories(of: bob).memories.map(\.fact.fact)  // ["Lives in Porto"]
    let before = try store.memories(of: bob, at: .version(2)).memories.map(\.fact.fact)  // ["Lives in Lisbon"]
    // end
    #expect(again.result.kind == .confirmed && moved.result.kind == .stored)
    #expect(moved.result.superseded == [again.result.factID])
    #expect(known == ["Lives in Porto"] && before == ["Lives in Lisbon"])

    // snippet
    let conflicts = try store.conflicts(of: bob).conflicts
    let pairs = conflicts.map { "\($0.superseded.fact) → \($0.successor?.fact ?? "")" }
    // ["Lives in Lisbon → Lives in Porto"]
    // end
    #expect(pairs == ["Lives in Lisbon → Lives in Porto"])

    // snippet
    let started = try await store.update(bob) { state throws(MemoirError) in
      let open = state?.openTasks.map(\.fact) ?? []
      if open.contains("Book the flight") { return .nothing(false) }
      let draft = try MemoryDraft("Book the flight", category: FactCategory.task)
      let plan = try FactPlan.events(for: [draft], against: state?.facts ?? [], at: state?.clock ?? store.clock())
      var events: [EventData] = []
      for event in plan.events { events.append(try store.event(event, agent: "web")) }
      return Decision(append: events, result: true)
    }
    // end
    #expect(try started.result && store.openTasks(of: bob).map(\.fact) == ["Book the flight"])

    // snippet
    let seen = try store.state(of: bob).version
    try await store.updatePreferences(["theme": JSONText(string: "dark")], of: bob, agent: "web")
    let merged = try await store.updatePreferences(
      ["language": JSONText(string: "pt")], of: bob, basedOn: seen, agent: "phone")
    // end
    #expect(merged.version == seen.next.next)
  }
}
