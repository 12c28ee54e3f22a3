// Filters of ids: what they exclude is not there, whatever moves, is repaired or is appended beside.
import Bytes
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A filter of identities` {
  private func hashes(_ count: Int, seed: UInt64) -> [UInt64] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in random.next() }
  }

  @Test(arguments: [0, 1, 5, 1_000, 70_000]) func `never denies what was inserted`(count: Int) {
    // Also where it holds more than it was made for.
    for capacity in [count, max(1, count / 10)] {
      var filter = IdentityFilter(capacity: capacity)
      let inserted = hashes(count, seed: 1)
      for hash in inserted { filter.insert(hash) }
      #expect(inserted.allSatisfy { filter.mayContain($0) })
      // Runs keep only the first bits of a hash.
      #expect(inserted.allSatisfy { filter.mayContain(($0 >> 24) << 24) })
    }
  }

  @Test func `denies nearly all else`() {
    var filter = IdentityFilter(capacity: 70_000)
    for hash in hashes(70_000, seed: 1) { filter.insert(hash) }
    #expect(hashes(100_000, seed: 2).count { filter.mayContain($0) } < 1_500)
    #expect(!IdentityFilter(capacity: 0).mayContain(1 << 40))
  }

  @Test func `is made of each run once ids are looked for in it, and is true of no other`() throws {
    let runs = try RunStore(blockSize: 8, stepLimit: nil, seed: 3)
    try runs.append(until: { $0.runs.count >= 2 && $0.merge == nil })
    let view = try runs.log.view()
    let catalog = view.index.catalog
    var filters = RunFilters()
    let unknown = hashes(200, seed: 4)
    func excluded(by filters: RunFilters) -> [Int] {
      catalog.runs.indices.map { index in
        unknown.count { !filters.mayContain($0, catalog.runs[index], at: index) }
      }
    }
    try filters.update(catalog, view.transaction, view.tables)
    #expect(excluded(by: filters).allSatisfy { $0 == 0 }, "nobody has looked for an id")
    filters.count(lookUps: 1)
    for _ in catalog.runs { try filters.update(catalog, view.transaction, view.tables) }
    #expect(excluded(by: filters).allSatisfy { $0 > 150 })
    for event in runs.kept.events where event.position <= catalog.end {
      let stream = try #require(try view.stream(event.stream))
      let hash = IdentityHash.event(event.id, of: stream, seed: view.index.hashSeed)
      let index = try #require(catalog.index(of: event.position))
      #expect(filters.mayContain(hash, catalog.runs[index], at: index))
    }
    // Another run at the same place, as after a merge.
    var other = catalog.runs[0]
    other.number += 1
    #expect(unknown.allSatisfy { filters.mayContain($0, other, at: 0) })
    filters.removeAll()
    #expect(excluded(by: filters).allSatisfy { $0 == 0 })
  }
}

@Suite struct `Ids behind filters` {
  @Test func `are known again after many new ones, in blocks, runs and merged runs`() throws {
    let runs = try RunStore(blockSize: 16, stepLimit: nil, seed: 6, sizes: 1...20)
    for round in 1...60 {
      for _ in 1...4 { try runs.append(runs.number(1...5)) }
      try runs.checkRepeats(runs.log, count: 4)
      if round % 20 == 0 {
        try runs.log.repairDerived()
        try runs.checkRepeats(runs.log, count: 10)
      }
    }
    #expect(try runs.catalog().runs.contains { $0.level == 2 })
    for event in runs.kept.events {
      #expect(throws: AppendError.idConflict(stream: event.stream, ids: [event.id], isErased: false)) {
        try runs.log.appendAndWait([StreamAppend([Diary.removed("else", id: event.id)], to: event.stream)])
      }
    }
  }

  @Test func `are known again where another process appended them`() throws {
    let runs = try RunStore(blockSize: 8, stepLimit: nil, seed: 7, sizes: 1...20)
    let other = AnotherProcess(beside: runs.store)
    for _ in 1...60 {
      let request = runs.newRequest(2)
      _ = try other.append([request]).map { try $0.get() }
      runs.note(request)
      try runs.append(2)
      #expect(try runs.log.appendAndWait([request])[0].isDuplicate)
      try runs.checkRepeats(runs.log)
    }
    try runs.checkAll()
  }

  @Test func `of one request are told apart by stream, and the same twice is a conflict`() throws {
    let store = try TemporaryStore()
    let events = (1...300).map { Diary.removed("\($0)", id: .number($0)) }
    let results = try store.log.appendAndWait([StreamAppend(events, to: .bob), StreamAppend(events, to: .alice)])
    #expect(results.map(\.appended) == [300, 300])
    let twice = [
      Diary.removed("a", id: .number(500)), Diary.removed("b", id: .number(501)), Diary.removed("c", id: .number(500)),
    ]
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(500)], isErased: false)) {
      try store.append(twice[0], twice[1], twice[2])
    }
    let kept = try store.log.appendAndWait(
      [StreamAppend([twice[0], twice[1], twice[0], twice[0]], to: .bob)], repeats: .event)
    #expect(kept[0].appended == 2 && kept[0].duplicates == 2)
  }
}

@Suite struct `A head state that was read before` {
  private func texts(_ store: TemporaryStore) throws -> Int? {
    try store.log.state(of: .bob, by: NotebookProjector()).map { Int($0.version.number) }
  }

  @Test func `is that of now after each append, whoever appends, and to whatever stream`() throws {
    let store = try TemporaryStore()
    let other = AnotherProcess(beside: store)
    #expect(try texts(store) == nil)
    for round in 0..<20 {
      try store.append(Diary.written("k", "\(round)", id: .number(10 * round)))
      #expect(try texts(store) == 3 * round + 1)
      #expect(try texts(store) == 3 * round + 1)
      _ = try other.append([StreamAppend([Diary.written("k", "b", id: .number(10 * round + 1))], to: .bob)]).map {
        try $0.get()
      }
      #expect(try texts(store) == 3 * round + 2)
      try store.append(Diary.written("k", "c", id: .number(10 * round + 2)), to: .alice)
      #expect(try texts(store) == 3 * round + 2)
      try store.append(Diary.written("k", "d", id: .number(10 * round + 3)))
      #expect(try texts(store) == 3 * round + 3)
    }
    let kept = try store.log.state(of: .bob, by: NotebookProjector())
    let plain = try store.log.state(of: .bob, by: NotebookProjector(), usesSnapshots: false)
    #expect(kept?.state == plain?.state)
    #expect(kept?.eventsFolded == 0)
  }

  @Test func `is no more than others after the log is closed`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.written("k", "text", id: .number(1)))
    #expect(try texts(store) == 1)
    try store.log.close()
    #expect(throws: ReadError.self) { try store.log.state(of: .bob, by: NotebookProjector()) }
  }

  @Test func `has lost what was redacted`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.written("k", "secret", id: .number(1)), Diary.written("l", "text", id: .number(2)))
    let before = try store.log.state(of: .bob, by: NotebookProjector())
    try store.log.redact(1, of: .bob)
    let after = try store.log.state(of: .bob, by: NotebookProjector())
    #expect(before?.state != after?.state)
    #expect(after?.state == (try store.log.state(of: .bob, by: NotebookProjector(), usesSnapshots: false))?.state)
  }
}
