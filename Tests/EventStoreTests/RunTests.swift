// Blocks become runs and runs become larger ones, a little with each commit: nobody who reads or appends may notice,
// whenever they come, and whoever goes on with it.
import Bytes
import Foundation
import LMDB
import TestSupport
import Testing

@testable import EventStore

@Suite struct `A store whose records move a little with each commit` {
  @Test(arguments: [1, 3]) func `says the same after each of them`(stepLimit: Int) throws {
    let runs = try RunStore(blockSize: 8, stepLimit: stepLimit, seed: UInt64(stepLimit))
    var seen: Set<RunStage> = []
    for round in 1...110 {
      try runs.append(runs.number(1...2))
      for _ in 0...1 {
        try runs.log.perform(Idle())
        seen.formUnion(RunStage.all(of: try runs.catalog()))
        try runs.checkStreams(runs.log)
        try runs.checkIDs(runs.log)
      }
      if round % 5 == 0 { try runs.checkAll() }
      if round % 10 == 0 { try runs.checkRepeats(runs.log) }
    }
    #expect(seen.isSuperset(of: [.sealingRecords, .sealingPieces, .mergingRecords, .mergingPieces, .levelOne]))
    try runs.append(until: { RunStage.all(of: $0).contains(.levelTwo) }, withIdleCommits: 3)
    try runs.settle()
    try runs.checkAll()
  }

  @Test func `goes on where it was after being opened again`() throws {
    let runs = try RunStore(blockSize: 8, stepLimit: 4, seed: 14)
    var seen: Set<RunStage> = []
    for round in 1...150 {
      try runs.append()
      try runs.store.reopen()
      seen.formUnion(RunStage.all(of: try runs.catalog()))
      try runs.checkStreams(runs.log)
      if round % 3 == 0 { try runs.checkAll() }
    }
    #expect(seen.isSuperset(of: [.sealingRecords, .sealingPieces, .mergingRecords, .mergingPieces, .levelOne]))
    try runs.checkRepeats(runs.log, count: 20)
  }

  @Test func `leaves copies behind that go on by themselves`() throws {
    let runs = try RunStore(blockSize: 6, stepLimit: 4, seed: 5)
    var copied: Set<RunStage> = []
    for round in 1...150 {
      try runs.append()
      let stages = try RunStage.all(of: runs.catalog())
      // Copying takes its time: one at each stage, and now and then.
      if stages.isSubset(of: copied), round % 25 != 0 { continue }
      copied.formUnion(stages)
      let folder = TemporaryFolder(inMemory: true)
      _ = try runs.log.backup(to: folder.path + "/copy")
      let log = try EventLog(folder: folder.path + "/copy", schema: Diary.schema, options: runs.store.options)
      try runs.checkAll(log)
      try runs.checkRepeats(log)
      // Its own way: what is appended to it does not come to the original.
      for number in 1...40 {
        let event = Diary.removed("only here \(number)", id: .number(1_000_000 + number))
        try log.appendAndWait([StreamAppend([event], to: .named("only here"))])
      }
      try runs.checkStreams(log)
      try runs.checkRepeats(log)
      #expect(try log.readStream(.named("only here")).events.count == 40)
      #expect(try log.verify().isSound)
      try log.close()
    }
    #expect(copied.isSuperset(of: [.sealingRecords, .sealingPieces, .mergingRecords, .levelOne]))
  }

  #if DEBUG
  @Test(arguments: [1, 3]) func `says the same after each commit that fails`(stepLimit: Int) throws {
    let runs = try RunStore(blockSize: 8, stepLimit: stepLimit, seed: UInt64(stepLimit) + 20)
    let writer = AnotherProcess(beside: runs.store)
    var seen: Set<RunStage> = []
    var failed = 0
    for round in 1...100 {
      let request = runs.newRequest(runs.number(1...2))
      // The commit itself, or any call before it.
      let (call, occurrence) = round % 2 == 0 ? (LMDBError.Call.transactionCommit, 1) : (nil, runs.number(1...40))
      var results: [Result<[AppendResult], AppendError>] = []
      let fired = try Failpoint.with(call: call, occurrence: occurrence, code: ENOSPC) {
        do {
          results = try writer.append([request])
        } catch AppendError.storage(.full) {
          // What its caller had to read.
        }
      }
      let isStored = results.contains { (try? $0.get()) != nil }
      #expect(fired != isStored)
      if isStored { runs.note(request) } else { failed += 1 }
      try runs.checkStreams(runs.log)
      if round % 10 == 0 { try runs.checkAll() }
      let again = try writer.append([request]).map { try $0.get() }
      #expect(again.map { $0[0].isDuplicate } == [isStored])
      if !isStored { runs.note(request) }
      seen.formUnion(RunStage.all(of: try runs.catalog()))
    }
    #expect(failed > 50)
    #expect(seen.isSuperset(of: [.sealingRecords, .sealingPieces, .mergingRecords]))
    try runs.checkAll()
    try runs.checkRepeats(runs.log, count: 20)
  }
  #endif
}

// MARK: Readers

/// A look at a store, kept, and what is to be seen in it.
private final class HeldView {
  private let view: LogView
  private let kept: KeptLog

  init(_ view: consuming LogView, _ kept: KeptLog) {
    self.view = view
    self.kept = kept
  }

  func check() throws {
    try EventStoreTests.check(view.last, is: LogPosition(UInt64(kept.events.count)), "its end")
    var decoder = EventDecoder()
    for name in kept.streams {
      guard let stream = try view.stream(name), let head = try view.head(of: stream) else {
        throw Mismatch(description: "\(name) is gone")
      }
      var found: [KeptEvent] = []
      try view.index.forEachRecord(of: 1...head.version, in: stream, view.transaction) { record throws(StorageError) in
        found.append(KeptEvent(try decoder.event(record, view)))
      }
      try EventStoreTests.check(found, is: kept.events(of: name), "\(name)")
      for event in found {
        let place = try view.index.place(of: event.id, in: stream, view.transaction)
        try EventStoreTests.check(
          place, is: StreamPlace(version: event.version, position: event.position), "place of \(event)")
      }
    }
    try EventStoreTests.check(try view.streamNames().sorted(), is: kept.streams, "names")
    var found: [KeptEvent] = []
    while found.count < kept.events.count {
      let window = try LogWindow(LogPosition(UInt64(found.count + 1))...view.last, in: view)
      try collect(window.first...window.last, of: window, view, &found, &decoder)
    }
    try EventStoreTests.check(found, is: kept.events, "all of it")
    found = []
    var last = view.last
    while last > 0 {
      let window = try LogWindow(1...last, fromItsEnd: true, in: view)
      var part: [KeptEvent] = []
      try collect(window.first...last, of: window, view, &part, &decoder)
      found = part + found
      last = LogPosition(window.first.number - 1)
    }
    try EventStoreTests.check(found, is: kept.events, "all of it, backward")
  }

  private func collect(
    _ range: ClosedRange<LogPosition>, of window: LogWindow, _ view: borrowing LogView, _ found: inout [KeptEvent],
    _ decoder: inout EventDecoder
  ) throws {
    for position in range.lowerBound.number...range.upperBound.number {
      guard let bytes = window.bytes(at: LogPosition(position), in: view) else {
        throw Mismatch(description: "the record at \(position) is missing")
      }
      let record = try RecordView.stored(bytes, at: LogPosition(position))
      found.append(KeptEvent(try decoder.event(record, view)))
    }
  }
}

@Suite struct `A reader of before a seal or a merge` {
  @Test func `sees its own moment as long as it lasts`() throws {
    let runs = try RunStore(blockSize: 8, stepLimit: 3, seed: 31)
    var held: [HeldView] = [HeldView(try runs.log.view(), runs.kept)]
    var seen: Set<RunStage> = []
    for round in 1...220 {
      try runs.append()
      if round == 100 { try runs.redact(40) }
      let stages = try RunStage.all(of: runs.catalog())
      // One in each stage, and one in the midst of nothing.
      if !stages.isSubset(of: seen) || round == 4 { held.append(HeldView(try runs.log.view(), runs.kept)) }
      seen.formUnion(stages)
      if round % 5 == 0, let view = held.randomElement(using: &runs.random) { try view.check() }
    }
    try runs.settle()
    #expect(held.count > 6)
    #expect(seen.isSuperset(of: [.sealingRecords, .sealingPieces, .mergingRecords, .mergingPieces, .levelOne]))
    for view in held { try view.check() }
    try runs.checkAll()
  }

  @Test func `in another process sees its own moment too`() throws {
    let runs = try RunStore(blockSize: 8, stepLimit: 3, seed: 32)
    let other = AnotherProcess(beside: runs.store)
    var held: [HeldView] = []
    for round in 1...120 {
      try runs.append()
      // It looks seldom, and finds that much has moved.
      if round % 17 == 0 { held.append(HeldView(try other.view(), runs.kept)) }
    }
    for view in held { try view.check() }
  }
}

// MARK: Several writers

@Suite struct `Two processes that append to one store` {
  @Test(arguments: [1, 3, 17]) func `go on with what the other one began to move`(stepLimit: Int) throws {
    let runs = try RunStore(blockSize: 8, stepLimit: stepLimit, seed: UInt64(stepLimit) + 40)
    let other = AnotherProcess(beside: runs.store)
    var before = try runs.catalog()
    var gone = 0
    for round in 1...70 {
      // Turns of one to four commits.
      for _ in 0..<runs.number(1...4) {
        if round % 2 == 0 {
          try runs.append(runs.number(1...2))
        } else {
          let request = runs.newRequest(runs.number(1...2))
          #expect(try other.append([request]).allSatisfy { (try? $0.get()) != nil })
          runs.note(request)
        }
      }
      let now = try runs.catalog()
      if before.sealing != nil || before.merge != nil, now != before { gone += 1 }
      before = now
      try runs.checkStreams(runs.log)
      if round % 5 == 0 { try HeldView(try other.view(), runs.kept).check() }
      if round % 10 == 0 { try runs.checkAll() }
    }
    #expect(gone > 30)
    try runs.checkRepeats(runs.log, count: 20)
    #expect(try stepLimit == 1 || runs.catalog().runs.contains { $0.level > 0 })
  }

  // A block that another process ended before it was full.
  @Test func `and of which one ends its block early, know it from then on`() throws {
    let runs = try RunStore(blockSize: 8, stepLimit: 2, seed: 50)
    let other = AnotherProcess(beside: runs.store)
    for round in 1...40 {
      for _ in 0..<runs.number(1...5) { try runs.append() }
      try HeldView(try other.view(), runs.kept).check()
      if round % 2 == 0 {
        try other.sealAll()
        #expect(try runs.catalog().end == LogPosition(UInt64(runs.kept.events.count)))
      }
      let request = runs.newRequest()
      #expect(try other.append([request]).allSatisfy { (try? $0.get()) != nil })
      runs.note(request)
      try HeldView(try runs.log.view(), runs.kept).check()
    }
    try runs.checkAll()
    try runs.checkRepeats(runs.log, count: 20)
  }

  @Test func `and close with much in the last block, leave it sealed`() throws {
    let runs = try RunStore(blockSize: 65_536, stepLimit: nil, seed: 51, sizes: 20...40)
    for _ in 0..<17 { try runs.append(1_000) }
    try runs.store.reopen()
    #expect(try runs.catalog().runs.count == 1)
    try runs.append(10)
    try runs.checkAll()
    try runs.store.reopen()
    #expect(try runs.catalog().runs.count == 1)
    try runs.append(10)
    try runs.checkAll()
    try runs.checkRepeats(runs.log)
  }
}

// MARK: Redaction

@Suite struct `A payload removed` {
  /// Where an event's record is, or its copies are.
  enum Place: Hashable, CaseIterable {
    case openBlock, fullBlock, sealed, halfSealed, notYetSealed, run, moved, halfMoved, notYetMoved, allMoved

    static func of(_ position: LogPosition, _ stream: StreamNumber, _ catalog: RunCatalog) -> Place {
      if let index = catalog.index(of: position) {
        guard let merge = catalog.merge, (merge.index..<merge.index + RunCatalog.fan).contains(index) else {
          return .run
        }
        if merge.progress.hasAllRecords { return .allMoved }
        if stream == merge.progress.stream { return .halfMoved }
        return stream < merge.progress.stream ? .moved : .notYetMoved
      }
      guard let last = catalog.lastOfFirstBlock, position <= last else {
        return position < catalog.blocks[catalog.blocks.count - 1] ? .fullBlock : .openBlock
      }
      guard let sealing = catalog.sealing else { return .fullBlock }
      if stream == sealing.stream { return .halfSealed }
      return stream < sealing.stream ? .sealed : .notYetSealed
    }
  }

  @Test(arguments: [1, 2]) func `is gone wherever it was, and stays so`(stepLimit: Int) throws {
    let runs = try RunStore(blockSize: 12, stepLimit: stepLimit, seed: UInt64(stepLimit) + 60)
    var counts: [Place: Int] = [:]
    var payloads: [[UInt8]] = []
    for round in 1...400 {
      try runs.append()
      if stepLimit == 1 { try runs.log.perform(Idle()) }
      // Faster than blocks are sealed.
      if round % 20 == 0 { for _ in 1...2 { try runs.append(12) } }
      if counts.count == Place.allCases.count, counts.values.allSatisfy({ $0 >= 2 }) { break }
      // Seldom seen places first.
      let catalog = try runs.catalog()
      var found: (event: KeptEvent, place: Place)?
      let view = try runs.log.view()
      for event in runs.kept.events.reversed() where !event.isRedacted {
        guard let stream = try view.stream(event.stream) else { continue }
        let place = Place.of(event.position, stream, catalog)
        if counts[place, default: 0] < min(2, round),
          counts[place, default: 0] < counts[found?.place ?? place] ?? .max
            || found == nil
        {
          found = (event, place)
        }
      }
      guard let (event, place) = found else { continue }
      counts[place, default: 0] += 1
      #expect(try runs.fileHolds(event.payload))
      try runs.redact(event.position)
      #expect(try !runs.fileHolds(event.payload), "\(place)")
      payloads.append(event.payload)
      try runs.checkAll()
    }
    #expect(Set(counts.keys) == Set(Place.allCases), "\(counts)")
    try runs.store.reopen()
    for _ in 0..<30 { try runs.append() }
    try runs.settle()
    try runs.checkAll()
    for payload in payloads { #expect(try !runs.fileHolds(payload)) }
  }
}

// MARK: Sizes

@Suite struct `Records in runs` {
  @Test func `may be larger than pages`() throws {
    let runs = try RunStore(blockSize: 5, stepLimit: 2, seed: 71)
    let sizes = [10, 3_900, 3_990, 4_080, 4_200, 9_000, 70_000, 200_000]
    for round in 0..<90 {
      let size = sizes[runs.number(0...(round % 9 == 0 ? 7 : 5))]
      runs.sizes = size...size
      try runs.append()
      if round % 10 == 0 { try runs.checkAll() }
      if round == 50 { try runs.redact(1) }
    }
    #expect(runs.kept.events.contains { $0.payload.count > 150_000 })
    try runs.settle()
    #expect(try runs.catalog().runs.contains { $0.level > 0 })
    try runs.checkAll()
    try runs.checkRepeats(runs.log)
    try runs.store.reopen()
    try runs.checkAll()
  }

  @Test func `are found among thousands of one stream`() throws {
    let runs = try RunStore(blockSize: 3_000, stepLimit: nil, seed: 72, sizes: 20...60)
    for _ in 0..<60 { try runs.append(runs.number(1...200), streams: 2) }
    for _ in 0..<200 { try runs.append(1, streams: 100) }
    let catalog = try runs.catalog()
    #expect(catalog.runs.contains { $0.count > 2_900 })
    try runs.checkAll()
    // Few of a run's records are looked for one by one.
    for _ in 0..<20 {
      let start = runs.number(0...(runs.kept.events.count - 30))
      let limit = runs.number(1...25)
      let forward = try runs.log.readAll(after: LogPosition(UInt64(start)), limit: limit).events
      try check(forward.map { KeptEvent($0) }, is: Array(runs.kept.events[start..<start + limit]), "after \(start)")
      let end = start + 26
      let backward = try runs.log.readAll(after: LogPosition(UInt64(end)), direction: .backward, limit: limit).events
      try check(
        backward.map { KeptEvent($0) }, is: runs.kept.events[(end - 1 - limit)..<(end - 1)].reversed(),
        "before \(end)")
      try runs.checkIDs(runs.log)
    }
    for _ in 0..<4 { try runs.checkRanges(runs.log) }
    try runs.checkRepeats(runs.log, count: 10)
  }

  @Test func `may be of as many streams as there are of them`() throws {
    let runs = try RunStore(blockSize: 250, stepLimit: nil, seed: 73, sizes: 10...60)
    for number in 1...1_500 {
      try runs.append([runs.newEvent()], to: .named("user-\(number * 7_919 % 1_501)"))
    }
    #expect(runs.kept.streams.count == 1_500)
    #expect(try runs.catalog().runs.contains { $0.level > 0 })
    try runs.checkAll()
    for _ in 0..<30 { try runs.checkIDs(runs.log) }
    try runs.checkRepeats(runs.log, count: 20)
  }
}

// MARK: Everything

@Suite struct `Any order of appending, removing, repairing and opening` {
  static let settings: [(blockSize: Int, stepLimit: Int?)] = [1, 2, 5, 64].flatMap { blockSize in
    [nil, 1, 17].map { (blockSize, $0) }
  }

  @Test(arguments: 0..<settings.count) func `reads as what was appended`(index: Int) throws {
    let (blockSize, stepLimit) = Self.settings[index]
    let runs = try RunStore(blockSize: blockSize, stepLimit: stepLimit, seed: UInt64(index) + 100, sizes: 20...300)
    var done: [String] = []
    do {
      for _ in 1...50 {
        switch runs.number(0...19) {
        case 0..<7:
          done.append("append one")
          try runs.append()
        case 7..<10:
          done.append("append some")
          try runs.append(runs.number(2...9), streams: 20)
        case 10:
          done.append("append many")
          try runs.append(runs.number(10...200))
        case 11:
          done.append("append a large one")
          runs.sizes = 3_000...9_000
          try runs.append()
          runs.sizes = 20...300
        case 12, 13:
          done.append("reopen")
          try runs.store.reopen()
        case 14 where !runs.kept.events.isEmpty:
          let position = runs.number(1...runs.kept.events.count)
          done.append("redact \(position)")
          try runs.redact(LogPosition(UInt64(position)))
        case 15:
          done.append("repair")
          try runs.log.repairDerived()
        case 16:
          done.append("nothing")
          try runs.log.perform(Idle())
        case 17:
          done.append("append again")
          try runs.checkRepeats(runs.log)
        case 18 where !runs.kept.events.isEmpty: try runs.checkAll()
        default: try runs.checkStreams(runs.log)
        }
      }
      try runs.checkAll()
      try runs.settle()
      try runs.checkAll()
    } catch {
      Issue.record(
        "block \(blockSize), limit \(stepLimit ?? 0): \(error)\nafter \(done.suffix(8).joined(separator: ", "))")
    }
  }
}
