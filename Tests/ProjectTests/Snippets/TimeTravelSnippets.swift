// What the guide to time travel shows.
import Foundation
import Memoir
import Testing

@Suite struct `The example of four points in time` {
  @Test func `asks for one user at each`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    let march = try Timestamp("2026-03-03T14:00:00Z")
    for (key, time) in [("a", "2026-03-05T00:00:00Z"), ("b", "2026-03-01T00:00:00Z")] {
      let event = MemoirEvent.preferenceUpdated(
        try PreferenceUpdated(key: key, value: JSONText(string: "yes")))
      let data = try EventData(
        event, session: SessionID("s"), id: .generate(at: march), occurredAt: Timestamp(time))
      try await store.append([data], to: bob)
    }
    // snippet
    let now = try store.state(of: bob)
    let afterItsFirst = try store.state(of: bob, at: .version(1))
    let afterTheLogsFirst = try store.state(of: bob, at: .position(1))
    let knownThen = try store.state(of: bob, at: .recorded(march))
    let trueThen = try store.state(of: bob, at: .occurred(march))
    // end
    func keys(_ state: StateAt) -> [String] { state.state.preferences.all.map(\.key) }
    #expect(keys(now) == ["a", "b"] && keys(afterItsFirst) == ["a"] && keys(afterTheLogsFirst) == ["a"])
    #expect(keys(knownThen) == [] && keys(trueThen) == ["b"])
  }
}
