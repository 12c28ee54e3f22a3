// The dry run: two folds of every stream side by side, while nothing in the store changes.
import Bytes
import TestSupport
import Testing

@testable import EventStore

/// A notebook that overlooks what was removed: the next version of the projector, with a mistake or a mend.
struct Forgetful: Projector {
  let name = "notebook"
  let version: Int
  private let notes = NotebookProjector()

  init(version: Int = 2) { self.version = version }

  func initialState() -> Notebook { notes.initialState() }

  func apply(_ event: borrowing EventView, to state: inout Notebook) throws(DamagedBytes) {
    if event.type != Diary.removed { try notes.apply(event, to: &state) }
  }
}

/// How many events there were: a state of another type.
struct Counter: Projector {
  struct State: ProjectionState {
    var events: UInt64 = 0
    var encodedSize: Int { EncodedSize.varint(events) }
    func encode(into writer: inout ByteWriter) { writer.writeVarint(events) }
    init() {}
    init(decoding reader: inout ByteReader) throws(DamagedBytes) { events = try reader.readVarint() }
  }

  let name: String
  let version: Int

  init(name: String = "counter", version: Int = 1) {
    self.name = name
    self.version = version
  }

  func initialState() -> State { State() }

  func apply(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {
    if event.type != Diary.removed { state.events += 1 }
  }
}

/// A projector that fails at every stream's first event.
private struct Failing: Projector {
  let name = "failing"
  let version = 1
  func initialState() -> Notebook { NotebookProjector().initialState() }
  func apply(_ event: borrowing EventView, to state: inout Notebook) throws(DamagedBytes) { throw DamagedBytes() }
}

/// Streams in two namespaces; in every fifth something was removed.
func comparedStreams(_ count: Int = 100) -> [StreamName] {
  (0..<count).map { .named("user-\(1_000 + $0)", in: $0 % 2 == 0 ? "here" : "there") }
}

func isAffected(_ number: Int) -> Bool { number % 5 == 0 }

/// A store of them: three events each, with a snapshot due at every version.
func comparedStore(_ count: Int = 100) throws -> TemporaryStore {
  var options = EventLog.Options()
  options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
  let store = try TemporaryStore(options)
  try store.log.appendAndWait(
    comparedStreams(count).enumerated().map { number, stream in
      let last =
        isAffected(number) ? Diary.removed("k", id: .number(3)) : Diary.written("m", "third", id: .number(3))
      return StreamAppend(
        [Diary.written("k", "first", id: .number(1)), Diary.written("l", "second", id: .number(2)), last], to: stream)
    })
  return store
}

extension Comparison {
  /// All that differ.
  mutating func rest() throws -> [ComparedStream<Before, After>] {
    var all: [ComparedStream<Before, After>] = []
    while let found = try next() { all += found }
    return all
  }
}

@Suite struct `Comparing two projectors` {
  @Test func `that are the same finds no difference`() throws {
    let store = try comparedStore()
    var comparison = try store.log.comparison(of: NotebookProjector(), with: NotebookProjector())
    let found = try comparison.rest()
    #expect(found.isEmpty)
    let counts = comparison.checkpoint.counts
    #expect(counts.equal == 100 && counts.streams == 100 && counts.compared == 100)
    #expect(counts.events == 300 && counts.eventsFolded == 300)
    let end = try comparison.next()
    #expect(end == nil)
  }

  @Test(arguments: [1, 2, 5]) func `finds exactly the streams that differ, by name`(jobs: Int) throws {
    let store = try comparedStore()
    var options = ComparisonOptions()
    options.jobs = jobs
    var comparison = try store.log.comparison(of: NotebookProjector(), with: Forgetful(), options)
    let found = try comparison.rest()
    let expected = comparedStreams().enumerated().filter { isAffected($0.offset) }.map(\.element).sorted()
    #expect(found.map(\.name) == expected)
    #expect(comparison.checkpoint.counts.different == 20 && comparison.checkpoint.counts.equal == 80)
    for stream in found {
      #expect(stream.version == 3 && stream.snapshot == nil)
      #expect(stream.before?.notes.keys.sorted() == ["l"])
      #expect(stream.after.notes.keys.sorted() == ["k", "l"])
    }
  }

  @Test func `takes some streams, a namespace, or an earlier point`() throws {
    let store = try comparedStore()
    func different(_ change: (inout ComparisonOptions) -> Void) throws -> (names: [StreamName], of: Int) {
      var options = ComparisonOptions()
      change(&options)
      var comparison = try store.log.comparison(of: NotebookProjector(), with: Forgetful(), options)
      return (try comparison.rest().map(\.name), comparison.checkpoint.counts.streams)
    }
    let (affected, other) = (comparedStreams()[5], comparedStreams()[6])
    let named = try different { $0.streams = [other, affected, affected, .named("nobody")] }
    #expect(named.names == [affected] && named.of == 2)
    let there = try different { $0.namespace = affected.namespace }
    #expect(there.names.count == 10 && there.of == 50)
    #expect(try different { $0.point = .version(2) } == ([], 100))
    #expect(try different { $0.point = .version(9) }.names.count == 20)
    #expect(try different { $0.point = .occurredAt(.latest) }.names.count == 20)
    #expect(try different { $0.point = .occurredAt(.earliest) } == ([], 0))
    #expect(try different { $0.point = .position(3) } == ([comparedStreams()[0]], 1))
    #expect(throws: ReadError.self) { try different { $0.point = .position(1_000) } }
  }

  @Test func `of different states asks whether they say the same`() throws {
    let store = try comparedStore(10)
    var comparison = try store.log.comparison(of: NotebookProjector(), with: Counter()) {
      UInt64($0.notes.count) == $1.events
    }
    // Who removed a note has one left, of two events that were counted.
    let found = try comparison.rest().map(\.name)
    #expect(found == [comparedStreams()[0], comparedStreams()[5]])
  }

  @Test func `is of the log as it was when it began`() throws {
    let store = try comparedStore(40)
    var comparison = try store.log.comparison(of: NotebookProjector(), with: Forgetful())
    _ = try comparison.next()
    for stream in comparedStreams(40) + [.bob] {
      try store.append(Diary.removed("l", id: .number(4)), to: stream)
    }
    _ = try comparison.rest()
    #expect(comparison.checkpoint.counts.different == 8 && comparison.checkpoint.counts.streams == 40)
    #expect(try comparison.difference(of: comparedStreams()[1]) == nil)
    #expect(try comparison.difference(of: comparedStreams()[5])?.version == 3)
    #expect(try comparison.difference(of: .bob) == nil)
  }

  @Test func `fails where a projector does, and tries again`() throws {
    let store = try comparedStore(3)
    var comparison = try store.log.comparison(of: NotebookProjector(), with: Failing())
    for _ in 1...2 {
      #expect(throws: ReadError.self) { try comparison.next() }
    }
    #expect(comparison.checkpoint.counts.streams == 0)
  }

  @Test func `leaves nothing behind`() throws {
    let store = try comparedStore(10)
    _ = try store.log.state(of: comparedStreams()[0], by: NotebookProjector())
    try store.log.storeDueSnapshots()
    func traces() throws -> [String] {
      let statistics = try store.log.storeStatistics(for: NotebookProjector())
      return ["\(statistics)", "\(store.log.snapshots.count)", "\(store.log.headCache.statistics.entries)"]
    }
    // Looking for snapshots that are due folds by itself.
    _ = try traces()
    let before = try traces()
    var folded = try store.log.comparison(of: NotebookProjector(), with: Forgetful())
    _ = try folded.rest()
    var stored = try store.log.comparison(ofSnapshotsWith: Forgetful())
    _ = try stored.rest()
    #expect(folded.checkpoint.counts.different == 2 && stored.checkpoint.counts.compared == 1)
    #expect(try traces() == before)
  }
}

@Suite struct `A comparison that was stopped` {
  @Test(arguments: [1, 3]) func `goes on from its checkpoint, and finds what it would have found`(jobs: Int) throws {
    let store = try comparedStore()
    var options = ComparisonOptions()
    options.jobs = jobs
    var whole = try store.log.comparison(of: NotebookProjector(), with: Forgetful(), options)
    let all = try whole.rest()

    var found: [StreamName] = []
    var kept = "\(try store.log.comparison(of: NotebookProjector(), with: Forgetful(), options).checkpoint)"
    for _ in 0..<100 {
      // Each time as in a new process: all there is is the text, and the log has grown.
      var next = try store.log.comparison(of: NotebookProjector(), with: Forgetful(), options)
      let checkpoint = try #require(ComparisonCheckpoint(kept))
      let isResumed = next.resume(from: checkpoint)
      #expect(isResumed)
      guard let more = try next.next() else { break }
      found += more.map(\.name)
      kept = "\(next.checkpoint)"
      try store.append(Diary.removed("k", id: .number(found.count)), to: .bob)
    }
    #expect(found == all.map(\.name))
    #expect(ComparisonCheckpoint(kept) == whole.checkpoint)
  }

  @Test func `does not go on from another one's checkpoint, nor from what is none`() throws {
    let store = try comparedStore(3)
    var comparison = try store.log.comparison(of: NotebookProjector(), with: Forgetful())
    let start = comparison.checkpoint
    var options = ComparisonOptions()
    options.point = .version(2)
    let other = try TemporaryStore()
    for checkpoint in [
      try store.log.comparison(of: NotebookProjector(), with: Forgetful(version: 3)).checkpoint,
      try store.log.comparison(of: NotebookProjector(version: 3), with: Forgetful()).checkpoint,
      try store.log.comparison(of: NotebookProjector(), with: Forgetful(), options).checkpoint,
      try store.log.comparison(ofSnapshotsWith: Forgetful()).checkpoint,
      try other.log.comparison(of: NotebookProjector(), with: Forgetful()).checkpoint,
    ] {
      let isResumed = comparison.resume(from: checkpoint)
      #expect(!isResumed)
      #expect(comparison.checkpoint == start)
    }
    _ = try comparison.next()
    let text = "\(comparison.checkpoint)"
    #expect(ComparisonCheckpoint(text) == comparison.checkpoint)
    for length in 0..<text.count { #expect(ComparisonCheckpoint(String(text.prefix(length))) == nil) }
    for index in text.indices {
      let other = text.replacingCharacters(at: index, with: text[index] == "0" ? "1" : "0")
      #expect(ComparisonCheckpoint(other) == nil)
    }
  }
}

extension String {
  fileprivate func replacingCharacters(at index: Index, with character: Character) -> String {
    var copy = self
    copy.replaceSubrange(index...index, with: [character])
    return copy
  }
}
