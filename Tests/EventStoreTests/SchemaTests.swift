// Event types that change, and types that are not known.
import EventStore
import TestSupport
import Testing

@Suite struct `An event in an older form` {
  @Test func `is upcast on reading and folding, and kept as it was`() throws {
    let store = try TemporaryStore(schema: Diary.firstSchema)
    let old = Diary.firstWritten("k", "text", id: .number(1))
    try store.append(old)

    store.schema = Diary.schema
    try store.reopen()
    let shown = try #require(try store.log.event(at: 1, of: .bob))
    #expect(shown.typeVersion == 2 && shown.payload == Diary.written("k", "text", id: .number(1)).payload)
    #expect(try store.notebook()?.notes == ["k": Array("text".utf8)])

    // Through every form on the way, when the program moves on once more.
    store.schema = Diary.nextSchema
    try store.reopen()
    let next = try #require(try store.log.event(at: 1, of: .bob))
    #expect(next.typeVersion == 3 && next.payload == Diary.nextWritten("k", "text", id: .number(1)).payload)

    store.schema = Diary.firstSchema
    try store.reopen()
    let kept = try #require(try store.log.event(at: 1, of: .bob))
    #expect(kept.typeVersion == 1 && kept.payload == old.payload)
  }

  @Test func `is repeated by its newer form`() throws {
    let store = try TemporaryStore()
    let old = Diary.firstWritten("k", "text", id: .number(1))
    try store.append(old)
    #expect(try store.append(Diary.written("k", "text", id: .number(1))).isDuplicate)
    #expect(try store.append(old).isDuplicate)
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
      try store.append(Diary.written("k", "other", id: .number(1)))
    }
    try store.append(Diary.written("k", "text", id: .number(2)))
    #expect(try store.append(Diary.firstWritten("k", "text", id: .number(2))).isDuplicate)
  }
}

@Suite struct `An event in a newer form` {
  private func store() throws -> TemporaryStore {
    let store = try TemporaryStore(schema: Diary.nextSchema)
    try store.append(Diary.written("a", "1", id: .number(1)))
    try store.append(Diary.nextWritten("b", "2", id: .number(2)))
    try store.append(Diary.written("c", "3", id: .number(3)))
    store.schema = Diary.schema
    try store.reopen()
    return store
  }

  @Test func `is shown, but not folded`() throws {
    let store = try store()
    let events = try store.log.readStream(.bob).events
    #expect(events.map(\.typeVersion) == [2, 3, 2])
    #expect(events[1].payload == Diary.nextWritten("b", "2", id: .number(2)).payload)

    let refusal = ReadError.storage(.unsupportedVersion(type: "Written", version: 3, position: 2))
    #expect(try store.notebook(at: .version(1))?.events == 1)
    #expect(throws: refusal) { try store.notebook() }
    #expect(throws: refusal) { try store.notebook(at: .occurredAt(.latest)) }
    #expect(throws: refusal) { try store.notebook(at: .version(2), usesSnapshots: false) }
  }

  @Test func `that was removed no longer keeps from folding`() throws {
    let store = try store()
    try store.log.redact(2, of: .bob)
    #expect(try store.notebook()?.notes.keys.sorted() == ["a", "c"])
  }

  // Comparing it with what the log has failed the whole commit, and with it appends of others.
  @Test func `is repeated only by itself, at no cost to its neighbours`() async throws {
    let store = try store()
    let log = store.log
    #expect(try store.append(Diary.nextWritten("b", "2", id: .number(2))).isDuplicate)
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(2)], isErased: false)) {
      try store.append(Diary.written("b", "2", id: .number(2)))
    }
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
      try store.append(Diary.nextWritten("a", "1", id: .number(1)))
    }
    // What an upcaster cannot read is just other content.
    var unreadable = Diary.firstWritten("a", "1", id: .number(1))
    unreadable.payload = Diary.removed("no colon", id: .number(1)).payload
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
      try store.append(unreadable)
    }
    let event = Diary.written("b", "2", id: .number(2))
    let neighbours = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 10..<30 {
        group.addTask {
          try await log.append([Diary.written("n", "1", id: .number(number))], to: .alice).appended == 1
        }
        group.addTask { (try? await log.append([event], to: .bob)) == nil }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(neighbours.allSatisfy { $0 })
  }
}

@Suite struct `An event of an unknown type` {
  @Test func `is read back as it was, and skipped by the fold`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.written("k", "text", id: .number(1)))
    let before = try #require(try store.notebook())
    let custom = Diary.custom("hello", named: "app.Unknown", id: .number(2)).inSession(.named("s"))
    try store.append(custom, Diary.unheardOf("?", id: .number(3)))
    try store.reopen()

    let events = try store.log.readStream(.bob).events
    #expect(events.map(\.typeName) == ["Written", "app.Unknown", "type-77"])
    #expect(events[1].payload == custom.payload && events[1].session == .named("s"))
    #expect(try store.notebook()?.notes == before.notes)
    #expect(try store.log.readStream(.bob, filter: EventFilter(types: ["app.Unknown"])).events.count == 1)
    #expect(try store.append(custom, Diary.unheardOf("?", id: .number(3))).isDuplicate)
  }
}
