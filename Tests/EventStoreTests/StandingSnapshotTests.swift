// The dry run of an upgrade: the snapshots that an older program left, beside what a newer one folds.
import Bytes
import LMDB
import TestSupport
import Testing

@testable import EventStore

/// A store whose streams have the snapshots of a projector, at each of their versions.
private func store(
  _ count: Int = 20, with projector: some Projector = NotebookProjector()
) throws -> TemporaryStore {
  let store = try comparedStore(count)
  try takeSnapshots(with: projector, in: store)
  return store
}

private func takeSnapshots(
  with projector: some Projector, of streams: [StreamName]? = nil, at point: AsOf = .head, in store: TemporaryStore
) throws {
  for stream in try streams ?? store.log.streams().map(\.name) {
    _ = try store.log.state(of: stream, by: projector, at: point)
  }
  try store.log.storeDueSnapshots()
}

/// Changes the stored snapshots of a store.
private func tamper(
  with store: TemporaryStore, _ change: (_ key: [UInt8], _ value: [UInt8]) -> [UInt8]?
) throws {
  try store.reopen {
    let environment = try Environment(folder: store.path)
    defer { environment.close() }
    let table = try environment.openTables(["snapshots"])[0]
    var found: [(key: [UInt8], value: [UInt8])] = []
    do {
      let transaction = try environment.beginRead()
      var cursor = try transaction.cursor(in: table)
      var entry = try cursor.first()
      while let current = entry {
        found.append((current.key.array(), current.value.array()))
        entry = try cursor.next()
      }
    }
    var transaction = try environment.beginWrite()
    for (key, value) in found {
      guard let changed = change(key, value) else { continue }
      try transaction.put(changed.rawSpan, at: key.rawSpan, in: table)
    }
    try transaction.commit()
  }
}

/// The version that a snapshot's key stands for.
private func version(in key: [UInt8]) -> UInt8 { key[12] }

private func compare<P: Projector>(
  _ projector: P, in store: TemporaryStore, forms: [SnapshotForm<P.State>]? = nil,
  _ change: (inout ComparisonOptions) -> Void = { _ in }
) throws -> (different: [ComparedStream<P.State, P.State>], counts: ComparisonCounts) {
  var options = ComparisonOptions()
  change(&options)
  var comparison = try store.log.comparison(ofSnapshotsWith: projector, options, forms: forms)
  return (try comparison.rest(), comparison.checkpoint.counts)
}

@Suite struct `Comparing with the snapshots that stand` {
  @Test func `of the same projector finds no difference`() throws {
    let store = try store()
    let (different, counts) = try compare(NotebookProjector(), in: store)
    #expect(different.isEmpty)
    #expect(counts.equal == 20 && counts.streams == 20 && counts.eventsFolded == 60)
    #expect(counts.snapshots == [ProjectorIdentity(NotebookProjector(), schema: Diary.schema): 20])
  }

  @Test(arguments: [1, 4]) func `of an older version finds exactly the streams that differ`(jobs: Int) throws {
    let store = try store()
    let (different, counts) = try compare(Forgetful(), in: store) { $0.jobs = jobs }
    #expect(
      different.map(\.name)
        == comparedStreams(20).enumerated().filter { isAffected($0.offset) }.map(\.element).sorted())
    #expect(counts.different == 4 && counts.equal == 16)
    for stream in different {
      #expect(stream.version == 3 && stream.snapshot?.version == 1)
      #expect(stream.before?.notes.keys.sorted() == ["l"])
      #expect(stream.after.notes.keys.sorted() == ["k", "l"])
    }
  }

  // Whoever upgrades often changes more than the projector.
  @Test func `finds those of other parameters and of other event types`() throws {
    let store = try store(5, with: NotebookProjector(parameters: "wide"))
    store.schema = Diary.nextSchema
    try store.reopen()
    let (different, counts) = try compare(NotebookProjector(version: 2), in: store)
    #expect(different.count == 5 && counts.withoutSnapshot == 0)
    let identity = ProjectorIdentity(NotebookProjector(parameters: "wide"), schema: Diary.schema)
    #expect(counts.snapshots == [identity: 5])
    #expect("\(identity)" == "notebook 1 (wide)")
  }

  @Test func `compares at the version of the snapshot, whatever came later`() throws {
    let store = try store(5)
    for stream in comparedStreams(5) { try store.append(Diary.removed("l", id: .number(4)), to: stream) }
    let (different, counts) = try compare(Forgetful(), in: store)
    #expect(different.map(\.version) == [3] && counts.equal == 4)
    #expect(counts.events == 20 && counts.eventsFolded == 15)
  }

  @Test func `takes the latest at or before the point`() throws {
    let store = try store(10)
    let end = try #require(try store.log.lastRecorded().recordedAt)
    for point: AsOf in [.version(2), .recordedAt(end), .position(15), .version(7)] {
      let (different, counts) = try compare(Forgetful(), in: store) { $0.point = point }
      let isEarly = point == .version(2)
      #expect(different.count == (isEarly ? 0 : point == .position(15) ? 1 : 2), "\(point)")
      #expect(counts.streams == (point == .position(15) ? 5 : 10), "\(point)")
    }
    #expect(
      performing: { try compare(Forgetful(), in: store) { $0.point = .occurredAt(.latest) } },
      throws: { if case ReadError.invalid(let value) = $0 { value.field == "occurred_at" } else { false } })
  }

  @Test func `prefers those of another version, and takes that of one where it is asked to`() throws {
    let store = try store(5)
    try takeSnapshots(with: Forgetful(), in: store)
    #expect(try compare(Forgetful(), in: store).different.count == 1)
    #expect(try compare(Forgetful(), in: store) { $0.snapshotVersion = 2 }.counts.equal == 5)
    #expect(try compare(Forgetful(), in: store) { $0.snapshotVersion = 1 }.different.count == 1)
    let none = try compare(Forgetful(), in: store) { $0.snapshotVersion = 3 }
    #expect(none.counts.withoutSnapshot == 5 && none.counts.eventsFolded == 0)
    // What stands is what was left last.
    let stream = comparedStreams(5)[0]
    try store.append(Diary.removed("l", id: .number(4)), to: stream)
    try takeSnapshots(with: Forgetful(), of: [stream], in: store)
    #expect(try compare(Forgetful(), in: store).different.isEmpty)
  }

  @Test func `counts who has none`() throws {
    let store = try comparedStore(5)
    try takeSnapshots(with: NotebookProjector(), of: [comparedStreams()[0]], in: store)
    try takeSnapshots(with: Counter(), in: store)
    let (different, counts) = try compare(Forgetful(), in: store)
    #expect(different.count == 1 && counts.withoutSnapshot == 4 && counts.damaged == 0)
    try store.log.clearSnapshots()
    #expect(try compare(Forgetful(), in: store).counts.withoutSnapshot == 5)
  }

  @Test func `says of a form it cannot read that it differs, unless it is told how to read it`() throws {
    let store = try store(5, with: Counter(name: "notebook"))
    let (different, counts) = try compare(NotebookProjector(version: 2), in: store)
    #expect(different.count == 5 && different.allSatisfy { $0.before == nil })
    #expect(counts.unreadable == 5 && counts.different == 0 && counts.compared == 5)

    // The state of another projector has it as a part.
    let form = SnapshotForm<Counter.State>(of: "notebook") { bytes throws(DamagedBytes) in
      var state = Counter.State()
      state.events = try bytes.readVarint()
      return state
    }
    let told = try compare(Counter(version: 2), in: store, forms: [form])
    #expect(told.counts.equal == 5 && told.different.isEmpty)
  }
}

@Suite struct `Comparing with damaged snapshots` {
  @Test func `counts the streams that have no other`() throws {
    let store = try store(5)
    try tamper(with: store) { _, value in value.dropLast() + [value[value.count - 1] ^ 1] }
    let (different, counts) = try compare(Forgetful(), in: store)
    #expect(different.isEmpty && counts.damaged == 5 && counts.streams == 5 && counts.eventsFolded == 0)
  }

  @Test func `takes the latest that is whole`() throws {
    let store = try store(5)
    try tamper(with: store) { key, value in
      version(in: key) < 3 ? nil : value.dropLast() + [value[value.count - 1] ^ 1]
    }
    let (different, counts) = try compare(NotebookProjector(version: 2), in: store)
    #expect(different.map(\.version) == [2, 2, 2, 2, 2] && counts.damaged == 0)
  }

  // Whose it was can't be told any more; it may well have been the one to compare with.
  @Test func `counts those too that do not say whose they are`() throws {
    let store = try store(5)
    try tamper(with: store) { _, value in Array(value[..<20]) + [value[20] ^ 1] + value[21...] }
    #expect(try compare(Forgetful(), in: store).counts.damaged == 5)
    try tamper(with: store) { _, _ in [1, 2, 3] }
    #expect(try compare(Forgetful(), in: store).counts.damaged == 5)
  }

  @Test func `of somebody else does not count`() throws {
    let store = try store(5, with: Counter())
    try tamper(with: store) { _, value in value.dropLast() + [value[value.count - 1] ^ 1] }
    let counts = try compare(Forgetful(), in: store).counts
    #expect(counts.damaged == 0 && counts.withoutSnapshot == 5)
  }
}

@Suite struct `Snapshots of the first format` {
  // They did not say whose they are; whoever folded them still finds them by their key.
  @Test func `serve their projector, and are not compared with`() throws {
    let store = try store(3)
    try tamper(with: store) { key, value in
      guard let identity = try? SnapshotValue(value.rawSpan).identity.byteCount else { return nil }
      let first: [UInt8] = [1] + value[9..<17] + value[(18 + identity)...]
      var writer = ByteWriter()
      writer.write(XXH3.hash(first.rawSpan, seed: XXH3.hash(key.rawSpan)))
      return writer.bytes + first
    }
    #expect(try store.log.verify().isSound)
    let found = try #require(try store.log.state(of: comparedStreams()[0], by: NotebookProjector()))
    #expect(found.eventsFolded == 0)
    #expect(try store.notebook(of: comparedStreams()[0], usesSnapshots: false) == found.state)
    #expect(try compare(Forgetful(), in: store).counts.withoutSnapshot == 3)
  }
}
