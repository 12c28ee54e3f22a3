// Damage to runs: what verification names, what repairing mends, and whom it concerns.
import Bytes
import LMDB
import TestSupport
import Testing

@testable import EventStore

/// A chunk of a run, taken apart.
private struct RawChunk {
  var key: [UInt8]
  var records: [(position: LogPosition, bytes: [UInt8])] = []

  func encode(_ run: Run) -> [UInt8] {
    var writer = ByteWriter()
    for record in records {
      writer.write(UInt32(record.position.number - run.first.number))
      writer.writeLengthPrefixed(record.bytes.rawSpan)
    }
    return writer.bytes
  }

  static func all(
    of run: Run, _ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws -> [RawChunk] {
    var chunks: [RawChunk] = []
    var cursor = try transaction.scan(tables.runs[run.level])
    while let entry = try cursor.toNext() {
      guard RunCursor.isOf(run, entry) else { continue }
      var raw = RawChunk(key: entry.key.array())
      var chunk = RunChunk(entry.value, of: run)
      while let record = try chunk.next() { raw.records.append((record.position, record.bytes.array())) }
      chunks.append(raw)
    }
    return chunks
  }
}

/// Changes the tables of a closed store.
private func tamper(
  _ runs: RunStore, _ body: (inout WriteTransaction, Tables, RunCatalog) throws -> Void
) throws {
  try runs.store.reopen {
    let environment = try Environment(folder: runs.store.path)
    defer { environment.close() }
    let tables = Tables(try environment.openTables(Tables.tableNames))
    var transaction = try environment.beginWrite()
    let catalog = try RunCatalog.read(in: transaction, tables)
    try body(&transaction, tables, catalog)
    try transaction.commit()
  }
}

/// Changes the chunk that counts for a position: in its run, or in what that is merged into.
private func changeChunk(
  _ runs: RunStore, with position: LogPosition, _ body: (inout RawChunk, Int) throws -> Void
) throws {
  try tamper(runs) { transaction, tables, catalog in
    let index = try #require(catalog.index(of: position))
    let event = runs.kept.events[Int(position.number) - 1]
    let number = try #require(runs.numbers[event.stream])
    let run = catalog.place(of: number, inRun: index)
    for var chunk in try RawChunk.all(of: run, transaction, tables) {
      guard let place = chunk.records.firstIndex(where: { $0.position == position }) else { continue }
      try body(&chunk, place)
      if chunk.records.isEmpty {
        try transaction.remove(chunk.key, from: tables.runs[run.level])
      } else {
        try transaction.store(chunk.encode(run), at: chunk.key, in: tables.runs[run.level])
      }
      return
    }
    Issue.record("position \(position) is in no chunk")
  }
}

/// Changes the last byte, which is the payload's.
private func changePayload(_ runs: RunStore, at position: LogPosition) throws {
  try changeChunk(runs, with: position) { chunk, place in
    chunk.records[place].bytes[chunk.records[place].bytes.count - 1] ^= 1
  }
}

extension RunStore {
  /// The numbers of the streams.
  fileprivate var numbers: [StreamName: StreamNumber] {
    var numbers: [StreamName: StreamNumber] = [:]
    for event in kept.events where event.version == 1 { numbers[event.stream] = StreamNumber(numbers.count + 1) }
    return numbers
  }

  /// A store with runs of all levels, in the midst of a merge.
  fileprivate static func withAllLevels(seed: UInt64) throws -> RunStore {
    let runs = try RunStore(blockSize: 6, stepLimit: 5, seed: seed)
    try runs.append { catalog in
      let stages = RunStage.all(of: catalog)
      guard let merge = catalog.merge, merge.progress.stream > 2, !merge.progress.hasAllRecords else { return false }
      return stages.isSuperset(of: [.levelOne, .levelTwo]) && catalog.runs.contains { $0.level == 0 }
    }
    return runs
  }

  fileprivate func problems(_ kind: VerifyProblem.Kind) throws -> [VerifyProblem] {
    try log.verify().problems.filter { $0.kind == kind }
  }

  /// A position in a run of each level, and one in what is merged into.
  fileprivate func positionsOfRuns() throws -> [LogPosition] {
    let catalog = try catalog()
    var positions = (0...2).compactMap { level in
      catalog.runs.last { $0.level == level }.map { LogPosition(($0.first.number + $0.last.number) / 2) }
    }
    for event in kept.events where event.version > 1 {
      guard let index = catalog.index(of: event.position), let number = numbers[event.stream],
        catalog.place(of: number, inRun: index) != catalog.runs[index]
      else { continue }
      positions.append(event.position)
      break
    }
    return positions
  }
}

private func isCorrupt(_ error: any Error) -> Bool {
  switch error {
  case StorageError.corrupt, AppendError.storage(.corrupt): true
  default: false
  }
}

@Suite struct `Verification of runs` {
  enum Damage: CaseIterable {
    case dropped, changed, swapped, lostWithItsChunk
  }

  @Test(arguments: Damage.allCases) func `names what is not as it was`(damage: Damage) throws {
    let runs = try RunStore.withAllLevels(seed: 81)
    let positions = try runs.positionsOfRuns()
    #expect(Set(try runs.catalog().runs.map(\.level)) == [0, 1, 2])
    #expect(positions.count == 4)
    for position in positions {
      var before: (key: [UInt8], value: [UInt8], table: Int) = ([], [], 0)
      var lost: [LogPosition] = []
      try tamper(runs) { transaction, tables, catalog in
        let stream = runs.kept.events[Int(position.number) - 1].stream
        let index = try #require(catalog.index(of: position))
        let run = catalog.place(of: try #require(runs.numbers[stream]), inRun: index)
        let all = try RawChunk.all(of: run, transaction, tables)
        var chunk = try #require(all.first { $0.records.contains { $0.position == position } })
        before = (chunk.key, chunk.encode(run), run.level)
        let place = try #require(chunk.records.firstIndex { $0.position == position })
        lost = [position]
        switch damage {
        case .dropped: chunk.records.remove(at: place)
        case .changed: chunk.records[place].bytes[chunk.records[place].bytes.count - 1] ^= 1
        case .swapped:
          // With one of another chunk, where it is alone in its own.
          guard let other = chunk.records.indices.first(where: { $0 != place }) else {
            let bytes = try #require(all.first { $0.key != chunk.key }?.records[0].bytes)
            chunk.records[place].bytes = bytes
            break
          }
          lost.append(chunk.records[other].position)
          let bytes = chunk.records[place].bytes
          chunk.records[place].bytes = chunk.records[other].bytes
          chunk.records[other].bytes = bytes
        case .lostWithItsChunk:
          lost = chunk.records.map(\.position).filter { position in
            // Of others there is a copy that counts.
            let number = runs.numbers[runs.kept.events[Int(position.number) - 1].stream] ?? 0
            return catalog.place(of: number, inRun: index) == run
          }
          chunk.records = []
        }
        if chunk.records.isEmpty {
          try transaction.remove(chunk.key, from: tables.runs[run.level])
        } else {
          try transaction.store(chunk.encode(run), at: chunk.key, in: tables.runs[run.level])
        }
      }
      let named = Set(try runs.problems(.log).compactMap(\.position))
      #expect(named.isSuperset(of: lost), "\(position)")
      let stream = runs.kept.events[Int(position.number) - 1].stream
      #expect(performing: { try runs.log.readStream(stream) }, throws: isCorrupt)
      #expect(performing: { try runs.log.readAll() }, throws: isCorrupt)
      #expect(performing: { try runs.log.repairDerived() }, throws: isCorrupt)
      try tamper(runs) { transaction, tables, _ in
        try transaction.store(before.value, at: before.key, in: tables.runs[before.table])
      }
    }
    try runs.checkAll()
  }

  @Test func `names what the tables lack, and repairing brings it back`() throws {
    let runs = try RunStore.withAllLevels(seed: 82)
    let run = try #require(runs.catalog().runs.first)
    let changes: [(inout WriteTransaction, Tables) throws -> Void] = [
      { transaction, tables in
        let key = Key.position(run.first)
        var value = try #require(try transaction.fetch(key, from: tables.order)?.array())
        value[4] ^= 1
        try transaction.store(value, at: key, in: tables.order)
      },
      { transaction, tables in
        let isThere = try transaction.remove(Key.position(run.first), from: tables.order)
        #expect(isThere)
      },
      { transaction, tables in
        let key = RunIdentities.key(run, 0)
        var value = try #require(try transaction.fetch(key, from: tables.identities)?.array())
        value[12] ^= 1
        try transaction.store(value, at: key, in: tables.identities)
      },
      { transaction, tables in
        let isThere = try transaction.remove(RunIdentities.key(run, 0), from: tables.identities)
        #expect(isThere)
      },
    ]
    for change in changes {
      try tamper(runs) { transaction, tables, _ in try change(&transaction, tables) }
      let report = try runs.log.verify()
      #expect(!report.isSound && report.problems.allSatisfy { $0.kind == .derived })
      try runs.checkStreams(runs.log)
      try runs.log.repairDerived()
      try runs.checkAll()
    }
  }

  // An event whose hash had a flipped bit was not found by its id, and appended a second time.
  @Test func `of a hash with a flipped bit lets no event pass for a new one`() throws {
    let runs = try RunStore(blockSize: 20, stepLimit: nil, seed: 86, sizes: 20...60)
    try runs.append { $0.runs.count == 2 }
    let run = try #require(runs.catalog().runs.first)
    let events = runs.kept.events.filter { $0.position <= run.last }
    for bit in stride(from: 0, to: 8 * 8 * events.count, by: 37) {
      func flip() throws {
        try tamper(runs) { transaction, tables, _ in
          let key = RunIdentities.key(run, 0)
          var value = try #require(try transaction.fetch(key, from: tables.identities)?.array())
          value[bit / 8 % value.count] ^= 1 << UInt8(bit % 8)
          try transaction.store(value, at: key, in: tables.identities)
        }
      }
      try flip()
      for event in [events[bit / 64], events[(bit / 64 + 1) % events.count]] {
        #expect(performing: { try runs.log.event(event.id, of: event.stream) }, throws: isCorrupt)
        var again = Diary.removed("", id: event.id)
        (again.payload, again.session) = (event.payload, event.session)
        #expect(
          performing: { try runs.log.appendAndWait([StreamAppend([again], to: event.stream)]) }, throws: isCorrupt)
      }
      #expect(try runs.log.verify().problems.contains { $0.kind == .derived })
      try flip()
    }
    try runs.checkAll()
  }

  @Test func `of what is merged further is no worse after a repair`() throws {
    let runs = try RunStore(blockSize: 6, stepLimit: 2, seed: 83)
    var due = Set(RunStage.allCases)
    for _ in 1...400 where !due.isEmpty {
      try runs.append()
      try runs.log.perform(Idle())
      let found = due.intersection(RunStage.all(of: try runs.catalog()))
      if found.isEmpty { continue }
      due.subtract(found)
      try tamper(runs) { transaction, tables, _ in
        for table in tables.index { try transaction.drop(table) }
      }
      // Of blocks, the tables need to say nothing.
      #expect(try runs.log.verify().isSound == runs.catalog().runs.isEmpty)
      try runs.log.repairDerived()
      try runs.checkAll()
      try runs.checkRepeats(runs.log)
    }
    #expect(due.isEmpty)
    try runs.settle()
    try runs.checkAll()
  }

  // Merging stopped for as long as the process lived, and blocks were sealed only when there was no table left.
  @Test func `and a repair let merging go on that had to stop`() throws {
    let runs = try RunStore(blockSize: 6, stepLimit: 3, seed: 84)
    try runs.append { $0.merge?.progress.hasAllRecords == false }
    let merge = try #require(try runs.catalog().merge)
    try tamper(runs) { transaction, tables, catalog in
      try transaction.remove(RunIdentities.key(catalog.runs[merge.index], 0), from: tables.identities)
    }
    // Streams that begin need no look at this table.
    for number in 0..<20 {
      try runs.append([runs.newEvent()], to: .named("new-\(number)"))
      try runs.log.perform(Idle())
    }
    #expect(try runs.catalog().merge?.output == merge.output)
    #expect(performing: { try runs.log.appendAndWait([runs.newRequest(streams: 1)]) }, throws: isCorrupt)
    try runs.log.repairDerived()
    for _ in 0..<60 { try runs.append() }
    try runs.checkAll()
    let catalog = try runs.catalog()
    #expect(catalog.merge?.output != merge.output)
    #expect(catalog.runs.contains { $0.level > 0 })
    #expect(catalog.blocks.count < RunCatalog.largestBlockCount)
  }
}

@Suite struct `A damaged record` {
  private let alice = StreamName.alice

  /// Alice's first three events, among those of others.
  private func storeWithAlice(seed: UInt64) throws -> RunStore {
    let runs = try RunStore(blockSize: 8, stepLimit: 3, seed: seed)
    for _ in 0..<3 {
      try runs.append()
      try runs.append([runs.newEvent()], to: alice)
    }
    return runs
  }

  @Test func `in a block is its owner's trouble only, before and after it is sealed and merged`() throws {
    let runs = try storeWithAlice(seed: 91)
    let position = runs.kept.events(of: alice)[1].position
    try #require(runs.catalog().blocks == [1])
    try runs.store.reopen {
      try StoredLog.change(in: runs.store.path) { log in
        var bytes = try log.bytes(at: position)
        bytes[bytes.count - 1] ^= 1
        log.put(bytes, at: position)
      }
    }
    let isNamed = { (error: any Error) in
      switch error {
      case StorageError.corrupt(_, position), AppendError.storage(.corrupt(_, position)): true
      default: false
      }
    }
    var seen: Set<RunStage> = []
    for round in 1...150 {
      try runs.append()
      try runs.log.perform(Idle())
      seen.formUnion(RunStage.all(of: try runs.catalog()))
      #expect(performing: { try runs.log.readStream(alice) }, throws: isNamed)
      #expect(
        performing: { try runs.log.appendAndWait([StreamAppend([runs.newEvent()], to: alice)]) }, throws: isNamed)
      try runs.checkStreams(runs.log, without: alice)
      if round % 10 == 0 {
        try runs.checkAll(without: alice)
        #expect(performing: { try runs.log.readAll() }, throws: isNamed)
        try runs.checkReadingAll(runs.log, .forward, limit: 30, after: position)
        #expect(try runs.problems(.log).contains { $0.position == position })
      }
      if round % 40 == 0 { try runs.store.reopen() }
    }
    #expect(seen.isSuperset(of: [.sealingRecords, .sealingPieces, .mergingRecords, .levelOne]))
  }

  /// Alice's events are in a run, and what is to be damaged is.
  private func sealed(seed: UInt64) throws -> RunStore {
    let runs = try storeWithAlice(seed: seed)
    try runs.append { $0.runs.count >= 2 }
    return runs
  }

  enum Damage: CaseIterable {
    case payload, link, dropped
  }

  // A record that was not where it should be was taken for none, and its event appended a second time.
  @Test(arguments: Damage.allCases) func `whose event is appended again refuses that request, and no other`(
    damage: Damage
  ) throws {
    let runs = try sealed(seed: 92)
    let event = runs.kept.events(of: alice)[1]
    try changeChunk(runs, with: event.position) { chunk, place in
      switch damage {
      case .payload: chunk.records[place].bytes[chunk.records[place].bytes.count - 1] ^= 1
      case .link: chunk.records[place].bytes[RecordFormat.streamAt] ^= 0x20
      case .dropped: chunk.records.remove(at: place)
      }
    }
    let writer = AnotherProcess(beside: runs.store)
    var again = Diary.removed("", id: event.id)
    again.payload = event.payload
    again.session = event.session
    let others = [runs.newEvent(), runs.newEvent()].enumerated().map { index, event in
      StreamAppend([event], to: .named("other-\(index)"))
    }
    let results = try writer.append([others[0], StreamAppend([again], to: alice), others[1]])
    #expect(results.count == 3)
    #expect((try? results[0].get()) != nil && (try? results[2].get()) != nil)
    #expect(performing: { try results[1].get() }, throws: isCorrupt)
    #expect(try runs.log.lastPosition() == LogPosition(UInt64(runs.kept.events.count + 2)))
  }

  // All that came after it in its chunk was not found; and merged, it would have put others' records where nobody looks.
  @Test(arguments: [0x20, 0x40] as [UInt8]) func `with another stream's number hides nobody else's in a run`(
    bits: UInt8
  ) throws {
    let runs = try RunStore(blockSize: 20, stepLimit: 3, seed: 96, sizes: 20...60)
    for _ in 0..<3 {
      try runs.append()
      try runs.append([runs.newEvent()], to: alice)
    }
    try runs.append { $0.runs.count == 2 }
    let position = runs.kept.events(of: alice)[1].position
    try changeChunk(runs, with: position) { chunk, place in
      #expect(chunk.records.count > place + 10)
      chunk.records[place].bytes[RecordFormat.streamAt] ^= bits
    }
    for round in 1...160 {
      let request = runs.newRequest()
      try runs.log.appendAndWait([request])
      runs.note(request)
      if round % 8 > 0 { continue }
      try runs.checkStreams(runs.log, without: alice)
      try runs.checkAll(without: alice)
      #expect(performing: { try runs.log.readStream(alice) }, throws: isCorrupt)
      let named = try runs.problems(.log).compactMap(\.position)
      #expect(named.contains(position) && named.count < 5, "\(named)")
      if round == 80 { try runs.store.reopen() }
    }
  }

  // When nothing is new, the time of the stream's last event is told: read after others had written.
  @Test func `that ends a stream of which all is known refuses that request, and no other`() throws {
    let runs = try sealed(seed: 93)
    let events = runs.kept.events(of: alice)
    try changePayload(runs, at: events[2].position)
    let writer = AnotherProcess(beside: runs.store)
    var again = Diary.removed("", id: events[0].id)
    again.payload = events[0].payload
    again.session = events[0].session
    let other = StreamAppend([runs.newEvent()], to: .named("other"))
    let results = try writer.append([other, StreamAppend([again], to: alice), other], repeats: .event)
    #expect(results.count == 3)
    #expect((try? results[0].get()[0].appended) == 1)
    #expect(performing: { try results[1].get() }, throws: isCorrupt)
    #expect((try? results[2].get()[0].duplicates) == 1)
  }

  // The next record of the log is likely the next event of the request: a guess, not something needed.
  @Test func `of somebody else is no reason to refuse a repeat`() throws {
    let runs = try storeWithAlice(seed: 94)
    let bob = StreamName.bob
    let known = runs.newEvent()
    try runs.append([known], to: bob)
    try runs.append([runs.newEvent()], to: alice)
    try runs.append { $0.runs.count >= 2 }
    try changePayload(runs, at: runs.kept.events(of: alice)[3].position)
    let new = runs.newEvent()
    let results = try runs.log.appendAndWait([StreamAppend([known, new], to: bob)], repeats: .event)
    #expect(results.map(\.duplicates) == [1] && results.map(\.appended) == [1])
  }

  // What is new in a session is looked up while it is written, where there is no way back for one request alone.
  @Test func `of a session refuses the request that names it, and no other`() throws {
    let runs = try sealed(seed: 95)
    let session = SessionID.named("alice's own")
    try runs.append([runs.newEvent().inSession(session)], to: alice)
    let number = try #require(runs.kept.events(of: alice).last?.version)
    try runs.append([runs.newEvent().inSession(.named("another"))], to: alice)
    try runs.append { $0.end.number > runs.kept.events.count - 12 }
    for _ in 0..<30 { try runs.append() }
    let stream = try #require(runs.numbers[alice])
    try tamper(runs) { transaction, tables, _ in
      let key = Key.stream(stream, number.number)
      var value = try #require(try transaction.fetch(key, from: tables.sessions)?.array())
      value[value.count - 1] ^= 1
      try transaction.store(value, at: key, in: tables.sessions)
    }
    let writer = AnotherProcess(beside: runs.store)
    let requests = [
      StreamAppend([runs.newEvent()], to: .bob), StreamAppend([runs.newEvent().inSession(session)], to: alice),
      StreamAppend([runs.newEvent()], to: .bob),
    ]
    let results = try writer.append(requests)
    #expect((try? results[0].get()) != nil && (try? results[2].get()) != nil)
    #expect(performing: { try results[1].get() }, throws: isCorrupt)
    try runs.log.repairDerived()
    #expect(try runs.log.appendAndWait([requests[1]])[0].appended == 1)
    #expect(try runs.log.verify().isSound)
  }
}
