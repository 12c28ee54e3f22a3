// Walking in the order of the keys, compared with a sorted array.
import LMDB
import Testing

@Suite struct `Walking a table` {
  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `any walk goes as a sorted array says`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    let keys = Set(
      (0..<Int.random(in: 0...2000, using: &random)).map { _ in
        Int.random(in: 0..<5000, using: &random)
      }
    ).sorted()
    try environment.write { transaction in
      for key in keys { try transaction.put(number(key + 1).raw, at: number(key).raw, in: table) }
    }
    let reader = try environment.beginRead()
    var cursor = try reader.cursor(in: table)
    #expect(try bytes(cursor.first()?.key) == keys.first.map(number))
    #expect(try bytes(cursor.last()?.value) == keys.last.map { number($0 + 1) })
    for _ in 0..<300 {
      let wanted = Int.random(in: 0..<5002, using: &random)
      let place = keys.firstIndex { $0 >= wanted }
      #expect(
        try bytes(cursor.seek(exactly: number(wanted).raw)?.key)
          == (keys.contains(wanted) ? number(wanted) : nil))
      #expect(
        try bytes(cursor.seek(atOrBefore: number(wanted).raw)?.key) == keys.last { $0 <= wanted }.map(number))
      #expect(try bytes(cursor.seek(atOrAfter: number(wanted).raw)?.key) == place.map { number(keys[$0]) })
      guard var place else { continue }
      for _ in 0..<10 {
        let isForward = Bool.random(using: &random)
        let found = try bytes(isForward ? cursor.next()?.key : cursor.previous()?.key)
        place += isForward ? 1 : -1
        guard keys.indices.contains(place) else {
          #expect(found == nil)
          break
        }
        #expect(found == number(keys[place]))
      }
    }
  }

  @Test func `entries stay while the cursor moves on`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    try environment.write { transaction in
      for n in 0..<3 { try transaction.append(number(n).raw, at: number(n).raw, in: table) }
      do {
        try transaction.append(number(1).raw, at: number(1).raw, in: table)
        Issue.record("appended out of order")
      } catch LMDBError.keyExists(.put) {}
    }
    let reader = try environment.beginRead()
    var cursor = try reader.cursor(in: table)
    let first = try cursor.next()
    let second = try cursor.next()
    #expect(bytes(first?.key) == number(0))
    #expect(bytes(second?.key) == number(1))
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `a sweep removes what it is told and nothing else`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    try environment.write { transaction in
      for key in 0..<3000 { try transaction.put(number(key).raw, at: number(key).raw, in: table) }
    }
    let start = Int.random(in: 0..<3000, using: &random), end = Int.random(in: start...3000, using: &random)
    let share = Int.random(in: 1...4, using: &random)
    var left = Set((0..<3000).map(number))
    let removed = try environment.write { transaction in
      try transaction.sweep(table, from: number(start).raw) { entry in
        guard let key = bytes(entry.key) else { return .stop }
        if key == number(end) { return .stop }
        if Int.random(in: 0..<share, using: &random) > 0 { return .keep }
        left.remove(key)
        return .remove
      }
    }
    #expect(removed == 3000 - left.count)
    #expect(try environment.read { try Set(contents($0, of: table).keys) } == left)
    #expect(try environment.check(.full).problem == nil)
  }

  @Test func `a table dropped is empty and stays`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    try put(1, 2, table, environment)
    try environment.write { try $0.drop(table) }
    #expect(try environment.read { try $0.statistics(of: table).entries } == 0)
    #expect(try environment.tableNames() == ["table"])
  }

  @Test func `changes are not seen before the commit, and never where it does not come`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    let reader = try environment.beginRead()
    do {
      var transaction = try environment.beginWrite()
      try transaction.put(number(1).raw, at: number(1).raw, in: table)
      #expect(try transaction.contains(number(1).raw, in: table))
      #expect(try !environment.beginRead().contains(number(1).raw, in: table))
    }
    #expect(try !environment.beginRead().contains(number(1).raw, in: table))
    try put(1, 1, table, environment)
    #expect(try !reader.contains(number(1).raw, in: table))
    #expect(try environment.beginRead().contains(number(1).raw, in: table))
  }
}
