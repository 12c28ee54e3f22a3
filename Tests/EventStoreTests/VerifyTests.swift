// What verification names: every way in which somebody, or a disk, can change a log behind our back.
import Bytes
import Foundation
import LMDB
import Sodium
import TestSupport
import Testing

@testable import EventStore

/// A store of two users, twenty events each, every second request of two events; closed, tampered with, opened again.
private struct TamperedStore {
  let store: TemporaryStore
  /// The positions of bob's and of alice's events.
  var bob: [LogPosition] = []
  var alice: [LogPosition] = []

  /// - Parameter isCheckpointed: Whether the index is in the tables, or all of it in the tail.
  init(isCheckpointed: Bool, rounds: Int = 20) throws {
    var options = EventLog.Options()
    options.blockSize = isCheckpointed ? 3 : 65_536
    store = try TemporaryStore(options)
    for number in 0..<rounds {
      let event = Diary.written("k\(number % 5)", "text \(number)", id: .number(number)).inSession(
        .named("s\(number / 7)"))
      let mine = try store.append(event, to: .bob)
      bob.append(mine.lastPosition)
      let theirs = try store.append(event, Diary.removed("k1", id: .number(1_000 + number)), to: .alice)
      alice += [theirs.firstPosition, theirs.lastPosition]
    }
    if isCheckpointed {
      let statistics = try store.log.storeStatistics(for: NotebookProjector())
      try #require(statistics.checkpoint > 30)
    }
  }

  /// Changes the records behind the engine's back.
  func tamper(_ body: (inout StoredLog) throws -> Void) throws {
    try store.reopen { try StoredLog.change(in: store.path, body) }
  }

  func flipLastBit(of position: LogPosition) throws {
    try tamper { log in
      var bytes = try log.bytes(at: position)
      bytes[bytes.count - 1] ^= 1
      log.put(bytes, at: position)
    }
  }

  /// Changes a table behind the engine's back.
  func change(_ name: String, _ body: (inout WriteTransaction, Table) throws -> Void) throws {
    try store.reopen {
      let environment = try Environment(folder: store.path)
      let table = try environment.openTables([name])[0]
      var transaction = try environment.beginWrite()
      try body(&transaction, table)
      try transaction.commit()
      environment.close()
    }
  }

  /// The positions that verification names as changed.
  func named() throws -> [LogPosition] {
    let report = try store.log.verify()
    return report.problems.filter { $0.kind == .log }.compactMap(\.position)
  }
}

extension WriteTransaction {
  fileprivate func bytes(of key: [UInt8], in table: Table) throws -> [UInt8] {
    guard let value = try value(of: key.rawSpan, in: table) else { throw StorageError.missing(folder: "\(key)") }
    return value.array()
  }
}

@Suite struct `Verification` {
  static let places = [true, false]

  @Test(arguments: places) func `finds nothing where nothing was changed`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    try tampered.tamper { _ in }
    let report = try tampered.store.log.verify()
    #expect(report.isSound && report.events == 60 && report.streams == 2)
  }

  @Test(arguments: places) func `names a record with any bit flipped, and so does reading`(isCheckpointed: Bool) throws
  {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.bob[4]
    var bits = 0
    try tampered.tamper { log in bits = try log.bytes(at: position).count * 8 }
    for bit in stride(from: 0, to: bits, by: 13) {
      func flip() throws {
        try tampered.tamper { log in
          var bytes = try log.bytes(at: position)
          bytes[bit / 8] ^= 1 << UInt8(bit % 8)
          log.put(bytes, at: position)
        }
      }
      try flip()
      #expect(try tampered.named().contains(position), "bit \(bit)")
      #expect(throws: StorageError.self) { try tampered.store.log.readStream(.bob) }
      #expect(performing: { try tampered.store.log.readAll() }, throws: { "\($0)".contains("position \(position)") })
      try flip()
    }
    #expect(try tampered.store.log.verify().isSound)
  }

  @Test(arguments: places) func `names a record rewritten with a right checksum`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.alice[6]
    try tampered.tamper { log in
      try log.rewrite(position, payload: Diary.written("k1", "never said", id: .number(1)).payload)
    }
    #expect(try tampered.named().first == position)
  }

  // Whoever knows the stream's secret can make the tag right too. The chain they cannot.
  @Test(arguments: places) func `names a record rewritten with a right checksum and tag`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.bob[6]
    let payload = Diary.written("k1", "never said", id: .number(1)).payload
    try tampered.tamper { log in
      var secret = Bytes32.zero
      let first = try log.bytes(at: 1)
      secret = try #require(try RecordView(first.rawSpan, at: 1).secret)
      try log.rewrite(position, payload: payload) { fields in
        let digest = HashChain.eventDigest(
          stream: HashChain.streamDigest(.bob, secret: secret),
          session: HashChain.sessionDigest(.named("s0"), secret: secret),
          payload: HashChain.payloadDigest(
            typeName: RawSpan(), metadata: RawSpan(), payload: payload.rawSpan, secret: secret),
          id: fields.id, occurredAt: fields.occurredAt, type: fields.type, typeVersion: fields.typeVersion)
        fields.tag = digest.prefix32
      }
    }
    #expect(try tampered.named().first == position)
  }

  @Test(arguments: places) func `names a record dropped`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.bob[7]
    try tampered.tamper { log in
      log.remove(position)
    }
    #expect(try tampered.named().first == position)
  }

  @Test(arguments: places, [true, false])
  func `names records swapped`(isCheckpointed: Bool, isSameStream: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let (a, b) = (tampered.bob[3], isSameStream ? tampered.bob[5] : tampered.alice[10])
    try tampered.tamper { log in
      let first = try log.bytes(at: a)
      try log.rewrite(b, to: a) { $0.previous = min($0.previous, LogPosition(a.number - 1)) }
      let kept = try log.bytes(at: a)
      log.put(first, at: a)
      try log.rewrite(a, to: b)
      log.put(kept, at: a)
    }
    #expect(try tampered.named().first == a)
  }

  @Test(arguments: places) func `names a record put in at the end`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let last = tampered.alice[39]
    try tampered.tamper { log in
      try log.rewrite(last, to: last.next) { fields in
        fields.id = .number(9_999)
        fields.version = fields.version.next
        fields.previous = last
        fields.recordedAt = fields.recordedAt.advanced(byMicroseconds: 5)
      }
    }
    #expect(try tampered.named().first == last.next)
  }

  @Test(arguments: places) func `names a record put in between`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let place = tampered.bob[8]
    try tampered.tamper { log in
      var position = tampered.alice[39]
      while position >= place {
        try log.rewrite(position, to: position.next) { fields in
          if fields.stream == 1 { fields.version = fields.version.next }
          if fields.previous >= place { fields.previous = fields.previous.next }
          if fields.stream == 1, position == place { fields.previous = place }
        }
        position = LogPosition(position.number - 1)
      }
      try log.rewrite(place.next, to: place) { fields in
        fields.id = .number(9_999)
        fields.version = StreamVersion(fields.version.number - 1)
        fields.previous = tampered.bob[7]
      }
    }
    #expect(try tampered.named().first == place)
  }

  @Test(arguments: places) func `names two users' streams exchanged`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    try tampered.tamper { log in
      try log.rewrite(tampered.bob[0]) { $0.name = .alice }
      try log.rewrite(tampered.alice[0]) { $0.name = .bob }
    }
    let named = try tampered.named()
    #expect(named.contains(tampered.bob[0]) && named.contains(tampered.alice[0]))
  }

  @Test(arguments: places) func `holds after a payload was lawfully removed`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    try tampered.store.log.redact(5, of: .bob)
    try tampered.store.reopen()
    let report = try tampered.store.log.verify()
    #expect(report.isSound && report.redacted == 1)
  }

  @Test func `tells what was erased from what was taken out one by one, in all namespaces or one`() async throws {
    let store = try TemporaryStore()
    let there = StreamName.named("alice", in: "two")
    for number in 1...3 {
      for stream in [StreamName.alice, .bob, there] {
        try store.append(Diary.written("k", "text \(number)", id: .number(number)), to: stream)
      }
    }
    try store.log.redact(2, of: .bob)
    try store.log.redact(1, of: .alice)
    for number in 4...5 {
      _ = try await store.log.erase(.alice, by: "the office")
      try store.append(Diary.written("k", "text \(number)", id: .number(number)), to: .alice)
    }
    let all = try store.log.verify()
    #expect(all.isSound && all.events == 13 && all.streams == 3)
    #expect(all.redacted == 5 && all.erased == 4 && all.erasures == 2)
    let here = try store.log.verify(in: .default)
    #expect(here.isSound && here.events == 10 && here.streams == 2)
    #expect(here.redacted == 5 && here.erased == 4 && here.erasures == 2)
    #expect(here.position == all.position && here.chain == all.chain)
    let other = try store.log.verify(in: there.namespace)
    #expect(other.isSound && other.events == 3 && other.streams == 1)
    #expect(other.redacted == 0 && other.erased == 0 && other.erasures == 0)
    #expect(try store.log.verify(in: Namespace("none")).events == 0)
  }

  @Test func `names an index entry that is gone, and repairing brings it back`() throws {
    let tampered = try TamperedStore(isCheckpointed: true)
    for table in ["identities", "order", "sessions"] {
      try tampered.store.reopen {
        let environment = try Environment(folder: tampered.store.path)
        let ids = try environment.openTables([table])[0]
        var transaction = try environment.beginWrite()
        try transaction.drop(ids)
        try transaction.commit()
        environment.close()
      }
      let report = try tampered.store.log.verify()
      #expect(!report.isSound && report.problems.allSatisfy { $0.kind == .derived })
      try tampered.store.log.repairDerived()
      #expect(try tampered.store.log.verify().isSound)
    }
  }
}

/// Changes to the file as such, or to the tables that fold the log.
@Suite struct `A store with a damaged index or page` {
  private func isCorrupt(_ error: any Error) -> Bool {
    switch error {
    case StorageError.corrupt, ReadError.storage(.corrupt): true
    default: false
    }
  }

  /// Flips a bit in a page that `isWanted`, in the middle of its header or in its first node.
  private func damagePage(of tampered: TamperedStore, _ isWanted: (ArraySlice<UInt8>) -> Bool) throws {
    try tampered.store.reopen {
      let url = URL(filePath: tampered.store.dataFile)
      var bytes = [UInt8](try Data(contentsOf: url))
      for page in stride(from: 8192, to: bytes.count, by: 4096) where isWanted(bytes[page..<page + 4096]) {
        // Where the free space begins: entries far outside of the page.
        bytes[page + 13] ^= 0x08
      }
      try Data(bytes).write(to: url)
    }
  }

  // It went on through LMDB, which ended the process: also from within the copying and the repairing.
  @Test func `with damaged pages is named by verification, and neither copied nor repaired`() throws {
    let tampered = try TamperedStore(isCheckpointed: true, rounds: 120)
    // The leaves of the log, which hold what was said.
    try damagePage(of: tampered) { $0.dropFirst(10).starts(with: [2, 0]) && $0.contains("text 77".utf8) }
    let report = try tampered.store.log.verify()
    #expect(report.problems.map(\.kind) == [.file])
    #expect(performing: { try tampered.store.log.repairDerived() }, throws: isCorrupt)
    let copy = TemporaryFolder()
    #expect(performing: { try tampered.store.log.backup(to: copy.path + "/copy") }, throws: isCorrupt)
    #expect(try FileManager.default.contentsOfDirectory(atPath: copy.path).isEmpty)
  }

  // Verification counted up to the damaged key, one missing record after the other: for years.
  @Test(arguments: [1 << 40, UInt64.max]) func `with a key of the log far away is verified in finite time`(key: UInt64)
    throws
  {
    let tampered = try TamperedStore(isCheckpointed: true)
    try tampered.tamper { log in
      let last = try log.bytes(at: 60)
      log.remove(60)
      log.put(last, at: LogPosition(key))
    }
    #expect(try tampered.named().first == 60)
  }

  // The record was passed over, and the digest of the rest given.
  @Test func `with a damaged link is not replayed without the record`() throws {
    let tampered = try TamperedStore(isCheckpointed: true)
    let last = try #require(tampered.alice.last)
    try tampered.tamper { log in
      var bytes = try log.bytes(at: last)
      bytes[RecordFormat.streamAt] ^= 0x40
      log.put(bytes, at: last)
    }
    var options = ReplayOptions()
    options.usesSnapshots = false
    #expect(performing: { try tampered.store.log.replay(by: NotebookProjector(), options) }, throws: isCorrupt)
  }

  // Somebody else's name was shown, or the user left out.
  @Test(arguments: ["heads", "names"]) func `with another name in its index is refused by those that list`(
    table: String
  ) throws {
    let tampered = try TamperedStore(isCheckpointed: true)
    try tampered.change(table) { transaction, index in
      let (key, other) =
        table == "names" ? (Key.name(.bob), Key.name(.named("bobby"))) : (Key.stream(1), Key.stream(9))
      let value = try transaction.bytes(of: key, in: index)
      let isGone = try transaction.delete(key.rawSpan, in: index)
      #expect(isGone)
      try transaction.put(value.rawSpan, at: other.rawSpan, in: index)
    }
    #expect(try !tampered.store.log.verify().isSound)
    // Where one table is enough, the answer is right; else it is refused.
    func isRight(_ body: () throws -> Bool) -> Bool {
      do { return try body() } catch { return isCorrupt(error) }
    }
    let log = tampered.store.log
    #expect(isRight { try log.streams().map(\.name) == [.alice, .bob] })
    #expect(isRight { try log.readAll().events.count { $0.stream == .bob } == 20 })
    #expect(isRight { try log.readStream(.bob).events.count == 20 })
    #expect(isRight { try log.replay(by: NotebookProjector()).events == 60 })
    #expect(
      isRight {
        do {
          try tampered.store.append(Diary.written("k1", "new", id: .number(5_000)), to: .bob)
        } catch AppendError.storage(let error) {
          throw error
        }
        return try log.version(of: .bob) == 21 && log.streams().count == 2
      })
    try tampered.store.log.repairDerived()
    #expect(try tampered.store.log.verify().isSound)
    #expect(try tampered.store.log.streams().map(\.name) == [.alice, .bob])
  }

  @Test func `with another session in its index is refused by those that show it`() throws {
    let tampered = try TamperedStore(isCheckpointed: true)
    try tampered.change("sessions") { transaction, index in
      let entry = SessionEntry(firstOccurredAt: .earliest, name: .named("s9")).encode()
      try transaction.put(
        IndexValue.seal(entry, at: Key.stream(1, 2)).rawSpan, at: Key.stream(1, 1).rawSpan, in: index)
    }
    #expect(performing: { try tampered.store.log.readStream(.bob) }, throws: isCorrupt)
  }

  // Times, secret and count were believed: the next append made them part of the log, for which there is no repair.
  @Test func `with any bit flipped in it is found out before it is built upon`() throws {
    let key = Key.stream(1)
    var size = 1
    var place = 0
    while place < size {
      let tampered = try TamperedStore(isCheckpointed: true)
      try tampered.change("heads") { transaction, index in
        var value = try transaction.bytes(of: key, in: index)
        size = value.count
        value[place] ^= UInt8(1) << UInt8(place % 8)
        try transaction.put(value.rawSpan, at: key.rawSpan, in: index)
      }
      #expect(throws: (any Error).self, "\(place)") { try tampered.store.log.readStream(.bob) }
      #expect(throws: AppendError.self, "\(place)") {
        try tampered.store.append(Diary.written("k1", "new", id: .number(5_000)), to: .bob)
      }
      try tampered.store.log.repairDerived()
      #expect(try tampered.store.log.verify().isSound)
      place += 7
    }
  }

  @Test(arguments: [MetaWord.catalog, .catalogCopy]) func `with any bit flipped in its catalog goes by the copy`(
    word: MetaWord
  ) throws {
    var size = 1
    var place = 0
    while place < size {
      let tampered = try TamperedStore(isCheckpointed: true)
      try tampered.change("meta") { transaction, meta in
        var value = try transaction.bytes(of: Key.meta(word), in: meta)
        size = value.count
        value[place] ^= UInt8(1) << UInt8(place % 8)
        try transaction.put(value.rawSpan, at: Key.meta(word).rawSpan, in: meta)
      }
      let log = tampered.store.log
      #expect(try log.readStream(.bob).events.count == 20)
      #expect(try log.verify().problems.map(\.kind) == [.derived])
      if place % 2 == 0 { try log.repairDerived() }
      try tampered.store.append(Diary.written("k1", "new", id: .number(5_000)), to: .bob)
      if place % 2 == 0 { #expect(try log.verify().isSound) }
      #expect(try log.readStream(.bob).events.count == 21)
      place += 7
    }
  }

  // It was made anew, empty, and the store had no streams.
  @Test(arguments: ["heads", "records_subscriptions"]) func `without one of its tables is refused`(table: String) throws
  {
    let tampered = try TamperedStore(isCheckpointed: true)
    #expect(
      performing: {
        try tampered.store.reopen {
          let url = URL(filePath: tampered.store.dataFile)
          var bytes = [UInt8](try Data(contentsOf: url))
          // The names of tables are keys: behind the size of the key.
          let name = [UInt8(table.utf8.count), 0] + Array(table.utf8)
          for place in 0..<bytes.count - name.count where bytes[place..<place + name.count].elementsEqual(name) {
            bytes[place + name.count - 1] ^= 0x01
          }
          try Data(bytes).write(to: url)
        }
      }, throws: isCorrupt)
  }

  // The first error of LMDB was "the transaction failed before", which passed for a failure of the system.
  @Test func `with a table that leads nowhere is corrupt`() {
    guard case .corrupt = StorageError(LMDBError.badTransaction(.get)) else {
      Issue.record("a page that is not there is not told as damage")
      return
    }
  }
}

@Suite struct `A store with one damaged record behind the checkpoint` {
  @Test func `refuses that user, and reads and appends for all others`() throws {
    let tampered = try TamperedStore(isCheckpointed: false)
    let position = tampered.alice[6]
    let id = try #require(try tampered.store.log.readAll(after: position.back(1), limit: 1).events.first).id
    try tampered.flipLastBit(of: position)
    let log = tampered.store.log
    #expect(try log.readStream(.bob).events.count == 20)
    try tampered.store.append(Diary.written("k1", "new", id: .number(5_000)), to: .bob)
    #expect(try log.readStream(.bob).events.count == 21)
    let isNamed = { (error: any Error) in
      if case StorageError.corrupt(_, position) = error { true } else { false }
    }
    #expect(performing: { try log.readStream(.alice) }, throws: isNamed)
    #expect(performing: { try log.readAll() }, throws: isNamed)
    // It was said that there is no such event.
    #expect(performing: { try log.event(id, of: .alice) }, throws: isNamed)
    #expect(throws: AppendError.self) {
      try tampered.store.append(Diary.written("k1", "new", id: .number(5_001)), to: .alice)
    }
    #expect(try tampered.named().contains(position))
    try tampered.store.reopen()
    #expect(performing: { try tampered.store.log.readStream(.alice) }, throws: isNamed)
  }

  // Its name was lost with it, and so nobody's events could be read.
  @Test(arguments: [false, true]) func `that begins a stream refuses that user, and newcomers, and nobody else`(
    isSecond: Bool
  ) throws {
    let tampered = try TamperedStore(isCheckpointed: false)
    let (damaged, other) = isSecond ? (tampered.alice, StreamName.bob) : (tampered.bob, .alice)
    let position = damaged[0]
    try tampered.flipLastBit(of: position)
    let isNamed = { (error: any Error) in
      if case StorageError.corrupt(_, position) = error { true } else { false }
    }
    for isReopened in [false, true] {
      if isReopened { try tampered.store.reopen() }
      let log = tampered.store.log
      let count = try log.readStream(other).events.count
      try tampered.store.append(Diary.written("k1", "new", id: .number(isReopened ? 5_001 : 5_000)), to: other)
      #expect(try log.readStream(other).events.count == count + 1)
      for stream in [isSecond ? StreamName.alice : .bob, .named("carol")] {
        #expect(performing: { try log.readStream(stream) }, throws: isNamed)
        #expect(throws: AppendError.self) {
          try tampered.store.append(Diary.written("k1", "new", id: .number(6_000)), to: stream)
        }
      }
      #expect(performing: { try log.streams() }, throws: isNamed)
      #expect(performing: { try log.readAll() }, throws: isNamed)
      let problems = try log.verify().problems.filter { $0.kind == .log }
      #expect(problems.map(\.position) == damaged)
      #expect(problems.allSatisfy { $0.stream == nil })
    }
  }

  @Test func `that is the last of the log is no reason to refuse the others' reading`() throws {
    let tampered = try TamperedStore(isCheckpointed: false)
    let position = try #require(tampered.alice.last)
    try tampered.flipLastBit(of: position)
    let log = tampered.store.log
    #expect(try log.readStream(.bob).events.count == 20)
    #expect(throws: StorageError.self) { try log.readStream(.alice) }
    // The chain of what is appended would go on from there.
    #expect(throws: AppendError.self) {
      try tampered.store.append(Diary.written("k1", "new", id: .number(5_000)), to: .bob)
    }
    #expect(try log.lastPosition() == position)
    #expect(try tampered.named().contains(position))
  }

  // The block of the stream's last events was looked at alone, and the id was not found.
  @Test func `does not say that an event is not there where more came in the next block`() throws {
    var options = EventLog.Options()
    options.blockSize = 8
    let store = try TemporaryStore(options)
    for number in 1...12 {
      try store.append(Diary.written("k", "text", id: .number(number)), to: number % 2 == 0 ? .alice : .bob)
    }
    let position: LogPosition = 3
    try store.reopen {
      try StoredLog.change(in: store.path) { log in
        var bytes = try log.bytes(at: position)
        bytes[bytes.count - 1] ^= 1
        log.put(bytes, at: position)
      }
    }
    for body in [
      { _ = try store.log.event(.number(3), of: .bob) }, { _ = try store.log.readStream(.bob) },
    ] as [() throws -> Void] {
      #expect {
        try body()
      } throws: { error in
        if case StorageError.corrupt(_, position) = error { true } else { false }
      }
    }
    #expect(try store.log.event(.number(1), of: .bob) != nil)
    #expect(try store.log.event(.number(98), of: .alice) == nil)
    #expect(try store.log.readStream(.alice).events.count == 6)
  }

  // What a damaged record says of its stream need not be true.
  @Test func `refuses everybody where nobody can tell whose it is`() throws {
    let tampered = try TamperedStore(isCheckpointed: false)
    try tampered.tamper { log in
      var bytes = try log.bytes(at: tampered.alice[6])
      bytes[RecordFormat.streamAt] ^= 0x03
      log.put(bytes, at: tampered.alice[6])
    }
    #expect(throws: StorageError.self) { try tampered.store.log.readStream(.bob) }
  }
}
