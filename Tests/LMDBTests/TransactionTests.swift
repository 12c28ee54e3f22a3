// Reading and writing on the happy path.
import LMDB
import Platform
import Synchronization
import Testing

@Suite struct `Reading and writing` {
  @Test func `what was committed is read, in order and by key`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let tables = try environment.openTables(["one", "two"])
    do {
      var transaction = try environment.beginWrite()
      for n in 0..<1000 { try transaction.put(number(n * 2).raw, at: number(n).raw, in: tables[0]) }
      try transaction.append(number(7).raw, at: number(1).raw, in: tables[1])
      #expect(try transaction.delete(number(5).raw, in: tables[0]))
      #expect(try !transaction.delete(number(5).raw, in: tables[0]))
      try transaction.commit()
    }
    let reader = try environment.beginRead()
    #expect(try count(reader, in: tables[0]) == 999)
    #expect(try bytes(reader.value(of: number(9).raw, in: tables[0])) == number(18))
    #expect(try bytes(reader.value(of: number(5).raw, in: tables[0])) == nil)
    #expect(try bytes(reader.value(of: number(1).raw, in: tables[1])) == number(7))
    #expect(try reader.statistics(of: tables[0]).entries == 999)
    #expect(try environment.tableNames() == ["one", "two"])
  }
}

@Suite struct `Many threads at once` {
  @Test func `readers beside a writer see whole commits only, until it is closed`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    func commit(_ value: Int) throws {
      try environment.write { transaction in
        for key in 0..<50 { try transaction.put(number(value).raw, at: number(key).raw, in: table) }
      }
    }
    try commit(0)
    let seen = Mutex<[Int]>([])
    let readers = try (0..<4).map { _ in
      try DedicatedThread(name: "reader") {
        var commits = Set<[UInt8]>()
        while let values = try? environment.read({ try Set(contents($0, of: table).values) }) {
          #expect(values.count == 1)
          commits.formUnion(values)
        }
        #expect(throws: LMDBError.closed) { _ = try environment.beginRead() }
        seen.withLock { $0.append(commits.count) }
      }
    }
    for value in 1...200 { try commit(value) }
    MonotonicClock.sleep(nanoseconds: 20_000_000)
    environment.close()
    for reader in readers { reader.join() }
    #expect(seen.withLock { $0.reduce(0, +) } >= 4)
    let again = try Environment(folder: folder.path)
    #expect(try again.check(.full).problem == nil)
  }
}

func count(_ transaction: borrowing some Transaction & ~Copyable, in table: Table) throws -> Int {
  var cursor = try transaction.cursor(in: table)
  var count = 0
  while try cursor.next() != nil { count += 1 }
  return count
}
