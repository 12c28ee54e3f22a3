// Scrubbing: nothing deleted is left in the file, and everything else is as it was.
import Glibc
import Testing

@testable import LMDB

/// Values that can be found again in a file, whatever has become of them: one mark after the other.
private struct Mark: Hashable {
  let number: UInt32

  private static let magic: [UInt8] = [0xde, 0xad, 0x17, 0x91]
  private static let size = 12

  func value(count: Int) -> [UInt8] {
    let digits = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    // The end of a mark that is cut off must not pass for another one.
    let mark = Self.magic + digits + digits.map { ~$0 }
    return (0..<count).map { mark[$0 % Self.size] }
  }

  /// The marks in a file.
  static func all(in bytes: [UInt8]) -> Set<Mark> {
    var found: Set<Mark> = []
    for start in places(of: magic, in: bytes) where start + size <= bytes.count {
      let digits = bytes[start + 4..<start + 8]
      guard bytes[start + 8..<start + 12].elementsEqual(digits.map { ~$0 }) else { continue }
      found.insert(Mark(number: digits.reversed().reduce(0) { $0 << 8 | UInt32($1) }))
    }
    return found
  }
}

/// Where `part` begins in `bytes`.
private func places(of part: [UInt8], in bytes: [UInt8]) -> [Int] {
  unsafe bytes.withUnsafeBytes { bytes in
    unsafe part.withUnsafeBytes { part in
      guard let base = bytes.baseAddress, let wanted = part.baseAddress else { return [] }
      var found: [Int] = []
      var start = 0
      let first = Int32(unsafe part[0])
      while bytes.count - start >= part.count,
        let next = unsafe memchr(base + start, first, bytes.count - start - part.count + 1)
      {
        let place = unsafe base.distance(to: next)
        if unsafe memcmp(base + place, wanted, part.count) == 0 { found.append(place) }
        start = place + 1
      }
      return found
    }
  }
}

/// A store of marked values, and what must be in it.
private final class MarkedStore {
  let folder: TemporaryFolder
  private(set) var environment: Environment
  private(set) var tables: [Table]
  private(set) var model: [[[UInt8]: [UInt8]]] = [[:], [:]]
  private(set) var live: Set<Mark> = []
  private(set) var dead: Set<Mark> = []
  private var marks: [[UInt8]: Mark] = [:]
  private var last: UInt32 = 0
  var random: SeededRandom

  static let names = ["large", "small"]

  init(seed: UInt64) throws {
    random = SeededRandom(seed: seed)
    folder = try TemporaryFolder()
    environment = try Environment(folder: folder.path)
    tables = try environment.openTables(Self.names)
  }

  func reopen() throws {
    environment.close()
    environment = try Environment(folder: folder.path)
    tables = try environment.openTables(Self.names)
  }

  func close() { environment.close() }

  /// Scrubs; opens the file again first where writing has stopped.
  func scrubAgain() throws -> Bool {
    if let isScrubbed = try? environment.scrub() { return isScrubbed }
    try reopen()
    return try environment.scrub()
  }

  /// Puts and deletes in one transaction.
  ///
  /// - Parameter commits: Whether it comes to be; else all is taken back, and what it put is dead as well.
  func change(operations: Int, commits: Bool = true, deletes: Int = 2) throws {
    var model = model, marks = marks, live = live, dead = dead
    var transaction = try environment.beginWrite()
    for _ in 0..<operations {
      let place = Int.random(in: 0...1, using: &random)
      let key = number(Int.random(in: 0..<(place == 0 ? 40 : 1500), using: &random))
      let whole = [UInt8(place)] + key
      if let old = marks.removeValue(forKey: whole) {
        live.remove(old)
        dead.insert(old)
      }
      if Int.random(in: 0...4, using: &random) < deletes {
        _ = try transaction.delete(key.raw, in: tables[place])
        model[place][key] = nil
      } else {
        last += 1
        let mark = Mark(number: last)
        let value = mark.value(count: Int.random(in: 12..<(place == 0 ? 12_000 : 400), using: &random))
        try transaction.put(value.raw, at: key.raw, in: tables[place])
        model[place][key] = value
        marks[whole] = mark
        live.insert(mark)
      }
    }
    guard commits else {
      self.dead.formUnion(live.subtracting(self.live))
      return
    }
    try transaction.commit()
    (self.model, self.marks, self.live, self.dead) = (model, marks, live, dead)
  }

  func check() throws {
    let reader = try environment.beginRead()
    for (table, expected) in zip(tables, model) { #expect(try contents(reader, of: table) == expected) }
    let report = try environment.check(.full)
    #expect(report.problem == nil)
    #expect(report.isComplete)
    #expect(report.pagesUsed + report.pagesFree == (try environment.information().pages))
  }

  var marksInFile: Set<Mark> { get throws { Mark.all(in: try Raw.read(folder.dataFile)) } }

  /// Marks of deleted values in the file.
  var remains: Set<Mark> { get throws { try marksInFile.intersection(dead) } }
}

@Suite struct `Scrubbing a file` {
  // LMDB wrote the text of pages it had written before into the gaps of new ones: what was scrubbed came back.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func `nothing deleted is left, nor does it come back, and all else is as it was`(seed: UInt64) throws {
    let store = try MarkedStore(seed: seed)
    var scrubs = 0, remainsBefore = 0
    for _ in 0..<40 {
      switch Int.random(in: 0..<10, using: &store.random) {
      case 0: try store.change(operations: 300, commits: false)
      case 1: try store.reopen()
      case 2, 3:
        remainsBefore += try store.remains.count
        #expect(try store.environment.scrub())
        scrubs += 1
        let dead = store.dead
        #expect(try store.remains.isEmpty, "scrub \(scrubs)")
        #expect(try store.marksInFile == store.live)
        try store.check()
        // New values take the pages, whose memory had the old ones.
        for _ in 0..<4 { try store.change(operations: 20) }
        #expect(try store.marksInFile.isDisjoint(with: dead), "after scrub \(scrubs)")
      case 4: try store.change(operations: 500, deletes: 4)
      default: try store.change(operations: Int.random(in: 1...60, using: &store.random))
      }
    }
    #expect(scrubs > 0)
    #expect(remainsBefore > 0, "there was nothing to scrub")
    try store.check()
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `what a reader still sees stays until it has ended`(seed: UInt64) throws {
    let store = try MarkedStore(seed: seed)
    for _ in 0..<4 { try store.change(operations: 100) }
    for _ in 0..<4 {
      do {
        let reader = try store.environment.beginRead()
        let seen = store.model
        for _ in 0..<Int.random(in: 2...6, using: &store.random) { try store.change(operations: 100) }
        #expect(try !store.environment.scrub())
        for (table, expected) in zip(store.tables, seen) { #expect(try contents(reader, of: table) == expected) }
        try store.check()
        _ = reader.id
      }
      #expect(try store.environment.scrub())
      #expect(try store.remains.isEmpty)
      // A reader of the last commit keeps nothing that was deleted before.
      let reader = try store.environment.beginRead()
      #expect(try store.environment.scrub())
      for (table, expected) in zip(store.tables, store.model) {
        #expect(try contents(reader, of: table) == expected)
      }
      try store.check()
    }
  }

  @Test func `what only old readers keep is all that is left`() throws {
    let store = try MarkedStore(seed: 5)
    for _ in 0..<5 { try store.change(operations: 200) }
    #expect(try store.environment.scrub())
    let before = store.dead
    let reader = try store.environment.beginRead()
    let seen = store.live
    for _ in 0..<5 { try store.change(operations: 200) }
    #expect(try !store.environment.scrub())
    #expect(try store.remains.isSuperset(of: seen.subtracting(store.live)))
    #expect(try store.marksInFile.isDisjoint(with: before))
    _ = reader.id
  }

  @Test func `another process does not bring back what it wrote once`() throws {
    let folder = try TemporaryFolder()
    let mark = Mark(number: 77)
    var go: [Int32] = [0, 0], done: [Int32] = [0, 0]
    #expect(unsafe pipe(&go) == 0)
    #expect(unsafe pipe(&done) == 0)
    let child = try fork {
      var byte: UInt8 = 1
      do {
        let own = try Environment(folder: folder.path)
        let table = try own.openTables(["small"])[0]
        try own.write { transaction in
          for n in 0..<400 { try transaction.put(mark.value(count: 150).raw, at: number(n).raw, in: table) }
        }
        _ = unsafe write(done[1], &byte, 1)
        _ = unsafe read(go[0], &byte, 1)
        for n in 0..<40 {
          try own.write { transaction in
            try transaction.put(number(n).raw, at: number(1000 + n * 31).raw, in: table)
          }
        }
        return 0
      } catch { return 1 }
    }
    var byte: UInt8 = 0
    #expect(unsafe read(done[0], &byte, 1) == 1)
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["small"])[0]
    try environment.write { transaction in
      for n in 0..<400 where n % 40 != 0 { _ = try transaction.delete(number(n).raw, in: table) }
      for n in stride(from: 0, to: 400, by: 40) {
        try transaction.put(number(n).raw, at: number(n).raw, in: table)
      }
    }
    #expect(try !Mark.all(in: Raw.read(folder.dataFile)).isEmpty)
    #expect(try environment.scrub())
    #expect(try Mark.all(in: Raw.read(folder.dataFile)).isEmpty)
    _ = unsafe write(go[1], &byte, 1)
    #expect(wait(for: child) == 0)
    #expect(try Mark.all(in: Raw.read(folder.dataFile)).isEmpty)
    #expect(try environment.check(.full).problem == nil)
    for end in go + done { Glibc.close(end) }
  }

  @Test func `what lies behind the last page goes too`() throws {
    let store = try MarkedStore(seed: 3)
    try store.change(operations: 50)
    store.close()
    let mark = Mark(number: 1 << 30)
    let size = try Raw.read(store.folder.dataFile).count
    // Such as a transaction leaves that was written in part, and then given up.
    try Raw.write(
      (try Raw.read(store.folder.dataFile) + mark.value(count: 10_000))[...], to: store.folder.dataFile)
    #expect(try store.marksInFile.contains(mark))
    try store.reopen()
    #expect(try store.environment.scrub())
    #expect(try !store.marksInFile.contains(mark))
    #expect(try Raw.read(store.folder.dataFile).count >= size)
    try store.check()
  }

  @Test func `a new file and one without tables are scrubbed`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    #expect(try environment.scrub())
    #expect(try environment.scrub())
    let table = try environment.openTables(["table"])[0]
    #expect(try environment.scrub())
    try environment.write { try $0.put(number(1).raw, at: number(1).raw, in: table) }
    #expect(try contents(environment.beginRead(), of: table) == [number(1): number(1)])
    #expect(try environment.check(.full).problem == nil)
    #expect(try environment.tableNames() == ["table"])
  }

  @Test func `where one may only read nothing is scrubbed`() throws {
    let store = try MarkedStore(seed: 1)
    try store.change(operations: 50)
    store.close()
    var options = Environment.Options()
    options.isReadOnly = true
    let environment = try Environment(folder: store.folder.path, options: options)
    #expect(throws: LMDBError.readOnly(.transactionBegin)) { try environment.scrub() }
  }

  @Test func `a damaged page is refused, and nothing of it written`() throws {
    let store = try MarkedStore(seed: 9)
    for _ in 0..<6 { try store.change(operations: 200) }
    store.close()
    let whole = try Raw.read(store.folder.dataFile)
    let page = try #require(Self.leaf(of: whole, holding: store.live))
    var file = whole
    file[page * 4096 + 13] = 0xff
    try Raw.write(file[...], to: store.folder.dataFile)
    try store.reopen()
    #expect {
      try store.environment.scrub()
    } throws: { error in
      if case LMDBError.damaged(let problem) = error { problem.page == UInt64(page) } else { false }
    }
    let after = try Raw.read(store.folder.dataFile)
    #expect(after[page * 4096..<(page + 1) * 4096] == file[page * 4096..<(page + 1) * 4096])
  }

  /// The number of a leaf that holds one of `marks`.
  private static func leaf(of file: [UInt8], holding marks: Set<Mark>) -> Int? {
    for page in 2..<file.count / 4096 {
      let bytes = Array(file[page * 4096..<(page + 1) * 4096])
      guard bytes[10] == 2, bytes[0..<8].elementsEqual(number(page).reversed()) else { continue }
      if !Mark.all(in: bytes).isDisjoint(with: marks) { return page }
    }
    return nil
  }

  /// What tells that one must stop.
  private static let codes = [EIO, ENOSPC]

  @Test(arguments: codes) func `whichever call fails, the content is as it was, and a second scrub does it`(
    code: Int32
  ) throws {
    var occurrence = 1
    var failures = 0
    while true {
      let store = try MarkedStore(seed: 4)
      for _ in 0..<3 { try store.change(operations: 60) }
      let fired = Failpoint.with(occurrence: occurrence, code: code) {
        if (try? store.environment.scrub()) == nil { failures += 1 }
      }
      if !fired { break }
      try store.check()
      #expect(try store.scrubAgain())
      #expect(try store.remains.isEmpty, "call \(occurrence)")
      try store.check()
      // Most calls read or write a piece; not each of them has to be tried.
      occurrence += occurrence < 40 ? 1 : 11
    }
    #expect(occurrence > 60)
    #expect(failures > 20)
  }

  @Test func `after a sync that failed nothing more is written until opened again`() throws {
    let store = try MarkedStore(seed: 6)
    try store.change(operations: 100)
    let fired = Failpoint.with(call: .fileSync, code: EIO) {
      #expect(throws: LMDBError.inputOutput(.fileSync)) { try store.environment.scrub() }
    }
    #expect(fired)
    #expect(throws: LMDBError.writesStopped(after: EIO)) { _ = try store.environment.beginWrite() }
    try store.check()
    try store.reopen()
    #expect(try store.environment.scrub())
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `whatever of it reached the disk, the content is the same`(seed: UInt64) throws {
    let store = try MarkedStore(seed: seed)
    for _ in 0..<8 { try store.change(operations: 150) }
    // The commit that goes before it is on disk.
    #expect(try store.environment.scrub())
    for _ in 0..<3 { try store.change(operations: 100) }
    var before: [UInt8] = []
    // The first write of a scrub comes after its commit: the last moment before it overwrites anything.
    let fired = Failpoint.with(call: .fileWrite, code: EIO) {
      #expect(throws: LMDBError.inputOutput(.fileWrite)) { try store.environment.scrub() }
    }
    #expect(fired)
    before = try Raw.read(store.folder.dataFile)
    store.close()
    let other = try TemporaryFolder()
    try Raw.write(before[...], to: other.dataFile)
    // The same again without the commit, so that only what is overwritten differs.
    let again = try Environment(folder: other.path)
    #expect(try again.scrub(holding: again.beginWrite()))
    again.close()
    let after = try Raw.read(other.dataFile)
    #expect(before != after)
    for _ in 0..<10 {
      var torn = before
      for sector in 0..<min(before.count, after.count) / 512 where Bool.random(using: &store.random) {
        torn.replaceSubrange(sector * 512..<sector * 512 + 512, with: after[sector * 512..<sector * 512 + 512])
      }
      try Raw.write(torn[...], to: store.folder.dataFile)
      try store.reopen()
      try store.check()
      store.close()
    }
  }

  @Test func `a process killed at any moment of it does no harm`() throws {
    let store = try MarkedStore(seed: 8)
    for _ in 0..<6 { try store.change(operations: 300) }
    store.close()
    let file = try Raw.read(store.folder.dataFile)
    var killed = 0
    for trial in 0..<15 {
      try Raw.write(file[...], to: store.folder.dataFile)
      let path = store.folder.path
      let child = try fork {
        guard let own = try? Environment(folder: path) else { return 1 }
        return (try? own.scrub()) == true ? 0 : 2
      }
      usleep(UInt32(trial * 2_000))
      kill(child, SIGKILL)
      if wait(for: child) == -SIGKILL { killed += 1 }
      try store.reopen()
      try store.check()
      #expect(try store.environment.scrub())
      #expect(try store.remains.isEmpty)
      try store.check()
      store.close()
    }
    #expect(killed > 0)
  }
}

@Suite struct `Keys of entries that are gone` {
  private static func name(_ n: Int) -> [UInt8] { Array("somebody called number \(1000 + n)".utf8) }

  @Test func `stay in inner pages until the table is written anew`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let tables = try environment.openTables(["names", "others"])
    var expected: [[UInt8]: [UInt8]] = [:]
    try environment.write { transaction in
      for n in 0..<600 {
        try transaction.put(number(n).raw, at: Self.name(n).raw, in: tables[0])
        try transaction.put(number(n).raw, at: Self.name(n).raw, in: tables[1])
        expected[Self.name(n)] = number(n)
      }
    }
    #expect(try environment.rewriteOldKeys(of: tables) == 0)
    func isInFile(_ n: Int) throws -> Bool { try !places(of: Self.name(n), in: Raw.read(folder.dataFile)).isEmpty }
    // Each of them was the first of a leaf, or was not.
    var left = 0
    for n in stride(from: 0, to: 600, by: 2) {
      try environment.write { transaction in
        for table in tables { _ = try transaction.delete(Self.name(n).raw, in: table) }
      }
      expected[Self.name(n)] = nil
    }
    #expect(try environment.scrub())
    for n in stride(from: 0, to: 600, by: 2) where try isInFile(n) { left += 1 }
    #expect(left > 0, "no key was left in an inner page")

    #expect(try environment.rewriteOldKeys(of: [tables[0]]) == 1)
    #expect(try environment.rewriteOldKeys(of: tables) == 1)
    #expect(try environment.rewriteOldKeys(of: tables) == 0)
    #expect(try environment.scrub())
    for n in 0..<600 { #expect(try isInFile(n) == (n % 2 == 1)) }
    for table in tables { #expect(try contents(environment.beginRead(), of: table) == expected) }
    #expect(try environment.check(.full).problem == nil)
  }
}
