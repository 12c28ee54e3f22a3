// The dry run of the built-in projectors: in which items an older program's states differ.
import Bytes
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

/// The context of an older program, which overlooked some events.
private struct OlderContext: Projector {
  let name = "context"
  let version = 0
  var parameters: String { today.parameters }
  let isOverlooked: @Sendable (EventTypeCode) -> Bool
  private let today = ContextProjector()

  init(overlooking isOverlooked: @escaping @Sendable (EventTypeCode) -> Bool) { self.isOverlooked = isOverlooked }

  func initialState() -> ContextState { today.initialState() }

  func apply(_ event: borrowing EventView, to state: inout ContextState) throws(DamagedBytes) {
    if !isOverlooked(event.type) { try today.apply(event, to: &state) }
  }
}

/// A store of Bob's events, with the snapshot that an older program left.
private func storeOfBob(
  _ events: [MemoirEvent], overlooking isOverlooked: @escaping @Sendable (EventTypeCode) -> Bool
) async throws -> (store: MemoirStore, folder: TemporaryFolder) {
  let folder = TemporaryFolder()
  var options = EventLog.Options()
  options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
  let store = try MemoirStore(folder: folder.path + "/store", options: options)
  try await store.append(events, to: .bob, session: .named("s-1"))
  // Large, so that a snapshot is due at the end.
  let last = try MessageAdded(role: .user, content: String(repeating: "word ", count: 2_000))
  try await store.append([.messageAdded(last)], to: .bob)
  _ = try store.log.state(of: .bob, by: OlderContext(overlooking: isOverlooked))
  try store.log.storeDueSnapshots()
  return (store, folder)
}

extension BuiltInProjector {
  /// In which items Bob's states differ; `nil` where they do not.
  fileprivate func differences(in store: MemoirStore) throws -> [ItemDifference]? {
    var comparison = try comparison(ofSnapshotsIn: store.log)
    var found: [StateDifference] = []
    while let more = try comparison.next() { found += more }
    #expect(comparison.checkpoint.counts.streams == 1 && comparison.checkpoint.counts.compared == 1)
    guard let difference = found.first else { return nil }
    #expect(try comparison.difference(of: .bob)?.items?.map(\.item) == difference.items?.map(\.item))
    var writer = JSONWriter()
    writer.write(difference)
    let text = writer.finish()
    // Keys are sorted, so printing what was parsed gives the same bytes.
    #expect(try JSONText(parsing: text.span).utf8 == text)
    return difference.items
  }
}

@Suite struct `The items in which two states differ` {
  private func everything() throws -> [MemoirEvent] {
    [
      .sessionStarted(try SessionStarted()),
      .messageAdded(try MessageAdded(role: .user, content: "hello")),
      .factLearned(try FactLearned(fact: "Has a cat", category: "pets", confidence: 0.9, factID: FactID("cat"))),
      .preferenceUpdated(try PreferenceUpdated(key: "theme", value: JSONText(string: "dark"))),
      .relationshipLearned(try RelationshipLearned(subject: "Bob", predicate: "knows", object: "Ann")),
      .episodeRecorded(try EpisodeRecorded(task: "Build", actions: "make", outcomes: ["ok"], success: true)),
      .sessionsCompacted(try SessionsCompacted(sessions: [.named("s-0")], summary: "Hello.")),
      .sessionEnded(try SessionEnded(reason: "closed")),
    ]
  }

  @Test func `are of every kind`() async throws {
    let (store, folder) = try await storeOfBob(everything()) { $0 != .messageAdded }
    let all = try #require(try BuiltInProjector.context.differences(in: store))
    #expect(
      all.map { "\($0.change) \($0.item.prefix { $0 != ":" })" } == [
        "added fact", "added preference", "added relationship", "added episode",
        "changed sessions", "added session", "added compacted",
      ])
    for (projector, kinds) in [
      (BuiltInProjector.facts, ["fact"]), (.preferences, ["preference"]), (.relationships, ["relationship"]),
      (.episodes, ["episode"]), (.profile, ["fact", "preference"]),
    ] {
      let items = try #require(try projector.differences(in: store), "\(projector)")
      #expect(items.map { String($0.item.prefix { $0 != ":" }) } == kinds, "\(projector)")
      #expect(items.allSatisfy { $0.change == .added && $0.version != nil && !$0.fields.isEmpty })
    }
    #expect(try BuiltInProjector.messages.differences(in: store) == nil)
    let messages = try await storeOfBob(everything()) { $0 == .messageAdded }
    let changed = try #require(try BuiltInProjector.messages.differences(in: messages.store))
    #expect(changed.map(\.item) == ["messages"] && changed[0].text == "2 messages")
    #expect(changed[0].fields.map(\.key) == ["recent", "total"])
    _ = (folder, messages.folder)
  }

  @Test func `are gone, or say something else`() async throws {
    let (store, folder) = try await storeOfBob([
      .factLearned(try FactLearned(fact: "Has a cat", category: "pets", confidence: 0.9, factID: FactID("cat"))),
      .factLearned(try FactLearned(fact: "Has a dog", category: "pets", confidence: 0.9, factID: FactID("dog"))),
      .factForgotten(try FactForgotten(factID: FactID("cat"))),
      .factRevised(try FactRevised(factID: FactID("dog"), fact: "Has two dogs")),
    ]) { $0 == .factForgotten || $0 == .factRevised }
    let items = try #require(try BuiltInProjector.facts.differences(in: store))
    #expect(
      items.map { "\($0.change) \($0.item): \($0.text)" } == [
        "removed fact:cat: Has a cat", "changed fact:dog: Has two dogs",
      ])
    #expect(items[0].fields.allSatisfy { $0.to == nil } && items[0].fields.contains { $0.key == "category" })
    #expect(items[1].fields.map(\.key) == ["fact", "revised_by"])
    #expect(items[1].fields[0].from == JSONText(string: "Has a dog") && items[1].fields[1].from == nil)
    #expect(items[1].version == 2)
    _ = folder
  }

  // What is dead stays so, and nothing shows it.
  @Test func `are none where only what no surface shows is different`() async throws {
    let (store, folder) = try await storeOfBob([
      .factLearned(try FactLearned(fact: "Has a cat", category: "pets", confidence: 0.9, factID: FactID("cat"))),
      .factForgotten(try FactForgotten(factID: FactID("cat"))),
    ]) { $0 == .factLearned || $0 == .factForgotten }
    #expect(try BuiltInProjector.facts.differences(in: store)?.isEmpty == true)
    #expect(try BuiltInProjector.preferences.differences(in: store) == nil)
    _ = folder
  }

  // As texts of Swift the two keys are equal.
  @Test func `are told apart by their bytes`() {
    func item(_ name: String) -> StateItem {
      StateItem("preference:\(name)", "", from: 1) { writer in
        writer.beginObject()
        writer.endObject()
      }
    }
    let differences = ItemDifference.between([item("\u{E9}")], [item("e\u{301}")])
    #expect(differences.map(\.change) == [.removed, .added])
  }
}
